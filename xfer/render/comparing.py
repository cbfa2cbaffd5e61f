"""Two plans side by side, as text and as a document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.text import Text

from xfer.render.document import FORMAT_VERSION, node_reason
from xfer.render.messages import counted, say
from xfer.render.plan import cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from compiler.plan import Node
    from runtime.comparing import Comparison

_NODES, _CHANGES = 12, 20  # that are named


def show_comparison(console: Console, found: Comparison) -> None:
    """Totals, each change at its root, then what is there in one plan alone."""
    say(console, Text(_totals(found), "bold"))
    for change in found.changes[:_CHANGES]:
        say(console, Text(f"1 change, {len(change.nodes):,} other nodes: {cause(change.reason)}", "yellow"))
    if len(found.changes) > _CHANGES:
        say(console, Text(f"… and {len(found.changes) - _CHANGES} more changes", "yellow"))
    _show_nodes(console, "+", "green", found.added)
    _show_nodes(console, "-", "red", found.removed)


def _totals(found: Comparison) -> str:
    if not (found.changed or found.added or found.removed):
        return f"The same work: {counted(len(found.same), 'node')}."
    parts = ((found.same, "the same"), (found.changed, "changed"), (found.added, "added"), (found.removed, "removed"))
    return ", ".join(f"{len(nodes):,} {word}" for nodes, word in parts if nodes)


def _show_nodes(console: Console, sign: str, style: str, nodes: Sequence[Node]) -> None:
    for node in nodes[:_NODES]:
        say(console, Text(f"{sign} {node.label}", style))
    if left := Counter(node.sort for node in nodes[_NODES:]):
        say(console, Text(f"{sign} … and {', '.join(f'{n:,} {op}' for op, n in left.items())} more", style))


def comparison_document(found: Comparison) -> dict[str, Any]:
    """Every node that is not in both plans, and every change at its root."""
    return {
        "format_version": FORMAT_VERSION,
        "totals": {name: len(getattr(found, name)) for name in ("same", "changed", "added", "removed")},
        "changes": [{**node_reason(c.reason), "nodes": list(c.nodes)} for c in found.changes],
        "changed": {key: [node_reason(r) for r in reasons] for key, reasons in found.changed.items()},
        "added": [_node(n) for n in found.added],
        "removed": [_node(n) for n in found.removed],
    }


def _node(node: Node) -> dict[str, Any]:
    return {"id": node.key[:12], "key": node.key if node.pinned else None, "op": node.sort, "label": node.label}
