"""Codes of languages where they are declared: those of BCP 47, so that equal languages have equal codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.pairs import sides
from compiler.tags import written_otherwise
from dsl.syntax import Call, Group, ListValue, Name, String, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Merged, Names
    from dsl.source import Span
    from dsl.syntax import Value


def check_codes(merged: Merged, names: Names, bag: Bag) -> None:
    """Report what is no code of BCP 47 among those that a declaration itself writes."""
    for key in ("languages", "source"):
        pair = merged.nearest(key)
        if pair is None or not merged.holds(pair.key.span):
            continue
        for written in _declared(pair.value):
            for side in sides(written.text):
                if not isinstance(names.get(Name(side, merged.declaration.name.span)), Group):
                    _check_code(side, written.span, bag)


def _declared(value: Value) -> list[Name]:
    """The codes in what stands at `languages` or `source`."""
    match value:
        case ListValue(items=items):
            return [found for item in items for found in _declared(item)]
        case Call(arguments=arguments):
            return [found for argument in arguments for found in _declared(argument.value)]
        case Word(text=text, span=span) | String(value=text, span=span):
            return [Name(text, span)]
    return []


def _check_code(code: str, span: Span, bag: Bag) -> None:
    found = written_otherwise(code)
    if found is None:
        return
    message = f"`{code}` is another spelling of `{found}`" if found else f"`{code}` is no code of a language"
    hint = (
        f"write `{found}` (BCP 47), and `codes: {{ {found}: {code} }}` where the data are called so"
        if found
        else "codes are those of BCP 47; `codes:` gives the spelling of the data"
    )
    bag.error(codes.WRONG_VALUE, span, message, hint)
