"""Scores as tables: one for each experiment, benchmark and metric; rows are arms and baselines, columns languages."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from compiler.catalog import KINDS
from runtime.distances import distance
from runtime.statistics import FEWEST_RANKS, Estimate, estimate, rank_correlation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.results import Row

UNTRAINED = ""  # the seed of a run that trains nothing, where nothing is random
Axes = tuple[tuple[str, str], ...]


class Arm(Struct, frozen=True):
    """One row: its axes, the estimate of each language, and of the mean over zero-shot languages."""

    axes: Axes
    by_language: Mapping[str, Estimate]
    average: Estimate | None  # over seeds that have every zero-shot language of the table; None where none has
    gains: Mapping[str, Estimate] = field(default_factory=dict)  # over the baseline's same seeds; its own has none
    average_gain: Estimate | None = None
    correlation: float | None = None  # Spearman's of its scores with the distances, over all zero-shot languages
    method: str = ""  # of a baseline without a network, which is no arm
    selected: str = ""  # "target dev": its checkpoints were chosen by dev data of each language


class Table(Struct, frozen=True):
    """All arms of one experiment on one benchmark under one metric."""

    experiment: str
    benchmark: str
    metric: str
    protocol: str  # whose rules the metric follows; "" where that is not known
    languages: tuple[str, ...]
    trained: frozenset[str]  # languages that are not zero-shot in some arm
    items: tuple[int, int]  # fewest and most items of a language
    chance: float | None
    seeds: int  # 0 where no arm trains anything
    baseline: str  # what the arms that train nothing are called; "" where there is none
    arms: tuple[Arm, ...]
    beside: tuple[Arm, ...]  # baselines without a network
    distances: Mapping[str, float]  # of the languages from the source; empty unless all are known

    @property
    def correlates(self) -> bool:
        """Whether its languages are enough to rank scores by distance."""
        return bool(self.distances) and len(self.languages) - len(self.trained) >= FEWEST_RANKS


def tables(rows: Sequence[Row]) -> tuple[Table, ...]:
    """The tables of a study, in the order of its text."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.cell.experiment, row.cell.benchmark, row.cell.metric), []).append(row)
    return tuple(_table(*key, group) for key, group in groups.items())


def _table(experiment: str, benchmark: str, metric: str, rows: list[Row]) -> Table:
    trained = frozenset(r.cell.language for r in rows if not r.cell.zero_shot)
    languages = tuple(dict.fromkeys(r.cell.language for r in rows))
    zero_shot = [c for c in languages if c not in trained]
    distances = _distances(languages)
    by_arm: dict[Axes, list[Row]] = {}
    besides: dict[tuple[str, Axes], list[Row]] = {}
    for row in rows:
        if row.cell.baseline:
            besides.setdefault((row.cell.baseline, row.cell.axes), []).append(row)
        else:
            by_arm.setdefault(row.cell.axes, []).append(row)
    chances = [r.chance for r in rows if r.chance is not None]
    return Table(
        experiment=experiment,
        benchmark=benchmark,
        metric=metric,
        protocol=_protocol(rows[0].kind, metric),
        languages=(*(c for c in languages if c in trained), *zero_shot),
        trained=trained,
        items=(min(r.n for r in rows), max(r.n for r in rows)),
        chance=fmean(chances) if chances else None,
        seeds=len({r.cell.seed for r in rows} - {UNTRAINED}),
        baseline=next((v for r in rows for a, v in r.cell.axes if a in r.cell.skips), ""),
        arms=tuple(_correlated(_arm(axes, by_arm, zero_shot), distances, zero_shot) for axes in by_arm),
        beside=tuple(
            _correlated(_beside(*named, found, zero_shot), distances, zero_shot) for named, found in besides.items()
        ),
        distances=distances,
    )


def _protocol(kind: str, metric: str) -> str:
    found = KINDS[kind].metrics[metric] if kind else None
    return f"{metric} v{found.version} of {kind}: {found.protocol}" if found is not None else ""


def _distances(languages: Sequence[str]) -> dict[str, float]:
    """How far each language is from the source; nothing where one is not known."""
    found = {c: d for c in languages if (d := distance(c)) is not None}
    return found if len(found) == len(languages) else {}


def _correlated(arm: Arm, distances: Mapping[str, float], zero_shot: Sequence[str]) -> Arm:
    """The arm with the rank correlation of its means with the distances, if it has every zero-shot language."""
    if not distances or any(c not in arm.by_language for c in zero_shot):
        return arm
    means = [arm.by_language[c].mean for c in zero_shot]
    return replace(arm, correlation=rank_correlation(means, [distances[c] for c in zero_shot]))


def _beside(method: str, axes: Axes, rows: list[Row], zero_shot: Sequence[str]) -> Arm:
    """A baseline without a network: nothing is random in it, and nothing is told of its gain."""
    scores = _scores(rows)
    average = _average(scores, zero_shot)
    return Arm(axes, _estimates(scores), estimate(list(average.values())) if average else None, method=method)


def _arm(axes: Axes, by_arm: Mapping[Axes, list[Row]], zero_shot: Sequence[str]) -> Arm:
    own = _scores(by_arm[axes])
    base_axes = _baseline(axes, by_arm)
    base = _for_seeds_of(own, _scores(by_arm[base_axes])) if base_axes is not None else {}
    gains = {c: _paired(own[c], base[c]) for c in own if c in base and own[c].keys() & base[c].keys()}
    average, base_average = _average(own, zero_shot), _average(base, zero_shot)
    paired = average.keys() & base_average.keys()
    return Arm(
        axes,
        _estimates(own),
        estimate(list(average.values())) if average else None,
        gains,
        _paired(average, base_average) if paired else None,
        selected=by_arm[axes][0].cell.selected,
    )


def _scores(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Language -> seed -> value."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.cell.language, {})[row.cell.seed] = row.value
    return found


def _estimates(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Estimate]:
    return {c: estimate(list(by_seed.values())) for c, by_seed in scores.items()}


def _for_seeds_of(
    own: Mapping[str, Mapping[str, float]], base: Mapping[str, Mapping[str, float]]
) -> dict[str, Mapping[str, float]]:
    """The baseline's scores: where it trains nothing at all, its one score is that of every seed."""
    return {
        c: dict.fromkeys(own.get(c, {}), by_seed[UNTRAINED]) if UNTRAINED in by_seed else by_seed
        for c, by_seed in base.items()
    }


def _average(scores: Mapping[str, Mapping[str, float]], zero_shot: Sequence[str]) -> dict[str, float]:
    """Seed -> mean over the table's zero-shot languages, for seeds that have them all: means of other sets differ."""
    columns = [scores.get(language, {}) for language in zero_shot]
    if not columns:
        return {}
    seeds = [s for s in columns[0] if all(s in by_seed for by_seed in columns)]
    return {s: fmean(by_seed[s] for by_seed in columns) for s in seeds}


def _paired(own: Mapping[str, float], base: Mapping[str, float]) -> Estimate:
    return estimate([own[s] - base[s] for s in own if s in base])


def _baseline(axes: Axes, by_arm: Mapping[Axes, list[Row]]) -> Axes | None:
    """The arm that trains nothing in one axis and is the same in all others that it reaches."""
    for axis, _ in axes:
        if axis in by_arm[axes][0].cell.skips:
            continue
        wanted = dict(axes)
        for other, rows in by_arm.items():
            rest = {a: v for a, v in other if a != axis}
            if axis in rows[0].cell.skips and rest.items() <= wanted.items():
                return other
    return None
