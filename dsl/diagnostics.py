"""What can be said about a place in a spec. Drawn by `xfer.render` alone."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsl.source import Span


class Severity(Enum):
    """How much a finding weighs: an error stops compilation, a warning stands beside the plan."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Label(Struct, frozen=True):
    """A place and, for places beside the primary one, what is to be seen there."""

    span: Span
    text: str = ""


class Diagnostic(Struct, frozen=True):
    """One finding. The message states the fact; the hint, and only the hint, mends it."""

    code: str
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    hint: str | None = None
    severity: Severity = Severity.ERROR


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether compilation must stop."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def by_place(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in the order in which a reader of the file meets them."""
    return tuple(sorted(diagnostics, key=lambda d: (d.primary.span.source.name, d.primary.span.start, d.code)))
