"""Where passes put what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from dsl.diagnostics import Diagnostic, Label, Severity, by_place

if TYPE_CHECKING:
    from dsl.source import Span


class Bag:
    """Findings of one compilation; the same finding at the same place counts once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, str], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep `diagnostic` unless it is known."""
        span = diagnostic.primary.span
        self._found.setdefault((diagnostic.code, span.source.name, span.start, diagnostic.message), diagnostic)

    def error(self, code: str, span: Span, message: str, hint: str | None = None, *related: Label) -> None:
        """Report what stops compilation."""
        self.add(Diagnostic(code, message, Label(span), related, hint))

    def warn(self, code: str, span: Span, message: str, hint: str | None = None, *related: Label) -> None:
        """Report what a reader of the results must know."""
        self.add(Diagnostic(code, message, Label(span), related, hint, Severity.WARNING))

    def later(self, span: Span, message: str, hint: str | None = None) -> None:
        """Report what this version cannot run: an error, with which the rest is still checked and planned."""
        self.error(codes.NOT_YET, span, message, hint)

    def failed(self) -> bool:
        """Whether an error was reported, beside what this version cannot run."""
        return any(d.severity is Severity.ERROR and d.code != codes.NOT_YET for d in self._found.values())

    def refused(self) -> bool:
        """Whether something was reported that this version cannot run."""
        return any(d.code == codes.NOT_YET for d in self._found.values())

    def all(self) -> tuple[Diagnostic, ...]:
        """Everything found, in the order of the text."""
        return by_place(self._found.values())
