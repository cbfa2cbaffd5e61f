"""Which examples each optimizer step of a mixture sees.

A step draws one part, and of that one of its languages: a unit. What it draws is a pure function of (seed, step) given
the sizes, and the k-th visit of a unit sees the k-th batch of the unit's own shuffled epochs, so that every example is
seen before one is seen twice. All draws are made at the start: any step can be asked for, in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compiler.ops import Mix

Sizes = tuple[tuple[int, ...], ...]  # examples of each part's languages

_DRAW, _EPOCH = 3, 4  # what a random stream is for; 1 and 2 are those of `runtime.batches`


class Visit(Struct, frozen=True):
    """What one step sees: examples of one language of one part."""

    part: int
    language: int
    examples: NDArray[np.int64]


def examples_per_epoch(mix: Mix, sizes: Sizes) -> int:
    """Examples that count as one pass: of each part all, or as many as its cap (T5 and jiant)."""
    return sum(sum(part) if mix.cap is None else min(sum(part), mix.cap) for part in sizes)


def shares(mix: Mix, counts: NDArray[np.float64], weights: tuple[float, ...]) -> NDArray[np.float64]:
    """With what probability each of some parts, or languages of one part, is drawn.

    Proportional with a cap K: r = min(n, K) / sum (Raffel et al. 2020, section 3.5.2); with a temperature T:
    n^(1/T) / sum. `weights` are empty for languages, which are then drawn in proportion to their examples.
    """
    drawn: NDArray[np.float64]
    match mix.rule:
        case "uniform":
            drawn = np.ones_like(counts)
        case "temperature":
            logs = np.log(counts)
            drawn = np.exp((logs - logs.max()) / (mix.temperature or 1.0))  # no power overflows, however cold
        case "weights" if weights:
            drawn = np.array(weights, dtype=np.float64)
        case _:
            drawn = np.minimum(counts, np.inf if mix.cap is None else mix.cap)
    drawn /= drawn.sum()
    return drawn


class Schedule(Struct):
    """The visits of all steps. The order of a unit's epoch is made when a step of it is asked for."""

    parts: NDArray[np.int64]  # (steps,) the part that each step draws
    languages: NDArray[np.int64]  # (steps,) its language
    before: NDArray[np.int64]  # (steps,) how often the same unit was drawn before
    sizes: Sizes
    batch: int
    seed: int
    _orders: dict[tuple[int, int], tuple[int, NDArray[np.int64]]] = field(default_factory=dict)

    def at(self, step: int) -> Visit:
        """What a step (from 0) sees."""
        part, language = int(self.parts[step]), int(self.languages[step])
        size = self.sizes[part][language]
        epoch, position = divmod(int(self.before[step]), -(-size // self.batch))
        order = self._order(part, language, epoch)
        return Visit(part, language, order[position * self.batch : (position + 1) * self.batch])

    def _order(self, part: int, language: int, epoch: int) -> NDArray[np.int64]:
        """The order of one epoch of a unit; the last one is kept."""
        known = self._orders.get((part, language))
        if known is None or known[0] != epoch:
            random = _random(self.seed, _EPOCH, part, language, epoch)
            known = self._orders[part, language] = (epoch, random.permutation(self.sizes[part][language]))
        return known[1]


def draw(mix: Mix, sizes: Sizes, *, steps: int, batch: int, seed: int) -> Schedule:
    """The visits of `steps` steps; those of fewer steps are the first of them."""
    chance = _random(seed, _DRAW).random((steps, 2))  # row by row, so that more steps leave the first as they are
    parts = _drawn(shares(mix, _counts([sum(part) for part in sizes]), mix.weights), chance[:, 0])
    languages, before = np.zeros(steps, dtype=np.int64), np.zeros(steps, dtype=np.int64)
    for part, counts in enumerate(sizes):
        mine = parts == part
        languages[mine] = _drawn(shares(mix, _counts(counts), ()), chance[mine, 1])
        for language in range(len(counts)):
            unit = mine & (languages == language)
            before[unit] = np.arange(unit.sum())
    return Schedule(parts, languages, before, sizes, batch, seed)


def _counts(counts: tuple[int, ...] | list[int]) -> NDArray[np.float64]:
    return np.asarray(counts, dtype=np.float64)


def _drawn(probabilities: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """The index that each number in [0, 1) falls on."""
    ends = np.cumsum(probabilities)
    return np.minimum(np.searchsorted(ends, chance, side="right"), len(ends) - 1)


def _random(seed: int, *purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, *purpose]))
