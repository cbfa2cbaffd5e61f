"""What a row has, for those who asked for what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compiler.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping


class Named(dict[str, Any]):
    """A row of a source that has a name: `{{ a.items }}` is its column, not a dict's method."""


def columns_hint(row: Mapping[str, Any], lacks: str) -> str:
    """The columns as templates call them, the nearest to what is lacking first of all; `lacks` has it in backticks.

    What a column that is a record lacks is looked for in the records.
    """
    inside = {f"{n}.{c}": c for n, v in row.items() if isinstance(v, dict) for c in v}
    names = [n for n in inside if isinstance(row[n.split(".", 1)[0]], Named)] or list(row)
    quoted = lacks.split("`")
    asked = quoted[-2] if len(quoted) > 1 else ""
    of_a_record = [name for name, column in inside.items() if column == closest(asked, inside.values())]
    best = closest(asked, names) or (of_a_record[0] if of_a_record else None)
    near = f"did you mean `{best}`? " if best is not None else ""
    return f"{near}The columns are {', '.join(f'`{name}`' for name in names)}"
