"""Statistics of scores over seeds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import sqrt
from statistics import correlation, fmean, stdev
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


FEWEST_RANKS = 4  # of fewer pairs, ranks say nothing


class Estimate(Struct, frozen=True):
    """A mean over seeds. `deviation` and the interval are None where one seed cannot tell."""

    mean: float
    deviation: float | None  # sample standard deviation
    low: float | None
    high: float | None
    seeds: int


def estimate(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Mean, standard deviation and Student's t interval of the mean, over seeds as the sampling units.

    For differences, pass the paired ones. The items stay as they are: the interval speaks of other seeds, not of other
    test sets.
    """
    mean, n = fmean(values), len(values)
    if n == 1:
        return Estimate(mean, None, None, None, 1)
    from scipy.special import stdtrit

    deviation = stdev(values)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * deviation / sqrt(n)
    return Estimate(mean, deviation, mean - half, mean + half, n)


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's ρ of pairs; None where they are fewer than four or one side is constant."""
    if len(one) < FEWEST_RANKS or len(set(one)) == 1 or len(set(other)) == 1:
        return None
    return correlation(_ranks(one), _ranks(other))  # scipy.stats takes half a second to load


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the mean of theirs."""
    order = sorted(values)
    return [(bisect_left(order, value) + bisect_right(order, value) + 1) / 2 for value in values]
