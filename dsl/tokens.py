"""What the scanner hands on: lexemes for the parser, findings for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from dsl.diagnostics import Diagnostic
    from dsl.source import Span

END: Final = "$END"
"""The type of the lexeme after the last (Lark's name for it)."""


class Lexeme(Struct, frozen=True):
    """One token: its terminal in `grammar.lark`, its place, and its text (of a mended token: what it should be)."""

    type: str
    span: Span
    text: str


class Finding(Struct, frozen=True):
    """A diagnostic; `lost` when the statement around it can no longer be read, so that more about it would be noise."""

    diagnostic: Diagnostic
    lost: bool

    @property
    def place(self) -> int:
        """Offset of the character that the finding is about."""
        return self.diagnostic.primary.span.start


MOST_FINDINGS: Final = 100
"""So many findings a file; who has more has other troubles."""
