"""Results: one row a score, read from the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from runtime.errors import DamagedObject

if TYPE_CHECKING:
    from compiler.plan import Cell, Plan
    from runtime.store.objects import Store

SCORE = "score.json"


class Row(Struct, frozen=True):
    """A score with where it stands."""

    cell: Cell
    value: float  # in the metric's own unit; proportions in [0, 1]
    n: int
    chance: float | None


def read(plan: Plan, store: Store) -> tuple[tuple[Row, ...], int]:
    """The scores that are there, verified, and how many are missing or damaged."""
    present = store.present(c.score for c in plan.cells)
    found = [_row(cell, store) for cell in plan.cells if cell.score in present]
    rows = tuple(row for row in found if row is not None)
    return rows, len(plan.cells) - len(rows)


def _row(cell: Cell, store: Store) -> Row | None:
    """The score; None where its object is damaged."""
    try:
        record = json.loads(store.read_file(cell.score, SCORE))
    except DamagedObject:
        return None
    return Row(cell, record["value"], record["n"], record["chance"])
