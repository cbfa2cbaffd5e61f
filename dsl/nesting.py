"""Brackets and statements: which bracket closes which, and where each statement begins, in whatever state a file is."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from dsl import codes
from dsl.diagnostics import Diagnostic, Label
from dsl.tokens import END, MOST_FINDINGS, Finding
from dsl.words import STATEMENT_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsl.source import Span
    from dsl.tokens import Lexeme

DEEPEST: Final = 100
"""Brackets within brackets; later stages walk the tree by recursion."""

_CLOSER: Final = {"LBRACE": "RBRACE", "LSQB": "RSQB", "LPAR": "RPAR"}
_OPENER: Final = {closer: opener for opener, closer in _CLOSER.items()}
_SIGN: Final = {"LBRACE": "{", "LSQB": "[", "LPAR": "(", "RBRACE": "}", "RSQB": "]", "RPAR": ")"}
_ENDERS: Final = frozenset({"NAME", "NUMBER", "STRING", "STAR", "SKIP", "RBRACE", "RSQB", "RPAR"})
_WINDOW: Final = 2_000
_BEGINNINGS: Final = frozenset(
    {
        *((word, "STRING") for word in ("USE", "REPORT", "CLAIM")),
        *((word, "NAME", "LBRACE") for word in ("MODEL", "TASK", "BENCHMARK", "SUITE", "DEFAULTS")),
        *((word, "NAME", "COLON") for word in ("MODEL", "TASK", "BENCHMARK")),
        *((word, "NAME", "EQUAL") for word in ("LET", "GROUP")),
        *((word, "LBRACE") for word in ("DEFAULTS", "BUDGET")),
        ("NAME", "ARROW"),
        ("NAME", "TARGET"),
        ("NAME", "COLON", "NAME", "ARROW"),
        ("NAME", "COLON", "NAME", "TARGET"),
    }
)


class _Walk(Struct):
    """The state of one walk over the lexemes."""

    lexemes: Sequence[Lexeme]
    open: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    depths: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    too_deep: bool = False

    def step(self, index: int) -> None:
        kind = self.lexemes[index].type
        if kind in _OPENER:
            self._close(index)
        self.depths.append(len(self.open))
        if kind in _CLOSER:
            self._open(index)

    def _open(self, index: int) -> None:
        self.open.append(index)
        self.kinds[self.lexemes[index].type] += 1
        if len(self.open) > DEEPEST and not self.too_deep:
            self.too_deep = True
            self._report(_deep(self.lexemes[index]))

    def _close(self, index: int) -> None:
        opener = _OPENER[self.lexemes[index].type]
        if self.open and self.lexemes[self.open[-1]].type == opener:
            self._pop()
        elif not self.open or self._closes_later(index):
            self._report(_stray(self.lexemes[index]))
        elif self.kinds[opener]:
            self._report(_unclosed(self._pop_to(opener), self.lexemes[index]))
        else:
            self._report(_mismatch(self._pop(), self.lexemes[index]))

    def _pop(self) -> Lexeme:
        lexeme = self.lexemes[self.open.pop()]
        self.kinds[lexeme.type] -= 1
        return lexeme

    def _pop_to(self, opener: str) -> list[Lexeme]:
        """Close the innermost `opener`; the brackets within it that were still open, innermost first."""
        above = []
        while (lexeme := self._pop()).type != opener:
            above.append(lexeme)
        return above

    def _closes_later(self, index: int) -> bool:
        """Whether the innermost open bracket is closed soon, so that the closer here is one too many."""
        if len(self.findings) >= MOST_FINDINGS:
            return False  # nothing more will be told
        wanted, depth = _CLOSER[self.lexemes[self.open[-1]].type], 0
        for lexeme in self.lexemes[index + 1 : index + _WINDOW]:
            if lexeme.type in _CLOSER:
                depth += 1
            elif lexeme.type in _OPENER:
                if not depth:
                    return lexeme.type == wanted
                depth -= 1
        return False

    def break_off(self, at: Lexeme) -> None:
        """A statement begins, or the file ends, though brackets are open."""
        if self.open and not self.too_deep:
            self._report(_unclosed([self.lexemes[index] for index in reversed(self.open)], at))
        self.open.clear()
        self.kinds.clear()
        self.too_deep = False

    def _report(self, diagnostic: Diagnostic) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(diagnostic, lost=True))


def nest(lexemes: Sequence[Lexeme]) -> tuple[tuple[int, ...], tuple[Finding, ...]]:
    """The number of brackets open around each lexeme, and the brackets that do not pair."""
    walk = _walk(lexemes, frozenset())
    if walk.findings:
        walk = _walk(lexemes, frozenset(i for i in range(len(lexemes)) if _begins_surely(lexemes, i)))
    return tuple(walk.depths), tuple(walk.findings)


def _walk(lexemes: Sequence[Lexeme], beginnings: frozenset[int]) -> _Walk:
    walk = _Walk(lexemes)
    for index, lexeme in enumerate(lexemes):
        if walk.open and (index in beginnings or lexeme.type == END):
            walk.break_off(lexeme)
        walk.step(index)
    return walk


def margins(lexemes: Sequence[Lexeme]) -> tuple[int, ...]:
    """Offsets at the left margin where by all appearance something new begins, brackets or not."""
    return tuple(
        lexeme.span.start
        for before, lexeme in pairwise(lexemes)
        if _at_margin(lexeme.span)
        and (lexeme.type in STATEMENT_WORDS or (lexeme.type in {"NAME", "LBRACE"} and before.type in _ENDERS))
    )


def statements(lexemes: Sequence[Lexeme], depths: Sequence[int]) -> tuple[Sequence[Lexeme], ...]:
    """The lexemes cut before each that begins a line, stands in no bracket and can begin a statement; without `END`."""
    cuts = [i for i in range(1, len(lexemes) - 1) if not depths[i] and _begins(lexemes, depths, i)]
    edges = [0, *cuts, len(lexemes) - 1]
    return tuple(lexemes[a:b] for a, b in pairwise(edges) if a < b)


def _begins(lexemes: Sequence[Lexeme], depths: Sequence[int], index: int) -> bool:
    """Whether a statement begins here; in a statement that is well-formed so far no lexeme inside it qualifies."""
    kind, before = lexemes[index].type, lexemes[index - 1]
    if not _first_on_line(lexemes, index):
        return False
    if kind in STATEMENT_WORDS:
        return before.type in _ENDERS or _begins_surely(lexemes, index)
    if before.type not in _ENDERS:
        return False
    return kind == "NAME" or (kind == "LBRACE" and _heads_chain(lexemes, depths, index))


def _heads_chain(lexemes: Sequence[Lexeme], depths: Sequence[int], index: int) -> bool:
    """Whether `{…}` is followed by `->` or `@`, and so a choice of models."""
    end = next((i for i in range(index + 1, len(lexemes)) if not depths[i]), index)
    return lexemes[end].type == "RBRACE" and lexemes[end + 1].type in {"ARROW", "TARGET"}


def _begins_surely(lexemes: Sequence[Lexeme], index: int) -> bool:
    """Whether a statement begins here even if brackets seem open: its first words stand at the left margin."""
    if not _at_margin(lexemes[index].span):
        return False
    kinds = tuple(lexeme.type for lexeme in lexemes[index : index + 4])
    known = any(kinds[:length] in _BEGINNINGS for length in range(2, 5))
    return known and (index == 0 or kinds[0] != "NAME" or lexemes[index - 1].type in _ENDERS)


def _at_margin(span: Span) -> bool:
    return not span.start or span.source.text[span.start - 1] in "\n\ufeff"


def _first_on_line(lexemes: Sequence[Lexeme], index: int) -> bool:
    here, before = lexemes[index].span, lexemes[index - 1].span
    return "\n" in here.source.text[before.end : here.start]


def _unclosed(openers: Sequence[Lexeme], at: Lexeme) -> Diagnostic:
    inner, *outer = openers
    sign = _SIGN[_CLOSER[inner.type]]
    where = "the end of the file" if at.type == END else f"`{at.text}`"
    related = [Label(lexeme.span, f"`{_SIGN[lexeme.type]}` is open too") for lexeme in outer[:3]]
    if at.type in _OPENER:
        related.append(Label(at.span, f"`{sign}` is missing before this"))
    elif at.type != END:
        related.append(Label(at.span, "a new statement begins here"))
    message = f"`{_SIGN[inner.type]}` is not closed before {where}"
    signs = "".join(_SIGN[_CLOSER[lexeme.type]] for lexeme in openers[:4])
    return Diagnostic(codes.UNCLOSED, message, Label(inner.span), tuple(related), f"close it with `{signs}`")


def _mismatch(opener: Lexeme, closer: Lexeme) -> Diagnostic:
    wanted = _SIGN[_CLOSER[opener.type]]
    message = f"expected `{wanted}` to close `{_SIGN[opener.type]}`, found `{closer.text}`"
    related = (Label(opener.span, f"`{_SIGN[opener.type]}` opens here"),)
    return Diagnostic(codes.MISMATCHED, message, Label(closer.span), related, f"write `{wanted}`")


def _stray(closer: Lexeme) -> Diagnostic:
    message = f"`{closer.text}` closes nothing"
    return Diagnostic(
        codes.STRAY_CLOSER, message, Label(closer.span), (), f"delete it, or open `{_SIGN[_OPENER[closer.type]]}`"
    )


def _deep(opener: Lexeme) -> Diagnostic:
    message = f"brackets are nested more than {DEEPEST} deep"
    return Diagnostic(codes.TOO_DEEP, message, Label(opener.span), (), "name the inner parts with `let`")
