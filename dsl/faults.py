"""What stands in a text where no token begins: what it is, and the token that was probably meant."""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final

from dsl import codes, literals
from dsl.diagnostics import Diagnostic, Label
from dsl.source import Span
from dsl.tokens import Finding, Lexeme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # (text, its place, the lexemes before it) -> what is wrong, and the lexeme to read in its place
    Fault = Callable[[str, Span, Sequence[Lexeme]], tuple[Finding, Lexeme | None]]

_MARKS: Final = str.maketrans("", "", "“”„«»‘’‚'\"\\")
_BRACKETS: Final = frozenset({"LSQB", "RSQB", "LPAR", "RPAR", "LBRACE", "RBRACE"})
_LOOK_BACK: Final = 200


def _finding(code: str, message: str, span: Span, hint: str | None = None, *, lost: bool = False) -> Finding:
    return Finding(Diagnostic(code, message, Label(span), hint=hint), lost)


def arrow(text: str, span: Span, before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    """`=>`, `–>`, `→`: an arrow, in a claim `>=`."""
    compares = text == "=>" and _nearest(before, {"CLAIM", "ARROW", "TARGET"}) == "CLAIM"
    kind, meant = ("COMPARISON", ">=") if compares else ("ARROW", "->")
    message = f"`{text}` is no sign of the language"
    return _finding(codes.WRONG_ARROW, message, span, f"write `{meant}`"), Lexeme(kind, span, meant)


def dash(text: str, span: Span, before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    """`–`, `—`: a minus before a digit and in a list, else half an arrow."""
    digit = span.source.text[span.end : span.end + 1].isdigit()
    kind, meant = ("MINUS", "-") if digit or _nearest(before, _BRACKETS) == "LSQB" else ("ARROW", "->")
    message = f"`{text}` ({_called(text)}) is no sign of the language"
    return _finding(codes.WRONG_ARROW, message, span, f"write `{meant}`"), Lexeme(kind, span, meant)


def semicolon(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, None]:
    """`;` where white space is enough."""
    message = f"`{short(text)}` separates nothing in this language"
    return _finding(codes.SEMICOLON, message, span, "leave it out: a new line is enough"), None


def slashes(_text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, None]:
    """`// …` to the end of the line."""
    mark = Span(span.source, span.start, span.start + 2)
    return _finding(codes.WRONG_COMMENT, "`//` does not begin a comment", mark, "comments begin with `#`"), None


def quotes(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    """A string in typographic or single quotation marks."""
    kind = "single" if text[0] == "'" else "typographic"
    meant = f'"{text.translate(_MARKS).strip()}"'
    message = f"`{text[0]}` is a {kind} quotation mark and does not begin a string"
    return _finding(codes.WRONG_QUOTES, message, span, f"write `{short(meant)}`"), Lexeme("STRING", span, meant)


def open_string(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    """`"…` with no `"` on its line; the brackets that end the line are not taken to be in it."""
    inside = text.rstrip(" \t\r\n)]},|") or text[:1]
    place = Span(span.source, span.start, span.start + len(inside))
    hint = 'close it with `"` on its line; a string over several lines stands between `"""` and `"""`'
    if len(inside) > 1 and inside[-1] in "“”’'":
        hint = f'close it with `"`, not with `{inside[-1]}`'
    message = 'the string has no closing `"` on its line'
    return _finding(codes.OPEN_STRING, message, place, hint, lost=True), Lexeme("STRING", place, '""')


def open_block(_text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    '''`"""…` to the end of the file.'''
    mark = Span(span.source, span.start, span.start + 3)
    message = 'the string that `"""` opens is never closed'
    finding = _finding(codes.OPEN_STRING, message, mark, 'close it with `"""`', lost=True)
    return finding, Lexeme("STRING", span, '""')


def stuck(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme]:
    """Digits with letters or dots stuck to them: `3x`, `1.2.3`."""
    units = ", ".join(f"`{unit}`" for unit in literals.UNITS)
    hint = f"units are {units}; a name begins with a letter"
    letters = text.lstrip("0123456789.")
    if (meant := next((u for u in literals.UNITS if u.lower() == letters.lower()), None)) is not None:
        hint = f"did you mean `{text.removesuffix(letters)}{meant}`?"
    message = f"`{short(text)}` is neither a number nor a name"
    return _finding(codes.BAD_NUMBER, message, span, hint, lost=True), Lexeme("NUMBER", span, "0")


def control(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, None]:
    """Control characters other than white space."""
    first = Span(span.source, span.start, span.start + 1)
    hint = "save the file as UTF-8 text" if text[0] == "\0" else "delete them"
    message = f"the file holds control characters, first U+{ord(text[0]):04X}"
    return _finding(codes.CONTROL_CHARACTER, message, first, hint, lost=True), None


def unknown(text: str, span: Span, before: Sequence[Lexeme]) -> tuple[Finding, None]:
    """Any other character, once or repeated."""
    hint = None
    if text == "%" and before and before[-1].type == "NUMBER":
        hint = f"write `{before[-1].text}%`, without a space"
    elif text[0].isalpha():
        hint = "names are made of `A`-`Z`, `a`-`z`, `0`-`9` and `_`, in parts joined by `-` or `.`"
    named = "" if text.isascii() else f" ({_called(text)})"
    message = f"`{short(text)}`{named} is no sign of the language"
    return _finding(codes.UNKNOWN_CHARACTER, message, span, hint, lost=True), None


def bad_escape(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme] | None:
    """A string with a backslash that means nothing; None if all is well."""
    bad = literals.bad_escape(text)
    if bad is None:
        return None
    place = Span(span.source, span.start + bad[0], span.start + bad[1])
    what = "half of a character" if bad[1] - bad[0] > 2 else "no escape"  # noqa: PLR2004 - `\q` against `\ud800`
    hint = 'a backslash itself is `\\\\`; the escapes are `\\"` `\\\\` `\\/` `\\b` `\\f` `\\n` `\\r` `\\t` `\\uXXXX`'
    finding = _finding(codes.BAD_ESCAPE, f"`{place.text}` is {what} in a string", place, hint)
    return finding, Lexeme("STRING", span, '""')


def too_large(text: str, span: Span, _before: Sequence[Lexeme]) -> tuple[Finding, Lexeme] | None:
    """A number that no float holds; None if all is well."""
    if not literals.too_large(text):
        return None
    message = f"`{short(text)}` is larger than any number that can be held"
    return _finding(codes.BAD_NUMBER, message, span), Lexeme("NUMBER", span, "0")


def short(text: str) -> str:
    """The text, or its beginning if it is long."""
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - half a line


def _called(text: str) -> str:
    return f"U+{ord(text[0]):04X} {unicodedata.name(text[0], '')}".strip()


def _nearest(before: Sequence[Lexeme], kinds: set[str] | frozenset[str]) -> str | None:
    """The last of some terminals; looked for only so far back that a hostile text costs no more than a long one."""
    return next((lex.type for lex in islice(reversed(before), _LOOK_BACK) if lex.type in kinds), None)


# What follows a `"` that closes: whole strings to the end of the line. Else that `"` opens one, and the `“` is alone.
_PAIRED: Final = r'(?:[^"\n]{0,500}"[^"\n]{0,500}"){0,40}[^"\n]{0,500}(?:\n|\Z)'
# Tried before the terminals: `=>` would else be `=` and `>`.
LOOKALIKES: Final[dict[str, tuple[str, Fault]]] = {"arrow": (r"=>|--+>|[‒–—―−]+>|[→⇒⟶⟹➔➜➝⇾]", arrow)}
# Tried after them: here no token begins.
FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "dash": (r"[‒–—―−]", dash),
    "semicolon": (r";+", semicolon),
    "slashes": (r"//[^\n]*", slashes),
    "curly": (rf"[“”„«»](?:[^“”„«»\"\n]*(?:[“”«»]|\"(?={_PAIRED})|(?=\n|\Z)))?", quotes),
    "single": (r"'[^'\n]*'|[‘’‚][^‘’\n]*[‘’]", quotes),
    "open_block": (r'"""(?s:.*)', open_block),
    "open_string": (r'"[^\n]*', open_string),
    "stuck": (r"[0-9](?:[A-Za-z0-9_%]|\.(?=[0-9]))*", stuck),
    "control": (r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]+", control),
    "unknown": (r"(?P<same>(?s:.))(?P=same)*", unknown),
}
# Asked of tokens that may be wrong within.
SUSPECTS: Final = {"STRING": bad_escape, "NUMBER": too_large}
