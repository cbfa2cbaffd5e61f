"""How often intervals cover the truth, in each cell of the grid."""

from __future__ import annotations

import zlib
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from bench.coverage.methods import LEVEL, METHODS, samples
from bench.coverage.world import World, even, truth
from runtime.evidence.intervals import half_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.coverage.methods import Ends, Taken

SEEDS = (2, 3, 5, 10)
ITEMS = (100, 500)
LANGUAGES = (1, 11)
DEVIATIONS = (0.0, 0.02, 0.05, 0.1, 0.2)
STATISTICS = ("mean", "gain")
RUNS = 4_000
DRAWN = 2  # of this many runs one for bootstraps
LEAST, MOST, MOST_FROM = 0.93, 0.98, 0.05  # what is to be reached; the most where seeds vary by that much


class Coverage(Struct, frozen=True):
    """What was found in one cell about one statistic."""

    cell: str
    world: World
    statistic: str
    runs: int
    covered: dict[str, float]  # by method; NaN where it gives no interval
    width: float  # half of xfer's interval, the median


def cells() -> dict[str, World]:
    """The grid."""
    return {
        name(seeds, items, languages, deviation): World(
            seeds=seeds, items=items, levels=even(2, languages), deviation=deviation
        )
        for languages, seeds, items, deviation in product(LANGUAGES, SEEDS, ITEMS, DEVIATIONS)
    }


def name(seeds: int, items: int, languages: int, deviation: float) -> str:
    """What a cell is called."""
    return f"{seeds} seeds, {items} items, {languages} languages, SD {deviation:g}"


def stream(cell: str) -> np.random.Generator:
    """Random numbers of one cell, the same whichever other cells are run."""
    return np.random.default_rng(zlib.crc32(cell.encode()))


def cover(
    cell: str, world: World, runs: int = RUNS, taken: Taken = "rows", asked: Sequence[str] = tuple(METHODS)
) -> list[Coverage]:
    """Simulate a cell; one result a statistic."""
    ways = {m: METHODS[m] for m in asked}
    rng, drawn_rng, drawn = stream(cell), stream(f"{cell}, resampled"), runs // DRAWN
    mean, other = truth(world).mean(axis=1)
    truths = (mean, mean - other)
    hits: list[dict[str, list[float]]] = [{m: [] for m in ways} for _ in STATISTICS]
    widths: list[list[float]] = [[] for _ in STATISTICS]
    methods = None
    for run in range(runs):
        found = samples(world, rng, taken)
        methods = methods or {m: method.make(found[0].effect) for m, method in ways.items()}
        for n, sample in enumerate(found):
            widths[n].append(half_width(sample.found, LEVEL))
            for m, method in ways.items():
                if run < drawn or not method.draws:
                    hits[n][m].append(_covers(methods[m](sample, drawn_rng), truths[n]))
    return [
        Coverage(cell, world, statistic, runs, _shares(hits[n]), float(np.median(widths[n])))
        for n, statistic in enumerate(STATISTICS)
    ]


def _covers(ends: Ends, value: float) -> float:
    """1 where the interval has the value, 0 where not, NaN where there is none."""
    return float(ends[0] <= value <= ends[1]) if np.isfinite(ends[0]) else np.nan


def _shares(hits: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {method: float(np.mean(found)) if found else np.nan for method, found in hits.items()}


def fails(share: float, deviation: float) -> bool:
    """Whether an interval covers too rarely, or too often where seeds vary."""
    return share < LEAST or (deviation >= MOST_FROM and share > MOST)
