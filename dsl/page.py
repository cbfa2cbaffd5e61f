"""Lines as they are written, with remarks behind them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_APART: Final = 2
"""Spaces before a comment behind code."""
_ALIKE: Final = 32
"""Comments behind lines that differ by more do not stand below each other: the shortest would be far from its own."""


class Page:
    """The lines so far; the last is being written. `indent` is where it begins."""

    def __init__(self) -> None:
        self.indent = 0
        self.column = 0
        self._lines: list[tuple[list[str], str]] = []

    def new_line(self, indent: int, *, blank: bool) -> None:
        """Begin a line, after a blank one if wanted; there is none at the top."""
        if blank and self._lines:
            self._lines.append(([], ""))
        self._lines.append(([" " * indent], ""))
        self.indent = self.column = indent

    def write(self, text: str) -> None:
        """Go on with the line."""
        self._lines[-1][0].append(text)
        _, newline, last = text.rpartition("\n")
        self.column = len(last) if newline else self.column + len(text)

    def remark(self, comment: str) -> None:
        """Put a comment behind the line, which ends with it."""
        self._lines[-1] = (self._lines[-1][0], comment)

    def text(self) -> str:
        """The page; it ends in one line end, or is empty."""
        written = "\n".join(self._aligned()).rstrip(" \n")
        return written + "\n" if written else ""

    def _aligned(self) -> Iterator[str]:
        """The lines; remarks on lines that follow each other stand below each other, if the lines are about as long."""
        lines = [("".join(parts), remark) for parts, remark in self._lines]
        for remarked, run in groupby(lines, key=lambda line: bool(line[1])):
            block = list(run)
            widths = [_last_width(code) for code, _ in block]
            widest = max(widths) if max(widths) - min(widths) <= _ALIKE else 0
            for (code, remark), width in zip(block, widths, strict=True):
                space = " " * (max(widest - width, 0) + _APART)
                yield code + space + remark if remarked else code.rstrip(" ")


def _last_width(code: str) -> int:
    return len(code.rpartition("\n")[2])
