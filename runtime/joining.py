"""Several named sources as one: each joined row holds a row of each source, under the source's name."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from runtime.errors import BadInput
from runtime.lacking import Named
from runtime.sources import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from compiler.ops import Data
    from runtime.formats import Row


def rows_of(op: Data, files: Mapping[str, Path], *, allow_code: bool) -> Sequence[Row]:
    """The rows that templates see: a source's own, or those of named sources joined.

    Raises BadInput for sources without rows, or whose rows do not belong together.
    """
    parts = sources_of(op, files, allow_code=allow_code)
    if "" in parts:
        return parts[""]
    joined = _by_position(parts) if op.join is None else _by_column(parts, op.join)
    return [{name: Named(row) for name, row in zip(parts, rows, strict=True)} for rows in joined]


def sources_of(op: Data, files: Mapping[str, Path], *, allow_code: bool) -> dict[str, list[Row]]:
    """The rows of each source by its name; "" is the name of the one that needs none.

    Raises BadInput for a source without rows.
    """
    parts = {
        name: list(chain.from_iterable(read_rows(r, files, allow_code=allow_code) for r in rows))
        for name, rows in op.sources
    }
    for name, rows in parts.items():
        if not rows:
            raise BadInput(f"the source{f' `{name}`' * bool(name)} has no rows", None, "data")
    return parts


def _by_position(parts: Mapping[str, list[Row]]) -> list[tuple[Row, ...]]:
    lengths = {name: len(rows) for name, rows in parts.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"`{name}` {length:,}" for name, length in lengths.items())
        message = f"the sources are joined row by row, and do not have equally many rows: {shown}"
        raise BadInput(message, "give them equally many, or a column that both have: `join: COLUMN`", "data")
    return list(zip(*parts.values(), strict=True))


def _by_column(parts: Mapping[str, list[Row]], column: str) -> list[tuple[Row, ...]]:
    """Rows with one value of the column, in the order of the first source."""
    by_key = {name: _keyed(name, rows, column) for name, rows in parts.items()}
    first, *_ = by_key
    for name, keyed in by_key.items():
        for some, others, other in ((by_key[first], keyed, name), (keyed, by_key[first], first)):
            if (missing := next((key for key in some if key not in others), None)) is not None:
                message = f"no row of `{other}` has the `{column}` {missing!r:.60}, and one of another source has"
                raise BadInput(message, "each source must have each value once", "join")
    return [tuple(keyed[key] for keyed in by_key.values()) for key in by_key[first]]


def _keyed(name: str, rows: list[Row], column: str) -> dict[str, Row]:
    """Rows by what they have in the column; a number and its text are one."""
    found: dict[str, Row] = {}
    for number, row in enumerate(rows, 1):
        where, value = f"row {number} of `{name}`", row.get(column)
        if not isinstance(value, str | int) or isinstance(value, bool):
            hint = f"its columns are {', '.join(f'`{c}`' for c in row)}"
            message = f"{where} has no text or whole number in the column `{column}`"
            raise BadInput(message, hint if column not in row else None, "join")
        if str(value) in found:
            raise BadInput(f"{where} has the `{column}` {value!r:.60} of an earlier row", "each must be once", "join")
        found[str(value)] = row
    return found
