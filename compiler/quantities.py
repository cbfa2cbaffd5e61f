"""The selections of a claim, `stilts[intermediate: skip]`, and the statistics that stand around each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.layouts import METRIC, ONE_METRIC
from compiler.named import Axes, experiment, offered
from compiler.resolve import own_pairs
from compiler.writing import describe
from dsl.syntax import Record, Selection, Statistic, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compiler.axes import Table
    from compiler.bag import Bag
    from compiler.named import Pin
    from dsl.source import Span
    from dsl.syntax import Claim, Sum

DISTANCE = "distance"  # of languages from the source: what scores are correlated with
OPTIONS: Mapping[str, tuple[str, ...]] = {  # each statistic, and the options that it takes
    **dict.fromkeys(("mean", "worst", "best", "spread", "gap", "retained"), ("over",)),
    "gain": ("against",),
    "correlation": ("with",),
}
_OF_LANGUAGES = ("gap", "correlation")  # go over languages by themselves
_OPTION = {"gain": "against: { AXIS: VALUE }", "correlation": f"with: {DISTANCE}"}
_OF_SOMETHING = ("worst", "best", "spread")  # of the values of an axis that must be said


class Selected(Struct, frozen=True):
    """A selection of a claim with its scores; `inside` are the statistics around it, the outermost first."""

    node: Selection
    axes: Axes  # of the whole experiment
    table: Table  # what the pins leave
    pins: Mapping[str, Pin]
    inside: tuple[Statistic, ...]

    def is_pinned(self, axis: str) -> bool:
        """Whether one value of the axis is selected."""
        return axis in self.pins and not self.pins[axis].listed


def gone_over(statistic: Statistic) -> dict[str, Span]:
    """The axes that a statistic goes over, and where that is said; some go over languages by themselves."""
    said = {"language": statistic.function.span} if statistic.function.text in _OF_LANGUAGES else {}
    for pair in statistic.options:
        if pair.key.text == "over" and isinstance(pair.value, Word):
            said[pair.value.text] = pair.value.span
    return said


def statistics(claim: Claim) -> Iterator[Statistic]:
    """Every statistic of a claim."""
    for whole in (claim.left, claim.right):
        yield from _statistics(whole)


def _statistics(whole: Sum) -> Iterator[Statistic]:
    for signed in whole.terms:
        if isinstance(signed.term, Statistic):
            yield signed.term
            yield from _statistics(signed.term.operand)


def selections(claim: Claim, tables: Mapping[str, Table], bag: Bag) -> tuple[Selected, ...] | None:
    """Every selection of a claim; None after a finding."""
    written = [pair for whole in (claim.left, claim.right) for pair in _selections(whole, ())]
    found = [_select(node, inside, tables, bag) for node, inside in written]
    return tuple(s for s in found if s is not None) if None not in found else None


def _selections(whole: Sum, inside: tuple[Statistic, ...]) -> Iterator[tuple[Selection, tuple[Statistic, ...]]]:
    for signed in whole.terms:
        match signed.term:
            case Selection():
                yield signed.term, inside
            case Statistic(operand=operand):
                yield from _selections(operand, (*inside, signed.term))


def _select(node: Selection, inside: tuple[Statistic, ...], tables: Mapping[str, Table], bag: Bag) -> Selected | None:
    whole = experiment(node.name.text, node.name.span, tables, bag)
    if whole is None:
        return None
    axes = Axes(whole, f"`{node.name.text}`", bag)
    pins = axes.pins(node.pins, node.span)
    if pins is not None and METRIC in pins and len(pins[METRIC].values) > 1:
        bag.error(codes.LEFT_OPEN, pins[METRIC].span, *ONE_METRIC)
        return None
    left = axes.left(pins, node.span) if pins is not None else None
    return Selected(node, axes, left, pins, inside) if left is not None and pins is not None else None


def check_form(statistic: Statistic, bag: Bag) -> None:
    """Report a statistic that there is not, and options that it does not take."""
    name = statistic.function
    if name.text not in OPTIONS:
        message = f"there is no statistic `{name.text}`"
        bag.error(codes.UNKNOWN_NAME, name.span, message, offered(name.text, tuple(OPTIONS)))
        return
    options = own_pairs(Record(statistic.options, statistic.span), bag)
    for key, pair in options.items():
        if key not in OPTIONS[name.text]:
            hint = f"write it around: `mean({name.text}(…), over: …)`" if key == "over" else _takes(name.text)
            bag.error(codes.UNKNOWN_KEY, pair.key.span, f"`{name.text}(…)` takes no `{key}`", hint)
        elif key == "over" and not isinstance(pair.value, Word):
            message = f"`over` is {describe(pair.value)} but must be one axis"
            bag.error(codes.WRONG_VALUE, pair.value.span, message, "for example `over: language`")
        elif key == "with" and not (isinstance(pair.value, Word) and pair.value.text == DISTANCE):
            message = f"`with` is {describe(pair.value)} but must be `{DISTANCE}`"
            bag.error(codes.WRONG_VALUE, pair.value.span, message, f"`{_example(name.text)}`")
    if name.text == "correlation" and "with" not in options:
        message = "`correlation(…)` does not say with what"
        bag.error(codes.MISSING_KEY, name.span, message, f"`{_example(name.text)}`")
    if name.text in _OF_SOMETHING and "over" not in options:
        message = f"`{name.text}(…)` does not say of what"
        bag.error(codes.MISSING_KEY, name.span, message, f"for example `{name.text}(…, over: language)`")


def _takes(name: str) -> str:
    return f"it takes `{_OPTION.get(name, 'over: AXIS')}`"


def _example(name: str) -> str:
    return f"{name}(…, {_OPTION[name]})"
