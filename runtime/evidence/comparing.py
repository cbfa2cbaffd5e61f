"""Two sets of scores side by side: what is the same question in both, and how the answers differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from compiler.asked import At, Group, Mean
from runtime.evidence.components import components
from runtime.evidence.effects import combined
from runtime.evidence.family import holm
from runtime.evidence.intervals import two_sided
from runtime.evidence.paired import mcnemar, signs
from runtime.evidence.tables import Estimate, estimate

if TYPE_CHECKING:
    from compiler.plan import Cell
    from runtime.evidence.effects import Effect
    from runtime.evidence.scores import Evidence

MCNEMAR, ITEMS, SEEDS = "McNemar", "signs over items", "seeds and items"  # what a p-value is of
ALL = ""  # the language of a mean over languages
_Place = tuple[str, At, str, str]  # experiment, axes, benchmark, metric


class Pair(Struct, frozen=True):
    """One question, asked twice."""

    experiment: str
    axes: At
    benchmark: str
    metric: str
    language: str  # ALL for the mean over those that are zero-shot on both sides, or all where none is
    first: Estimate
    second: Estimate
    difference: Estimate  # second less first; `adjusted` is corrected for all pairs of the comparison
    test: str


class Compared(Struct, frozen=True):
    """All pairs, and what one side alone has."""

    pairs: tuple[Pair, ...]
    only_first: int  # questions
    only_second: int
    missing: tuple[tuple[int, int], tuple[int, int]]  # of each side: scores that are not there, of how many
    unpaired: tuple[int, int]  # the most seeds of a question that the first side has and the other lacks; of the second


def compare(first: Evidence, second: Evidence, level: float = 0.95) -> Compared:
    """The pairs of two sets of scores, each language apart and their mean.

    Scores are of one question if experiment, axes, benchmark and metric are the same; where nothing is, the label of
    the experiment is left out, then the model, too.
    """
    ours, theirs = _places(first.plan.cells), _places(second.plan.cells)
    for leave in _LESS:
        one, other = _by(ours, leave), _by(theirs, leave)
        if common := [place for place in one if place in other]:
            break
    pairs = [pair for place in common for pair in _pairs(one[place], other[place], (first, second), level)]
    corrected = holm([p.difference.p if p.difference.p is not None else 1.0 for p in pairs])
    found = tuple(
        replace(p, difference=replace(p.difference, adjusted=adjusted))
        for p, adjusted in zip(pairs, corrected, strict=True)
    )
    missing = _missing(first), _missing(second)
    unpaired = _unpaired([(one[place][1], other[place][1]) for place in common], (first, second))
    return Compared(found, len(ours) - len(common), len(theirs) - len(common), missing, unpaired)


def _missing(side: Evidence) -> tuple[int, int]:
    """Scores of networks that are not there, of how many."""
    return side.missing(cell for cell in side.plan.cells if not cell.baseline)


_Scores = dict[str, dict[str, "Cell"]]  # language -> seed -> cell


def _places(cells: Iterable[Cell]) -> dict[_Place, _Scores]:
    found: dict[_Place, _Scores] = {}
    for cell in cells:
        if not cell.baseline:
            place = (cell.experiment, cell.axes, cell.benchmark, cell.metric)
            found.setdefault(place, {}).setdefault(cell.language, {})[cell.seed] = cell
    return found


def _without_label(place: _Place) -> _Place:
    return ("", *place[1:])


def _without_model(place: _Place) -> _Place:
    _, axes, benchmark, metric = place
    return "", tuple((axis, value) for axis, value in axes if axis != "model"), benchmark, metric


_LESS: Sequence[Callable[[_Place], _Place]] = (lambda place: place, _without_label, _without_model)


def _by(places: Mapping[_Place, _Scores], leave: Callable[[_Place], _Place]) -> dict[_Place, tuple[_Place, _Scores]]:
    """The scores by what is left of their places; places that become one are no question that can be told apart."""
    found: dict[_Place, list[tuple[_Place, _Scores]]] = {}
    for place, scores in places.items():
        found.setdefault(leave(place), []).append((place, scores))
    return {short: several[0] for short, several in found.items() if len(several) == 1}


def _pairs(
    one: tuple[_Place, _Scores], other: tuple[_Place, _Scores], sides: tuple[Evidence, Evidence], level: float
) -> list[Pair]:
    (place, ours), (_, theirs) = one, other
    languages = [c for c in ours if c in theirs]
    zero_shot = [c for c in languages if all(cell.zero_shot for s in (ours[c], theirs[c]) for cell in s.values())]
    found = [_pair(place, c, [c], (ours, theirs), sides, level) for c in languages]
    if len(languages) > 1:
        found.append(_pair(place, ALL, zero_shot or languages, (ours, theirs), sides, level))
    return [pair for pair in found if pair is not None]


def _pair(
    place: _Place,
    language: str,
    languages: Sequence[str],
    scores: tuple[_Scores, _Scores],
    sides: tuple[Evidence, Evidence],
    level: float,
) -> Pair | None:
    benchmark = place[2]
    paired = _paired(languages, scores, sides)
    means = [_mean(benchmark, languages, of_side) for of_side in paired]
    effects = [side.mean(mean) for side, mean in zip(sides, means, strict=True)]
    if effects[0] is None or effects[1] is None:
        return None
    difference = combined([(1.0, effects[1]), (-1.0, effects[0])])
    p, test = _tested(difference, effects[0], effects[1])
    first, second = (estimate(effect, level) for effect in (effects[0], effects[1]))
    told = replace(estimate(difference, level), p=p)
    experiment, axes, _, metric = place
    return Pair(experiment, axes, benchmark, metric, language, first, second, told, test)


def _paired(
    languages: Sequence[str], scores: tuple[_Scores, _Scores], sides: tuple[Evidence, Evidence]
) -> tuple[_Scores, _Scores]:
    """The seeds that both sides have in all these languages, so that the difference is that of what stands beside it.

    All of each where there are none in common: nothing is paired then.
    """
    there = [
        {language: _there(side, of_side[language]) for language in languages}
        for side, of_side in zip(sides, scores, strict=True)
    ]
    both = set.intersection(*(seeds for of_side in there for seeds in of_side.values()))
    first, second = (
        {c: {s: cell for s, cell in of_side[c].items() if s in (both or seeds)} for c, seeds in own.items()}
        for of_side, own in zip(scores, there, strict=True)
    )
    return first, second


def _there(side: Evidence, by_seed: Mapping[str, Cell]) -> set[str]:
    """The seeds whose score is there and counts."""
    return {s for s, cell in by_seed.items() if side.given(cell.score) is not None and not side.is_left_out(cell)}


def _unpaired(common: Iterable[tuple[_Scores, _Scores]], sides: tuple[Evidence, Evidence]) -> tuple[int, int]:
    """The most seeds that one side of a question has alone, where others are paired."""
    most = [0, 0]
    for ours, theirs in common:
        for language in ours.keys() & theirs.keys():
            first, second = _there(sides[0], ours[language]), _there(sides[1], theirs[language])
            if first & second:
                most = [max(most[0], len(first - second)), max(most[1], len(second - first))]
    return most[0], most[1]


def _mean(benchmark: str, languages: Sequence[str], scores: _Scores) -> Mean:
    return Mean(tuple(Group(benchmark, c, {seed: (cell,) for seed, cell in scores[c].items()}) for c in languages))


def _tested(difference: Effect, first: Effect, second: Effect) -> tuple[float, str]:
    """The two-sided p-value of no difference, and what it is of.

    With several seeds it speaks of the recipes, from their interval. With one it speaks of these checkpoints alone: of
    binary scores by McNemar's exact test, else by signs over items.
    """
    found = components(difference)
    if found.is_known and (difference.seeds > 1 or not difference.seeds):
        return two_sided(found, 0.0), SEEDS
    by_item = np.sum([b.values.mean(axis=0) for b in difference.blocks], axis=0)
    sides = [np.sum([b.values.mean(axis=0) for b in e.blocks], axis=0) for e in (first, second)]
    same = np.array_equal(first.rows, second.rows)
    if same and all(np.isin(side, (0.0, 1.0)).all() for side in sides):
        return mcnemar(sides[0], sides[1]), MCNEMAR
    return signs(by_item), ITEMS
