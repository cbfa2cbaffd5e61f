"""What a report shows of the axes of its experiments: `where`, `rows`, `columns`, `value`, `baseline`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.comparing import check_left, one_axis, said_axis
from compiler.named import Axes, items, values_of
from compiler.suggest import listing
from compiler.writing import describe
from dsl.diagnostics import Label
from dsl.syntax import Record, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from compiler.axes import Table
    from compiler.bag import Bag
    from compiler.comparing import Compared
    from compiler.named import Pin
    from dsl.source import Span
    from dsl.syntax import Pair

METRIC = "metric"
ONE_METRIC = ("metrics have their own units, so there is one of a benchmark here", "say which: `value: METRIC`")
_Shown = dict[str, "Span"]  # axis -> where it is named


class Laid(Struct, frozen=True):
    """What a report shows: the scores that are left, and the axes by which they are laid out."""

    table: Table
    pins: Mapping[str, Collection[str]]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    compared: Compared | None  # what others are compared with


class Layout(Struct, frozen=True):
    """The keys of a report that speak of axes; `span` is where the report itself is."""

    pairs: Mapping[str, Pair]
    axes: Axes
    span: Span
    whole: bool  # whether every key is known and stands once

    @property
    def bag(self) -> Bag:
        """Where findings go."""
        return self.axes.bag

    def read(self) -> Laid | None:
        """The layout; what is wrong in a key is reported, else what the keys together leave out or open."""
        pins, compared = self._pins(), self._compared()
        rows, rows_right = self._shown("rows")
        columns, columns_right = self._shown("columns")
        metric_right = self._is_metric(pins or {})
        apart = self._are_apart(pins or {}, rows, columns)
        if pins is None or not (self.whole and rows_right and columns_right and metric_right and apart):
            return None
        axis = compared[0] if compared is not None else ""
        left = self.axes.left(pins, self.pairs["where"].value.span if pins else self.span, axis)
        if left is None:
            return None
        self._check_open(left, (*rows, *columns))
        if compared is not None and self._differs(compared, pins):
            check_left(compared, values_of(pins), self.axes, self.pairs["baseline"].value.span)
        return Laid(left, values_of(pins), tuple(rows), tuple(columns), compared)

    def _pins(self) -> dict[str, Pin] | None:
        """What `where` pins; None after a finding."""
        value = self.pairs["where"].value if "where" in self.pairs else None
        match value:
            case None:
                return {}
            case Record(pairs=pairs, span=span):
                return self.axes.pins(pairs, span)
        message = f"`where` is {describe(value)} but must be a record of axes"
        self.bag.error(codes.WRONG_VALUE, value.span, message, "for example `where: { under: clean }`")
        return None

    def _shown(self, key: str) -> tuple[_Shown, bool]:
        """The axes of `rows` or `columns`, and whether they are all right."""
        values = items(self.pairs[key].value) if key in self.pairs else ()
        found: _Shown = {}
        right = True
        for value in values:
            if not isinstance(value, Word):
                message = f"`{key}` is {describe(value)} but must be an axis, or a list of axes"
                self.bag.error(codes.WRONG_VALUE, value.span, message, f"there is {listing(self.axes.table.values)}")
            elif value.text in found:
                self._twice(value.text, f"stands twice in `{key}`", found[value.text], value.span)
            right &= isinstance(value, Word) and self.axes.has(value.text, value.span)
            found |= {value.text: value.span} if isinstance(value, Word) else {}
        return found, right

    def _twice(self, axis: str, how: str, first: Span, span: Span) -> None:
        label = Label(first, "first here")
        self.bag.error(codes.AXIS_TWICE, span, f"`{axis}` {how}", "leave one of them", label)

    def _are_apart(self, pins: Mapping[str, Pin], rows: _Shown, columns: _Shown) -> bool:
        """Whether each axis has one role. A list in `where` narrows what is shown; one value leaves nothing to show."""
        shared = rows.keys() & columns.keys()
        for axis in shared:
            self._twice(axis, "stands in `rows` and in `columns`", rows[axis], columns[axis])
        pinned = [pin for axis, pin in pins.items() if not pin.listed and axis in {**rows, **columns}]
        for pin in pinned:
            message = f"`{pin.axis}` is pinned to `{pin.values[0]}`, so there is nothing of it to show"
            hint = f"take it out of `where`, or write the values to show as a list: `{pin.axis}: [{pin.values[0]}]`"
            label = Label(pin.span, "pinned here")
            self.bag.error(codes.AXIS_TWICE, {**columns, **rows}[pin.axis], message, hint, label)
        return not shared and not pinned

    def _is_metric(self, pins: Mapping[str, Pin]) -> bool:
        """Whether `value`, if it is said, is a metric of some benchmark; there is one in a report."""
        shown = [v for key in ("rows", "columns") if key in self.pairs for v in items(self.pairs[key].value)]
        several = [v.span for v in shown if isinstance(v, Word) and v.text == METRIC]
        several += [pins[METRIC].span] if METRIC in pins and len(pins[METRIC].values) > 1 else []
        for span in several:
            self.bag.error(codes.LEFT_OPEN, span, *ONE_METRIC)
        if several:
            return False
        if (pair := self.pairs.get("value")) is None:
            return True
        if not isinstance(pair.value, Word):
            message = f"`value` is {describe(pair.value)} but must be one metric"
            hint = f"there is {listing(self.axes.table.values['metric'])}"
            self.bag.error(codes.WRONG_VALUE, pair.value.span, message, hint)
            return False
        if "metric" in pins:
            self._twice("metric", "is pinned, and `value` says it, too", pins["metric"].span, pair.span)
            return False
        return self.axes.value("metric", pair.value) is not None

    def _check_open(self, left: Table, shown: Collection[str]) -> None:
        """Every axis with several values is shown, pinned or averaged."""
        if "chain" in left.open(shown):
            message = f"the report is of {len(left.values['chain'])} experiments, and does not say where each is shown"
            self.bag.error(codes.LEFT_OPEN, self.span, message, "name one, `of: LABEL`, or show them, `rows: chain`")
            return  # which other axes there are depends on it
        for axis in left.open((*shown, "chain")):
            values = left.values[axis]
            message = f"`{axis}` has {len(values)} values here, and only seeds, languages and benchmarks are averaged"
            hint = f"pin it, `where: {{ {axis}: {values[0]} }}`, or show it, `rows: {axis}`"
            self.bag.error(codes.LEFT_OPEN, self.span, message, hint)

    def _differs(self, compared: Compared, pins: Mapping[str, Pin]) -> bool:
        """Whether the pins leave something else than the baseline."""
        axis, value = compared
        if axis not in pins or pins[axis].values != (value,):
            return True
        message = f"`{axis}` is pinned to `{value}`, the baseline itself, so there is no difference to show"
        hint = f"show what is compared with it, `rows: {axis}`, or leave the baseline out"
        self.bag.error(codes.NO_BASELINE, self.pairs["baseline"].value.span, message, hint, Label(pins[axis].span))
        return False

    def _compared(self) -> tuple[str, str] | None:
        """The axis and the value of it that scores are compared with; None where there is none, or after a finding."""
        if (pair := self.pairs.get("baseline")) is None:
            return None
        if isinstance(pair.value, Record):
            return said_axis(pair.value, "baseline", self.axes)
        return one_axis(pair.value, self.axes)
