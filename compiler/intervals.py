"""The level of an interval, in a report's `interval:` and behind a claim's `at`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.writing import describe
from dsl.syntax import Number

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.syntax import Value

_LOWEST, _HIGHEST = 0.5, 1.0  # an interval at half or less says nothing; one at all has no end


def check_level(value: Value, key: str, bag: Bag) -> None:
    """Report a level that is no share in per cent, above 50% and below 100%."""
    if isinstance(value, Number) and value.unit == "%" and _LOWEST < value.value < _HIGHEST:
        return
    message = f"`{key}` is {describe(value)} but must be a level above `50%` and below `100%`"
    bag.error(codes.WRONG_VALUE, value.span, message, _mending(value))


def _mending(value: Value) -> str:
    match value:
        case Number(value=number, unit="") if _LOWEST < number < _HIGHEST:
            return f"did you mean `{100 * number:g}%`?"
        case Number(value=number, unit="") if 100 * _LOWEST < number < 100 * _HIGHEST:
            return f"did you mean `{number:g}%`?"
    return "`95%` is usual"
