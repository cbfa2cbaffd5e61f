"""Tables of scores, in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from runtime.distances import SOURCE
from runtime.tables import Arm, Axes, Table, tables
from xfer.render.messages import counted
from xfer.render.pairs import is_square, square

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from runtime.results import Row
    from runtime.statistics import Estimate


_CHOSEN = "†"


def show_results(console: Console, rows: Sequence[Row], missing: int, *, failed: bool = False) -> None:
    """Every table of a study, and how much of it is not there: yet, or because something failed."""
    for table in tables(rows):
        _show(console, table)
    if missing:
        total = missing + len(rows)
        why = "what failed is told below" if failed else "`xfer run` makes them"
        console.print(Text(f"{missing:,} of {total:,} scores are missing, and so may be whole arms: {why}", "yellow"))


def _show(console: Console, table: Table) -> None:
    title = f"{table.benchmark} · {table.metric} · {_seeds(table.seeds)} · {_items(table.items)}"
    if not table.experiment.startswith("#"):
        title = f"{table.experiment}: {title}"
    console.print(Text(title, "bold"), soft_wrap=True)
    drawn = [_grid(s) for s in _squares(table)] if is_square(table) else [_fitting(_cells(table), console)]
    for grid in drawn:
        console.print(grid, soft_wrap=True, crop=False)
    for line in _notes(table):
        console.print(Text(line, "dim"), soft_wrap=True)
    console.print()


def _varying(table: Table) -> list[str]:
    """The axes that tell the arms apart; all of an only arm's."""
    axes = list(dict.fromkeys(a for arm in table.arms for a, _ in arm.axes))
    varying = [a for a in axes if len({dict(arm.axes).get(a) for arm in table.arms}) > 1]
    return varying or axes


def _name(axes: Axes, shown: list[str]) -> str:
    values = dict(axes)
    return " · ".join(values.get(a, "–") for a in shown)


def _cells(table: Table) -> list[list[str]]:
    """The table as text, arms downwards and languages across."""
    axes = _varying(table)
    head = [f"{c}*" if c in table.trained else c for c in table.languages]
    lines = [[" · ".join(axes), *head, "zero-shot mean", "ρ distance"]]
    if table.distances:
        lines.append(["distance", *(f"{table.distances[c]:.2f}" for c in table.languages), "", ""])
    for arm in table.arms:
        mark = _CHOSEN if arm.selected else ""
        lines.append(_scores(_name(arm.axes, axes) + mark, arm, table))
        if arm.gains:
            gains = [_gain(arm.gains.get(c)) for c in table.languages]
            lines.append([f"  gain over {table.baseline}", *gains, _interval(arm.average_gain), ""])
    lines += [_scores(_title(baseline), baseline, table) for baseline in table.beside]
    return lines if table.correlates else [line[:-1] for line in lines]


def _squares(table: Table) -> list[list[list[str]]]:
    """Of pairs of languages a grid for each arm and baseline, first languages downwards and second across."""
    axes, grids = _varying(table), []
    named = [(_name(arm.axes, axes) + (_CHOSEN if arm.selected else ""), arm) for arm in table.arms]
    for name, arm in (*named, *((_title(b), b) for b in table.beside)):
        mean = ["zero-shot mean", _score(arm.average)]
        lines = square(name, arm.by_language, table, _score)
        grids.append([*lines, mean + [""] * (len(lines[0]) - len(mean))])
        if arm.gains:
            gains = square(f"  gain over {table.baseline}", arm.gains, table, _gain)
            mean = ["mean", _interval(arm.average_gain)]
            grids.append([*gains, mean + [""] * (len(gains[0]) - len(mean))])
    return grids


def _scores(name: str, arm: Arm, table: Table) -> list[str]:
    scores = [_score(arm.by_language.get(c)) for c in table.languages]
    return [name, *scores, _score(arm.average), "–" if arm.correlation is None else f"{arm.correlation:+.2f}"]


def _title(baseline: Arm) -> str:
    """A baseline's method, with the values of the axes that tell it from other such."""
    return " · ".join([baseline.method.replace("-", " "), *(value for _, value in baseline.axes)])


def _fitting(lines: list[list[str]], console: Console) -> Grid:
    """The grid in the orientation that the terminal has room for; languages across where both have."""
    upright = [[cell.strip() for cell in column] for column in zip(*lines, strict=True)]
    if not console.is_terminal or _width(lines) <= console.width or _width(lines) <= _width(upright):
        return _grid(lines)
    return _grid(upright)


def _width(lines: list[list[str]]) -> int:
    """Columns of a terminal that the grid takes: three between two of its own, and its two edges."""
    return sum(max(len(line[i]) for line in lines) + 3 for i in range(len(lines[0]))) - 1


def _grid(lines: list[list[str]]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(lines[0]):
        width = max(len(line[number]) for line in lines)  # never cut: a narrow terminal breaks the lines
        grid.add_column(name, justify="right" if number else "left", no_wrap=True, min_width=width)
    for line in lines[1:]:
        grid.add_row(*line, style="dim" if line[0].startswith("  ") else None)
    return grid


def _score(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    spread = "" if estimate.deviation is None else f" ±{100 * estimate.deviation:.1f}"
    return f"{100 * estimate.mean:.1f}{spread}"


def _gain(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{100 * estimate.mean:+.1f}"


def _interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return _gain(estimate)
    return f"{100 * estimate.mean:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def _notes(table: Table) -> list[str]:
    notes = ["pairs: the first language downwards, the second across"] if is_square(table) else []
    if table.chance is not None:
        notes.append(f"chance {100 * table.chance:.1f}")
    if any(arm.gains for arm in table.arms):
        notes.append(f"baseline: {table.baseline}")
    if table.trained:
        notes.append("* trained on, so not zero-shot and not in the mean")
    lines = [table.protocol] if table.protocol else []
    lines += [" · ".join(notes)] if notes else []
    if chosen := {arm.selected for arm in table.arms} - {""}:
        lines.append(f"{_CHOSEN} {chosen.pop()}: the checkpoint was chosen for each language by its own dev data")
    if table.seeds > 1:
        interval = "; [ ] 95 % t interval over seeds of the paired gain on these items"
        gains = any(arm.average_gain is not None for arm in table.arms)
        lines.append(f"points; ± standard deviation over {table.seeds} seeds{interval if gains else ''}")
    else:
        lines.append("points; one seed: no spread can be told" if table.seeds else "points; nothing is random")
    if table.correlates:
        ranks = "ρ: Spearman rank correlation of the score with the distance from"
        lines.append(f"{ranks} {SOURCE}, over the zero-shot languages")
    return lines


def _seeds(number: int) -> str:
    if number == 0:
        return "nothing trained"
    return counted(number, "seed")


def _items(items: tuple[int, int]) -> str:
    fewest, most = items
    return f"{most:,} items a language" if fewest == most else f"{fewest:,} to {most:,} items a language"
