"""What `xfer.lock` pins, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from compiler.pins import Moved, PinnedData, PinnedModel, Pins

_MEGABYTE = 1e6
_FILES = 6  # that are named


def show_pins(console: Console, pins: Pins, resolved: Sequence[str], moved: Sequence[Moved] = ()) -> None:
    """One line a repository, those resolved just now marked; then what is at another commit than before."""
    if not pins.models and not pins.data:
        say(console, Text("nothing to pin: the spec names nothing on the hub"))
        return
    table = Table("", "repository", "revision", "holds", box=None, pad_edge=False)
    for name, model in pins.models.items():
        table.add_row(_mark(name, resolved), name, model.revision[:12], _model(model))
    for name, data in pins.data.items():
        table.add_row(_mark(name, resolved), name, data.revision[:12], _data(data))
    console.print(table)
    say(console, Text(f"{len(resolved)} resolved now, marked +; the rest was pinned before"))
    for one in moved:
        say(console, Text(f"{one.name}: {one.before[:12]} → {one.after[:12]}, {_changed(one)}", "yellow"))


def _changed(moved: Moved) -> str:
    """What differs in a repository that is at another commit."""
    if not moved.files:
        return "the same bytes: nothing runs again"
    more = f" and {len(moved.files) - _FILES} more" if len(moved.files) > _FILES else ""
    return f"other bytes in {', '.join(moved.files[:_FILES])}{more}"


def _mark(name: str, resolved: Sequence[str]) -> str:
    return "+" if name.partition("@")[0] in resolved else "="


def _model(model: PinnedModel) -> str:
    size = sum(f.size for f in model.files)
    facts = [f"{size / _MEGABYTE:,.1f} MB"]
    facts += [f"{model.parameters / 1e6:,.1f} M parameters"] if model.parameters else []
    facts += [f"{model.layers} layers"] if model.layers else []
    facts += [f"{model.positions} positions"] if model.positions else []
    return ", ".join(facts)


def _data(data: PinnedData) -> str:
    """`copa: train 0.1 MB, 400 rows; …`"""
    found = []
    for config, splits in data.configs.items():
        parts = []
        for name, split in splits.items():
            rows = f", {split.rows:,} rows" if split.rows is not None else ""
            parts.append(f"{name} {split.size / _MEGABYTE:,.1f} MB{rows}")
        found.append(f"{config or 'default'}: {'; '.join(parts)}")
    return " · ".join(found[:3]) + (f" · and {len(found) - 3} more" if len(found) > 3 else "")  # noqa: PLR2004
