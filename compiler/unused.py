"""What a spec declares and no chain of it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.known import word_of
from dsl.syntax import (
    Alternative,
    Chain,
    Choice,
    Claim,
    Declaration,
    Group,
    Languages,
    LanguageTerm,
    Let,
    ListValue,
    Name,
    Pair,
    Record,
    Ref,
    Report,
    Selection,
    Signed,
    Stage,
    Statistic,
    Suite,
    Sum,
    Tail,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.bag import Bag
    from compiler.resolve import Names
    from dsl.syntax import Spec


def warn_unused(spec: Spec, names: Names, bag: Bag) -> None:
    """Lets and declarations of the file that no chain reaches; a name that is wrong may have meant one of them."""
    if not names.experiments or bag.failed():
        return
    used = set(_pinned(spec, names))
    waiting = [n for e in names.experiments for n in names_in(e.chain)]
    waiting += [n for group in used for n in names_in(names.own[group])]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += names_in(names.own[name]) if name in names.own else ()
    for name, found in names.own.items():
        if name not in used:
            bag.warn(codes.UNUSED, found.name.span, f"{word_of(found)} `{name}` is never used")


def _pinned(spec: Spec, names: Names) -> Iterator[str]:
    """The groups by which reports and claims pin languages."""
    asked = tuple(s for s in spec.statements if isinstance(s, Report | Claim))
    yield from (name for name in names_in(asked) if isinstance(names.own.get(name), Group))


def names_in(node: object) -> Iterator[str]:
    """Every name that a node refers to; keys and labels are none."""
    match node:
        case Name(text=text) | Word(text=text):
            yield text
        case tuple():
            for item in node:
                yield from names_in(item)
        case Claim(left=left, right=right):
            yield from names_in((left, right))
        case Ref(name=name, languages=languages):
            yield from names_in((name, languages))
        case Chain(model=first, stages=stages, targets=targets) | Tail(suite=first, stages=stages, targets=targets):
            yield from names_in((first, stages, targets))
        case (
            Declaration(parent=inner)
            | Let(stage=inner)
            | Group(languages=inner)
            | Suite(tails=inner)
            | LanguageTerm(code=inner)
            | Stage(parts=inner)
            | Alternative(stages=inner)
            | Choice(alternatives=inner)
            | Languages(terms=inner)
            | Report(record=inner)
            | Record(pairs=inner)
            | Pair(value=inner)
            | ListValue(items=inner)
            | Selection(pins=inner)
            | Statistic(operand=inner)
            | Signed(term=inner)
            | Sum(terms=inner)
        ):
            yield from names_in(inner)
