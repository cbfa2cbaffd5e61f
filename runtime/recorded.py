"""The scores that a run was for, as `runs/RUN/scores.jsonl` in the store: a line a score, with what it was made of.

A spec changes after it ran; this says what a run meant, so that two runs can be compared (`xfer compare`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from compiler.ops import Predict, Score
from compiler.plan import Cell, Device, Node, Place, Plan
from runtime.store import io

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from compiler.ops import Op

NAME = "scores.jsonl"
_NOWHERE = Place("", 0, 0, 0, "")


def write(folder: Path, plan: Plan) -> None:
    """Record the scores of a plan; those of baselines without a network are left out."""
    ops = {n.key: n.op for n in plan.nodes}
    lines = (json.dumps(found, ensure_ascii=False) for cell in plan.cells if (found := _record(cell, ops)) is not None)
    io.write_whole(folder / NAME, "".join(f"{line}\n" for line in lines).encode())


def _record(cell: Cell, ops: Mapping[str, Op]) -> dict[str, Any] | None:
    score = ops[cell.score]
    predict = ops.get(score.predictions) if isinstance(score, Score) else None
    if not isinstance(score, Score) or not isinstance(predict, Predict):
        return None
    return {
        "experiment": cell.experiment,
        "axes": dict(cell.axes),
        "seed": cell.seed,
        "benchmark": cell.benchmark,
        "language": cell.language,
        "metric": cell.metric,
        "metric_version": score.metric_version,
        "zero_shot": cell.zero_shot,
        "selected": cell.selected,
        "excluded": cell.excluded,
        "kind": predict.kind,
        "has_threshold": score.has_threshold,
        "score": cell.score,
        "predictions": score.predictions,
        "weights": predict.weights,
        "data": predict.data,
    }


def read(folder: Path, spec: str) -> Plan | None:
    """The scores of a run as a plan of them alone; None where it recorded none, as older versions did not."""
    try:
        lines = io.read(folder / NAME).decode().splitlines()
        records = [json.loads(line) for line in lines]
        nodes = {n.key: n for record in records for n in _nodes(record)}
        cells = tuple(map(_cell, records))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Plan(spec, Device("", "", False), tuple(nodes.values()), cells, (), {}, {}, (0, 0))


def _cell(record: Mapping[str, Any]) -> Cell:
    fields = ("experiment", "seed", "benchmark", "language", "metric", "zero_shot", "score", "selected", "excluded")
    return Cell(axes=tuple(record["axes"].items()), **{name: record[name] for name in fields})


def _nodes(record: Mapping[str, Any]) -> Iterator[Node]:
    """What evidence needs to know: which predictions a score is of, of which kind, and from which weights."""
    predictions, kind = record["predictions"], record["kind"]
    predict = Predict(
        weights=record["weights"], data=record["data"], kind=kind, head=None, precision="", mask=None, vectors=None
    )
    yield Node(predictions, predict, (), "", pinned=True, place=_NOWHERE, places={})
    threshold = 0.0 if record["has_threshold"] else None
    score = Score(predictions, record["metric"], record["metric_version"], threshold)
    yield Node(record["score"], score, (predictions,), "", pinned=True, place=_NOWHERE, places={})
