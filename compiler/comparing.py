"""What scores are compared with: a report's `baseline:`, a claim's `against:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.cells import OF_LANGUAGES
from compiler.named import label_among, written_label
from compiler.suggest import closest, listing
from compiler.writing import describe
from dsl.syntax import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from compiler.axes import Table
    from compiler.named import Axes
    from dsl.source import Span
    from dsl.syntax import Pair, Value

_LANGUAGES = "a claim compares languages by `gap`, `worst`, `best` and `spread`"
Compared = tuple[str, str]  # an axis, and the value of it that others are compared with


def said_axis(value: Value, key: str, axes: Axes) -> Compared | None:
    """`{ intermediate: skip }`; None after a finding."""
    match value:
        case Record(pairs=(pair,)):
            return _said(pair, axes)
        case Record(pairs=pairs):
            message = f"`{key}` names {len(pairs)} axes, and scores are compared along one"
        case _:
            message = f"`{key}` is {describe(value)} but must be one axis with its value"
    axes.bag.error(codes.WRONG_VALUE, value.span, message, f"for example `{key}: {{ {_example(axes.table)} }}`")
    return None


def _said(pair: Pair, axes: Axes) -> Compared | None:
    axis = pair.key.text
    if not axes.has(axis, pair.key.span):
        return None
    if not _is_compared(axis, axes.table):
        message = f"scores are not compared along `{axis}`"
        hint = _LANGUAGES if axis in OF_LANGUAGES else _offer(axes.table)
        axes.bag.error(codes.NO_BASELINE, pair.span, message, hint)
        return None
    value = axes.value(axis, pair.value)
    return (axis, value) if value is not None else None


def one_axis(value: Value, axes: Axes) -> Compared | None:
    """The one axis that has the value of a report's `baseline: skip`; None after a finding."""
    text = written_label(value)
    if text is None:
        message = f"`baseline` is {describe(value)} but must be a value of an axis"
        axes.bag.error(codes.WRONG_VALUE, value.span, message, _offer(axes.table))
        return None
    known = {axis: values for axis, values in axes.table.values.items() if _is_compared(axis, axes.table)}
    found = [(a, label) for a, values in known.items() if (label := label_among(text, values)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"`{text}` is a value of {listing(axis for axis, _ in found)}, so it does not say which is meant"
        hint = f"name the axis: `baseline: {{ {found[0][0]}: {text} }}`"
        axes.bag.error(codes.NO_BASELINE, value.span, message, hint)
    else:
        near = closest(text, [label for values in known.values() for label in values])
        hint = f"did you mean `{near}`?" if near is not None else _offer(axes.table)
        axes.bag.error(codes.NO_VALUE, value.span, f"no axis of {axes.whose} has a value `{text}`", hint)
    return None


def _is_compared(axis: str, table: Table) -> bool:
    """Whether scores can be compared along an axis.

    By seeds they are paired, metrics have their own units, and which languages are averaged must not depend on one.
    """
    return axis not in ("metric", *OF_LANGUAGES) and not table.is_seed(axis)


def check_left(compared: Compared, pins: Mapping[str, Collection[str]], axes: Axes, span: Span) -> bool:
    """Whether the pins leave a score of the baseline."""
    axis, value = compared
    if axes.table.baseline(pins, axis, value).rows:
        return True
    others = ", ".join(f"`{other}: {', '.join(values)}`" for other, values in pins.items() if other != axis)
    message = f"the baseline `{axis}: {value}` has no scores at {others}"
    axes.bag.error(codes.NO_SCORES, span, message, "pin what the baseline has, too, or compare with another")
    return False


def usual(table: Table) -> tuple[Compared, ...]:
    """The baselines that there are to compare other values with."""
    several = {axis: values for axis, values in table.baselines.items() if len(table.values[axis]) > 1}
    return tuple((axis, value) for axis, values in several.items() for value in values)


def _offer(table: Table) -> str:
    """A hint: the usual baselines."""
    known = [f"{axis}: {value}" for axis, value in usual(table)]
    return f"there is {listing(known)}" if known else "a choice with `skip` has one"


def _example(table: Table) -> str:
    """Some axis and value, to show the form."""
    axis, value = next(iter(usual(table)), ("model", table.values["model"][0]))
    return f"{axis}: {value}"
