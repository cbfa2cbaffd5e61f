"""Commands that tell what there is: the pages of diagnostics, and what names stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler.pipeline import library_alone
from xfer import api, exits, pages
from xfer.arguments import consoles, places
from xfer.lookup import WHAT, listed, shown
from xfer.opening import Options
from xfer.render.messages import show_diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.resolve import Names


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


@click.command()
@places
@click.argument("name")
@click.argument("spec", type=Path, required=False)
def show(name: str, spec: Path | None, **options: Any) -> int:  # noqa: ANN401
    """Show NAME, of the library or as SPEC sees it, with all that it inherits and where each line comes from."""
    from xfer.render.showing import show_lines

    out, err = consoles()
    names = _names(spec, Options(**options))
    if names is None:
        return exits.USAGE
    lines, findings = shown(name, names)
    show_diagnostics(err, findings)
    show_lines(out, lines)
    return exits.USAGE if findings else exits.OK


@click.command("list")
@places
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
@click.argument("what", type=click.Choice(WHAT))
@click.argument("spec", type=Path, required=False)
def list_names(what: str, spec: Path | None, *, as_json: bool, **options: Any) -> int:  # noqa: ANN401
    """List WHAT there is: in the library, and with SPEC in that and in the files that it uses."""
    from xfer.render.listing import document, show_rows

    out, err = consoles()
    names = _names(spec, Options(**options))
    if names is None:
        return exits.USAGE
    rows, findings = listed(what, names)
    show_diagnostics(err, findings)
    if findings:
        return exits.USAGE
    if as_json:
        click.echo(json.dumps(document(what, rows), indent=1))
    else:
        show_rows(out, what, rows)
    return exits.OK


@click.command()
@click.option("--store", type=Path, help="The store that is looked at.")
@click.option("--offline", is_flag=True, help="Do not ask the hub.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the screen.")
def doctor(store: Path | None, *, offline: bool, as_json: bool) -> int:
    """Say whether this machine can run studies, and how to mend what would stop them. Exit 0: it can, 1: it cannot."""
    from xfer.doctor.examine import examine, works
    from xfer.render.doctor import document, show_findings

    out, _ = consoles()
    findings = examine(store, offline=offline)
    if as_json:
        click.echo(json.dumps(document(findings), indent=1))
    else:
        show_findings(out, findings)
    return exits.OK if works(findings) else exits.ERROR


def _names(spec: Path | None, options: Options) -> Names | None:
    """The names that a spec sees, or without one the library's; None for a wrong spec, told as `check` does."""
    if spec is None:
        return library_alone()
    study = api.compile(spec, options)
    if study.compiled.names is None:
        _, err = consoles()
        show_diagnostics(err, study.compiled.diagnostics)
    return study.compiled.names


COMMANDS: Sequence[click.Command] = (doctor, explain, list_names, show)
