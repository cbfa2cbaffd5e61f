"""Pearson's and Spearman's correlations as items: moments, ranks, and what an item does to the ranks of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from runtime.kinds.sums import quotient, stacked

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CONSTANT = 1e-12  # a variance beside the mean square below which there is rounding alone


def is_constant(values: NDArray[Any]) -> bool:
    """Whether nothing correlates with the values (I,): all are equal, or some are not a number."""
    return len(values) == 0 or bool(np.isnan(values).any() or (values == values[0]).all())


def standard(values: NDArray[Any]) -> Floats:
    """(I,) with mean 0 and mean square 1; zeros of constant ones.

    A correlation is the same, and its moments lose no digits to a mean that is large beside the deviations.
    """
    if is_constant(values) or np.isinf(values).any():
        return np.zeros(len(values))
    found: Floats = values.astype(np.float64)
    found -= found.mean()
    found /= np.abs(found).max()
    found /= np.sqrt((found * found).mean())
    return found


def moments(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """(I, 6): 1, x, y, xx, yy and xy of the standardised sides."""
    x, y = standard(one), standard(other)
    return stacked(np.ones(len(x)), x, y, x * x, y * y, x * y)


def correlation(sums: Floats) -> Floats:
    """(…, 6) sums of moments -> (…) Pearson's r; 0 where one side is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    variances = [
        np.where(n * square - mean * mean > _CONSTANT * n * square, n * square - mean * mean, 0.0)
        for mean, square in ((x, xx), (y, yy))
    ]
    return quotient(n * xy - x * y, np.sqrt(variances[0]) * np.sqrt(variances[1]))


def ranks(values: NDArray[Any]) -> Floats:
    """(I,) from 1; equal values have the mean of theirs, and all are 0 where some values are not a number."""
    if np.isnan(values).any():
        return np.zeros(len(values))
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: Floats = (np.cumsum(counts) - (counts - 1) / 2)[group]
    return found


def spearman_pseudo_values(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """(I,) Spearman's rho plus its influence function at each item; their mean is rho. Zeros where it is not defined.

    Rho is the correlation of u = F(x) and v = G(y), F(x) = P(X < x) + P(X = x) / 2, both less their mean 1/2. An item
    at (x, y) moves F and G too, at all others: the covariance C = E[uv] by

        u v + E[s(X - x) v(Y)] + E[u(X) s(Y - y)] - 3 C,   s(t) = [t > 0] + [t = 0] / 2,

    the variance A = E[uu] by u u + 2 E[s(X - x) u(X)] - 3 A, that of v alike. Where nothing is tied these variances
    are 1/12 and do not move, and what is left is the influence function of Croux and Dehon 2010 (Statistical Methods &
    Applications 19, section 2). O(I log I).
    """
    size = len(one)
    if is_constant(one) or is_constant(other):
        return np.zeros(size)
    u, v = ((ranks(side) - (size + 1) / 2) / size for side in (one, other))
    covariance, variances = (u * v).mean(), ((u * u).mean(), (v * v).mean())
    joint = u * v + _above(one, v) + _above(other, u) - 3 * covariance
    alone = [(w * w + 2 * _above(side, w)) / a - 3 for side, w, a in ((one, u, variances[0]), (other, v, variances[1]))]
    scale = np.sqrt(variances[0] * variances[1])
    rho = covariance / scale
    return np.asarray(rho + joint / scale - rho / 2 * (alone[0] + alone[1]))


def _above(values: NDArray[Any], weights: Floats) -> Floats:
    """(I,) mean over all items of their weight if their value is above this item's, half of it if equal."""
    _, group = np.unique(values, return_inverse=True)
    here = np.bincount(group, weights=weights)
    found: Floats = (here[::-1].cumsum()[::-1] - here / 2)[group] / len(values)
    return found
