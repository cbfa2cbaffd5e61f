"""Commands that tell what there is: the pages of diagnostics, and what names stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xfer import exits, pages
from xfer.arguments import consoles

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> int:
    """Print the page of the diagnostic CODE, as `X0301`; without CODE, list all codes."""
    from xfer.render.pages import show_page, show_titles

    out, _ = consoles()
    if code is None:
        show_titles(out, pages.TITLES)
    else:
        show_page(out, pages.page(code))
    return exits.OK


COMMANDS: Sequence[click.Command] = (explain,)
