"""`--set KEY=VALUE`: settings from outside a spec, nearer to every node than anything that stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler import codes
from dsl.parse import parse
from dsl.source import Source
from dsl.syntax import Defaults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.bag import Bag
    from compiler.resolve import Names

OPTION = "--set"


def read_overrides(stated: Sequence[str], names: Names, bag: Bag) -> Names:
    """The names with `KEY=VALUE` and `NAME.KEY=VALUE` as `overrides`: each is read as the `defaults` that it means.

    Names in them mean what they mean in the spec.
    """
    for one in stated:
        names = _with(one, names, bag)
    return names


def _with(stated: str, names: Names, bag: Bag) -> Names:
    key, _, value = stated.partition("=")
    scope, _, key = key.strip().rpartition(".")
    source = Source(OPTION, f"defaults {scope}{' ' * bool(scope)}{{ {key}: {value.strip()} }}")
    spec, found = parse(source)
    for diagnostic in found:
        bag.add(diagnostic)
    if spec is None or found:
        return names
    match spec.statements:
        case (Defaults() as override,) if len(override.record.pairs) == 1:
            scopes = {**names.scopes, source: names.scopes[names.source]}
            return replace(names, scopes=scopes, overrides=(*names.overrides, override))
    span = spec.statements[0].span
    bag.error(codes.WRONG_VALUE, span, f"`{OPTION}` takes one setting", f"`{OPTION}` may stand several times")
    return names
