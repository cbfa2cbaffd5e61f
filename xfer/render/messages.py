"""Diagnostics and failures, drawn with the line and a caret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from compiler.plan import Place
from dsl.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from compiler.pins import HubFile
    from dsl.diagnostics import Diagnostic, Label
    from runtime.errors import NodeFailed, XferError
    from runtime.executor import Report

_WIDTH = 110  # of a shown line; longer ones are cut around the place
_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def show_diagnostics(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Each finding with its lines."""
    for diagnostic in diagnostics:
        style = _STYLE[diagnostic.severity]
        head = Text.assemble((f"{diagnostic.severity.value}[{diagnostic.code}]", style), f": {diagnostic.message}")
        say(console, head)
        _show_label(console, diagnostic.primary, "^", style)
        for label in diagnostic.related:
            _show_label(console, label, "-", "cyan")
        _show_hint(console, diagnostic.hint)


def show_what_matters(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Errors and warnings: what is only worth a note was said before anything ran."""
    show_diagnostics(console, (d for d in diagnostics if d.severity is not Severity.NOTE))


def point_to_pages(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Where more is said of what was found, once."""
    found = {d.code for d in diagnostics}
    if found:
        code = min(found) if len(found) == 1 else "CODE"
        say(console, Text(f"`xfer explain {code}` says more", "dim"))


def _show_label(console: Console, label: Label, mark: str, style: str) -> None:
    span = label.span
    line = span.source.line(span.line)
    width = max(1, min(span.end - span.start, len(line) - span.column + 1))
    place = Place(span.source.name, span.line, span.column, width, line)
    show_place(console, place, mark, style, label.text)


def show_place(console: Console, place: Place, mark: str = "^", style: str = "bold red", note: str = "") -> None:
    """`--> file:line:column`, the line, and a caret under the place."""
    say(console, Text.assemble(("  --> ", "blue"), str(place)))
    number = str(place.line)
    text, column = _window(place.text, place.column - 1)
    pad = "".join("\t" if c == "\t" else " " for c in text[:column])
    width = max(1, min(place.width, len(text) - column))
    say(console, Text.assemble((f"{number} | ", "blue"), text))
    caret = Text.assemble(
        (" " * len(number) + " | ", "blue"), pad, (mark * width, style), (f" {note}" if note else "", style)
    )
    say(console, caret)


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around `column`, and the column in it; control characters become visible."""
    line = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
    head = "… " if start else ""
    tail = " …" if start + _WIDTH < len(line) else ""
    return head + line[start : start + _WIDTH] + tail, column - start + len(head)


def _show_hint(console: Console, hint: str | None) -> None:
    if hint:
        say(console, Text.assemble(("  hint: ", "bold green"), hint))


def show_error(console: Console, error: XferError, place: Place | None = None) -> None:
    """A failure, with its place in a spec where it has one."""
    say(console, Text.assemble(("error", "bold red"), f": {error}"))
    if place is not None:
        show_place(console, place)
    _show_hint(console, error.hint)


def failure_place(failure: NodeFailed) -> Place:
    """The line to mend: of the field that the failure names, else of the node."""
    return failure.node.places.get(getattr(failure.__cause__, "field", None) or "", failure.node.place)


def show_failure(console: Console, failure: NodeFailed, others: int = 0) -> None:
    """A failed node, and how many others failed of the same cause, with the line of the spec that asked for it."""
    cause, more = failure.__cause__, f" and {others:,} more" if others else ""
    say(console, Text.assemble(("error", "bold red"), f": `{failure.node.label}`{more} failed: {cause or failure}"))
    show_place(console, failure_place(failure))
    _show_hint(console, failure.hint)


def warn(console: Console, message: str) -> None:
    """What a reader of the results should know."""
    say(console, Text.assemble(("warning", "bold yellow"), f": {message}"))


def say_fetching(console: Console, file: HubFile) -> None:
    """A file that is downloaded now."""
    size = f"{file.file.size / 1e9:,.1f} GB" if file.file.size >= 1e8 else f"{file.file.size / 1e6:,.1f} MB"  # noqa: PLR2004
    say(console, Text(f"downloading {file.file.name} of {file.repository}, {size}"))


def say_interrupted(console: Console, report: Report) -> None:
    """What an interrupt kept, and how to go on."""
    steps = sorted(step for step in report.halted.values() if step)
    saved = f"{counted(len(steps), 'training')} saved at step {', '.join(map(str, steps))}; " if steps else ""
    say(console, Text(f"interrupted: {saved}what was finished is kept. The same command goes on.", "yellow"))


def counted(number: int, noun: str) -> str:
    """`1 node`, `1,011 nodes`."""
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


NOTHING = "Nothing to run: every score is in the store."


def say(console: Console, text: Text) -> None:
    """One line, wrapped by the terminal alone."""
    console.print(text, soft_wrap=True, highlight=False)
