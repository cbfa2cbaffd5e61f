"""Reports that were found right, as tables of cells (docs/language.md, section 9)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Column, Line, Reported, Spot
from compiler.averaging import Averaging, alike, everywhere, shared, zero_shot
from compiler.bag import Bag
from compiler.catalog import BUILT_IN_AXES
from compiler.cells import OF_LANGUAGES
from compiler.graph import place
from compiler.named import items
from compiler.publishing import published_lines
from compiler.reports import read_report
from dsl.syntax import Number, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from compiler.asked import At, Mean
    from compiler.averaging import Counting, Placed, Score
    from compiler.axes import Table
    from compiler.reports import Read
    from dsl.syntax import Report

LEVEL = 0.95
NOWHERE = "–"  # the value of an axis that a run does not reach
_AVERAGED = ("benchmark", *OF_LANGUAGES)


def tabulate(report: Report, tables: Mapping[str, Table], placed: Placed) -> Reported | None:
    """The report in cells; None where they are not planned, as of an experiment that nobody asked for."""
    read = read_report(report, tables, Bag())
    if read is None or not all(row.whose in placed for row in read.laid.table.rows):
        return None
    drawing = _Drawing(read, placed)
    interval, forms = read.pairs.get("interval"), read.pairs.get("as")
    said = interval.value if interval is not None else None
    return Reported(
        title=report.title.value,
        place=place(report.title.span),
        rows=read.laid.rows,
        columns=read.laid.columns,
        heads=drawing.heads,
        lines=tuple(drawing.lines()),
        metrics=drawing.metrics,
        baseline=read.laid.compared,
        level=float(said.value) if isinstance(said, Number) else LEVEL,
        forms=tuple(v.span.text for v in items(forms.value)) if forms is not None else ("table",),
        pins=tuple((axis, ", ".join(values)) for axis, values in read.laid.pins.items()),
        published=tuple(published_lines(drawing.heads, read.laid.table.rows, drawing.averaging)),
        everywhere=drawing.everywhere,
    )


class _Drawing(Struct, frozen=True, dict=True):
    """A report's scores, and where each stands."""

    read: Read
    placed: Placed

    @cached_property
    def averaging(self) -> Averaging:
        value = self.read.pairs.get("value")
        metric = value.value.text if value is not None and isinstance(value.value, Word) else None
        if metric is None and "metric" in self.read.laid.pins:
            metric = next(iter(self.read.laid.pins["metric"]))
        return Averaging(self.placed, metric, len(self.read.laid.table.values["benchmark"]) > 1)

    @cached_property
    def scores(self) -> list[Score]:
        """All that is left by the pins."""
        return list(self.averaging.scores(self.read.laid.table.rows))

    @cached_property
    def others(self) -> list[Score]:
        """Those of the baseline at the same pins."""
        laid = self.read.laid
        if laid.compared is None:
            return []
        beside = self.read.axes.written(laid.pins, {laid.compared[0]})
        return list(self.averaging.scores(beside.baseline(laid.pins, *laid.compared).rows))

    @cached_property
    def everywhere(self) -> bool:
        """Whether all languages are averaged, trained on or not."""
        average = self.read.pairs.get("average")
        return average is not None and average.value.span.text == "all"

    @cached_property
    def counting(self) -> Counting | None:
        """The languages that are averaged, of which others stand apart; None where all are."""
        return None if self._are_all else self._languages

    @cached_property
    def _are_all(self) -> bool:
        """Whether languages are averaged whatever they are trained on: all, or those that are pinned."""
        return self.everywhere or any(axis in self.read.laid.pins for axis in OF_LANGUAGES)

    @cached_property
    def _languages(self) -> Counting:
        """Of each benchmark the languages that are averaged, which every side has."""
        found = (everywhere if self._are_all else zero_shot)(self._sides)
        compared = self.read.laid.compared
        return alike(found) if compared is not None and compared[0] == "benchmark" else found

    @cached_property
    def _sides(self) -> list[list[Score]]:
        """The scores of each arm, and those that they are compared with: what is averaged is the same in all."""
        arms = [axis for axis in (*self.read.laid.rows, *self.read.laid.columns) if axis not in _AVERAGED]
        return [*_grouped(self.scores, arms).values(), *([self.others] if self.others else [])]

    @cached_property
    def common(self) -> Counting:
        """The same where benchmarks are averaged, too: of those that every side has."""
        benchmarks = shared(self._sides)
        return {b: languages for b, languages in self._languages.items() if b in benchmarks}

    @cached_property
    def _each(self) -> Counting:
        """The same where a language is shown: over the benchmarks that each side has of it which has it at all."""
        by_side = [_benchmarks_of(one) for one in self._sides]
        found: dict[str, set[str]] = {}
        for language in {code for one in by_side for code in one}:
            for benchmark in set.intersection(*(one[language] for one in by_side if language in one)):
                found.setdefault(benchmark, set()).add(language)
        return found

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What the scores are, in words: one metric, or of each benchmark its own."""
        return tuple(dict.fromkeys(" and ".join(c.metric for c in score.cells) for score in self.scores))

    # --- columns

    @cached_property
    def heads(self) -> tuple[Column, ...]:
        """The source language, the values in the order of the text, and the mean where they can be averaged."""
        columns = self.read.laid.columns
        found = self._values(columns, self.scores)
        if not columns:
            return (Column(()),)
        apart = [at for at in found if self._is_source(at)]
        sources = {language for languages in self._sources.values() for language in languages}
        heads = [Column(at, "source" if dict(at)["language"] in sources else "trained") for at in apart]
        heads += [Column(at) for at in found if at not in apart]
        if all(axis in _AVERAGED for axis in columns) and len(found) - len(apart) > 1:
            heads.append(Column((), "mean"))
        return tuple(heads)

    def _is_source(self, at: At) -> bool:
        """Whether a column, or a line, is of a language that is not averaged."""
        counting, language = self.counting, dict(at).get("language")
        if language is None or counting is None:
            return False
        return all(language not in languages for languages in counting.values())

    # --- lines

    def lines(self) -> Iterator[Line]:
        """Each row of the table."""
        shown = (*self.read.laid.rows, *self.read.laid.columns)
        apart = not any(axis in shown for axis in OF_LANGUAGES) and self.counting is not None
        here = _grouped(self.scores, self.read.laid.rows)
        for at in self._values(self.read.laid.rows, self.scores):
            mine, theirs = self._by_column(here[at]), self._beside(at)
            spots = tuple(self._spot(mine, theirs, head, self._counted(at, head)) for head in self.heads)
            if self._is_source(at):
                yield Line(at, (), spots)
                continue
            heads = self.heads if apart else ()
            source = tuple(self._spot(mine, theirs, head, self._apart(at, head)) for head in heads)
            told = source != spots and any(s.shown is not None for s in source)
            yield Line(at, spots, source if told else ())

    def _counted(self, at: At, head: Column) -> Counting | None:
        """What is averaged in a place; a language that is shown, itself or by both of its sides, is whatever it is."""
        axes = {axis for axis, _ in (*at, *head.at)}
        if "language" in axes or {"first", "second"} <= axes:
            return None if "benchmark" in axes else self._each
        return self._languages if "benchmark" in axes else self.common

    def _apart(self, at: At, head: Column) -> Counting:
        """The source language of each benchmark that is averaged in a place."""
        shown = any(axis == "benchmark" for axis, _ in (*at, *head.at))
        return {b: source for b, source in self._sources.items() if shown or b in self.common}

    def _by_column(self, scores: Sequence[Score]) -> _Grouped:
        return _grouped(scores, self.read.laid.columns)

    def _beside(self, at: At) -> _Grouped:
        """What a line is compared with, by the columns that are not compared themselves.

        It is the baseline at the same values, or where its run does not reach their axis.
        """
        compared = self.read.laid.compared
        if compared is None or dict(at).get(compared[0]) == compared[1]:
            return {}
        rest = [(axis, value) for axis, value in at if axis != compared[0]]
        found = [s for s in self.others if all(_stands(s.value(axis), axis, value) for axis, value in rest)]
        return _grouped(found, [axis for axis in self.read.laid.columns if axis != compared[0]])

    @cached_property
    def _sources(self) -> Counting:
        """Of each benchmark its source language."""
        return {s.of.taken["benchmark"]: (s.of.source,) for s in (*self.scores, *self.others)}

    def _values(self, axes: Sequence[str], scores: Sequence[Score]) -> list[At]:
        """The combinations of values that there are, each axis in the order of the text."""
        known = self.read.laid.table.values
        order = {axis: {value: n for n, value in enumerate(known.get(axis, ()))} for axis in axes}
        found = {tuple((axis, s.value(axis) or NOWHERE) for axis in axes) for s in scores}
        return sorted(found, key=lambda at: [order[axis].get(value, -1) for axis, value in at])

    def _spot(self, mine: _Grouped, theirs: _Grouped, head: Column, counting: Counting | None) -> Spot:
        """What is shown in a column, and what of the baseline."""
        shown = self._mean(mine, head.at, counting)
        against = self._mean(theirs, head.at, counting) if shown is not None else None
        return Spot(shown, against if against != shown else None)

    def _mean(self, grouped: _Grouped, at: At, counting: Counting | None) -> Mean | None:
        """The mean of the groups that stand in a column; of a column of means of all."""
        wanted = dict(at)
        kept = [
            score
            for place, scores in grouped.items()
            if all(axis not in wanted or _stands(value, axis, wanted[axis]) for axis, value in place)
            for score in scores
        ]
        return self.averaging.mean(kept, counting)


_Grouped = dict["At", list["Score"]]


def _benchmarks_of(scores: Iterable[Score]) -> dict[str, set[str]]:
    """Of each language the benchmarks that have it."""
    found: dict[str, set[str]] = {}
    for score in scores:
        found.setdefault(score.language, set()).add(score.of.taken["benchmark"])
    return found


def _grouped(scores: Iterable[Score], axes: Sequence[str]) -> _Grouped:
    """The scores by their values of some axes."""
    found: _Grouped = {}
    for score in scores:
        found.setdefault(tuple((axis, score.value(axis) or NOWHERE) for axis in axes), []).append(score)
    return found


def _stands(own: str | None, axis: str, value: str) -> bool:
    """Whether a score stands beside those with a value of an axis: it has it, or its run reaches no such axis."""
    return own == value or (own in {None, NOWHERE} and axis not in BUILT_IN_AXES)
