"""`budget { time: 40h, disk: 200GB }`: the limits that a spec sets to what is left to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.resolve import own_pairs
from compiler.suggest import did_you_mean, listing
from compiler.writing import describe
from dsl.diagnostics import Label
from dsl.source import Span
from dsl.syntax import Budget, Number, String

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.syntax import Pair, Spec


class Limits(Struct, frozen=True):
    """What may be spent on what is left to run; None is no limit. What is not estimated is not tested."""

    time: float | None  # seconds on the chosen device
    disk: float | None  # bytes in the store


class _Sort(Struct, frozen=True):
    """What a key takes: numbers with one of the units, and an example."""

    what: str
    units: tuple[str, ...]
    example: str


_SORTS = {
    "time": _Sort("a time", ("s", "min", "h", "d"), "40h"),
    "disk": _Sort("a size", ("kB", "MB", "GB", "TB"), "200GB"),
}
_EXAMPLE = f"budget {{ {', '.join(f'{key}: {sort.example}' for key, sort in _SORTS.items())} }}"


def read_budget(spec: Spec, bag: Bag) -> Limits | None:
    """The limits that the spec itself sets, not a file that it uses; None where it sets none, or after a finding."""
    budgets = [s for s in spec.statements if isinstance(s, Budget)]
    found = [_limits(budget, bag) for budget in budgets]
    for budget in budgets[1:]:
        first = Label(_word(budgets[0]), "first here")
        hint = "one budget may have both limits: keep one"
        bag.error(codes.SET_TWICE, _word(budget), "`budget` stands twice in this spec", hint, first)
    if len(found) != 1 or found[0] is None:
        return None
    return found[0]


def _limits(budget: Budget, bag: Bag) -> Limits | None:
    pairs = own_pairs(budget.record, bag)
    if not pairs:
        bag.error(codes.MISSING_KEY, _word(budget), "this budget sets no limit", f"for example `{_EXAMPLE}`")
        return None
    twice = len(pairs) < len(budget.record.pairs)  # reported
    known = [_is_known(pair, bag) for pair in pairs.values()]
    values = {key: _value(pair, _SORTS[key], bag) for key, pair in pairs.items() if key in _SORTS}
    if twice or not all(known) or None in values.values():
        return None
    return Limits(values.get("time"), values.get("disk"))


def _is_known(pair: Pair, bag: Bag) -> bool:
    if (key := pair.key.text) in _SORTS:
        return True
    bag.error(codes.UNKNOWN_KEY, pair.key.span, f"`budget` has no `{key}`", did_you_mean(key, _SORTS))
    return False


def _value(pair: Pair, sort: _Sort, bag: Bag) -> float | None:
    """The limit in seconds or bytes, or None after a finding."""
    value = pair.value
    if isinstance(value, Number) and value.unit in sort.units and value.value > 0:
        return value.value
    allowed = f"{sort.what} above 0, with a unit of {listing(sort.units)}"
    message = f"`{pair.key.text}` is {describe(value)} but must be {allowed}"
    bag.error(codes.WRONG_VALUE, value.span, message, _mending(pair, sort))
    return None


def _mending(pair: Pair, sort: _Sort) -> str:
    """What stands there, as it was perhaps meant; else an example."""
    key, value = pair.key.text, pair.value
    match value:
        case String(value=text) if text:
            return f"write it without quotes: `{key}: {text}`"
        case Number(unit="", value=number) if number > 0:
            return f"a number alone is of no unit: `{key}: {value.span.text}{sort.units[2]}`"
        case Number(unit=unit, value=number) if number > 0 and (other := _key_of(unit)) is not None:
            return f"`{value.span.text}` is {_SORTS[other].what}, as `{other}` takes"
    return f"for example `{key}: {sort.example}`"


def _key_of(unit: str) -> str | None:
    """The key that takes numbers with this unit."""
    return next((key for key, sort in _SORTS.items() if unit in sort.units), None)


def _word(budget: Budget) -> Span:
    """The place of the word `budget`."""
    return Span(budget.span.source, budget.span.start, budget.span.start + len("budget"))
