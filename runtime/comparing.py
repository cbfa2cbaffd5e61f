"""Two plans side by side: what is the same work, what changed and why, what is there in one of them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from runtime.contents import names
from runtime.differences import differences
from runtime.preview import Change, changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.ops import Key
    from compiler.plan import Node, Plan
    from runtime.differences import Reason


class Comparison(Struct, frozen=True):
    """How a plan differs from an older one."""

    same: tuple[Node, ...]
    changed: Mapping[Key, tuple[Reason, ...]]  # nodes of the new plan that stand where others stood
    added: tuple[Node, ...]
    removed: tuple[Node, ...]  # of the old plan
    changes: tuple[Change, ...]  # each at its root


def compare(old: Plan, new: Plan) -> Comparison:
    """The new plan against the old one. A node with another key stands where one of its op and label stood."""
    before = {(n.sort, n.label): n for n in old.nodes}
    keys, now, then = {n.key for n in old.nodes}, names(new), names(old)
    other = [n for n in new.nodes if n.key not in keys]
    changed = {
        n.key: differences(n, before[n.sort, n.label].preimage, now, then) for n in other if (n.sort, n.label) in before
    }
    here, labels = {n.key for n in new.nodes}, {(n.sort, n.label) for n in new.nodes}
    return Comparison(
        same=tuple(n for n in new.nodes if n.key in keys),
        changed=changed,
        added=tuple(n for n in other if n.key not in changed),
        removed=tuple(n for n in old.nodes if n.key not in here and (n.sort, n.label) not in labels),
        changes=changes(tuple(n for n in other if n.key in changed), changed),
    )
