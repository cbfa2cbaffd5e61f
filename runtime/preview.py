"""A plan against a store: what is cached, what will run, and why. Reads only; loads no ML library."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.ops import AbsentRows, PythonRows, sources
from compiler.schedule import needed
from runtime.contents import names
from runtime.differences import Reason
from runtime.relatives import Relatives
from runtime.store.leases import holder, leased
from runtime.store.states import saved_keys, saved_step

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from compiler.ops import Key
    from compiler.plan import Node, Plan
    from runtime.store.leases import Holder
    from runtime.store.objects import Store


class Mark(Enum):
    """What will happen to a node, as the sign that `plan` shows."""

    CACHED = "="
    NEW = "+"
    CHANGED = "~"
    RESUMED = ">"
    HELD = "*"
    UNPINNED = "?"
    BLOCKED = "!"
    UNASKED = "."

    @property
    def word(self) -> str:
        """The sign in words."""
        return _WORDS[self]


_WORDS = {
    Mark.CACHED: "cached",
    Mark.NEW: "new",
    Mark.CHANGED: "re-run",
    Mark.RESUMED: "resume",
    Mark.HELD: "held by another run",
    Mark.UNPINNED: "unpinned",
    Mark.BLOCKED: "blocked",
    Mark.UNASKED: "not needed",
}


_WEIGHT = (
    Mark.BLOCKED, Mark.HELD, Mark.RESUMED, Mark.CHANGED, Mark.NEW, Mark.UNPINNED, Mark.CACHED, Mark.UNASKED,
)  # fmt: skip


def foremost(marks: Collection[Mark]) -> Mark:
    """Of the marks of some nodes the one that stands for all: what runs before what does not."""
    return next(mark for mark in _WEIGHT if mark in marks)


class Change(Struct, frozen=True):
    """One change and the nodes that it re-runs, those downstream included."""

    reason: Reason
    nodes: tuple[Key, ...]


class Preview(Struct, frozen=True):
    """What `run` would do now."""

    marks: Mapping[Key, Mark]
    reasons: Mapping[Key, tuple[Reason, ...]]
    changes: tuple[Change, ...]
    to_run: tuple[Node, ...]
    resumed: Mapping[Key, int]  # the step that a training goes on from
    held: Mapping[Key, Holder]  # who works on a node now
    refused: tuple[Node, ...] = ()  # what blocks: a run refuses to make them, and so begins nothing
    absent: tuple[Node, ...] = ()  # and so do those whose files nobody has given

    def count(self, mark: Mark) -> int:
        """How many nodes have the mark."""
        return sum(1 for m in self.marks.values() if m is mark)


def preview(plan: Plan, store: Store, *, allow_code: bool = False) -> Preview:
    """Marks and reasons of every node of the plan; `allow_code` as `run` will have it."""
    present = store.present(n.key for n in plan.nodes if n.pinned)
    to_run = needed(plan, present)
    wanted = {n.key for n in to_run}
    relatives = Relatives(store, names(plan), to_run)
    resumed = {k: step for k in saved_keys(store.root) & wanted if (step := saved_step(store.root, k))}
    wrong = _damage(wanted, store)
    held = {k: by for k in leased(store.leases) & wanted if (by := holder(store.leases, k)) is not None}
    refused = () if allow_code else reading(PythonRows, to_run)
    absent = reading(AbsentRows, to_run)
    blocked, lacking = _after(refused, to_run), _after(absent, to_run)
    marks: dict[Key, Mark] = {}
    reasons: dict[Key, tuple[Reason, ...]] = {}
    for node in plan.nodes:
        if node.key not in wanted:
            marks[node.key] = Mark.CACHED if node.key in present else Mark.UNASKED
        else:
            reasons[node.key] = _reasons(node, relatives, wrong)
            if node.key in lacking or (node.key in blocked and node.pinned):
                marks[node.key] = Mark.BLOCKED
            else:
                marks[node.key] = _mark(node, reasons[node.key], node.key in resumed, node.key in held)
    return Preview(marks, reasons, changes(to_run, reasons), to_run, resumed, held, refused, absent)


def reading(sort: type, nodes: Collection[Node]) -> tuple[Node, ...]:
    """The nodes that read rows of a sort."""
    return tuple(n for n in nodes if any(isinstance(s, sort) for s in sources(n.op)))


def _after(refused: Collection[Node], to_run: Collection[Node]) -> set[Key]:
    """The nodes that are refused, and all that wait for one."""
    found = {node.key for node in refused}
    for node in to_run if found else ():
        if not found.isdisjoint(node.inputs):
            found.add(node.key)
    return found


def _mark(node: Node, reasons: tuple[Reason, ...], resumed: bool, held: bool) -> Mark:
    if not node.pinned:
        return Mark.UNPINNED
    if held:
        return Mark.HELD
    if resumed:
        return Mark.RESUMED
    return Mark.NEW if reasons[0].code == "new" else Mark.CHANGED


def _damage(keys: Collection[Key], store: Store) -> dict[Key, Reason]:
    """What is wrong with those that were made once."""
    damaged = dict.fromkeys([*store.lying(keys), *store.put_aside()], Reason("object_damaged"))
    return dict.fromkeys(store.index.known(keys), Reason("object_missing")) | damaged


def _reasons(node: Node, relatives: Relatives, wrong: Mapping[Key, Reason]) -> tuple[Reason, ...]:
    if not node.pinned:
        return (Reason("unpinned"),)
    if node.key in wrong:
        return (wrong[node.key],)
    relative = relatives.latest(node)
    return (relatives.reasons(node, relative) if relative is not None else ()) or (Reason("new"),)


def changes(to_run: tuple[Node, ...], reasons: Mapping[Key, tuple[Reason, ...]]) -> tuple[Change, ...]:
    """Each change at its root, once, with everything that it re-runs."""
    roots: dict[Key, set[Reason]] = {}
    reruns: dict[Reason, list[Key]] = {}
    for node in to_run:
        own = {r for r in reasons[node.key] if r.code not in ("new", "upstream", "unpinned")}
        above = {r for key in node.inputs for r in roots.get(key, ())}
        roots[node.key] = own | above
        for reason in roots[node.key]:
            reruns.setdefault(reason, []).append(node.key)
    return tuple(Change(reason, tuple(keys)) for reason, keys in reruns.items())
