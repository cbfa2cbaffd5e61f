"""A file with mistakes, read statement by statement, so that one mistake is told of once and hides no other."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dsl import codes
from dsl.explain import Situation, explain
from dsl.nesting import margins, statements
from dsl.source import Span
from dsl.tokens import END, MOST_FINDINGS, Finding, Lexeme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsl.reader import Reader
    from dsl.syntax import Statement

_MOST_MENDS: Final = 20
_LARGE: Final = 5_000
"""Lexemes of a statement beyond which only its first mistake is told: each mending reads it again."""


class _Regions(Struct, frozen=True):
    """The stretches of a file from one line that surely begins something to the next."""

    starts: tuple[int, ...]

    def of(self, place: int) -> int:
        return bisect_right(self.starts, place)


def recover(
    reader: Reader,
    lexemes: Sequence[Lexeme],
    depths: Sequence[int],
    letters: Sequence[Finding],
    brackets: Sequence[Finding],
) -> tuple[list[Statement], list[Finding]]:
    """The statements that can be read, and all findings: those of letters and brackets, and those of each statement.

    In a region where a statement is lost nothing more is said of statements: the rest would follow from the first.
    """
    regions = _Regions(margins(lexemes))
    findings = [*letters, *_first_of_each(brackets, letters, regions)]
    lost = {regions.of(finding.place) for finding in findings if finding.lost}
    nodes: list[Statement] = []
    for piece in statements(lexemes, depths):
        region = regions.of(piece[0].span.start)
        if lost.isdisjoint(range(region, regions.of(piece[-1].span.start) + 1)):
            read, found = _piece(reader, piece)
            nodes += read or ()
            findings += found
            lost |= set() if read is not None else {region}
        if len(findings) >= MOST_FINDINGS:
            break
    return nodes, findings


def _first_of_each(brackets: Sequence[Finding], letters: Sequence[Finding], regions: _Regions) -> list[Finding]:
    """One finding about brackets a region: the next would follow from it; and none where a string is not closed."""
    seen = {regions.of(f.place) for f in letters if f.diagnostic.code == codes.OPEN_STRING}
    kept = []
    for finding in brackets:
        region = regions.of(finding.place)
        if region not in seen:
            seen.add(region)
            kept.append(finding)
    return kept


def _piece(reader: Reader, piece: Sequence[Lexeme]) -> tuple[tuple[Statement, ...] | None, list[Finding]]:
    """The statements in one piece, mended where it is clear how (None: it is not), and what was found in it."""
    last = piece[-1].span
    todo, found = [*piece, Lexeme(END, Span(last.source, last.end, last.end), "")], list[Finding]()
    for _ in range(_MOST_MENDS if len(piece) < _LARGE else 1):
        wrong = reader.first_wrong(todo)
        if wrong is None:
            return reader.read(todo), found
        before, at, rest = todo[:wrong], todo[wrong], todo[wrong + 1 :]
        mend = explain(Situation(reader.accepted(before), before, at, rest))
        found.append(Finding(mend.diagnostic, lost=not mend.instead))
        todo = [*before, *mend.instead, *rest]
        if not mend.instead or not _mended(reader, todo, wrong + len(mend.instead)):
            break
    return None, found


def _mended(reader: Reader, lexemes: Sequence[Lexeme], proof: int) -> bool:
    """Whether the mending holds: the token after it, at index `proof`, fits."""
    wrong = reader.first_wrong(lexemes)
    return wrong is None or wrong > proof
