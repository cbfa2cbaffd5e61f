"""The bootstrap beside closed forms, as a check.

Seeds and items are drawn anew, each as a whole (Owen 2007, Annals of Applied Statistics 1:386).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from runtime.evidence.components import of_units
from runtime.evidence.effects import Effect, aligned
from runtime.evidence.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.evidence.effects import Values
    from runtime.evidence.quantities import Quantity

RESAMPLES = 2_000
_SEED = 1


class Resamples(Struct, frozen=True, eq=False):
    """How often each item, and each seed of each set of paired ones, was drawn; the same for all quantities at once."""

    template: Effect  # zero, over all items, with a block for every set of seeds
    items: Values  # (I, B), each column sums to 1
    seeds: tuple[Values, ...]  # of each block (S, B); seeds that go on from one checkpoint are drawn together

    def values(self, effect: Effect) -> Values:
        """(B,) the effect in each resample."""
        found = aligned([self.template, effect])[1]
        drawn = [
            (w * (of_units(b).values @ self.items)).sum(axis=0) for b, w in zip(found.blocks, self.seeds, strict=True)
        ]
        whole: Values = np.sum(drawn, axis=0)
        return whole


def resamples(effects: Sequence[Effect], number: int = RESAMPLES) -> Resamples:
    """Draws for quantities that are made of these effects."""
    template = aligned(effects)[0].scaled(0.0)
    rng = np.random.default_rng(_SEED)
    items = _drawn(rng, len(template.rows), number)
    units = [len(of_units(b).seeds) for b in template.blocks]
    seeds = tuple(_drawn(rng, n, number) if n else np.ones((1, number)) for n in units)
    return Resamples(template, items, seeds)


def _drawn(rng: np.random.Generator, units: int, number: int) -> Values:
    """(units, number): the shares of units drawn with replacement, as many as there are."""
    return rng.multinomial(units, np.full(units, 1 / units), size=number).T / units


def percentile(quantity: Quantity, level: float) -> Interval:
    """The percentile interval. With few seeds it is too short: seeds that were not drawn are not in it."""
    drawn = quantity.resampled(resamples(quantity.effects))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
