"""Which scores a mean is of: the languages that count, one metric a benchmark, a score for each seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Group, Mean
from compiler.cells import OF_LANGUAGES, side
from compiler.plan import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from compiler.cells import Scored, Whose

Placed = Mapping["Whose", Mapping[tuple[str, str], Cell]]
Counting = Mapping[str, Collection[str]]  # benchmark -> the languages that are averaged
_TWO_AS_ONE = (("f1", "em"), ("mlqa-f1", "mlqa-em"))  # of question answering, as XTREME counts it (Hu et al. 2020)


class Score(Struct, frozen=True):
    """One score with where it stands."""

    of: Scored
    language: str
    cells: tuple[Cell, ...]

    def value(self, axis: str) -> str | None:
        """Its value of an axis, metrics apart; None where it has none."""
        return side(self.language, axis) if axis in OF_LANGUAGES else self.of.taken.get(axis)


class Averaging(Struct, frozen=True):
    """How the scores of one question are averaged."""

    placed: Placed
    metric: str | None  # None: of each benchmark its first, of several that of question answering is the mean of two
    several: bool  # whether the question is of several benchmarks

    def scores(self, rows: Iterable[Scored]) -> Iterator[Score]:
        """Those that will be there, one a language."""
        for row in rows:
            cells = self.placed.get(row.whose, {})
            for language in row.languages:
                found = tuple(cells[language, m] for m in self.metrics(row) if (language, m) in cells)
                if found:
                    yield Score(row, language, found)

    def metrics(self, row: Scored) -> tuple[str, ...]:
        """The metrics that count for a benchmark, together as one."""
        if self.metric is not None:
            return (self.metric,) if self.metric in row.metrics else ()
        two = next((pair for pair in _TWO_AS_ONE if set(pair) <= set(row.metrics)), None)
        return two if two is not None and self.several else row.metrics[:1]

    def mean(self, scores: Iterable[Score], counting: Counting | None) -> Mean | None:
        """The mean of scores in the languages that count; None of none."""
        groups: dict[tuple[str, str], dict[str, tuple[Cell, ...]]] = {}
        for score in scores:
            benchmark = score.of.taken["benchmark"]
            if counting is None or score.language in counting.get(benchmark, ()):
                groups.setdefault((benchmark, score.language), {})[score.cells[0].seed] = score.cells
        return Mean(tuple(Group(*place, found) for place, found in groups.items())) if groups else None


def zero_shot(sides: Sequence[Iterable[Score]]) -> dict[str, tuple[str, ...]]:
    """Of each benchmark the languages that are there and zero-shot on every side that has it.

    Where no side has any zero-shot language, those that all have: what was trained on is all there is.
    """
    found = _by_benchmark(sides)
    return {b: _common(of, zero_shot=any(z for one in of for z in one.values())) for b, of in found.items()}


def everywhere(sides: Sequence[Iterable[Score]]) -> dict[str, tuple[str, ...]]:
    """Of each benchmark the languages that are there on every side that has it, trained on or not."""
    return {benchmark: _common(of_sides, zero_shot=False) for benchmark, of_sides in _by_benchmark(sides).items()}


def _by_benchmark(sides: Sequence[Iterable[Score]]) -> dict[str, list[dict[str, bool]]]:
    """Of each benchmark, and of each side that has it, its languages, and whether they are zero-shot."""
    found: dict[str, list[dict[str, bool]]] = {}
    for one in sides:
        here: dict[str, dict[str, bool]] = {}
        for score in one:
            languages = here.setdefault(score.of.taken["benchmark"], {})
            zero = all(cell.zero_shot for cell in score.cells)
            languages[score.language] = languages.get(score.language, True) and zero
        for benchmark, languages in here.items():
            found.setdefault(benchmark, []).append(languages)
    return found


def _common(of_sides: Sequence[Mapping[str, bool]], *, zero_shot: bool) -> tuple[str, ...]:
    return tuple(c for c in of_sides[0] if all(c in of and (of[c] or not zero_shot) for of in of_sides))


def alike(counting: Counting) -> Counting:
    """The languages that all benchmarks have, if there are any; else of each its own."""
    first = next(iter(counting.values()), ())
    common = tuple(c for c in first if all(c in languages for languages in counting.values()))
    return dict.fromkeys(counting, common) if common else counting


def shared(sides: Sequence[Iterable[Score]]) -> set[str]:
    """The benchmarks that every side has."""
    found = [{score.of.taken["benchmark"] for score in one} for one in sides]
    return set.intersection(*found) if found else set()
