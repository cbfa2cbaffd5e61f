"""The codes of syntax diagnostics. A code is a published name: never reused, each with a page in docs/diagnostics/."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNEXPECTED: Final = "X0101"
UNFINISHED: Final = "X0102"
UNCLOSED: Final = "X0103"
STRAY_CLOSER: Final = "X0104"
MISMATCHED: Final = "X0105"
TOO_DEEP: Final = "X0106"
OPEN_STRING: Final = "X0107"
WRONG_QUOTES: Final = "X0108"
BAD_ESCAPE: Final = "X0109"
TOO_LONG: Final = "X0110"
WRONG_ARROW: Final = "X0111"
UNKNOWN_CHARACTER: Final = "X0112"
BAD_NUMBER: Final = "X0113"
KEYWORD_AS_NAME: Final = "X0114"
COLON_OR_EQUALS: Final = "X0115"
MISSING_COLON: Final = "X0116"
MISSING_VALUE: Final = "X0117"
MISSING_BAR: Final = "X0118"
ONE_ALTERNATIVE: Final = "X0119"
MISSING_COMMA: Final = "X0120"
SEMICOLON: Final = "X0121"
CONTROL_CHARACTER: Final = "X0122"
WRONG_COMMENT: Final = "X0123"

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        UNEXPECTED: "something else was expected here",
        UNFINISHED: "a statement breaks off",
        UNCLOSED: "a bracket is never closed",
        STRAY_CLOSER: "a closing bracket closes nothing",
        MISMATCHED: "a bracket is closed by one of another kind",
        TOO_DEEP: "brackets are nested too deep",
        OPEN_STRING: "a string is never closed",
        WRONG_QUOTES: 'quotation marks other than `"`',
        BAD_ESCAPE: "a backslash in a string means nothing",
        TOO_LONG: "the file is too long",
        WRONG_ARROW: "a sign that only looks like `->`",
        UNKNOWN_CHARACTER: "a character that the language does not use",
        BAD_NUMBER: "neither a number nor a name",
        KEYWORD_AS_NAME: "a keyword where a name belongs",
        COLON_OR_EQUALS: "`=` and `:` confused",
        MISSING_COLON: "a `:` is missing",
        MISSING_VALUE: "a key has no value",
        MISSING_BAR: "a `|` is missing",
        ONE_ALTERNATIVE: "a choice of one",
        MISSING_COMMA: "a `,` is missing",
        SEMICOLON: "a semicolon",
        CONTROL_CHARACTER: "control characters",
        WRONG_COMMENT: "a comment that does not begin with `#`",
    }
)
