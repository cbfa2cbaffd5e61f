"""The worst of eleven languages, their spread, a share that is retained, and a correlation of gains with distance."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from bench.coverage.grid import DRAWN, stream
from bench.coverage.methods import LEVEL, TAILS, seed_names
from bench.coverage.world import World, scores, truth
from runtime.evidence.bootstrap import resamples
from runtime.evidence.effects import combined, of_items
from runtime.evidence.intervals import Interval
from runtime.evidence.quantities import Linear, correlated, lowest, quotient, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.coverage.world import Values

LANGUAGES = 11
SEEDS = (3, 5, 10)
ITEMS = 200
DEVIATION, APART = 0.03, 0.02  # of seeds in all languages at once, and in each alone
DISTANCES = tuple(np.linspace(0.0, 1.0, LANGUAGES).tolist())
LEVELS = {  # of the first arm, and of the second
    "equal": ((0.60,) * LANGUAGES, (0.55,) * LANGUAGES),
    "spread out": (
        tuple(np.linspace(0.75, 0.45, LANGUAGES).tolist()),
        tuple((np.linspace(0.65, 0.45, LANGUAGES) + 0.03 * np.cos(np.arange(LANGUAGES) * 2.0)).tolist()),
    ),
}
RUNS = 1_500
Arms = tuple["Sequence[Linear]", "Sequence[Linear]"]  # the languages of both


class Extreme(Struct, frozen=True):
    """What was found about one statistic in one cell."""

    statistic: str
    languages: str
    seeds: int
    truth: float
    runs: int
    covered: float
    width: float  # the median of half intervals
    drawn: float  # how often the percentiles of the crossed bootstrap cover, in a half of the runs
    drawn_width: float


class Statistic(Struct, frozen=True):
    """A quantity of the languages of both arms, and the same of numbers, (2, L, …) to (…)."""

    interval: Callable[[Arms], Interval | None]
    of_values: Callable[[Values], Values]


def _retained(arms: Arms) -> Interval | None:
    """Of the mean of the second arm over that of the first."""
    first, second = (Linear(combined([(1 / LANGUAGES, m.effect) for m in arm])) for arm in arms)
    found = quotient(second, first)
    return found.interval(LEVEL) if found is not None else None


def _correlation(arms: Arms, *, stretched: bool = True) -> Interval | None:
    """Of the gains of the first arm over the second with the distances; of true gains, or of gains as they are."""
    gains = [Linear(combined([(1.0, a.effect), (-1.0, b.effect)])) for a, b in zip(*arms, strict=True)]
    found = correlated(gains, DISTANCES)
    if found is None or stretched:
        return found.interval(LEVEL) if found is not None else None
    linear = found.linear.interval(LEVEL)
    return Interval(float(np.tanh(linear.low)), float(np.tanh(linear.high))) if linear is not None else None


def _correlation_of_values(values: Values) -> Values:
    """Pearson's r with the distances; 0 of constants."""
    gains = values[0] - values[1]
    ours, theirs = gains - gains.mean(axis=0), np.array(DISTANCES) - np.mean(DISTANCES)
    length = np.sqrt(np.square(ours).sum(axis=0) * np.square(theirs).sum())
    found: Values = np.divide(theirs @ ours, length, out=np.zeros_like(length), where=length > 1e-12)
    return found


STATISTICS = {
    "worst": Statistic(lambda arms: lowest(arms[0]).interval(LEVEL), lambda values: values[0].min(axis=0)),
    "spread": Statistic(lambda arms: spread(arms[0]).interval(LEVEL), lambda values: np.ptp(values[0], axis=0)),
    "retained": Statistic(_retained, lambda values: values[1].mean(axis=0) / values[0].mean(axis=0)),
    "correlation": Statistic(_correlation, _correlation_of_values),
    "correlation, not stretched": Statistic(partial(_correlation, stretched=False), _correlation_of_values),
}


def cells(runs: int = RUNS) -> Iterator[Extreme]:
    """All statistics, levels and numbers of seeds."""
    for statistic, languages, seeds in product(STATISTICS, LEVELS, SEEDS):
        yield cell(statistic, languages, seeds, runs)


def cell(statistic: str, languages: str, seeds: int, runs: int) -> Extreme:
    """Simulate one cell."""
    world = World(seeds=seeds, items=ITEMS, levels=LEVELS[languages], deviation=DEVIATION, apart=APART)
    what, rng = STATISTICS[statistic], stream(f"{statistic}, {languages}, {seeds} seeds")
    value = float(what.of_values(truth(world)))
    ends, drawn_ends, by = [], [], None
    for run in range(runs):
        arms = _arms(world, rng)
        by = by or resamples([m.effect for m in arms[0]])
        found = what.interval(arms)
        ends.append((found.low, found.high) if found is not None else (np.nan, np.nan))
        if run % DRAWN == 0:
            drawn = np.array([[m.resampled(by) for m in arm] for arm in arms])  # (2, L, B)
            drawn_ends.append(tuple(np.quantile(what.of_values(drawn), TAILS).tolist()))
    (covered, width), (drawn_covered, drawn_width) = _told(ends, value), _told(drawn_ends, value)
    return Extreme(statistic, languages, seeds, value, runs, covered, width, drawn_covered, drawn_width)


def _told(ends: Sequence[tuple[float, ...]], value: float) -> tuple[float, float]:
    """How often intervals have the value, and half of their median width."""
    low, high = np.array(ends).T
    return float(((low <= value) & (value <= high)).mean()), float(np.median(high - low) / 2)


def _arms(world: World, rng: np.random.Generator) -> Arms:
    """Of one study."""
    (table,) = scores(world, rng)
    names, rows = seed_names(world.seeds), np.arange(world.items)
    first, second = (
        [Linear(of_items(rows, list(answers), names)) for answers in arm.swapaxes(0, 1).astype(np.float64)]
        for arm in table
    )
    return first, second
