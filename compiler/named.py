"""Names of axes and of their values where a report or a claim writes them: `rows: model`, `[intermediate: skip]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.axes import table
from compiler.catalog import SETTINGS
from compiler.cells import OF_LANGUAGES
from compiler.languages import LONGEST_CODE
from compiler.resolve import own_pairs
from compiler.suggest import closest, language_hint, listing
from compiler.writing import describe
from dsl.syntax import Call, ListValue, Number, Record, String, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from compiler.axes import Table
    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Pair, Value


class Pin(Struct, frozen=True):
    """`intermediate: skip` or `robust: [none, da]`: the values that an axis is pinned or narrowed to."""

    axis: str
    values: tuple[str, ...]
    listed: bool  # written as a list, which leaves some of its values to be shown
    span: Span

    def __str__(self) -> str:
        return f"{self.axis}: {', '.join(self.values)}"


class Axes(Struct, frozen=True):
    """The axes that can be named at some place: those of a table, and whose they are."""

    table: Table
    whose: str  # in words, for messages: "`stilts`"
    bag: Bag

    def has(self, axis: str, span: Span) -> bool:
        """Whether there is the axis; else a finding with the closest and all that there are."""
        if axis in self.table.values:
            return True
        message = f"{self.whose} {'have' if self.whose.startswith('these') else 'has'} no axis `{axis}`"
        self.bag.error(codes.NO_AXIS, span, message, self._axis_hint(axis))
        return False

    def _axis_hint(self, axis: str) -> str:
        known = self.table.values
        if of_stages := [a for a in known if a.endswith(f".{axis}")]:
            return f"it is chosen at several places: {listing(of_stages)}"
        if axis in SETTINGS:
            return f"`{axis}` is no choice here; the axes are {listing(known)}"
        return offered(axis, known)

    def value(self, axis: str, value: Value) -> str | None:
        """The value of an axis as the axis calls it; None after a finding."""
        text = written_label(value)
        if text is None:
            several = "" if isinstance(value, ListValue) else ", or a list of them"
            message = f"`{axis}` is {describe(value)} but must be one of its values{several}"
            self.bag.error(codes.WRONG_VALUE, value.span, message, f"it has {listing(self.table.values[axis])}")
            return None
        found = label_among(text, self.table.values[axis])
        if found is None:
            message = f"`{axis}` of {self.whose} has no value `{text}`"
            self.bag.error(codes.NO_VALUE, value.span, message, self._value_hint(axis, text))
        return found

    def _value_hint(self, axis: str, text: str) -> str:
        known = self.table.values
        if axis == "language":
            near = closest(text, self.table.groups) if len(text) > LONGEST_CODE else None
            return f"did you mean `{near}`?" if near is not None else language_hint(text, known[axis])
        others = [a for a, values in known.items() if a != axis and text in values]
        if others:
            return f"it is a value of {listing(others)}; `{axis}` has {listing(known[axis])}"
        return offered(text, known[axis])

    def pins(self, pairs: Iterable[Pair], span: Span) -> dict[str, Pin] | None:
        """Each pin by its axis; None after a finding. `span` is that of all."""
        found = [self._pin(pair) for pair in own_pairs(Record(tuple(pairs), span), self.bag).values()]
        return {pin.axis: pin for pin in found if pin is not None} if None not in found else None

    def _pin(self, pair: Pair) -> Pin | None:
        axis, value = pair.key.text, pair.value
        if not self.has(axis, pair.key.span):
            return None
        items = value.items if isinstance(value, ListValue) else (value,)
        if not items:
            hint = f"it has {listing(self.table.values[axis])}"
            self.bag.error(codes.WRONG_VALUE, value.span, f"`{axis}` is narrowed to no value at all", hint)
        values = [self._values(axis, item) for item in items]
        known = dict.fromkeys(v for several in values for v in several)
        listed = isinstance(value, ListValue) or self._group(axis, value) is not None
        return Pin(axis, tuple(known), listed, pair.span) if items and all(values) else None

    def _values(self, axis: str, item: Value) -> tuple[str, ...]:
        """The value, or of a group of languages those that there are; () after a finding."""
        group = self._group(axis, item)
        if group is None:
            value = self.value(axis, item)
            return (value,) if value is not None else ()
        found = tuple(v for v in self.table.values[axis] if v in group)
        if not found:
            message = f"`{axis}` of {self.whose} has no language of the group `{item.span.text}`"
            self.bag.error(codes.NO_VALUE, item.span, message, f"it has {listing(self.table.values[axis])}")
        return found

    def _group(self, axis: str, value: Value) -> Collection[str] | None:
        """The codes of a group that is written as a value of languages."""
        if axis not in OF_LANGUAGES or not isinstance(value, Word):
            return None
        return self.table.groups.get(value.text)

    def left(self, pins: Mapping[str, Pin], span: Span, compared: str = "") -> Table | None:
        """The scores that the pins leave; None after the finding that they leave none.

        Control chains are there for those alone who compare along their axis, or pin it to them.
        """
        found = self.written(values_of(pins), {compared})
        for pin in pins.values():
            narrowed = found.narrowed(pin.axis, pin.values)
            if not narrowed.rows:
                message = f"no scores of {self.whose} are left at `{pin}` with the pins before it"
                there = found.values.get(pin.axis, ())
                hint = f"`{pin.axis}` has {listing(there)} there" if there else f"`{pin.axis}` has no value there"
                self.bag.error(codes.NO_SCORES, span, message, hint)
                return None
            found = narrowed
        return found

    def written(self, pins: Mapping[str, Collection[str]], compared: Collection[str]) -> Table:
        """The scores without those of control chains that nobody here asks for, by a pin or by comparing along it."""
        if not any(row.controls for row in self.table.rows):
            return self.table
        kept = (
            row
            for row in self.table.rows
            if all(axis in compared or (axis in pins and row.taken[axis] in pins[axis]) for axis in row.controls)
        )
        return table(kept)


def experiment(label: str, span: Span, tables: Mapping[str, Table], bag: Bag) -> Table | None:
    """The scores of a labelled experiment; None after the finding that there is none, or that it has none."""
    if label in tables and tables[label].rows:
        return tables[label]
    if label in tables:
        message = f"`{label}` evaluates nothing, so it has no scores"
        bag.error(codes.NO_SCORES, span, message, "evaluate something behind its stages: `@ BENCHMARK[*]`")
        return None
    labels = [known for known in tables if not known.startswith("#")]
    hint = offered(label, labels)
    if len(labels) < len(tables) and closest(label, labels) is None:
        hint = f"an experiment without a label cannot be named: write `{label}: ` before its chain"
    bag.error(codes.UNKNOWN_NAME, span, f"there is no experiment `{label}`", hint)
    return None


def items(value: Value) -> tuple[Value, ...]:
    """The items of a list, or the one value; a list of nothing is a value itself, and wrong as that."""
    return value.items or (value,) if isinstance(value, ListValue) else (value,)


def written_label(value: Value) -> str | None:
    """What a choice calls the value that is written so; None for what is no single value."""
    match value:
        case Word(text=text) | String(value=text):
            return " ".join(text.split())
        case Number(span=span) | Call(span=span):
            return " ".join(span.text.split())
    return None


def label_among(text: str, known: Iterable[str]) -> str | None:
    """The label that is spelled so, spaces apart."""
    plain = "".join(text.split())
    return next((label for label in known if "".join(label.split()) == plain), None)


def offered(word: str, known: Collection[str]) -> str:
    """A hint: the closest name, and all that there are."""
    if (near := closest(word, known)) is not None:
        return f"did you mean `{near}`? There is {listing(known)}"
    return f"there is {listing(known)}" if known else "there is none to choose from"


def values_of(pins: Mapping[str, Pin]) -> dict[str, tuple[str, ...]]:
    """The values of each pin."""
    return {axis: pin.values for axis, pin in pins.items()}
