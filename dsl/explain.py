"""What a wrong token means: a diagnostic and, where it is clear what was meant, the tokens to read in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dsl import codes
from dsl.diagnostics import Diagnostic, Label
from dsl.source import Span
from dsl.tokens import END, Lexeme
from dsl.words import KEYWORDS, expected, found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_VALUE_STARTS: Final = KEYWORDS | {"NAME", "NUMBER", "STRING", "MINUS", "LBRACE", "LSQB"}
_ENDERS: Final = KEYWORDS | {"NAME", "NUMBER", "STRING", "STAR", "RBRACE", "RSQB", "RPAR"}
_CLOSERS: Final = frozenset({"RBRACE", "RSQB", "RPAR"})
_OPENERS: Final = frozenset({"LBRACE", "LSQB", "LPAR"})
_FOLLOWS_WITH: Final = {"WITH": "LPAR", "AT": "NUMBER", "EXPECT": "NAME", "BEST": "LBRACE"}


class Situation(Struct, frozen=True):
    """Where parsing of a statement stopped: `read` was fine, `at` is not, `rest` follows (it ends with `END`)."""

    accepts: frozenset[str]
    read: Sequence[Lexeme]
    at: Lexeme
    rest: Sequence[Lexeme]

    @property
    def before(self) -> Lexeme | None:
        """The last token that was fine."""
        return self.read[-1] if self.read else None

    @property
    def next(self) -> Lexeme:
        """The token after the wrong one."""
        return self.rest[0] if self.rest else self.at

    @property
    def opener(self) -> Lexeme | None:
        """The innermost open bracket."""
        depth = 0
        for lexeme in reversed(self.read):
            depth += (lexeme.type in _CLOSERS) - (lexeme.type in _OPENERS)
            if depth < 0:
                return lexeme
        return None


class Mend(Struct, frozen=True):
    """What to say, and what to read in place of the wrong token (empty: nothing is certain)."""

    diagnostic: Diagnostic
    instead: tuple[Lexeme, ...] = ()


def explain(situation: Situation) -> Mend:
    """The most particular thing that can be said of the wrong token."""
    for rule in _RULES:
        if mend := rule(situation):
            return mend
    return _unexpected(situation)


def _diagnostic(code: str, message: str, lexeme: Lexeme, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, Label(lexeme.span), (), hint)


def _as(kind: str, place: Lexeme, text: str = "") -> Lexeme:
    return Lexeme(kind, place.span, text or place.text)


def _just_before(lexeme: Lexeme) -> Span:
    return Span(lexeme.span.source, lexeme.span.start, lexeme.span.start)


def _unfinished(s: Situation) -> Mend | None:
    if s.at.type != END or s.before is None:
        return None
    message = f"expected {expected(s.accepts)} after {found(s.before)}, found the end of the statement"
    return Mend(_diagnostic(codes.UNFINISHED, message, s.before, _hint(s)))


def _keyword_as_name(s: Situation) -> Mend | None:
    if s.at.type not in KEYWORDS or "NAME" not in s.accepts or s.next.type == _FOLLOWS_WITH.get(s.at.type):
        return None
    return Mend(_keyword(s.at), (_as("NAME", s.at),))


def _keyword_as_label(s: Situation) -> Mend | None:
    if s.at.type != "COLON" or s.before is None or s.before.type not in KEYWORDS:
        return None
    if len(s.read) > 1 and s.read[-2].type not in {"LBRACE", "BAR"}:
        return None
    return Mend(_keyword(s.before))


def _keyword(lexeme: Lexeme) -> Diagnostic:
    message = f"`{lexeme.text}` is a keyword and cannot be a name"
    return _diagnostic(codes.KEYWORD_AS_NAME, message, lexeme, f"choose another name, such as `{lexeme.text}-1`")


def _colon_or_equals(s: Situation) -> Mend | None:
    for wrong, right in (("EQUAL", "COLON"), ("COLON", "EQUAL")):
        if s.at.type == wrong and right in s.accepts:
            sign = {"COLON": ":", "EQUAL": "="}[right]
            message = f"expected `{sign}` after {found(s.read[-1])}, found `{s.at.text}`"
            if len(s.read) == 1 and right == "COLON":
                hint = f"write `let {s.read[0].text} =` to name a stage, `{s.read[0].text}:` to label an experiment"
                return Mend(_diagnostic(codes.COLON_OR_EQUALS, message, s.at, hint))
            return Mend(_diagnostic(codes.COLON_OR_EQUALS, message, s.at, f"write `{sign}`"), (_as(right, s.at, sign),))
    return None


def _missing_value(s: Situation) -> Mend | None:
    ends = s.at.type in {"COMMA", "BAR"} | _CLOSERS
    match s.read[-3:]:
        case [*_, key, Lexeme("COLON")] if ends and {"NUMBER", "STRING"} <= s.accepts:
            return Mend(_no_value(key, found(s.at)), (Lexeme("NUMBER", _just_before(s.at), "0"), s.at))
        case [*_, key] if ends and s.accepts == {"COLON"} and s.next.type != "COLON":
            value = Lexeme("NUMBER", _just_before(s.at), "0")
            return Mend(_no_value(key, found(s.at)), (_as("COLON", s.at), value, s.at))
        case [key, Lexeme("COLON"), Lexeme("NAME") as next_key] if s.at.type == "COLON":
            return Mend(_no_value(key, f"the key {found(next_key)}"))
    return None


def _no_value(key: Lexeme, what: str) -> Diagnostic:
    return _diagnostic(codes.MISSING_VALUE, f"expected a value for the key {found(key)}, found {what}", key)


def _one_alternative(s: Situation) -> Mend | None:
    opener = s.opener
    if s.at.type != "RBRACE" or opener is None or opener.type != "LBRACE":
        return None
    if s.before is opener and s.accepts & {"SKIP", "ARROW"}:
        count, hint = "no alternative", "write two or more, with `|` between them"
    elif "BAR" in s.accepts:
        count, hint = "one alternative", "leave the braces out, or add an alternative behind `|`"
        if opener.span.source.text[opener.span.start - 1 :].startswith("{{"):
            hint = 'a template stands in quotes: `"{{ column }}"`'
    else:
        return None
    instead = (_as("BAR", s.at, "|"), _as("NAME", s.at), s.at) if "BAR" in s.accepts else ()
    return Mend(_diagnostic(codes.ONE_ALTERNATIVE, f"the choice has {count}", opener, hint), instead)


def _missing_bar(s: Situation) -> Mend | None:
    if "BAR" not in s.accepts or s.before is None:
        return None
    bar = _as("BAR", s.at, "|")
    message = f"expected `|` before the next alternative, found {found(s.at)}"
    diagnostic = _diagnostic(codes.MISSING_BAR, message, s.at, "alternatives are separated by `|`")
    if s.at.type == "COMMA":
        return Mend(diagnostic, (bar,))
    if s.at.type in {"ARROW", "TARGET", "LPAR"} or (_starts_value(s) and _another_alternative(s)):
        return Mend(diagnostic, (bar, s.at))
    return None


def _another_alternative(s: Situation) -> bool:
    """Whether a word after a complete alternative is the next one, and not part of a pair or of a list of targets."""
    if s.accepts & {"PLUS", "TARGET"}:
        return True
    separator = _next_separator(s.rest)
    if "COLON" in s.accepts or {"COMMA", "BEST"} <= s.accepts:
        return separator == "BAR"
    return separator in {"BAR", None} and not ("COMMA" in s.accepts and s.next.type in {"LSQB", "LPAR"})


def _next_separator(rest: Sequence[Lexeme]) -> str | None:
    """The first `|`, `,` or `:` between the brackets around, which tells alternatives from pairs."""
    depth = 0
    for lexeme in rest:
        depth += (lexeme.type in _OPENERS) - (lexeme.type in _CLOSERS)
        if depth < 0:
            return None
        if not depth and lexeme.type in {"BAR", "COMMA", "COLON"}:
            return lexeme.type
    return None


def _starts_value(s: Situation) -> bool:
    return s.at.type in _VALUE_STARTS and (s.at.type != "MINUS" or s.next.type == "NUMBER")


def _missing_colon(s: Situation) -> Mend | None:
    if "COLON" not in s.accepts or not _starts_value(s) or s.opener is None or s.before is None:
        return None
    if s.next.type == "COLON":
        return None  # `a b: 1` has a word too many, or too few
    signs = "`:` or `|`" if "BAR" in s.accepts else "`:`"
    message = f"expected {signs} after {found(s.before)}, found {found(s.at)}"
    diagnostic = _diagnostic(codes.MISSING_COLON, message, s.at, "a key and its value are separated by `:`")
    return Mend(diagnostic, (Lexeme("COLON", _just_before(s.at), ":"), s.at))


def _missing_comma(s: Situation) -> Mend | None:
    if "COMMA" not in s.accepts or s.before is None or s.before.type not in _ENDERS or s.opener is None:
        return None
    if s.at.type != "STAR" and (not _starts_value(s) or "BEST" in s.accepts):
        return None
    message = f"expected `,` after {found(s.before)}, found {found(s.at)}"
    diagnostic = _diagnostic(codes.MISSING_COMMA, message, s.at, "items of a list are separated by `,`")
    return Mend(diagnostic, (Lexeme("COMMA", _just_before(s.at), ","), s.at))


def _unexpected(s: Situation) -> Mend:
    after = f" after {found(s.before)}" if s.before else ""
    message = f"expected {expected(s.accepts)}{after}, found {found(s.at)}"
    return Mend(_diagnostic(codes.UNEXPECTED, message, s.at, _hint(s)))


def _hint(s: Situation) -> str | None:
    """The mending of mistakes that have one but no code of their own."""
    first = s.read[0].type if s.read else ""
    if s.before and s.before.type == "WITH" and s.accepts == {"LPAR"}:
        return "settings of a whole chain stand in parentheses: `with (seeds: 5)`"
    if s.accepts == {"NUMBER"} and [lexeme.type for lexeme in s.read[-2:]] == ["COLON", "MINUS"]:
        return "a list is written `[a, b]`"
    if s.accepts == {"STRING"} and s.at.type == "NAME":
        return f'write `"{s.at.text}"`'
    if s.at.type == "EQUAL" and "COMPARISON" in s.accepts:
        return "scores are compared with `>=`, `<=`, `>` or `<`; nothing is exactly equal to a measurement"
    if first == "CLAIM" and s.at.type == "COMPARISON" and "COMPARISON" not in s.accepts:
        return "a claim compares once: write two, one for each bound"
    if first == "CLAIM" and s.at.type == "EXPECT":
        return 'what is expected stands behind the title: `claim "TITLE" expect refuted: …`'
    if s.accepts == {"LPAR"} and s.before and s.before.type == "RPAR":
        return "leave the parentheses out, or write the settings of the run behind them: `(a + b)(epochs: 3)`"
    if first == "LET" and s.at.type == "ARROW" and s.opener is None:
        return "a `let` holds one stage; several are an alternative of a choice: `{ skip | both: a -> b }`"
    return None


_RULES: Final[tuple[Callable[[Situation], Mend | None], ...]] = (
    _unfinished,
    _keyword_as_name,
    _keyword_as_label,
    _colon_or_equals,
    _missing_value,
    _one_alternative,
    _missing_bar,
    _missing_colon,
    _missing_comma,
)
