"""Reports that were found right, as tables of cells (docs/language.md, section 9)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Column, Line, Reported, Spot
from compiler.averaging import Averaging, zero_shot
from compiler.bag import Bag
from compiler.catalog import BUILT_IN_AXES
from compiler.cells import OF_LANGUAGES
from compiler.graph import place
from compiler.named import items
from compiler.reports import read_report
from dsl.syntax import Number, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        return list(self.averaging.scores(self.read.laid.table))

    @cached_property
    def others(self) -> list[Score]:
        """Those of the baseline at the same pins."""
        laid = self.read.laid
        if laid.compared is None:
            return []
        return list(self.averaging.scores(self.read.axes.table.baseline(laid.pins, *laid.compared)))

    @cached_property
    def everywhere(self) -> bool:
        """Whether all languages are averaged, trained on or not."""
        average = self.read.pairs.get("average")
        return average is not None and average.value.span.text == "all"

    @cached_property
    def counting(self) -> Counting | None:
        """The languages that are averaged; None for all."""
        if self.everywhere or any(axis in self.read.laid.pins for axis in OF_LANGUAGES):
            return None
        return zero_shot([self.scores, self.others] if self.others else [self.scores])

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
        heads = [Column(at, "source") for at in apart] + [Column(at) for at in found if at not in apart]
        if all(axis in _AVERAGED for axis in columns) and len(found) - len(apart) > 1:
            heads.append(Column((), "mean"))
        return tuple(heads)

    def _is_source(self, at: At) -> bool:
        """Whether a column is of a language that is not averaged."""
        counting, language = self.counting, dict(at).get("language")
        if language is None or counting is None:
            return False
        return all(language not in languages for languages in counting.values())

    # --- lines

    def lines(self) -> Iterator[Line]:
        """Each row of the table."""
        shown = (*self.read.laid.rows, *self.read.laid.columns)
        apart = "language" not in shown and self.counting is not None
        for at in self._values(self.read.laid.rows, self.scores):
            here = [s for s in self.scores if self._is_at(s, at)]
            there = self._compared(at)
            spots = tuple(self._spot(here, there, head, self.counting) for head in self.heads)
            source = tuple(self._source(here, there, head) for head in self.heads) if apart else ()
            yield Line(at, spots, source if any(s.shown is not None for s in source) else ())

    def _values(self, axes: Sequence[str], scores: Sequence[Score]) -> list[At]:
        """The combinations of values that there are, each axis in the order of the text."""
        known = self.read.laid.table.values
        order = {axis: {value: n for n, value in enumerate(known.get(axis, ()))} for axis in axes}
        found = {tuple((axis, s.value(axis) or NOWHERE) for axis in axes) for s in scores}
        return sorted(found, key=lambda at: [order[axis].get(value, -1) for axis, value in at])

    @staticmethod
    def _is_at(score: Score, at: At) -> bool:
        return all((score.value(axis) or NOWHERE) == value for axis, value in at)

    def _compared(self, at: At) -> list[Score]:
        """What a line is compared with: the baseline at the same values, or where its run does not reach their axis."""
        compared = self.read.laid.compared
        if compared is None or dict(at).get(compared[0]) == compared[1]:
            return []
        rest = [(axis, value) for axis, value in at if axis != compared[0]]
        return [s for s in self.others if all(_stands(s, axis, value) for axis, value in rest)]

    def _spot(self, here: list[Score], there: list[Score], head: Column, counting: Counting | None) -> Spot:
        """What is shown in a column; a language that is shown is whatever it is."""
        pinned = any(axis in OF_LANGUAGES for axis, _ in head.at)
        counting = None if pinned else counting
        shown = self._mean([s for s in here if self._is_at(s, head.at)], counting)
        rest = [(axis, value) for axis, value in head.at if axis != (self.read.laid.compared or ("",))[0]]
        against = self._mean([s for s in there if all(_stands(s, a, v) for a, v in rest)], counting)
        return Spot(shown, against if shown is not None and against != shown else None)

    def _source(self, here: list[Score], there: list[Score], head: Column) -> Spot:
        """The same in the source language."""
        sources = {s.of.taken["benchmark"]: (s.of.source,) for s in (*here, *there)}
        return self._spot(here, there, head, sources)

    def _mean(self, scores: list[Score], counting: Counting | None) -> Mean | None:
        return self.averaging.mean(scores, counting)


def _stands(score: Score, axis: str, value: str) -> bool:
    """Whether a score of the baseline stands beside those with a value: it has it, or its run reaches no such axis."""
    own = score.value(axis)
    return own == value or (own is None and axis not in BUILT_IN_AXES) or (own is None and value == NOWHERE)
