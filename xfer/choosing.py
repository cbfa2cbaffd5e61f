"""Some nodes of a plan, by a pattern: `--select`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from xfer.naming import PREFIX
from xfer.opening import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.ops import Key
    from compiler.plan import Node, Plan

_WILD = re.compile(r"[*?]")


def choose(plan: Plan, pattern: str) -> tuple[Node, ...]:
    """The nodes whose label holds the pattern, in the plan's order.

    `*` and `?` stand for what they do in names of files, six or more digits for the beginning of a key. `+` before the
    pattern adds all that the nodes read, `+` behind it all that reads them. Raises UsageError where there is none.
    """
    text = pattern.removeprefix("+").removesuffix("+")
    named = [n for n in plan.nodes if _fits(n, text)]
    if not text or not named:
        hint = "a part of a label as `--full` prints it; `+` before it adds what it reads, behind it what reads it"
        raise UsageError(f"`--select {pattern}` fits no node of this plan", hint)
    keys = {n.key for n in named}
    if pattern.startswith("+"):
        keys |= _above(plan, keys)
    if pattern.endswith("+"):
        keys |= _below(plan, {n.key for n in named})
    return tuple(n for n in plan.nodes if n.key in keys)


def _fits(node: Node, text: str) -> bool:
    if PREFIX.fullmatch(text.lower()) and node.key.startswith(text.lower()):
        return True
    return fnmatchcase(node.label, text) if _WILD.search(text) else text in node.label


def _above(plan: Plan, keys: Iterable[Key]) -> set[Key]:
    """All that some nodes read, directly or not."""
    found = set(keys)
    for node in reversed(plan.nodes):
        if node.key in found:
            found.update(node.inputs)
    return found


def _below(plan: Plan, keys: Iterable[Key]) -> set[Key]:
    """All that reads some nodes, directly or not."""
    found = set(keys)
    for node in plan.nodes:
        if not found.isdisjoint(node.inputs):
            found.add(node.key)
    return found
