"""Claims that were found right, as expressions of cells (docs/language.md, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import units
from compiler.asked import Claimed, Comparison, Correlation, Extreme, Mean, Number, Quotient, Sum
from compiler.averaging import Averaging, alike, everywhere, shared, zero_shot
from compiler.bag import Bag
from compiler.catalog import BUILT_IN_AXES
from compiler.cells import OF_LANGUAGES
from compiler.claims import fewest_seeds
from compiler.graph import place
from compiler.measures import baseline_of, clean_of, compared_tables, distances
from compiler.named import values_of
from compiler.quantities import gone_over, selections
from dsl import syntax

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from compiler.asked import At, Expression
    from compiler.averaging import Counting, Placed, Score
    from compiler.axes import Table
    from compiler.cells import Scored
    from compiler.comparing import Compared
    from compiler.quantities import Selected

LEVEL = 0.95  # unless said
_Swap = Callable[["Selected"], "Compared"]  # what a selection is replaced by: another value of an axis
_POINTS = 100


class _Around(Struct, frozen=True):
    """What the statistics around a selection make of it."""

    at: At = ()  # one value of each axis that is gone through
    swaps: tuple[_Swap, ...] = ()
    side: str = ""  # of a gap: "source", that language and no other; "others", never that one


def ask(claim: syntax.Claim, tables: Mapping[str, Table], placed: Placed) -> Claimed | None:
    """The claim in cells; None where they are not planned, as of an experiment that nobody asked for."""
    found = selections(claim, tables, Bag())
    if found is None or not all(row.whose in placed for s in found for row in s.table.rows):
        return None
    asking = _Asking(claim, found, placed)
    left, right = claim.left.span, claim.right.span
    return Claimed(
        title=claim.title.value,
        text=" ".join(left.to(right).text.split()),
        place=place(claim.title.span),
        expected=claim.expect.text if claim.expect is not None else "supported",
        quantifier=claim.quantifier or "",
        axes=tuple(name.text for name in claim.axes),
        comparisons=tuple(asking.comparisons()),
        sign=claim.comparison,
        level=float(claim.level.value) if claim.level is not None else LEVEL,
        unit=asking.unit,
        is_difference=units.is_difference(claim),
        seeds=fewest_seeds(claim, found),
    )


class _Asking(Struct, frozen=True, dict=True):
    claim: syntax.Claim
    selected: Sequence[Selected]
    placed: Placed

    @cached_property
    def unit(self) -> str:
        """What both sides are measured in."""
        return next(iter(units.unit_of(self.claim.left) | units.unit_of(self.claim.right)))

    @cached_property
    def by_node(self) -> dict[int, Selected]:
        """Selections by where they are written."""
        return {id(s.node): s for s in self.selected}

    @cached_property
    def averaging(self) -> Averaging:
        """How all sides are averaged; a pinned metric is looked at where it is pinned."""
        benchmarks = {row.taken["benchmark"] for s in self.selected for row in s.table.rows}
        return Averaging(self.placed, None, len(benchmarks) > 1)

    @cached_property
    def languages(self) -> dict[_Pinned, Counting]:
        """The languages that count where none is pinned, and of those that are: the same on every side."""
        pinned = {pins: (everywhere if pins else zero_shot)(sides) for pins, sides in self._by_pins.items()}
        return {pins: _alike(found, self._by_pins[pins]) for pins, found in pinned.items()}

    @cached_property
    def zero_shot(self) -> dict[_Pinned, Counting]:
        """Of those the languages that are zero-shot on every side."""
        return {pins: zero_shot(sides) for pins, sides in self._by_pins.items()}

    @cached_property
    def _by_pins(self) -> dict[_Pinned, list[list[Score]]]:
        """The sides of all selections that pin the same languages."""
        found: dict[_Pinned, list[Selected]] = {}
        for selected in self.selected:
            found.setdefault(_languages_pinned(selected), []).append(selected)
        return {pins: self._sides(of_pins) for pins, of_pins in found.items()}

    @cached_property
    def benchmarks(self) -> set[str]:
        """Those that count where none is pinned: every side has them."""
        return shared(self._sides(s for s in self.selected if self._averages_benchmarks(s)))

    def _sides(self, selected: Iterable[Selected]) -> list[list[Score]]:
        """The scores of selections and of what they are compared with."""
        return [list(self.averaging.scores(t.rows)) for s in selected for t in compared_tables(s, Bag())]

    def _averages_benchmarks(self, selected: Selected) -> bool:
        over = {axis for statistic in selected.inside for axis in gone_over(statistic)}
        apart = {name.text for name in self.claim.axes} | over | {axis for axis, _ in _gained_on(selected)}
        return "benchmark" not in selected.pins and "benchmark" not in apart

    def counting(self, selected: Selected) -> Counting:
        """What counts of a selection, of each benchmark that does."""
        found = self.languages[_languages_pinned(selected)]
        if not self._averages_benchmarks(selected):
            return found
        return {b: languages for b, languages in found.items() if b in self.benchmarks}

    def comparisons(self) -> list[Comparison]:
        """One for each combination of values that is gone through."""
        axes = [name.text for name in self.claim.axes]
        values = [self.values(axis, self.selected) for axis in axes]
        found = []
        for combination in product(*values):
            at = tuple(zip(axes, combination, strict=True))
            sides = [self.expression(whole, _Around(at)) for whole in (self.claim.left, self.claim.right)]
            if sides[0] is not None and sides[1] is not None:
                found.append(Comparison(at, sides[0], sides[1]))
        return found

    def values(self, axis: str, beneath: Sequence[Selected]) -> list[str]:
        """The values of an axis that all selections have which do not pin it; of languages those that count.

        What a gain compares with gains nothing on itself, and is none of them.
        """
        loose = [s for s in beneath if not s.is_pinned(axis)]
        common = set.intersection(*(set(s.table.values.get(axis, ())) for s in loose))
        if axis == "language" and all("language" not in s.pins for s in loose):
            common &= {code for s in loose for languages in self.counting(s).values() for code in languages}
        common -= {value for s in loose for found, value in _gained_on(s) if found == axis}
        return [value for value in loose[0].table.values[axis] if value in common]

    # --- expressions

    def expression(self, whole: syntax.Sum, around: _Around) -> Expression | None:
        """A sum; None where one of its selections has no scores there."""
        terms: list[tuple[float, Expression]] = []
        for signed in whole.terms:
            found = self._term(signed.term, around)
            if found is None:
                return None
            terms.append((-1.0 if signed.minus else 1.0, found))
        return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else Sum(tuple(terms))

    def _term(self, term: syntax.Number | syntax.Selection | syntax.Statistic, around: _Around) -> Expression | None:
        match term:
            case syntax.Number(value=value, unit=unit):
                in_points = self.unit == units.POINTS and unit != "%"
                return Number(float(value) / _POINTS if in_points else float(value))
            case syntax.Selection():
                return self._mean(self.by_node[id(term)], around)
            case _:
                return self._statistic(term, around)

    def _statistic(self, statistic: syntax.Statistic, around: _Around) -> Expression | None:
        """A statistic of what is within; where it goes over an axis, for each of its values."""
        match statistic.function.text:
            case "gap":
                return self._over(statistic, around, self._gap)
            case "gain":
                return self._beside(statistic, around, lambda s: _found(baseline_of(statistic, s, Bag())), _difference)
            case "retained":
                return self._over(
                    statistic, around, lambda s, a: self._beside(s, a, lambda one: _found(clean_of(one)), _share)
                )
        return self._over(statistic, around, lambda s, a: self.expression(s.operand, a))

    def _over(
        self,
        statistic: syntax.Statistic,
        around: _Around,
        inner: Callable[[syntax.Statistic, _Around], Expression | None],
    ) -> Expression | None:
        """What is within at each value of the axis that is gone over, put together; without an axis itself."""
        name = statistic.function.text
        axes = [axis for axis in gone_over(statistic) if not (name == "gap" and axis == "language")]
        if not axes:
            return inner(statistic, around)
        (axis,) = axes
        beneath = [s for s in self.selected if statistic in s.inside]
        members = [
            (value, found)
            for value in self.values(axis, beneath)
            if (found := inner(statistic, replace(around, at=(*around.at, (axis, value))))) is not None
        ]
        if not members:
            return None
        if name == "correlation":
            known = {code: d for s in beneath for code, (d, *_) in distances(s).items()}
            return Correlation(tuple((value, known[value], found) for value, found in members))
        if name in ("worst", "best", "spread"):
            return Extreme(name, axis, tuple(members))
        return Sum(tuple((1 / len(members), found) for _, found in members))

    def _gap(self, statistic: syntax.Statistic, around: _Around) -> Expression | None:
        source = self.expression(statistic.operand, replace(around, side="source"))
        others = self.expression(statistic.operand, replace(around, side="others"))
        return _difference(source, others) if source is not None and others is not None else None

    def _beside(
        self,
        statistic: syntax.Statistic,
        around: _Around,
        swap: _Swap,
        put: Callable[[Expression, Expression], Expression],
    ) -> Expression | None:
        """What is within, put together with the same of what it is compared with."""
        own = self.expression(statistic.operand, around)
        other = self.expression(statistic.operand, replace(around, swaps=(*around.swaps, swap)))
        return put(own, other) if own is not None and other is not None else None

    # --- means

    def _mean(self, selected: Selected, around: _Around) -> Mean | None:
        found = _left(selected, around)
        averaging = self.averaging
        if (pin := selected.pins.get("metric")) is not None:
            averaging = replace(averaging, metric=pin.values[0])
        counting = self.counting(selected)
        sources = {row.taken["benchmark"]: row.source for row in found}
        if around.side == "source":
            counting = {b: (source,) for b, source in sources.items() if b in counting}
        elif around.side == "others":
            others = self.zero_shot[_languages_pinned(selected)]
            counting = {b: [c for c in of if c in others[b] and c != sources.get(b)] for b, of in counting.items()}
        return averaging.mean(averaging.scores(found), counting)


def _gained_on(selected: Selected) -> list[Compared]:
    """What the gains around a selection compare it with."""
    gains = [statistic for statistic in selected.inside if statistic.function.text == "gain"]
    return [found for gain in gains if (found := baseline_of(gain, selected, Bag())) is not None]


def _left(selected: Selected, around: _Around) -> list[Scored]:
    """The scores of a selection at the values that are gone through, with what it is compared with in its place."""
    swaps = dict(swap(selected) for swap in around.swaps)
    taken = {axis: (value,) for axis, value in around.at if not selected.is_pinned(axis)}
    pins = {**values_of(selected.pins), **taken}
    found = list(selected.axes.written(values_of(selected.pins), swaps).rows)
    for axis, value in swaps.items():
        found = _narrowed(found, axis, (value,))
    for axis in pins.keys() - swaps.keys():
        beside = []
        if swaps and axis not in BUILT_IN_AXES:
            beside = [row for row in found if axis not in row.free and not row.values(axis)]
        found = _narrowed(found, axis, pins[axis]) + beside
    return found


def _narrowed(rows: list[Scored], axis: str, values: Collection[str]) -> list[Scored]:
    return [kept for row in rows if (kept := row.narrowed(axis, values)) is not None]


_Pinned = tuple[tuple[str, tuple[str, ...]], ...]  # languages, and how


def _languages_pinned(selected: Selected) -> _Pinned:
    return tuple((axis, selected.pins[axis].values) for axis in OF_LANGUAGES if axis in selected.pins)


def _alike(counting: Counting, sides: Sequence[Iterable[Score]]) -> Counting:
    """The same languages for all where each side is of one benchmark, held against another."""
    of_sides = [{score.of.taken["benchmark"] for score in one} for one in sides]
    return alike(counting) if all(len(benchmarks) == 1 for benchmarks in of_sides) else counting


def _found(compared: Compared | None) -> Compared:
    if compared is None:
        raise AssertionError("the claim was checked before")
    return compared


def _difference(own: Expression, other: Expression) -> Expression:
    return Sum(((1.0, own), (-1.0, other)))


def _share(own: Expression, other: Expression) -> Expression:
    return Quotient(own, other)
