"""Intervals at 95 % of a mean over languages, or of a gain, by several methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct
from scipy.special import stdtrit

from bench.coverage.world import scores
from runtime.evidence.bootstrap import RESAMPLES, resamples
from runtime.evidence.components import Components, components
from runtime.evidence.effects import Effect, combined, of_items
from runtime.evidence.intervals import half_width
from runtime.evidence.quantities import Linear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.coverage.world import Scores, Values, World
    from runtime.evidence.bootstrap import Resamples

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
NORMAL = 1.959963984540054
Ends = tuple[float, float]
Taken = Literal["rows", "apart", "passages"]  # what is one draw: item n of all languages, each item, each passage


class Sample(Struct, frozen=True):
    """What one study says about one statistic."""

    found: Components
    effect: Effect
    languages: Values  # (L,) the statistic in each
    counts: tuple[int, int, int]  # scores, or differences of scores, that are -1, 0 and 1


def samples(world: World, rng: np.random.Generator, taken: Taken = "rows") -> tuple[Sample, Sample]:
    """Of one study: the mean of the first arm over languages, and its gain over the second."""
    tables = scores(world, rng)
    arms = [arm_effect(tables, arm, world.passage, taken) for arm in (0, 1)]
    by_language = np.concatenate([t.mean(axis=(1, 3)) for t in tables], axis=1)  # (A, L)
    right = sum(int(t[0].sum()) for t in tables)
    size = sum(t[0].size for t in tables)
    more, less = (sum(int((t[a] & ~t[b]).sum()) for t in tables) for a, b in ((0, 1), (1, 0)))
    gain = combined([(1.0, arms[0]), (-1.0, arms[1])])
    return (
        Sample(components(arms[0]), arms[0], by_language[0], (0, size - right, right)),
        Sample(components(gain), gain, by_language[0] - by_language[1], (less, size - less - more, more)),
    )


def arm_effect(tables: Sequence[Scores], arm: int, passage: int = 1, taken: Taken = "rows") -> Effect:
    """The mean over languages of an arm."""
    parts, start = [], 0
    if taken == "apart":
        tables = [table[:, :, [n]] for table in tables for n in range(table.shape[2])]
    for table in tables:
        values = table[arm].mean(axis=1)  # (S, I)
        if taken == "passages":
            values = values.reshape(len(values), -1, passage).mean(axis=2)
        parts.append(of_items(np.arange(start, start + values.shape[1]), list(values), seed_names(len(values))))
        start += values.shape[1] if taken == "apart" else 0
    return parts[0] if len(parts) == 1 else combined([(1 / len(parts), p) for p in parts])


def seed_names(number: int) -> tuple[str, ...]:
    """`1` and so on."""
    return tuple(str(n + 1) for n in range(number))


class Method(Struct, frozen=True):
    """A way to an interval; `make` gives it the resamples of the cell."""

    title: str
    make: Callable[[Effect], Callable[[Sample, np.random.Generator], Ends]]
    draws: bool = False  # a bootstrap: fewer runs


def _centred(half: Callable[[Sample], float]) -> Callable[[Effect], Callable[[Sample, np.random.Generator], Ends]]:
    def ends(sample: Sample, _: np.random.Generator) -> Ends:
        width = half(sample)
        return sample.found.value - width, sample.found.value + width

    return lambda _: ends


def satterthwaite(found: Components) -> float:
    """Half of the interval of one t, at the degrees of freedom of a sum of mean squares (Satterthwaite 1946)."""
    variance = found.deviation**2
    parts = [(v, n - 1) for v, n in found.seeds] + [(found.item_part, found.number - 1)]
    below = sum(v**2 / freedom for v, freedom in parts)
    return float(stdtrit(variance**2 / below, TAILS[1])) * found.deviation if below else 0.0


def _seeds_only(sample: Sample) -> float:
    """Student's t over the means of seeds."""
    ((variance, number),) = sample.found.seeds
    return float(stdtrit(number - 1, TAILS[1])) * float(variance**0.5)


def _items_only(sample: Sample) -> float:
    """The normal interval of scores that are all taken for independent."""
    less, same, more = sample.counts
    size = less + same + more
    variance = (less + more) / size - ((more - less) / size) ** 2
    return NORMAL * float(np.sqrt(variance / size))


def _languages_only(sample: Sample) -> float:
    """The standard deviation of languages over the root of their number."""
    number = len(sample.languages)
    return NORMAL * float(sample.languages.std(ddof=1)) / number**0.5 if number > 1 else np.nan


def _crossed(effect: Effect) -> Callable[[Sample, np.random.Generator], Ends]:
    """Percentiles of resamples of seeds and of items; the same draws for each run of a cell, as in xfer."""
    by: Resamples = resamples([effect])

    def ends(sample: Sample, _: np.random.Generator) -> Ends:
        low, high = np.quantile(Linear(sample.effect).resampled(by), TAILS)
        return float(low), float(high)

    return ends


def _pooled(_: Effect) -> Callable[[Sample, np.random.Generator], Ends]:
    """Percentiles of resamples of all scores together."""

    def ends(sample: Sample, rng: np.random.Generator) -> Ends:
        size = sum(sample.counts)
        drawn = rng.multinomial(size, np.array(sample.counts) / size, size=RESAMPLES)
        low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / size, TAILS)
        return float(low), float(high)

    return ends


METHODS = {
    "xfer": Method("xfer", _centred(lambda sample: half_width(sample.found, LEVEL))),
    "satterthwaite": Method("Satterthwaite", _centred(lambda sample: satterthwaite(sample.found))),
    "crossed": Method("crossed bootstrap", _crossed, draws=True),
    "seeds": Method("t over seeds", _centred(_seeds_only)),
    "items": Method("item-only normal", _centred(_items_only)),
    "languages": Method("SD/√languages", _centred(_languages_only)),
    "pooled": Method("pooled bootstrap", _pooled, draws=True),
}
