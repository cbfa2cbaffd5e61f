"""Points and shares: what the two sides of a claim are measured in (docs/language.md, section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from dsl.syntax import Number, Selection, Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.bag import Bag
    from dsl.syntax import Claim, Sum

POINTS, SHARE = "points", "a share"


def check_units(claim: Claim, bag: Bag) -> None:
    """Report sides that do not compare, and numbers that are not in the unit of what they stand beside."""
    units = {unit for _, unit in (*_units(claim.left), *_units(claim.right))}
    sides = claim.left.span.to(claim.right.span)
    if not units:
        message = "both sides are numbers, so no experiment can tell"
        bag.error(codes.NOT_COMPARED, sides, message, "compare scores: `mean(LABEL[AXIS: VALUE])`")
        return
    if len(units) > 1:
        message = "a share of the clean score and points stand beside each other"
        bag.error(codes.NOT_COMPARED, sides, message, "compare `retained(…)` with a share: `>= 90%`")
        return
    (unit,) = units
    _check_numbers(claim.left, unit, bag)
    _check_numbers(claim.right, unit, bag)


def _units(whole: Sum) -> Iterator[tuple[Selection, str]]:
    """The unit that each selection of a sum comes to."""
    for signed in whole.terms:
        match signed.term:
            case Selection():
                yield signed.term, POINTS
            case Statistic(function=function, operand=operand):
                for selection, unit in _units(operand):
                    yield selection, SHARE if function.text == "retained" else unit


def _check_numbers(whole: Sum, unit: str, bag: Bag) -> None:
    for signed in whole.terms:
        match signed.term:
            case Number():
                _check_number(signed.term, unit, bag)
            case Statistic(function=function, operand=operand):
                if not list(_units(operand)):
                    message = f"`{function.text}(…)` is of numbers alone"
                    bag.error(codes.NOT_COMPARED, signed.term.span, message, "write the number itself")
                else:
                    _check_numbers(operand, POINTS if function.text == "retained" else unit, bag)


def _check_number(number: Number, unit: str, bag: Bag) -> None:
    text = "".join(number.span.text.split())
    if unit == SHARE and number.unit != "%":
        share = 100 * number.value if abs(number.value) <= 1 else number.value
        hint = f"did you mean `{share:g}%`?" if number.unit == "" else "write it in per cent: `90%`"
        bag.error(codes.NOT_COMPARED, number.span, f"`retained(…)` is a share, and `{text}` is none", hint)
    elif number.unit not in ("", "%"):
        message = f"`{text}` is a number with a unit, and scores are in points, 0 to 100"
        bag.error(codes.WRONG_VALUE, number.span, message, "write the points: `50`, or `50%`")
