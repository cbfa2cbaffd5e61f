"""Intervals and p-values of a quantity from its components of variance.

The half-width is the root of the sum of squares of those of the components, each with Student's quantile of its own
degrees of freedom: seeds S - 1, items I - 1 (Howe 1974, JASA 69:789, for the mean of a sum of two independent
variables). Satterthwaite's degrees of freedom for the whole, which are usual, cover too little with two or three seeds:
docs/statistics.md has both in every cell of the simulation.

The part of seeds is at least that of the rest alone, which is in it: seeds that tie by luck make no interval of width
0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from runtime.evidence.components import Components

SMALLEST_P = 1e-9
FEWEST_FULL = 3  # seeds with which the rest counts in full; of two it would make intervals cover more than 98 %
FEWEST_ITEMS = 20  # that were simulated; with fewer, nobody knows (docs/statistics.md, section 10)
EDGE = 0.1  # so near to 0 or 1 a mean of scores is skewed over seeds, and intervals cover too little


class Interval(Struct, frozen=True):
    """Both ends of an interval at some level."""

    low: float
    high: float


def interval(found: Components, level: float) -> Interval | None:
    """The two-sided interval; None where there are too few seeds or items to tell."""
    if not found.is_known:
        return None
    half = half_width(found, level)
    return Interval(found.value - half, found.value + half)


def half_width(found: Components, level: float) -> float:
    """Half of the two-sided interval at a level."""
    return _reach(found, (1 - level) / 2)


def _reach(found: Components, share: float) -> float:
    """How far from the estimate this share of each tail begins."""
    from scipy.special import stdtrit

    seeds = sum(float(stdtrit(n - 1, share)) ** 2 * variance for variance, n in found.seeds)
    of_items = float(stdtrit(found.number - 1, share)) ** 2
    return float(np.sqrt(max(seeds, of_items * _least(found)) + of_items * found.item_part))


def _least(found: Components) -> float:
    """What the part of seeds is at least: the rest, and of two seeds, which decide nothing, half of it."""
    fewest = min((n for _, n in found.seeds), default=FEWEST_FULL)
    return found.rest if fewest >= FEWEST_FULL else found.rest / 2


def tail(found: Components, bound: float) -> float:
    """The one-sided p-value of values at or below `bound`: the smallest tail of an interval that lies above it.

    It is the interval turned around, so an interval excludes a bound exactly if the p-value is below its tail. 1 where
    nothing can be told.
    """
    if not found.is_known:
        return 1.0
    distance = found.value - bound
    if distance < 0:
        return 1.0 - _tail(found, -distance)
    return _tail(found, distance)


def two_sided(found: Components, bound: float) -> float:
    """The two-sided p-value of the bound; 1 where nothing can be told."""
    if not found.is_known:
        return 1.0
    return min(1.0, 2 * _tail(found, abs(found.value - bound)))


def _tail(found: Components, distance: float) -> float:
    """The tail at which the half-width is the distance."""
    if distance == 0 or found.deviation == found.rest == 0:
        return 0.5 if distance == 0 else SMALLEST_P
    from scipy.optimize import brentq

    def over(logarithm: float) -> float:
        return _reach(found, float(np.exp(logarithm)) / 2) - distance

    least = float(np.log(2 * SMALLEST_P))
    return float(np.exp(brentq(over, least, 0.0, xtol=1e-15))) / 2 if over(least) > 0 else SMALLEST_P
