"""The tokens of a file as the formatter sees them: what may stand before each, and in which bracket it stands."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dsl import literals
from dsl.gaps import Gap, gap
from dsl.spacing import CLOSERS, OPENERS, space, subtracts
from dsl.tokens import END

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dsl.tokens import Lexeme

_LINKS: Final = frozenset({"ARROW", "TARGET", "PLUS"})
_LEADS: Final = frozenset({"BAR", "COLON", "EQUAL"})
_DECLARES: Final = frozenset({"MODEL", "TASK", "BENCHMARK"})


class Place(Enum):
    """What a token is at the beginning of, and so when it begins a line."""

    STATEMENT = "always"
    EDGE = "the inside of a bracket, or its closer: when the bracket is open"
    ENTRY = "an entry of a record, or `|`: when the bracket is open"
    SOFT = "a part of a chain, list or claim: where the author did, and where the line grows too long"
    FIXED = "nothing: never, but behind a comment"


class Bracket(Enum):
    """What a bracket holds, and so how it looks over several lines."""

    RECORD = "entries, which need no commas"
    CHOICE = "alternatives or tails, between `|`"
    LIST = "items, between commas"


class Piece(Struct, frozen=True):
    """A token with what stands before it: `glue` where it shares the line of the one before.

    `home` is the index of the innermost opener around it, of a closer its own; -1 for none.
    """

    type: str
    text: str
    gap: Gap
    place: Place
    glue: str
    home: int
    bracket: Bracket | None


def pieces(lexemes: Sequence[Lexeme], starts: Collection[int]) -> list[Piece]:
    """The tokens of a spec that parses, without needless commas; at the offsets `starts` its statements begin."""
    return _Reading(lexemes, starts).all()


class _Reading:
    """One walk over the lexemes."""

    def __init__(self, lexemes: Sequence[Lexeme], starts: Collection[int]) -> None:
        self.lexemes = lexemes
        self.starts = starts
        self.brackets = _brackets(lexemes)
        self.gaps = _gaps(lexemes)
        self.made: list[Piece] = []
        self.open: list[int] = []
        self.statement = ""

    def all(self) -> list[Piece]:
        for index, lexeme in enumerate(self.lexemes):
            if lexeme.type == "COMMA":
                kept = not self._needless(index)
                following = self.gaps[index].then(self.gaps[index + 1])
                self.gaps[index : index + 2] = [self.gaps[index].uncommented(), following]
                if not kept:
                    continue
            self._one(index, lexeme)
        return self.made

    def _one(self, index: int, lexeme: Lexeme) -> None:
        if lexeme.span.start in self.starts:
            self.statement = lexeme.type
        home = self.open[-1] if self.open else -1
        if lexeme.type in CLOSERS:
            self.open.pop()
        place, text = self._place(index, lexeme), _text(lexeme)
        bracket = self.brackets.get(index)
        if bracket:
            self.open.append(len(self.made))
        self.made.append(
            Piece(lexeme.type, text, self.gaps[index], place, self._glue(lexeme.type, place), home, bracket)
        )

    def _needless(self, index: int) -> bool:
        """Whether a comma stands in a record or before a closer."""
        return self._inside() is Bracket.RECORD or self.lexemes[index + 1].type in CLOSERS

    def _inside(self) -> Bracket | None:
        return self.made[self.open[-1]].bracket if self.open else None

    def _place(self, index: int, lexeme: Lexeme) -> Place:
        before = self._type(-1)
        if lexeme.type == END or lexeme.span.start in self.starts:
            return Place.STATEMENT
        if before in OPENERS or lexeme.type in CLOSERS:
            return Place.EDGE
        entry = self._inside() is Bracket.RECORD and self.lexemes[index + 1].type == "COLON"
        if entry or lexeme.type == "BAR":
            return Place.ENTRY
        return Place.SOFT if self._soft(index, lexeme.type, before) else Place.FIXED

    def _soft(self, index: int, kind: str, before: str) -> bool:
        claim = self.statement == "CLAIM" and not self.open
        if before == "COMMA" or (claim and (before == "COLON" or kind in {"COMPARISON", "AT"})):
            return True
        if kind == "WITH":
            return self.lexemes[index + 1].type == "LPAR"
        return (kind in _LINKS and before not in _LEADS) or (kind == "MINUS" and subtracts(before))

    def _glue(self, kind: str, place: Place) -> str:
        if place is Place.STATEMENT:
            return ""
        if place is Place.ENTRY and kind != "BAR":
            return ", "
        if kind == "COLON" and not self.open and self.statement in _DECLARES:
            return " "
        return space(self._type(-1), kind, self._type(-2))

    def _type(self, back: int) -> str:
        return self.made[back].type if len(self.made) >= -back else ""


def _brackets(lexemes: Sequence[Lexeme]) -> dict[int, Bracket]:
    """What each opener holds: with a `|` of its own it is a choice; so is a suite, which may have one tail."""
    found: dict[int, Bracket] = {}
    stack: list[int] = []
    for index, lexeme in enumerate(lexemes):
        if lexeme.type in OPENERS:
            suite = lexemes[max(index - 2, 0)].type == "SUITE" and not stack
            record = Bracket.CHOICE if suite else Bracket.RECORD
            found[index] = record if lexeme.type == "LBRACE" else Bracket.LIST
            stack.append(index)
        elif lexeme.type in CLOSERS:
            stack.pop()
        elif lexeme.type == "BAR":
            found[stack[-1]] = Bracket.CHOICE
    return found


def _gaps(lexemes: Sequence[Lexeme]) -> list[Gap]:
    """What stands before each lexeme; before the first and the last as if between lines."""
    text, first = lexemes[0].span.source.text, lexemes[0].span.start
    between = [text[a.span.end : b.span.start] for a, b in pairwise(lexemes)]
    texts = ["\n" + text[:first].removeprefix("\ufeff"), *between]
    texts[-1] += "\n"
    return [gap(words) for words in texts]


def _text(lexeme: Lexeme) -> str:
    """The token as written; of a block with the line ends of Windows the same with plain ones."""
    plain = lexeme.text.replace("\r\n", "\n")
    same = lexeme.type != "STRING" or literals.string(plain) == literals.string(lexeme.text)
    return plain if same else lexeme.text
