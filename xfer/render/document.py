"""The plan as one JSON document (docs/commands.md)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from compiler.ops import AbsentRows, sources
from runtime.preview import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compiler.plan import Node, Place, Plan
    from runtime.differences import Reason
    from runtime.preview import Preview
    from xfer.render.costs import Cost

FORMAT_VERSION = "1.4"  # minor: something was added; major: something changed its meaning


def plan_document(
    plan: Plan, preview: Preview, cost: Cost, request: Mapping[str, Any], nodes: Sequence[Node] | None = None
) -> dict[str, Any]:
    """Every node, or only some, with key, op, label, action, reasons, parents, cost and span, in topological order."""
    return {
        "format_version": FORMAT_VERSION,
        "plan_id": plan_id(plan, preview),
        "spec": plan.spec,
        "request": dict(request),
        "device": {"kind": plan.device.kind, "name": plan.device.name, "bf16": plan.device.bf16},
        "totals": {"nodes": len(plan.nodes), "to_run": len(preview.to_run), **_counts(preview)},
        "cost": _total(cost),
        "nodes": [_node(n, preview, cost) for n in (plan.nodes if nodes is None else nodes)],
        "changes": [{**node_reason(c.reason), "nodes": list(c.nodes)} for c in preview.changes],
        "absent": [_absent(n, s, plan) for n in preview.absent for s in sources(n.op) if isinstance(s, AbsentRows)],
        "controls": [{"experiment": c.experiment, "axis": c.axis, "asked_by": _place(c.place)} for c in plan.controls],
        "unverified": {name: list(what) for name, what in plan.unverified.items()},
    }


def _absent(node: Node, rows: AbsentRows, plan: Plan) -> dict[str, str]:
    return {"id": node.key[:12], "root": rows.root, "file": rows.pattern, "obtain": plan.obtain[rows]}


def plan_id(plan: Plan, preview: Preview) -> str:
    """What tells two plans apart: SHA-256 over the keys of all nodes in order, and over those that are to run."""
    text = "\n".join([*(n.key for n in plan.nodes), "", *(n.key for n in preview.to_run)])
    return sha256(text.encode()).hexdigest()


def _total(cost: Cost) -> dict[str, Any]:
    """Of all that is left to run."""
    found, line = cost.estimate, cost.estimate.timeline
    return {
        "flops": found.flops,
        "tokens": found.tokens,
        "seconds": line.work,
        "makespan_seconds": line.makespan,
        "critical_seconds": line.critical,
        "critical_path": [n.key[:12] for n in line.path],
        "workers": found.workers,
        "time_known_by": dict(found.sources),
        "time_unknown": [n.key[:12] for n in found.unknown],
        "bytes": line.kept,
        "peak_bytes_keep_final": line.dropped,
        "size_unknown": found.unsized,
        "free_bytes": cost.free,
        "training_flops_saved_by_sharing": found.saved,
    }


def _counts(preview: Preview) -> dict[str, int]:
    return {m.name.lower(): preview.count(m) for m in Mark}


def _node(node: Node, preview: Preview, cost: Cost) -> dict[str, Any]:
    return {
        "id": node.key[:12],
        "key": node.key if node.pinned else None,
        "op": node.sort,
        "label": node.label,
        "action": preview.marks[node.key].name.lower(),
        "reasons": [node_reason(r) for r in preview.reasons.get(node.key, ())],
        "parents": [k[:12] for k in node.inputs],
        "cost": _cost(node, cost) if node.key in preview.reasons else None,
        "span": _place(node.place),
    }


def _cost(node: Node, cost: Cost) -> dict[str, Any]:
    """Of one node; null is unknown."""
    work = cost.estimate.works[node.key]
    seconds = cost.estimate.seconds.get(node.key)
    return {"seconds": seconds, "flops": work.flops, "tokens": work.tokens, "bytes": work.size}


def node_reason(reason: Reason) -> dict[str, Any]:
    """Why a node runs: its code, and what it is about."""
    found: dict[str, Any] = {"code": reason.code}
    if reason.path:
        found |= {"path": reason.path, "before": reason.before, "after": reason.after}
    if reason.place is not None:
        found["span"] = _place(reason.place)
    return found


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "width": place.width}
