"""Where the uncertainty of a quantity comes from: crossed components of variance of seeds and items.

Each value Z[s, i] is taken as the sum of a mean, an effect of its seed, one of its item, and the rest, which are all
independent: a two-way random model with one observation a cell (Searle, Casella & McCulloch 1992, section 4.5). The
variance of the mean over S seeds and I items is then

    var(seed)/S + var(item)/I + var(rest)/(S·I)

and is estimated from the means of rows and columns. The variance between the means of seeds, over S, estimates the
first and the last together; that between the means of items, over I, the second and the last; so the last is taken off
once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from runtime.evidence.effects import Block, units_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.evidence.effects import Effect

FEWEST = 2  # of seeds, or of items, that tell a variance


class Components(Struct, frozen=True, dict=True):
    """The variance of an estimate by its sources; every term is that of the mean, in squared units of the quantity."""

    value: float
    seeds: tuple[tuple[float, int], ...]  # of each block: var(seed)/S + var(rest)/(S·I), and how many seeds
    items: float  # var(item)/I + var(rest)/(S·I)
    rest: float  # var(rest)/(S·I)
    number: int  # of items

    @cached_property
    def item_part(self) -> float:
        """var(item)/I, at least 0."""
        return max(self.items - self.rest, 0.0)

    @cached_property
    def seed_part(self) -> float:
        """var(seed)/S, at least 0."""
        return max(sum((v for v, _ in self.seeds), 0.0) - self.rest, 0.0)

    @cached_property
    def is_known(self) -> bool:
        """Whether there are enough seeds and items to tell."""
        return self.number >= FEWEST and all(n >= FEWEST for _, n in self.seeds)

    @cached_property
    def deviation(self) -> float:
        """The standard error."""
        return float(np.sqrt(sum(v for v, _ in self.seeds) + self.item_part))


def components(effect: Effect) -> Components:
    """The components of an effect."""
    blocks = [of_units(block) for block in effect.blocks]
    by_item = np.sum([b.values.mean(axis=0) for b in blocks], axis=0)
    random = [b for b in blocks if b.seeds]
    number = len(effect.rows)
    return Components(
        value=effect.value,
        seeds=tuple((_variance_of_mean(b.values.mean(axis=1)), len(b.seeds)) for b in random),
        items=_variance_of_mean(by_item),
        rest=sum(_rest(b.values) for b in random),
        number=number,
    )


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    """The squared standard error of the mean of independent values; 0 of one, which tells none."""
    return float(values.var(ddof=1)) / len(values) if len(values) >= FEWEST else 0.0


def _rest(values: NDArray[np.float64]) -> float:
    """The residual mean square over all cells, (S, I), divided by S·I."""
    seeds, items = values.shape
    if seeds < FEWEST or items < FEWEST:
        return 0.0
    left: NDArray[np.float64] = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    found: float = float(np.square(left).sum()) / ((seeds - 1) * (items - 1)) / (seeds * items)
    return found


def of_units(block: Block) -> Block:
    """The block by independent draws: seeds `1/1` and `1/2` of two stages go on from one checkpoint, and are one."""
    units = units_of(block.seeds)
    names = tuple(dict.fromkeys(units))
    if len(names) == len(units):
        return block
    means = [block.values[[n for n, u in enumerate(units) if u == name]].mean(axis=0) for name in names]
    return Block(names, np.stack(means))
