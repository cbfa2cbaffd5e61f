"""Points, shares and correlations: what the two sides of a claim are measured in (docs/language.md, section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from dsl.syntax import Number, Selection, Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.bag import Bag
    from dsl.syntax import Claim, Sum

POINTS, SHARE, CORRELATION = "points", "a share of the clean score", "a correlation"
_DIFFERENCES = ("gain", "gap", "spread")
_MOST = 100
_MADE = {"retained": SHARE, "correlation": CORRELATION}  # what a statistic makes of the points within it


def check_units(claim: Claim, bag: Bag) -> None:
    """Report sides that do not compare, and numbers that are not in the unit of what they stand beside."""
    units = unit_of(claim.left) | unit_of(claim.right)
    sides = claim.left.span.to(claim.right.span)
    if not units:
        message = "both sides are numbers, so no experiment can tell"
        bag.error(codes.NOT_COMPARED, sides, message, "compare scores: `mean(LABEL[AXIS: VALUE])`")
        return
    if len(units) > 1:
        message = f"{' and '.join(u for u in (SHARE, CORRELATION, POINTS) if u in units)} stand beside each other"
        hint = "compare `retained(…)` with a share: `>= 90%`"
        if CORRELATION in units:
            hint = "compare `correlation(…)` with a number from -1 to 1: `< 0`"
        bag.error(codes.NOT_COMPARED, sides, message, hint)
        return
    (unit,) = units
    _check_numbers(claim.left, unit, bag)
    _check_numbers(claim.right, unit, bag)
    if unit == POINTS:
        _check_size(claim, bag)


def _check_size(claim: Claim, bag: Bag) -> None:
    """Report a bound that no score reaches, and warn of one that looks like a fraction where scores are points."""
    terms = [signed.term for side in (claim.left, claim.right) for signed in side.terms]
    numbers = [term for term in terms if isinstance(term, Number) and term.unit in ("", "%")]
    scores = len(list(_units(claim.left))) + len(list(_units(claim.right)))
    for number in numbers:
        text = "".join(number.span.text.split())
        points = abs(number.value) * (_MOST if number.unit == "%" else 1)
        if points > _MOST * scores:
            message = f"scores are in points, 0 to {_MOST}, so nothing here reaches `{text}`"
            bag.error(codes.NOT_COMPARED, number.span, message, "write points: `50`, or `50%`")
        elif 0 < points < 1 and not is_difference(claim):
            message = f"scores are in points, 0 to {_MOST}, and `{text}` is less than one of them"
            bag.warn(codes.NOT_COMPARED, number.span, message, f"did you mean `{_MOST * number.value:g}`?")


def is_difference(claim: Claim) -> bool:
    """Whether the sides of a claim differ by differences of scores, and not by a score itself."""
    return _weight(claim.left) == _weight(claim.right)


def _weight(whole: Sum) -> int:
    """How many scores a sum is the size of: a difference is that of none."""
    found = 0
    for signed in whole.terms:
        sign = -1 if signed.minus else 1
        match signed.term:
            case Selection():
                found += sign
            case Statistic(function=function, operand=operand):
                found += 0 if function.text in _DIFFERENCES else sign * _weight(operand)
    return found


def unit_of(whole: Sum) -> set[str]:
    """The units that the selections of a sum come to."""
    return {unit for _, unit in _units(whole)}


def _units(whole: Sum) -> Iterator[tuple[Selection, str]]:
    for signed in whole.terms:
        match signed.term:
            case Selection():
                yield signed.term, POINTS
            case Statistic(function=function, operand=operand):
                for selection, unit in _units(operand):
                    yield selection, _MADE.get(function.text, unit)


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
                    _check_numbers(operand, POINTS if function.text in _MADE else unit, bag)


def _check_number(number: Number, unit: str, bag: Bag) -> None:
    text = "".join(number.span.text.split())
    if unit == CORRELATION and (number.unit != "" or abs(number.value) > 1):
        message = f"a correlation is a number from -1 to 1, and `{text}` is none"
        bag.error(codes.NOT_COMPARED, number.span, message, "for example `< 0`")
    elif unit == CORRELATION:
        return
    elif unit == SHARE and number.unit != "%":
        share = 100 * number.value if abs(number.value) <= 1 else number.value
        hint = f"did you mean `{share:g}%`?" if number.unit == "" else "write it in per cent: `90%`"
        bag.error(codes.NOT_COMPARED, number.span, f"`retained(…)` is a share, and `{text}` is none", hint)
    elif number.unit not in ("", "%"):
        message = f"`{text}` is a number with a unit, and scores are in points, 0 to 100"
        bag.error(codes.WRONG_VALUE, number.span, message, "write the points: `50`, or `50%`")
