"""Pages of diagnostics: drawn on a terminal, as they are written elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_WIDTH = 100  # longer lines of prose are hard to read


def show_page(console: Console, text: str) -> None:
    """A page of Markdown."""
    from rich.markdown import Markdown

    if console.is_terminal:
        page = Markdown(text, code_theme="ansi_dark", inline_code_theme="ansi_dark", hyperlinks=False)
        console.print(page, width=min(console.width, _WIDTH))
    else:
        click.echo(text, nl=False)


def show_titles(console: Console, titles: Mapping[str, str]) -> None:
    """One line a code."""
    table = Table("code", "finding", box=None, pad_edge=False)
    for code, title in sorted(titles.items()):
        table.add_row(code, title)
    console.print(table, highlight=False)
    say(console, Text("`xfer explain CODE` says more"))
