"""A text into lexemes. Total: what is no token becomes a finding and, where it is clear what was meant, a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lark.lexer import PatternStr
from msgspec import Struct

from dsl import codes
from dsl.faults import FAULTS, LOOKALIKES, SUSPECTS
from dsl.source import Source, Span
from dsl.tokens import END, MOST_FINDINGS, Finding, Lexeme

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lark.lexer import TerminalDef

_BOM: Final = "\ufeff"
_IGNORED: Final = frozenset({"COMMENT", "SPACE"})
_EVERY: Final = {**LOOKALIKES, **FAULTS}


class Scanner(Struct, frozen=True):
    """The terminals of the grammar, and all faults, as one pattern that matches at every place."""

    pattern: re.Pattern[str]
    keywords: Mapping[str, str]

    @classmethod
    def of(cls, terminals: Collection[TerminalDef]) -> Scanner:
        """The scanner for a grammar's terminals: longer signs win, and words in letters are keywords."""
        spelled = {t.name: t.pattern.value for t in terminals if isinstance(t.pattern, PatternStr)}
        keywords = {text: name for name, text in spelled.items() if text.isalpha()}
        signs = sorted(set(spelled) - set(keywords.values()), key=lambda name: -len(spelled[name]))
        groups = [(name, regex) for name, (regex, _) in LOOKALIKES.items()]
        groups += [(name, re.escape(spelled[name])) for name in signs]
        groups += [(t.name, t.pattern.to_regexp()) for t in terminals if t.name not in spelled]
        groups += [(name, regex) for name, (regex, _) in FAULTS.items()]
        return cls(re.compile("|".join(f"(?P<{name}>{regex})" for name, regex in groups)), keywords)

    def scan(self, source: Source) -> tuple[tuple[Lexeme, ...], tuple[Finding, ...]]:
        """All lexemes of the text, the last an `END`, and what is wrong with its letters."""
        lexemes: list[Lexeme] = []
        findings: list[Finding] = []
        place, size = int(source.text.startswith(_BOM)), len(source.text)
        while place < size:
            found = self.pattern.match(source.text, place)
            assert found is not None  # noqa: S101 - `unknown` matches any character
            name, text = found.lastgroup or "", found.group()
            if name in _IGNORED:
                place = found.end()
                continue
            lexeme, finding, place = self._one(name, text, Span(source, place, found.end()), lexemes)
            if lexeme:
                lexemes.append(lexeme)
            if finding and len(findings) < MOST_FINDINGS and not _known(finding, findings):
                findings.append(finding)
        return (*lexemes, Lexeme(END, Span(source, size, size), "")), tuple(findings)

    def _one(
        self, name: str, text: str, span: Span, before: Sequence[Lexeme]
    ) -> tuple[Lexeme | None, Finding | None, int]:
        """The lexeme at a place, if any, what is wrong with it, if anything, and where to go on."""
        if name in _EVERY:
            finding, lexeme = _EVERY[name][1](text, span, before)
            return lexeme, finding, lexeme.span.end if lexeme else span.end
        if name in SUSPECTS and (fault := SUSPECTS[name](text, span, before)):
            return fault[1], fault[0], span.end
        return Lexeme(self.keywords.get(text, name), span, text), None, span.end


def _known(finding: Finding, findings: Sequence[Finding]) -> bool:
    """Whether control characters, told of once a file, have been told of."""
    code = finding.diagnostic.code
    return code == codes.CONTROL_CHARACTER and any(f.diagnostic.code == code for f in findings)
