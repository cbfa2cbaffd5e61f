"""Values that name a method with its arguments: `adversarial(eps: 0.1)`, `lora(r: 8)`, `margin(k: 4)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.arguments import Arguments
from compiler.catalog import METHODS, Interval
from compiler.ops import Method
from compiler.writing import describe
from dsl.syntax import Argument, Call, Number, String, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.catalog import ArgumentRule
    from dsl.syntax import Value


def read_method(name: str, value: Value, bag: Bag) -> Method | None:
    """The method called `name` as it is written, a word or a call; None after a finding."""
    rules = METHODS[name]
    call = value if isinstance(value, Call) else None
    given = {a.name.text: a for a in call.arguments if a.name is not None} if call is not None else {}
    missing = [key for key, rule in rules.items() if rule.required and key not in given]
    if missing and (call is None or len(given) == len(call.arguments)):
        example = ", ".join(f"{key}: {rule.example}" for key, rule in rules.items() if rule.required)
        bag.error(codes.MISSING_KEY, value.span, f"`{name}` needs `{missing[0]}`", f"for example `{name}({example})`")
        return None
    if call is None:
        return Method(name, tuple((key, rule.default) for key, rule in rules.items() if rule.default is not None))
    return _called(name, call, rules, bag)


def _called(name: str, call: Call, rules: dict[str, ArgumentRule], bag: Bag) -> Method | None:
    arguments = Arguments(call, bag)
    for argument in arguments.positional:
        arguments.error(codes.WRONG_VALUE, argument.span, f"`{name}(…)` takes its arguments by name", _example(name))
    given = {key: arguments.named.get(key) for key in rules}
    found = {key: _value(key, rule, given[key], arguments) for key, rule in rules.items()}
    settled = tuple((key, value) for key, value in found.items() if value is not None)
    return Method(name, settled) if arguments.done() else None


def _example(name: str) -> str:
    return f"write `{name}({', '.join(f'{key}: {rule.example}' for key, rule in METHODS[name].items())})`"


def _value(key: str, rule: ArgumentRule, argument: Argument | None, arguments: Arguments) -> int | float | str | None:
    arguments.value(key)  # it is known, and asked for
    if argument is None:
        return rule.default
    match rule.values, argument.value:
        case Interval() as values, Number(value=int() as number, unit=unit) if unit in ("", "k") and number in values:
            return number if rule.whole else float(number)
        case Interval() as values, Number(value=number, unit=unit) if not rule.whole and unit in ("", "%"):
            if number in values:
                return float(number)
        case tuple() as words, Word(text=text) if text in words:
            return text
        case None, String(value=text):
            return text
    arguments.error(
        codes.WRONG_VALUE,
        argument.value.span,
        f"`{key}` is {describe(argument.value)} but must be {rule.allowed()}",
    )
    return None
