"""Rows of what there is, as tables and as documents (docs/commands.md, `list`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins
from rich.table import Column, Table
from rich.text import Text

from compiler.listing import LanguageRow, ModelRow, SettingRow, TaskRow
from compiler.pipeline import LIBRARY
from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

FORMAT_VERSION = "1.0"
_WHOLE = 1000  # columns; a pipe gets every row in one line
Row = ModelRow | TaskRow | LanguageRow | SettingRow
_HEADS = {
    "models": ("model", "weights", "licence", "declared"),
    "tasks": ("task", "kind", "languages", "licence", "declared"),
    "benchmarks": ("benchmark", "kind", "languages", "licence", "declared"),
    "languages": ("language", "tasks", "benchmarks"),
    "settings": ("setting", "meaning", "of", "built-in", "allowed"),
}


def show_rows(console: Console, what: str, rows: Sequence[Row]) -> None:
    """One line a row, and what needs saying below."""
    first, *others = _HEADS[what]
    table = Table(Column(first, no_wrap=True), *others, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*_cells(row), style="" if not isinstance(row, SettingRow) or row.available else "dim")
    if not console.is_terminal:
        console.width = _WHOLE
    console.print(table, highlight=False)
    if any(isinstance(row, ModelRow | TaskRow) and row.origin == "library" for row in rows):
        say(console, Text(f"std/ is the library, {LIBRARY}", "dim"))


def document(what: str, rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as one JSON document."""
    return {"format_version": FORMAT_VERSION, what: to_builtins(list(rows))}


def _cells(row: Row) -> tuple[str, ...]:
    match row:
        case ModelRow():
            return row.name, row.weights, row.licence or "", _declared(row)
        case TaskRow():
            kind = f"{row.kind}, of {row.parent}" if row.parent else row.kind
            return row.name, kind, str(len(row.languages)), row.licence or "", _declared(row)
        case LanguageRow():
            return row.code, ", ".join(row.tasks), ", ".join(row.benchmarks)
        case SettingRow():
            return row.key, row.meaning, _of(row), _built_in(row), _allowed(row)


def _declared(row: ModelRow | TaskRow) -> str:
    return f"{row.declared}, hides {', '.join(row.hides)}" if row.hides else row.declared


def _of(row: SettingRow) -> str:
    kinds = f" of {', '.join(row.kinds)}" if row.kinds else ""
    return f"{', '.join(row.nodes)}{kinds}"


def _built_in(row: SettingRow) -> str:
    return f"(instead of `{row.instead_of}`)" if row.instead_of else row.built_in


def _allowed(row: SettingRow) -> str:
    later = f"not yet {', '.join(row.not_yet)}" if row.not_yet else "" if row.available else "not yet"
    return "; ".join(words for words in (row.allowed, later) if words)
