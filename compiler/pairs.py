"""Pairs of languages, `de.fr`: the two sentences of a row in different ones (docs/language.md, section 5).

A pair is a language of its data like any other; what is told of its two sides stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from dsl.syntax import String, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Call

PAIRS = "pairs"
SIDES = ("first", "second")
_TWO = 2


def sides(language: str) -> tuple[str, ...]:
    """The two languages of a pair such as `de.fr`, or the one."""
    return tuple(language.split("."))


def are_pairs(languages: Collection[str]) -> bool:
    """Whether languages are pairs, as one of them tells for all."""
    return any("." in language for language in languages)


def spelled(language: str, code: str, split: str) -> dict[str, str]:
    """What patterns and templates know: of a pair also `first` and `second`."""
    both = sides(language)
    named = dict(zip(SIDES, both, strict=True)) if len(both) == _TWO else {}
    return {"split": split, "language": language, "code": code, **named}


def read_pairs(call: Call, bag: Bag) -> tuple[str, ...]:
    """Every ordered pair of the languages of `pairs(de, en, fr)`, each with itself among them; () after a finding.

    Source: Huang et al. 2021, section 4: 7 languages make 49 pairs, 15 make 225.
    """
    texts: dict[str, Span] = {}
    for argument in call.arguments:
        match argument.value:
            case Word(text=text) | String(value=text) if argument.name is None and "." not in text:
                texts.setdefault(text, argument.span)
            case _:
                message = f"`pairs(…)` takes codes of languages, and `{argument.span.text}` is none"
                bag.error(codes.WRONG_VALUE, argument.span, message, "for example `pairs(de, en, fr)`")
                return ()
    if len(texts) < _TWO:
        message = f"`pairs(…)` makes pairs of two languages or more, and has {len(texts)}"
        bag.error(codes.WRONG_VALUE, call.span, message, "for example `pairs(de, en, fr)`")
        return ()
    return tuple(f"{one}.{other}" for one in texts for other in texts)


def check_pairs(languages: Sequence[str], span: Span, bag: Bag) -> None:
    """Report a list in which some are pairs and others are not, or what has more than two sides."""
    long = next((c for c in languages if len(sides(c)) > _TWO), None)
    single = next((c for c in languages if len(sides(c)) == 1), None)
    if long is not None:
        bag.error(codes.WRONG_VALUE, span, f"`{long}` is no language and no pair of two", "a pair is written `de.fr`")
    elif single is not None and are_pairs(languages):
        message = f"`{single}` is one language, and others of this list are pairs"
        hint = f"`{single}.{single}` is the pair of it with itself; or declare two benchmarks"
        bag.error(codes.WRONG_VALUE, span, message, hint)
