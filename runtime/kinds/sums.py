"""Metrics as functions of sums over items: means and shares, F1 of counts.

Letters of shapes: I items, K contributions of each. Sums may be those of any weighting of the items, as a resample's,
and need not be whole numbers; leading axes are many such sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.kinds.kind import Items

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def whole_of(items: Items) -> float:
    """The metric over all items."""
    return float(items.whole(items.sums.sum(axis=0)))


def rows_of(table: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """(I,) the index in the source of each line of a table of predictions; without a column `row` they are numbered."""
    if "row" not in table.column_names:
        return np.arange(table.num_rows, dtype=np.int64)
    return np.asarray(table.column("row").to_numpy(), dtype=np.int64)


def averaged(rows: NDArray[np.int64], values: NDArray[Any]) -> Items:
    """Items (I,) of a metric that is the mean of their values."""
    return Items(rows, stacked(values, np.ones(len(rows))), ratio)


def stacked(*values: NDArray[Any]) -> Floats:
    """K contributions, each (I,), as one array (I, K)."""
    return np.stack(values, axis=-1).astype(np.float64)


def ratio(sums: Floats) -> Floats:
    """(…, 2) sums of a part and of a whole -> (…) the part's share; 0 of nothing."""
    return quotient(sums[..., 0], sums[..., 1])


def f1(sums: Floats) -> Floats:
    """(…, 3) how many are right, are said, and are there -> (…) F1; 0 where none is said or there."""
    return quotient(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def quotient(part: Floats, whole: Floats) -> Floats:
    """Part / whole where the whole is above 0, else 0."""
    found: Floats = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
    return found
