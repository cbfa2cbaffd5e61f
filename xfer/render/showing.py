"""Lines of a spec with their notes as comments, which stand below one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from compiler.showing import Line

_FARTHEST = 60  # column of the notes; longer lines have theirs right behind them


def show_lines(console: Console, lines: Sequence[Line]) -> None:
    """The text of `.xfer` that they are."""
    noted = [len(line.text) for line in lines if line.note and len(line.text) <= _FARTHEST]
    column = max(noted, default=0)
    for line in lines:
        comment = line.text.lstrip().startswith("#")
        note = f"{' ' * (column - len(line.text))}  # {line.note}" if line.note else ""
        say(console, Text.assemble((line.text, "dim" if comment else ""), (note, "dim")))
