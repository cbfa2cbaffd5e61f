"""The plan as one JSON document (docs/commands.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.preview import Mark

if TYPE_CHECKING:
    from compiler.plan import Node, Place, Plan
    from runtime.differences import Reason
    from runtime.preview import Preview

FORMAT_VERSION = "1.0"  # minor: something was added; major: something changed its meaning


def plan_document(plan: Plan, preview: Preview) -> dict[str, Any]:
    """Every node with key, op, label, action, reasons, parents and span, in topological order."""
    return {
        "format_version": FORMAT_VERSION,
        "spec": plan.spec,
        "device": {"kind": plan.device.kind, "name": plan.device.name, "bf16": plan.device.bf16},
        "totals": {"nodes": len(plan.nodes), "to_run": len(preview.to_run), **_counts(preview)},
        "nodes": [_node(n, preview) for n in plan.nodes],
        "changes": [{**_reason(c.reason), "nodes": list(c.nodes)} for c in preview.changes],
    }


def _counts(preview: Preview) -> dict[str, int]:
    return {m.name.lower(): preview.count(m) for m in Mark}


def _node(node: Node, preview: Preview) -> dict[str, Any]:
    return {
        "id": node.key[:12],
        "key": node.key if node.pinned else None,
        "op": node.sort,
        "label": node.label,
        "action": preview.marks[node.key].name.lower(),
        "reasons": [_reason(r) for r in preview.reasons.get(node.key, ())],
        "parents": [k[:12] for k in node.inputs],
        "span": _place(node.place),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    found: dict[str, Any] = {"code": reason.code}
    if reason.path:
        found |= {"path": reason.path, "before": reason.before, "after": reason.after}
    if reason.place is not None:
        found["span"] = _place(reason.place)
    return found


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "width": place.width}
