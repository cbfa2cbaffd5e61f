"""How often tests reject where nothing is there: permutations, McNemar, xfer's own p-values, Holm, families."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from bench.coverage.grid import stream
from bench.coverage.methods import arm_effect
from bench.coverage.world import World, even, scores
from runtime.evidence.effects import combined
from runtime.evidence.family import holm
from runtime.evidence.paired import mcnemar, signs
from runtime.evidence.quantities import Linear, highest

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = (0.05, 0.1, 0.5)
RUNS = 4_000
_ARMS = 6  # that are compared with one more


class Rejections(Struct, frozen=True):
    """Shares of runs in which a p-value was at or below each of `LEVELS`."""

    test: str
    runs: int
    shares: tuple[float, ...]
    expected: tuple[float, ...] | None = None  # of a discrete test, what its steps allow


def levels(runs: int = RUNS) -> list[Rejections]:
    """All tests."""
    return [*_single(runs), *_several(runs)]


# --- one comparison


def _single(runs: int) -> list[Rejections]:
    steps = tuple(float(np.floor(level * 2**7)) / 2**7 for level in LEVELS)
    return [
        Rejections("signs over 8 seeds", runs, _shares("8 seeds", runs, _over_seeds), steps),
        Rejections("signs over 200 items, scores between 0 and 1", runs, _shares("scores", runs, _over_scores)),
        Rejections("signs over 200 items, scores of 0 and 1", runs, _shares("items", runs, _over_items)),
        Rejections("McNemar, the same", runs, _shares("items", runs, _mcnemar)),
        Rejections("xfer, two-sided: gain, 5 seeds, 200 items, seed SD 0.05", runs, _shares("gain", runs, _gain)),
    ]


def _shares(name: str, runs: int, p_value: Callable[[np.random.Generator], float]) -> tuple[float, ...]:
    rng = stream(name)
    found = np.array([p_value(rng) for _ in range(runs)])
    return tuple(float((found <= level + 1e-12).mean()) for level in LEVELS)


def _over_seeds(rng: np.random.Generator) -> float:
    """Differences of eight pairs of seeds that are as likely of either sign, and not normal."""
    return signs(rng.exponential(size=8) - rng.exponential(size=8))


def _checkpoints(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which of 200 items two checkpoints, equally good, answer rightly."""
    (table,) = scores(World(seeds=1, items=200, levels=even(2, 1), deviation=0.0), rng)
    one, other = table[:, 0, 0].astype(np.float64)
    return one, other


def _over_scores(rng: np.random.Generator) -> float:
    """Skewed scores of two checkpoints that are equally good; what one item gives goes together in both."""
    item = rng.beta(2, 1, size=200)
    return signs(item * rng.random(200) - item * rng.random(200))


def _over_items(rng: np.random.Generator) -> float:
    one, other = _checkpoints(rng)
    return signs(one - other)


def _mcnemar(rng: np.random.Generator) -> float:
    return mcnemar(*_checkpoints(rng))


def _gain(rng: np.random.Generator) -> float:
    (gain,) = _gains(rng, even(2, 1))
    return 2 * min(gain.above(0.0), gain.below(0.0))


# --- several


def _several(runs: int) -> list[Rejections]:
    """Six arms against one: how often anything is claimed of an arm that is no better."""
    null, mixed = (0.6,) * (_ARMS + 1), (0.6, 0.75, 0.75, 0.75, 0.6, 0.6, 0.6)
    rows = []
    for title, levels_of_arms in (("none is better", null), ("three are better by 15 points", mixed)):
        found = _claims(title, levels_of_arms, runs)
        rows += [Rejections(f"{way}: six arms, {title}", runs, shares) for way, shares in found.items()]
    return rows


def _claims(title: str, levels_of_arms: tuple[float, ...], runs: int) -> dict[str, tuple[float, ...]]:
    rng = stream(f"claims: {title}")
    idle = [n for n, level in enumerate(levels_of_arms[1:]) if level == levels_of_arms[0]]
    least: dict[str, list[float]] = {"without correction": [], "Holm": []}
    if len(idle) == _ARMS:
        least["max-t (the best arm is above)"] = []
    for _ in range(runs):
        gains = _gains(rng, tuple((level,) for level in levels_of_arms))
        p_values = [gain.above(0.0) for gain in gains]
        corrected = holm(p_values)
        least["without correction"].append(min(p_values[n] for n in idle))
        least["Holm"].append(min(corrected[n] for n in idle))
        if len(idle) == _ARMS:
            least["max-t (the best arm is above)"].append(highest(gains).above(0.0))
    return {way: tuple(float((np.array(p) <= level).mean()) for level in LEVELS) for way, p in least.items()}


def _gains(rng: np.random.Generator, arms: tuple[tuple[float, ...], ...]) -> list[Linear]:
    """Of all arms over the first, with five seeds and 200 items."""
    tables = scores(World(seeds=5, items=200, levels=arms, deviation=0.05), rng)
    base, *others = (arm_effect(tables, n) for n in range(len(arms)))
    return [Linear(combined([(1.0, other), (-1.0, base)])) for other in others]
