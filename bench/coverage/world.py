"""Studies of which the truth is known: scores of 0 and 1 by arm, seed, language and item.

A seed of an arm has an accuracy in each language. It answers an item rightly where the item's difficulty lies below the
normal quantile of that accuracy. A difficulty is the sum of independent normal parts whose variances, `PARTS`, are
together 1: so the share of right answers of a seed, over all items there could be, is its accuracy exactly, and scores
of one item go together in all seeds, languages and arms. Letters of shapes: A arms, S seeds, L languages, I items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Scores = NDArray[np.bool_]  # (A, S, L, I)

LOWEST, HIGHEST = 0.02, 0.98  # of accuracies; what is drawn beyond is put there
CHANCE = 0.5
PARTS = {  # of the variance of a difficulty
    "item": 0.30,  # the same in all languages, arms and seeds
    "language": 0.15,  # of the item in a language
    "arm": 0.10,  # of the item in an arm
    "seed": 0.10,  # of the item in a seed of an arm, in all languages
    "rest": 0.35,
}


class World(Struct, frozen=True, kw_only=True):
    """How the scores of a study come about."""

    seeds: int
    items: int
    levels: tuple[tuple[float, ...], ...]  # (A, L) accuracies before seeds vary
    deviation: float  # of the seeds of an arm, in all languages at once
    apart: float = 0.0  # deviation of the seeds besides, in each language alone
    collapse: float = 0.0  # how likely a seed falls to chance
    passage: int = 1  # items that have half of each part of their difficulty but the rest in common
    rest: float = PARTS["rest"]  # of the variance of a difficulty; the other parts share what is left as they do
    own: tuple[int, ...] = ()  # numbers of items where each language has items of its own


def even(arms: int, languages: int, level: float = 0.6) -> tuple[tuple[float, ...], ...]:
    """All arms and languages alike."""
    return ((level,) * languages,) * arms


def truth(world: World) -> Values:
    """(A, L) mean accuracies over all seeds there could be."""
    levels = np.array(world.levels)
    deviation = float(np.hypot(world.deviation, world.apart))
    kept = _clipped_mean(levels, deviation) if deviation else levels.clip(LOWEST, HIGHEST)
    return (1 - world.collapse) * kept + world.collapse * CHANCE


def _clipped_mean(levels: Values, deviation: float) -> Values:
    """The mean of normal variables of which what lies beyond the ends is put there."""
    low, high = (LOWEST - levels) / deviation, (HIGHEST - levels) / deviation
    inside = levels * (ndtr(high) - ndtr(low)) - deviation * (_density(high) - _density(low))
    found: Values = LOWEST * ndtr(low) + HIGHEST * ndtr(-high) + inside
    return found


def _density(at: Values) -> Values:
    found: Values = np.exp(-np.square(at) / 2) / np.sqrt(2 * np.pi)
    return found


def accuracies(world: World, rng: np.random.Generator) -> Values:
    """(A, S, L) what the seeds of one study reach."""
    levels = np.array(world.levels)[:, None]
    shape = (levels.shape[0], world.seeds, levels.shape[2])
    found = levels + world.deviation * rng.standard_normal((*shape[:2], 1))
    found = (found + world.apart * rng.standard_normal(shape)).clip(LOWEST, HIGHEST)
    return np.where(rng.random((*shape[:2], 1)) < world.collapse, CHANCE, found)


def scores(world: World, rng: np.random.Generator) -> list[Scores]:
    """One study: one table, or one for each language where items are not shared."""
    reach = ndtri(accuracies(world, rng)).astype(np.float32)
    if not world.own:
        return [_answers(world, reach, world.items, rng)]
    return [_answers(world, reach[:, :, [n]], items, rng) for n, items in enumerate(world.own)]


def _answers(world: World, reach: NDArray[np.float32], items: int, rng: np.random.Generator) -> Scores:
    """(A, S, L, I) what is answered rightly, by what seeds reach, (A, S, L), in normal quantiles."""
    arms, seeds, languages = reach.shape
    passage, kept = world.passage, (1 - world.rest) / (1 - PARTS["rest"])

    def part(name: str, *shape: int) -> NDArray[np.float32]:
        own = rng.standard_normal((*shape, items), dtype=np.float32)
        if passage > 1:
            shared = rng.standard_normal((*shape, items // passage), dtype=np.float32)
            own = (own + shared.repeat(passage, axis=-1)) * np.float32(0.5**0.5)
        return own * np.float32((kept * PARTS[name]) ** 0.5)

    difficulty = rng.standard_normal((arms, seeds, languages, items), dtype=np.float32)
    difficulty *= np.float32(world.rest**0.5)
    difficulty += part("seed", arms, seeds, 1)
    difficulty += part("arm", arms, 1, 1)
    difficulty += part("item", 1, 1, 1) + part("language", 1, 1, languages)
    return difficulty < reach[..., None]
