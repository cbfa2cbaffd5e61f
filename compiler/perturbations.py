"""`under: …`, how the texts of a target are changed before they are encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.arguments import Arguments
from compiler.catalog import PERTURBATIONS, UNDER_ALLOWED, Interval
from compiler.ops import Perturbation
from compiler.suggest import did_you_mean
from dsl.syntax import Call, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.syntax import Value

CLEAN = "clean"
_RATES = Interval(0, 1)


def perturbation_name(under: object) -> str:
    """What a settled `under` is called where nobody gave it a name: `clean`, or the perturbation as it is written."""
    if not isinstance(under, Perturbation):
        return CLEAN
    rate = "" if under.rate == PERTURBATIONS[under.method] else f"rate: {100 * under.rate:g}%"
    seed = "" if under.seed == 1 else f"seed: {under.seed}"
    given = ", ".join(said for said in (rate, seed) if said)
    return f"{under.method}({given})" if given else under.method


def read_under(value: Value, bag: Bag) -> Perturbation | str | None:
    """The perturbation, or `clean`; None after a finding. A rate of 0 changes nothing and is `clean`."""
    name = value.text if isinstance(value, Word) else value.function.text if isinstance(value, Call) else ""
    if name == CLEAN and isinstance(value, Word):
        return CLEAN
    if name not in PERTURBATIONS:
        hint = did_you_mean(name, (CLEAN, *PERTURBATIONS)) if name else None
        bag.error(codes.WRONG_VALUE, value.span, f"`under` is `{value.span.text}` but must be {UNDER_ALLOWED}", hint)
        return None
    built_in = PERTURBATIONS[name]
    if not isinstance(value, Call):
        if built_in is None:
            _without_rate(name, value, bag)
            return None
        return Perturbation(name, built_in, 1)
    return _called(name, built_in, value, bag)


def _without_rate(name: str, value: Value, bag: Bag) -> None:
    message = f"`{name}` needs the share of what it befalls"
    bag.error(codes.MISSING_KEY, value.span, message, f"for example `under: {name}(rate: 10%)`")


def _called(name: str, built_in: float | None, call: Call, bag: Bag) -> Perturbation | str | None:
    arguments = Arguments(call, bag)
    for argument in arguments.positional:
        arguments.error(codes.WRONG_VALUE, argument.span, f"`{name}(…)` takes `rate:`", f"write `{name}(rate: 10%)`")
    if built_in is None and "rate" not in arguments.named and not arguments.positional:
        _without_rate(name, call, bag)
        return None
    rate = arguments.real("rate", built_in if built_in is not None else 0.0, _RATES)
    seed = arguments.number("seed", 1, low=0)
    if not arguments.done():
        return None
    return Perturbation(name, rate, seed) if rate > 0 else CLEAN
