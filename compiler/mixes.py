"""`mix: …`, how a mixture draws its parts: read where it stands, and met with the parts that a stage has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.catalog import MIX_ALLOWED, MIX_CAP
from compiler.ops import Mix
from compiler.suggest import did_you_mean, listing
from dsl.syntax import Argument, Call, Number, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Value

RULES = ("proportional", "uniform", "temperature", "weights")
_UNITS = {"cap": ("", "k", "M"), "weight": ("", "%", "k", "M"), "temperature": ("",)}


class MixRule(Struct, frozen=True):
    """`proportional(cap: 10k)` or `weights(a: 2, b: 1)` as written; `weights` by the names of tasks."""

    rule: str
    cap: int | None = None
    temperature: float | None = None
    weights: tuple[tuple[str, float], ...] = ()


def read_mix(value: Value, bag: Bag) -> MixRule | None:
    """The rule, or None after a finding."""
    match value:
        case Word(text="proportional"):
            return MixRule("proportional", cap=MIX_CAP)
        case Word(text="uniform"):
            return MixRule("uniform")
        case Call() if value.function.text in RULES[:1]:
            return _proportional(value, bag)
        case Call() if value.function.text == "temperature":
            return _temperature(value, bag)
        case Call() if value.function.text == "weights":
            return _weights(value, bag)
    word = value.text if isinstance(value, Word) else value.function.text if isinstance(value, Call) else ""
    hint = f"write `mix: {_EXAMPLES[word]}`" if word in _EXAMPLES else did_you_mean(word, RULES) if word else None
    bag.error(codes.WRONG_VALUE, value.span, f"`mix` is `{value.span.text}` but must be {MIX_ALLOWED}", hint)
    return None


_EXAMPLES = {"temperature": "temperature(2)", "weights": "weights(a: 2, b: 1)", "uniform": "uniform"}


def _proportional(call: Call, bag: Bag) -> MixRule | None:
    match call.arguments:
        case (Argument(name=name, value=value),) if name is not None and name.text == "cap":
            cap = _number(value, "cap", bag)
            return MixRule("proportional", cap=int(cap)) if cap is not None else None
    _wrong(call, "takes one `cap:`", "proportional(cap: 10k)", bag)
    return None


def _temperature(call: Call, bag: Bag) -> MixRule | None:
    match call.arguments:
        case (Argument(name=None, value=value),):
            number = _number(value, "temperature", bag)
            return MixRule("temperature", temperature=number) if number is not None else None
    _wrong(call, "takes one number", "temperature(2)", bag)
    return None


def _weights(call: Call, bag: Bag) -> MixRule | None:
    weights: dict[str, float] = {}
    for argument in call.arguments:
        if argument.name is None:
            _wrong(call, "takes the weight of each part by its name", "weights(a: 2, b: 1)", bag)
            return None
        if argument.name.text in weights:
            bag.error(codes.SET_TWICE, argument.span, f"`{argument.name.text}` stands twice in these weights")
            return None
        number = _number(argument.value, "weight", bag)
        if number is None:
            return None
        weights[argument.name.text] = number
    if not weights:
        _wrong(call, "takes the weight of each part by its name", "weights(a: 2, b: 1)", bag)
        return None
    return MixRule("weights", weights=tuple(sorted(weights.items())))


def _wrong(call: Call, takes: str, example: str, bag: Bag) -> None:
    message = f"`{call.function.text}(…)` {takes}"
    bag.error(codes.WRONG_VALUE, call.span, message, f"for example `mix: {example}`")


def _number(value: Value, what: str, bag: Bag) -> float | None:
    match value:
        case Number(value=number, unit=unit) if number > 0 and unit in _UNITS[what]:
            if what != "cap" or isinstance(number, int):
                return float(number) if what != "cap" else number
    allowed = "a whole number from 1" if what == "cap" else "a number above 0"
    bag.error(codes.WRONG_VALUE, value.span, f"the {what} is `{value.span.text}` but must be {allowed}")
    return None


def check_weights(uses: Iterable[tuple[Span, MixRule, Sequence[str]]], bag: Bag) -> None:
    """Hold each `weights(…)` against the parts of all the stages that it draws for: `uses` are (place, rule, names).

    A name is unknown if it is no part of any; a part lacks a weight if it does where it stands.
    """
    stages: dict[tuple[Span, MixRule], list[Sequence[str]]] = {}
    for place, rule, names in uses:
        if rule.rule == "weights":
            stages.setdefault((place, rule), []).append(names)
    for (place, rule), parts in stages.items():
        known = {name for names in parts for name in names}
        unknown = [name for name, _ in rule.weights if name not in known]
        for name in unknown:
            message = f"`weights(…)` names `{name}`, which is no part of this mixture"
            bag.error(codes.UNKNOWN_NAME, place, message, did_you_mean(name, known))
        for names in parts if not unknown else ():
            _check_complete(place, dict(rule.weights), names, bag)


def _check_complete(place: Span, weights: Mapping[str, float], names: Sequence[str], bag: Bag) -> None:
    missing = sorted(set(names) - set(weights)) if len(names) > 1 else []
    if missing:
        message = f"`weights(…)` has no weight for {listing(missing)}"
        bag.error(codes.MISSING_KEY, place, message, f"give every part one: `{missing[0]}: 1`")
    elif twice := sorted({n for n in names if names.count(n) > 1}):
        message = f"two parts of this mixture are called `{twice[0]}`, so a weight does not say which it is of"
        bag.error(codes.NO_REFERENCE, place, message, "give one task a second name: `task NAME : TASK { }`")


def mix_of(rule: MixRule | None, weights: tuple[float, ...], languages: Sequence[int]) -> Mix | None:
    """The rule as it stands in a key, for parts of so many languages each; None where nothing is left to draw.

    `weights` are those of the parts in their order. One part in one language is drawn at every step, whatever the
    rule, but a cap makes its epochs shorter.
    """
    if len(languages) == 1 and (rule is None or (languages[0] == 1 and rule.cap is None)):
        return None
    if rule is None:
        return Mix("proportional", MIX_CAP, None, ())
    if rule.rule != "weights":
        return Mix(rule.rule, rule.cap, rule.temperature, ())
    total = math.fsum(weights)
    return Mix("weights", None, None, tuple(w / total for w in weights))


def weights_of(rule: MixRule | None, names: Sequence[str]) -> tuple[float, ...]:
    """The weight of each part, 1 where there is none to tell."""
    weights: Mapping[str, float] = dict(rule.weights) if rule is not None else {}
    return tuple(weights.get(name, 1.0) for name in names)
