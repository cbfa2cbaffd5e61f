"""Rows that come together, as questions on one passage: one draw of a target's items, whatever the metric.

A cluster is known by the index of the first of its rows, which is the same in parallel languages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.kinds.sums import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.columns import Columns

CLUSTER = "cluster"  # of a row's values what it is of; of a table of predictions the first row that is of the same


def first_of(value: Any, row: int, seen: dict[str, int]) -> int:  # noqa: ANN401
    """The first row that is of the same as this one, by what was seen so far; a row that is of nothing stands alone."""
    return row if value is None else seen.setdefault(repr(value), row)


def marked(table: Any, columns: Columns) -> Any:  # noqa: ANN401
    """A table of predictions, a line for each example of the data, with their clusters where the data have them."""
    import pyarrow as pa

    if columns.clusters is None:
        return table
    return table.append_column(CLUSTER, pa.array(columns.clusters, pa.int64()))


def gathered(table: Any, rows: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[Any, Any]:  # noqa: ANN401
    """Clusters (C,), ascending, and what each gives, of the items (I,) of a table of predictions.

    A cluster deviates from the mean as all its items together, times C / I: so the mean stays, and the variance of the
    mean is the one that is robust to whatever the items of a cluster have in common (Liang & Zeger 1986).
    """
    if CLUSTER not in table.column_names or not len(rows):
        return rows, values
    known, of_row = np.unique(rows_of(table), return_index=True)
    of_item = table.column(CLUSTER).to_numpy()[of_row[np.searchsorted(known, rows)]]
    found, index = np.unique(of_item, return_inverse=True)
    if len(found) == len(rows):
        return rows, values
    mean = values.mean()
    return found, mean + np.bincount(index, weights=values - mean) * (len(found) / len(rows))
