"""Nodes by what people call them: the beginning of a key, or a label as `plan` prints it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from xfer.opening import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from compiler.plan import Node, Plan

PREFIX = re.compile(r"[0-9a-f]{6,64}")
_SEED = re.compile(r" \(seed \d+\)$")
_SHOWN = 12


def find_node(plan: Plan, name: str) -> Node:
    """The node of that name; raises UsageError with what there is where that is none or several."""
    found = _named(plan, " ".join(name.split()))
    if len(found) == 1:
        return found[0]
    if found:
        shown = "".join(f"\n  {n.key[:12]}  {n.label}" for n in found[:_SHOWN])
        more = f"\n  and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise UsageError(f"`{name}` names {len(found):,} nodes", f"say which, by its key:{shown}{more}")
    raise UsageError(f"there is no node `{name}` in this plan", _nearby(plan, name))


def _named(plan: Plan, name: str) -> list[Node]:
    """The nodes that the name fits best."""
    if PREFIX.fullmatch(name.lower()) and (found := [n for n in plan.nodes if n.key.startswith(name.lower())]):
        return found
    spellings = [(n, list(_spellings(n))) for n in plan.nodes]
    for exactness in range(max((len(s) for _, s in spellings), default=0)):
        if found := [n for n, s in spellings if exactness < len(s) and s[exactness] == name]:
            return found
    return []


def _spellings(node: Node) -> Iterator[str]:
    """What a node is called, from the whole label to its last stage, each with the seed and then without."""
    chain = node.label.removeprefix(f"{node.sort} ").removeprefix(f"{_metric(node)} ")
    for label in (node.label, chain, chain.rsplit(" -> ", 1)[-1]):
        yield label
        yield _SEED.sub("", label)


def _metric(node: Node) -> str:
    return str(node.preimage["fields"].get("metric"))


def _nearby(plan: Plan, name: str) -> str:
    labels = list(dict.fromkeys(n.label for n in plan.nodes))
    short = {spelling: n.label for n in plan.nodes for spelling in _spellings(n)}
    close: Sequence[str] = get_close_matches(name, [*labels, *short], n=8, cutoff=0.5)
    found = list(dict.fromkeys(short.get(c, c) for c in close))[:4]
    if found:
        return "the closest are " + ", ".join(f"`{label}`" for label in found)
    return "`xfer plan SPEC --full` shows all, `--json` with their keys: six or more digits of one will do"
