"""Data of which each field is a set by itself, as the pools that pairs are mined from: sources are not joined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from compiler.templates import names_in
from runtime.errors import BadInput
from runtime.joining import sources_of
from runtime.lacking import Named
from runtime.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from compiler.ops import Data, Template
    from runtime.formats import Row


_COLUMN = re.compile(r"\{\{\s*(?:(\w+)\.)?(\w+)\s*\}\}")


def sources(op: Data, files: Mapping[str, Path], *, allow_code: bool) -> dict[str, list[Row]]:
    """The rows of each source by its name. Raises BadInput for what needs rows in common."""
    for key, value in (("join", op.join), ("filter", op.filter), ("limit", op.limit), ("cluster", op.cluster)):
        if value is not None:
            message = f"`{key}` speaks of rows, and queries, documents and `gold` are sets by themselves here"
            raise BadInput(message, "take it out", key)
    return sources_of(op, files, allow_code=allow_code)


def values(op: Data, rows: Mapping[str, list[Row]], given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What the template of each field gives for each row of the source that it speaks of."""
    return {name: _of_field(name, template, rows, given) for name, template in op.fields}


def _of_field(name: str, template: Template, rows: Mapping[str, list[Row]], given: Mapping[str, Any]) -> list[Any]:
    """What a field's template gives; a column by itself is taken as it is, however much is in it."""
    source = _source(name, template, rows)
    column = _COLUMN.fullmatch(template) if isinstance(template, str) else None
    if column is not None and (column[1] or "") == source and all(column[2] in row for row in rows[source]):
        return [row[column[2]] for row in rows[source]]
    templates = Templates(((name, template),))
    scopes = rows[source] if not source else [{source: Named(row)} for row in rows[source]]
    return [templates.values(scope, given)[name] for scope in scopes]


def _source(field: str, template: Template, rows: Mapping[str, list[Row]]) -> str:
    if "" in rows:
        return ""
    texts = (template,) if isinstance(template, str) else template
    spoken = sorted({name for text in texts for name in names_in(text)} & rows.keys())
    if len(spoken) != 1:
        message = f"`{field}` speaks of {len(spoken)} sources, and must of one"
        raise BadInput(message, f"the sources are {', '.join(f'`{name}`' for name in rows)}", f"input.{field}")
    return spoken[0]
