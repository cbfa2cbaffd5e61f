"""What a claim could see with the seeds and items that are planned, before anything has run (docs/statistics.md).

Variances are not known then. They are assumed: between seeds by default, or as the store's own scores of these
benchmarks differ by seed, where there are enough; between items as two runs that disagree on a fifth of them do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import sqrt
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Mean, Sum, cells
from compiler.ops import Predict, Score
from compiler.units import POINTS
from runtime.amounts import amounts
from runtime.evidence.components import Components
from runtime.evidence.intervals import half_width
from runtime.results import read

if TYPE_CHECKING:
    from compiler.asked import Claimed, Expression
    from compiler.ops import Key
    from compiler.plan import Plan
    from runtime.results import Row
    from runtime.store.objects import Store

POWER = 0.8
LARGE = 0.05  # the best intermediate tasks' gain over XTREME is 0.054 (Phang et al. 2020, abstract)
SEED_DEVIATION = 0.015  # of a score averaged over languages: an assumption
DISAGREEMENT = 0.2  # share of items on which two runs differ: an assumption
_SPREAD = 0.25  # variance of a binary item at the most
_SHARED = 0.3  # correlation of an item's values in two languages: an assumption
_MOST_SEEDS = 30
_ENOUGH = 4  # differences from the mean over seeds that tell a deviation


class Outlook(Struct, frozen=True):
    """What a claim could see."""

    claim: Claimed
    seeds: int
    items: int
    detectable: float  # how far from its bound the truth has to be, to be seen with POWER
    deviation: float  # between seeds
    measured: bool  # whether that is from the store, not assumed
    enough: int | None  # seeds with which something LARGE would be seen; None where no number in reach does


def outlooks(plan: Plan, store: Store) -> tuple[Outlook, ...]:
    """The claims on means and their differences that could not see a large effect; of others nothing is told."""
    asked = [(claim, terms) for claim in plan.claims if (terms := _terms(claim)) and claim.seeds]
    if not asked:
        return ()
    there, missing = read(plan, store)
    if not missing:
        return ()
    numbers, present = _items(plan, store), {row.cell.score for row in there}
    found = []
    for claim, terms in asked:
        if present.issuperset(cell.score for mean, _ in terms for cell in cells(mean)):
            continue  # `verify` says more
        measured = _deviation(there, {group.benchmark for mean, _ in terms for group in mean.groups})
        deviation = measured if measured is not None else SEED_DEVIATION
        items = min((n for mean, _ in terms for n in _numbers(mean, numbers)), default=None)
        if items is not None and claim.seeds is not None and claim.seeds > 1:
            one = _outlook(claim, terms, items, deviation, measured=measured is not None)
            found += [one] if one.detectable > LARGE else []
    return tuple(found)


def _outlook(claim: Claimed, terms: _Terms, items: int, deviation: float, *, measured: bool) -> Outlook:
    seeds = claim.seeds or 0
    reach = [_detectable(terms, n, items, deviation, claim.level) for n in range(2, _MOST_SEEDS + 1)]
    enough = next((n for n, seen in enumerate(reach, 2) if seen <= LARGE), None)
    detectable = _detectable(terms, seeds, items, deviation, claim.level)
    return Outlook(claim, seeds, items, detectable, deviation, measured, enough)


_Terms = tuple[tuple[Mean, float], ...]


def _terms(claim: Claimed) -> _Terms:
    """The means of a claim with their weights; none unless every comparison is of sums of means, in points."""
    if claim.unit != POINTS or not claim.comparisons:
        return ()
    first = claim.comparisons[0]
    found = [*_weighted(first.left, 1.0), *_weighted(first.right, -1.0)]
    means = tuple((mean, weight) for mean, weight in found if mean is not None)
    return means if len(means) == len(found) else ()


def _weighted(expression: Expression, weight: float) -> Iterator[tuple[Mean | None, float]]:
    match expression:
        case Mean():
            yield expression, weight
        case Sum(terms=terms):
            yield from (pair for w, term in terms for pair in _weighted(term, w * weight))
        case _ if not hasattr(expression, "value"):
            yield None, weight


def _detectable(terms: _Terms, seeds: int, items: int, deviation: float, level: float) -> float:
    """How far the truth has to be for the interval to leave the bound out in POWER of studies."""
    by_run = _by_run(terms)
    squares = sum(weight**2 for weight, _ in by_run)
    is_difference = abs(sum(weight for _, weight in terms)) < 1e-9  # noqa: PLR2004
    each = DISAGREEMENT / 2 if is_difference else _SPREAD
    languages = min(number for _, number in by_run)
    by_item = squares * each * (_SHARED + (1 - _SHARED) / languages) / items
    found = Components(0.0, ((squares * deviation**2 / seeds, seeds),), by_item, 0.0, items)
    return half_width(found, level) + half_width(found, 2 * POWER - 1)


def _by_run(terms: _Terms) -> list[tuple[float, int]]:
    """The weight of what has the same runs, whose seeds are not independent, and how many data sets it is of."""
    weights: dict[frozenset[object], float] = {}
    groups: dict[frozenset[object], set[tuple[str, str]]] = {}
    for mean, weight in terms:
        runs = frozenset((cell.experiment, cell.axes) for cell in cells(mean))
        weights[runs] = weights.get(runs, 0.0) + weight
        groups.setdefault(runs, set()).update((group.benchmark, group.language) for group in mean.groups)
    return [(weight, len(groups[runs])) for runs, weight in weights.items()]


def _items(plan: Plan, store: Store) -> dict[Key, int]:
    """How many items each score has, as far as that is known."""
    ops = {n.key: n.op for n in plan.nodes}
    data = {n.key: op.data for n in plan.nodes if isinstance(op := n.op, Predict)}
    known = amounts(plan, store, data.values())
    scores = {n.key: op.predictions for n in plan.nodes if isinstance(op := ops[n.key], Score)}
    return {score: int(known[d].examples) for score, p in scores.items() if (d := data.get(p)) in known and d}


def _numbers(mean: Mean, items: Mapping[Key, int]) -> Iterator[int]:
    yield from (items[cell.score] for cell in cells(mean) if cell.score in items)


def _deviation(rows: Iterable[Row], benchmarks: Collection[str]) -> float | None:
    """How scores of a run on some benchmarks differ by seed, pooled over all that are there; None of too few."""
    by_run: dict[object, dict[str, list[float]]] = {}
    for row in rows:
        cell = row.cell
        if cell.seed and not cell.baseline and cell.benchmark in benchmarks:
            run = (cell.experiment, cell.axes, cell.benchmark, cell.metric)
            by_run.setdefault(run, {}).setdefault(cell.seed, []).append(row.value)
    squares, freedom = 0.0, 0
    for by_seed in by_run.values():
        most = max(map(len, by_seed.values()))
        means = [sum(values) / len(values) for values in by_seed.values() if len(values) == most]
        middle = sum(means) / len(means)
        squares += sum((m - middle) ** 2 for m in means)
        freedom += len(means) - 1
    return sqrt(squares / freedom) if freedom >= _ENOUGH else None
