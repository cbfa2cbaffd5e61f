"""Findings about the machine: one line each, and as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins
from rich.text import Text

from xfer.doctor.examine import works
from xfer.doctor.finding import Mark
from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from xfer.doctor.finding import Finding

FORMAT_VERSION = "1.0"
_STYLE = {Mark.OK: "green", Mark.NOTE: "bold yellow", Mark.TROUBLE: "bold red"}


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Mark, what and finding of each; below what has one its hint; last, whether runs work."""
    width = max(len(found.what) for found in findings) + 2
    for found in findings:
        mark = Text(f"{found.mark:<9}", _STYLE[found.mark])
        say(console, Text.assemble(mark, (found.what.ljust(width), "bold"), found.finding))
        if found.hint:
            say(console, Text.assemble(" " * (9 + width), ("hint: ", "bold green"), found.hint))
    wrong = [found.what for found in findings if found.mark is Mark.TROUBLE]
    last = f"something would stop studies here: {', '.join(wrong)}" if wrong else "studies can run here"
    say(console, Text(last, "bold red" if wrong else "bold green"))


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as one JSON document."""
    return {"format_version": FORMAT_VERSION, "works": works(findings), "findings": to_builtins(list(findings))}
