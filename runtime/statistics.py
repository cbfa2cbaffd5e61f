"""Statistics of scores over seeds."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev
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
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)
