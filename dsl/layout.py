"""Pieces onto lines: brackets opened and lines broken where the author did and where they grow too long.

Whatever a first pass breaks is, to a second, broken by the author; and more breaks never make a line longer. So a
second pass changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dsl.page import Page
from dsl.pieces import Bracket, Place
from dsl.spacing import CLOSERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsl.gaps import Gap
    from dsl.pieces import Piece

WIDTH: Final = 120
"""Characters of a line, unless one token or comment is longer."""
INDENT: Final = 2
_DEEPEST: Final = 60
"""Items of a list stand below each other behind its bracket, unless it stands further to the right."""


class _Level(Struct, frozen=True):
    """Where lines begin inside a bracket: its closer, its first piece, its entries, and whatever goes on."""

    closer: int
    first: int
    entry: int
    rest: int


def lay_out(pieces: Sequence[Piece]) -> str:
    """The text of a file, the last of whose pieces is its end."""
    return _Layout(pieces).text()


class _Layout:
    """One walk over the pieces."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.open = _opened(pieces)
        self.page = Page()
        self.levels = [_Level(0, 0, 0, INDENT)]

    def text(self) -> str:
        for index, piece in enumerate(self.pieces):
            self._before(index, piece)
            self.page.write(piece.text)
            if piece.bracket:
                self.levels.append(self._level(index, piece.bracket))
            elif piece.type in CLOSERS:
                self.levels.pop()
        return self.page.text()

    def _before(self, index: int, piece: Piece) -> None:
        """What stands before a piece: comments and a new line, or its glue."""
        if self._broken(index) or (piece.place is Place.SOFT and not self._fits(index, piece.glue)):
            self._new_line(index, piece)
        else:
            self.page.write(piece.glue)
        brace = piece.bracket in {Bracket.RECORD, Bracket.CHOICE}
        if brace and not self._fits(index, "") and self.pieces[index + 1].type not in CLOSERS:
            self.open.add(index)

    def _new_line(self, index: int, piece: Piece) -> None:
        """Begin the piece's line, after its comments; what is inside an alternative stands to the right of its `|`."""
        indent = self._indent(piece)
        self._comments(index, piece.gap, self.levels[-1].entry if piece.type in CLOSERS else indent)
        self.page.new_line(indent, blank=piece.gap.blank and piece.place in {Place.STATEMENT, Place.ENTRY})
        if piece.type == "BAR":
            self.page.indent += INDENT

    def _comments(self, index: int, gap: Gap, indent: int) -> None:
        parted = self.pieces[index].place not in {Place.SOFT, Place.FIXED}
        for number, comment in enumerate(gap.comments):
            if comment.alone:
                first = not number and index and self.pieces[index - 1].bracket
                self.page.new_line(indent, blank=comment.after_blank and parted and not first)
                self.page.write(comment.text)
            else:
                self.page.remark(comment.text)

    def _indent(self, piece: Piece) -> int:
        level = self.levels[-1]
        match piece.place:
            case Place.STATEMENT:
                return 0
            case Place.EDGE:
                return level.closer if piece.type in CLOSERS else level.first
            case Place.ENTRY:
                return level.entry
            case Place.SOFT | Place.FIXED:
                return level.rest

    def _level(self, index: int, bracket: Bracket) -> _Level:
        base = self.page.indent
        inner = base + INDENT
        if index not in self.open:
            rest = self.page.column if self.page.column <= _DEEPEST else inner + INDENT
            return _Level(rest, rest, rest, rest)
        match bracket:
            case Bracket.RECORD:
                return _Level(base, inner, inner, inner + INDENT)
            case Bracket.CHOICE:
                return _Level(base, inner + INDENT, inner, inner + 2 * INDENT)
            case Bracket.LIST:
                return _Level(base, inner, inner, inner)

    def _broken(self, index: int) -> bool:
        """Whether a piece surely begins a line."""
        piece = self.pieces[index]
        match piece.place:
            case Place.STATEMENT:
                return True
            case Place.EDGE | Place.ENTRY:
                return bool(piece.gap.comments) or piece.home in self.open
            case Place.SOFT | Place.FIXED:
                return _hard(piece)

    def _fits(self, index: int, glue: str) -> bool:
        """Whether the line holds everything from here to where it may break next, in this bracket or around it."""
        room, depth = WIDTH - self.page.column - len(glue), 0
        for at in range(index, len(self.pieces)):
            piece = self.pieces[at]
            if piece.type in CLOSERS:
                depth -= 1
            if at > index:
                if self._broken(at) or (piece.place is Place.SOFT and depth <= 0):
                    break
                room -= len(piece.glue)
            room -= len(piece.text.split("\n", 1)[0])
            if room < 0 or "\n" in piece.text:
                break
            depth += piece.bracket is not None
        return room >= 0


def _hard(piece: Piece) -> bool:
    """Whether the author broke the line before a piece, at a place where that is kept."""
    return bool(piece.gap.comments) or (piece.place is Place.SOFT and piece.gap.newline)


def _opened(pieces: Sequence[Piece]) -> set[int]:
    """The brackets that surely are over several lines: a `{` with a line break in it, a `(` or `[` right before one."""
    opened, broken = set[int](), set[int]()
    for index in range(len(pieces) - 2, -1, -1):
        piece, inner = pieces[index], pieces[index + 1]
        wide = inner.gap.newline if piece.bracket is Bracket.LIST else index in broken
        if piece.bracket and wide and (inner.type not in CLOSERS or inner.gap.comments):
            opened.add(index)
            broken.add(index)
        in_brace = piece.home >= 0 and pieces[piece.home].bracket is not Bracket.LIST
        if index in broken or _hard(piece) or "\n" in piece.text or (in_brace and piece.gap.newline):
            broken.add(piece.home)
    return opened
