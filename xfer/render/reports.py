"""Reports on the terminal and in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from xfer.render.sheets import Block, Cell, Sheet, SheetLine


def show_sheet(console: Console, sheet: Sheet) -> None:
    """The report as a table of the terminal."""
    say(console, Text(sheet.title, "bold"))
    for block in sheet.blocks:
        if block.title:
            say(console, Text(block.title, "italic"))
        console.print(_grid(sheet, block), soft_wrap=True, crop=False)
    for note in sheet.notes:
        say(console, Text(note, "dim"))
    say(console, Text())


def _grid(sheet: Sheet, block: Block) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    lines = [line for line in block.lines if any(text(cell) for cell in line.cells)]
    for at, stub in enumerate(sheet.stubs):
        width = max((len(line.labels[at]) for line in lines), default=0)
        grid.add_column(stub, no_wrap=True, min_width=max(width, len(stub)))
    for at, head in enumerate(sheet.heads):
        width = max((len(text(line.cells[at])) for line in lines), default=0)
        name = " · ".join(filter(None, head))
        grid.add_column(name, justify="right", no_wrap=True, min_width=max(width, len(name)))
    for line in lines:
        grid.add_row(*line.labels, *_cells(line, sheet), style="dim" if line.is_difference else None)
    return grid


def _cells(line: SheetLine, sheet: Sheet) -> Iterator[Text]:
    differences = any(other.is_difference for block in sheet.blocks for other in block.lines)
    for cell in line.cells:
        shaded = sheet.is_heatmap and cell.shade is not None and line.is_difference == differences
        yield Text(text(cell), _shade(cell.shade) if shaded and cell.shade is not None else "")


def _shade(value: float) -> str:
    """From red, what is below, over nothing to green."""
    depth = round(min(1.0, abs(value)) * 120)
    return f"on #{40 + depth:02x}2828" if value < 0 else f"on #28{40 + depth:02x}28"


def text(cell: Cell) -> str:
    """The number with half of its interval and its marks."""
    return f"{cell.value}{f' ±{cell.half}' if cell.half else ''}{cell.marks}"


def markdown(sheet: Sheet) -> str:
    """The report as a table of Markdown, with what is said of it below."""
    lines = [f"### {sheet.title}", ""]
    heads = [*sheet.stubs, *(" · ".join(filter(None, head)) for head in sheet.heads)]
    for block in sheet.blocks:
        lines += [f"*{block.title}*", ""] if block.title else []
        lines += [_row(heads), _row(["---"] * len(sheet.stubs) + ["--:"] * len(sheet.heads))]
        lines += [_row([*(label.strip() for label in line.labels), *map(text, line.cells)]) for line in block.lines]
        lines.append("")
    return "\n".join([*lines, *(f"{note}  " for note in sheet.notes)]).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("*", "\\*") for cell in cells)
    return f"| {' | '.join(escaped)} |"
