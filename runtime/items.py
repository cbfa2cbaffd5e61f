"""What each item gives to a metric, for statistics over items: pseudo-values, and answers that are one of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.kinds.sums import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from runtime.kinds.kind import Items

    Floats = NDArray[np.float64]

_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # of a central difference, relative to the sum

_CLASSES: Mapping[str, Callable[[Any], int]] = {  # how many answers there are, by kind
    "classification": lambda table: len(table.column("scores")[0]),
    "multiple-choice": lambda table: int(table.column("choices").to_numpy().max()),
}


def pseudo_values(items: Items) -> Floats:
    """(I,) for each item the metric plus the influence of that item: theta + I grad f(S) (c_i - S / I), S the sums.

    Their mean is the metric, whatever the gradient; their variance over I is the metric's over samples of items (the
    infinitesimal jackknife, Efron 1982, chapter 6). Of a mean they are the items' values, exactly.

    The gradient of a share is analytic. Others are central differences, with steps of the cube root of float64's
    epsilon times the sum of what the items give in size: their error is about 1e-10 of the gradient, far below that of
    any estimate, and no kind has to write derivatives, which would be a second definition of its metric. A
    contribution that is 0 of all items needs none.
    """
    if items.pseudo is not None:
        return items.pseudo
    size, total = len(items.sums), items.sums.sum(axis=0)
    if size == 0:
        return np.zeros(0)
    if items.whole is ratio and (items.sums[:, 1] == 1).all():
        return items.sums[:, 0].copy()
    slope = _slope_of_ratio(total) if items.whole is ratio else _slope(items)
    influence: Floats = (items.sums - total / size) @ slope * size
    return items.whole(total) + influence


def _slope_of_ratio(total: Floats) -> Floats:
    """(2,) gradient of part / whole; 0 where the whole is."""
    part, whole = total
    return np.array([1 / whole, -part / whole**2]) if whole > 0 else np.zeros(2)


def _slope(items: Items) -> Floats:
    """(K,) gradient of the metric at the sums, by central differences."""
    total, steps = items.sums.sum(axis=0), _STEP * np.abs(items.sums).sum(axis=0)
    used = np.flatnonzero(steps)
    moved = np.zeros((len(used), len(total)))
    moved[np.arange(len(used)), used] = steps[used]
    slope = np.zeros(len(total))
    slope[used] = (items.whole(total + moved) - items.whole(total - moved)) / (2 * steps[used])
    return slope


def answers(kind: str, table: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], int] | None:  # noqa: ANN401
    """Labels (I,), predictions (I,) and how many classes there are, of a kind whose answers are classes; else None.

    A run whose predictions are all one class has learnt nothing.
    """
    if kind not in _CLASSES:
        return None
    label, prediction = (np.asarray(table.column(n).to_numpy(), dtype=np.int64) for n in ("label", "prediction"))
    return label, prediction, _CLASSES[kind](table) if table.num_rows else 0
