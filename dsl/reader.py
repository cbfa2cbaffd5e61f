"""Lexemes into nodes: Lark's tables, driven by our own lexemes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from lark import UnexpectedToken
from msgspec import Struct

from dsl import tables
from dsl.build import Build
from dsl.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Lark
    from lark.lexer import Token

    from dsl.syntax import Statement
    from dsl.tokens import Lexeme


class Reader(Struct, frozen=True):
    """The parser of the grammar. It keeps nothing between calls."""

    lark: Lark

    def read(self, lexemes: Sequence[Lexeme]) -> tuple[Statement, ...] | None:
        """The statements that the lexemes, the last an `END`, amount to; None if they are no spec."""
        nodes, wrong = self._feed(lexemes)
        return cast("tuple[Statement, ...]", nodes) if wrong is None else None

    def first_wrong(self, lexemes: Sequence[Lexeme]) -> int | None:
        """Index of the first lexeme that cannot stand where it does."""
        return self._feed(lexemes)[1]

    def accepted(self, lexemes: Sequence[Lexeme]) -> frozenset[str]:
        """The terminals that may follow. Read anew: at an error Lark has already reduced what it could."""
        parser = self.lark.parse_interactive()
        for lexeme in lexemes:
            parser.feed_token(cast("Token", lexeme))
        return frozenset(parser.accepts())  # type: ignore[no-untyped-call]

    def _feed(self, lexemes: Sequence[Lexeme]) -> tuple[object, int | None]:
        feed, nodes, index = self.lark.parse_interactive().feed_token, None, 0
        try:
            for index, lexeme in enumerate(lexemes):  # noqa: B007 - told when it fails
                nodes = feed(cast("Token", lexeme))  # of a token Lark reads no more than `type`
        except UnexpectedToken:
            return None, index
        return nodes, None


@lru_cache(maxsize=1)
def tools() -> tuple[Scanner, Reader]:
    """The scanner and the parser, made once."""
    lark = tables.parser(Build())
    return Scanner.of(lark.terminals), Reader(lark)
