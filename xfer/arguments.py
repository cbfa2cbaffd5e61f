"""What commands share: their options about places, and the consoles that they draw on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

Command = TypeVar("Command", bound=Callable[..., Any])


def consoles() -> tuple[Console, Console]:
    """Where results go, and where everything else goes."""
    width = None if sys.stdout.isatty() else 200  # a pipe has no width to keep to
    return Console(width=width, markup=False), Console(stderr=True, markup=False)


def put(text: str) -> None:
    """Onto standard output as it is: in UTF-8, whatever the terminal's encoding."""
    click.echo(text.encode(), nl=False)


def _roots(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    found = []
    for value in values:
        name, equals, folder = value.partition("=")
        if not (name and equals and folder):
            raise click.BadParameter(f"`{value}` is no `NAME=DIR`")
        found.append((name.lstrip("@"), Path(folder)))
    return tuple(found)


def common(command: Command) -> Command:
    """The arguments that every command on a spec takes."""
    spec = click.argument("spec", type=Path, metavar="SPEC[::LABEL]")(command)
    option = click.option(
        "--set", "settings", multiple=True, metavar="[NAME.]KEY=VALUE", help="A setting over all that the spec says."
    )
    return places(option(spec))


def places(command: Command) -> Command:
    """The options that say where a spec's files and results lie."""
    for decorate in (
        click.option("--allow-path", "allowed", multiple=True, type=Path, help="A folder that the spec may read too."),
        click.option("--root", "roots", multiple=True, callback=_roots, metavar="NAME=DIR", help="What `@NAME` means."),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda"]),
            default="auto",
            show_default=True,
            help="What to train and predict on; auto: CUDA where there is some.",
        ),
        click.option("--store", type=Path, help="Where results are kept (default: XFER_STORE, xfer.toml, ~/.local)."),
    ):
        command = decorate(command)
    return command


def locked_alone(command: Command) -> Command:
    """The option that takes nothing but what `xfer.lock` pins."""
    help_ = "Refuse a spec whose hub names `xfer.lock` does not pin; resolve none."
    return click.option("--locked", is_flag=True, help=help_)(command)
