"""The canonical form of a spec: its tokens and comments as they are, white space and needless commas by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl.layout import lay_out
from dsl.parse import LONGEST, parse
from dsl.pieces import pieces
from dsl.reader import tools
from dsl.source import Source

if TYPE_CHECKING:
    from dsl.diagnostics import Diagnostic


def format_source(source: Source) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text of a spec in canonical form; or None and what is wrong with it, or would be.

    What comes out parses to the same tree, spans apart, has the same comments in the same order, and formats to itself.
    """
    spec, diagnostics = parse(source)
    if spec is None or diagnostics:
        return None, diagnostics
    lexemes, _ = tools()[0].scan(source)
    starts = frozenset(statement.span.start for statement in spec.statements)
    text = lay_out(pieces(lexemes, starts))
    if len(text) > LONGEST:
        return None, parse(Source(source.name, text))[1]
    return text, ()
