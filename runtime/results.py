"""Results: one row a score, read from the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.ops import Baseline, Predict, Score
from runtime.errors import DamagedObject

if TYPE_CHECKING:
    from compiler.ops import Key
    from compiler.plan import Cell, Plan
    from runtime.store.objects import Store

SCORE = "score.json"


class Row(Struct, frozen=True):
    """A score with where it stands."""

    cell: Cell
    value: float  # in the metric's own unit; proportions in [0, 1]
    n: int
    chance: float | None
    kind: str = ""  # of the task that is scored
    threshold: float | None = None  # from which predictions counted


def read(plan: Plan, store: Store) -> tuple[tuple[Row, ...], int]:
    """The scores that are there, verified, and how many are missing or damaged."""
    present = store.present(c.score for c in plan.cells)
    kinds = _kinds(plan)
    found = [_row(cell, store, kinds[cell.score]) for cell in plan.cells if cell.score in present]
    rows = tuple(row for row in found if row is not None)
    return rows, len(plan.cells) - len(rows)


def threshold_of(store: Store, score: Key) -> float | None:
    """From which similarity predictions counted for a score that is there. Raises DamagedObject."""
    found: float | None = json.loads(store.read_file(score, SCORE)).get("threshold")
    return found


def _kinds(plan: Plan) -> dict[Key, str]:
    """The kind of task behind each score."""
    by_predictions = {n.key: n.op.kind for n in plan.nodes if isinstance(n.op, Predict | Baseline)}
    return {n.key: by_predictions[n.op.predictions] for n in plan.nodes if isinstance(n.op, Score)}


def _row(cell: Cell, store: Store, kind: str) -> Row | None:
    """The score; None where its object is damaged."""
    try:
        record = json.loads(store.read_file(cell.score, SCORE))
    except DamagedObject:
        return None
    return Row(cell, record["value"], record["n"], record["chance"], kind, record.get("threshold"))
