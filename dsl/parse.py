"""The only way from text to syntax."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dsl import codes
from dsl.diagnostics import Diagnostic, Label, by_place
from dsl.nesting import nest
from dsl.reader import tools
from dsl.recover import recover
from dsl.source import Source, Span
from dsl.syntax import Spec
from dsl.tokens import MOST_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.syntax import Statement
    from dsl.tokens import Finding

LONGEST: Final = 500_000
"""Characters in a file."""


def parse(source: Source) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The spec in `source`, as far as it could be read (None: not at all), and what is wrong with it, by place.

    At most a hundred diagnostics; with any, the spec may lack statements.
    """
    if len(source.text) > LONGEST:
        return None, (_too_long(source),)
    with _no_collection():
        nodes, findings = _parse(source)
    spec = Spec(source, tuple(nodes)) if nodes or not findings else None
    return spec, _once(by_place(finding.diagnostic for finding in findings))[:MOST_FINDINGS]


def _once(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Without what was told before: a keyword that is meant as a name is so wherever the name stands."""
    keywords: set[str] = set()
    kept = []
    for diagnostic in found:
        if diagnostic.code != codes.KEYWORD_AS_NAME or diagnostic.message not in keywords:
            kept.append(diagnostic)
        if diagnostic.code == codes.KEYWORD_AS_NAME:
            keywords.add(diagnostic.message)
    return tuple(kept)


def _parse(source: Source) -> tuple[Sequence[Statement], Sequence[Finding]]:
    scanner, reader = tools()
    lexemes, letters = scanner.scan(source)
    depths, brackets = nest(lexemes)
    if not letters and not brackets and (nodes := reader.read(lexemes)) is not None:
        return nodes, ()
    return recover(reader, lexemes, depths, letters, brackets)


def _too_long(source: Source) -> Diagnostic:
    message = f"the file has {len(source.text):,} characters; the limit is {LONGEST:,}"
    hint = 'put parts in files of their own and name them with `use "part.xfer"`'
    return Diagnostic(codes.TOO_LONG, message, Label(Span(source, 0, 0)), (), hint)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the garbage collector: a parse makes many objects and no cycles."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
