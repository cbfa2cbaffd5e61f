"""Tables of scores, in points."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from runtime.tables import Arm, Axes, Table, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from runtime.results import Row
    from runtime.statistics import Estimate


def show_results(console: Console, rows: Sequence[Row], missing: int) -> None:
    """Every table of a study, and how much of it is not there yet."""
    for table in tables(rows):
        _show(console, table)
    if missing:
        total = missing + len(rows)
        console.print(Text(f"{missing:,} of {total:,} scores are missing: `xfer run` makes them", "yellow"))


def _show(console: Console, table: Table) -> None:
    title = f"{table.benchmark} · {table.metric} · {_seeds(table.seeds)} · {_items(table.items)}"
    if not table.experiment.startswith("#"):
        title = f"{table.experiment}: {title}"
    console.print(Text(title, "bold"), soft_wrap=True)
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column(_heading(table), no_wrap=True)
    for language in table.languages:
        grid.add_column(f"{language}*" if language in table.trained else language, justify="right", no_wrap=True)
    grid.add_column("zero-shot mean", justify="right", no_wrap=True)
    for arm in table.arms:
        _add(grid, arm, table)
    console.print(grid)
    for line in _notes(table):
        console.print(Text(line, "dim"), soft_wrap=True)
    console.print()


def _varying(table: Table) -> list[str]:
    """The axes that tell the arms apart; all of an only arm's."""
    axes = list(dict.fromkeys(a for arm in table.arms for a, _ in arm.axes))
    varying = [a for a in axes if len({dict(arm.axes).get(a) for arm in table.arms}) > 1]
    return varying or axes


def _heading(table: Table) -> str:
    return " · ".join(_varying(table))


def _name(axes: Axes, shown: list[str]) -> str:
    values = dict(axes)
    return " · ".join(values.get(a, "–") for a in shown)


def _add(grid: Grid, arm: Arm, table: Table) -> None:
    cells = [_score(arm.by_language.get(c)) for c in table.languages]
    grid.add_row(_name(arm.axes, _varying(table)), *cells, _score(arm.average))
    if arm.gains:
        gains = [_gain(arm.gains.get(c)) for c in table.languages]
        grid.add_row(Text("  gain over skip", "dim"), *gains, _interval(arm.average_gain))


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
    notes = []
    if table.chance is not None:
        notes.append(f"chance {100 * table.chance:.1f}")
    if any(arm.gains for arm in table.arms):
        notes.append("baseline: skip")
    if table.trained:
        notes.append("* trained on, so not zero-shot and not in the mean")
    lines = [" · ".join(notes)] if notes else []
    if table.seeds > 1:
        lines.append(
            f"points; ± standard deviation over seeds; [ ] 95 % interval of the paired gain over {table.seeds} seeds (t), "
            "for the same items"
        )
    else:
        lines.append("points; one seed: no spread can be told")
    return lines


def _seeds(number: int) -> str:
    return "1 seed" if number == 1 else f"{number} seeds"


def _items(items: tuple[int, int]) -> str:
    fewest, most = items
    return f"{most:,} items a language" if fewest == most else f"{fewest:,} to {most:,} items a language"


_COLUMNS = ("benchmark", "language", "metric", "seed", "value", "n", "chance", "zero_shot", "score")


def records(rows: Sequence[Row]) -> list[dict[str, object]]:
    """One flat record a score; proportions are fractions, not points."""
    return [
        {
            "experiment": r.cell.experiment,
            **dict(r.cell.axes),
            "benchmark": r.cell.benchmark,
            "language": r.cell.language,
            "metric": r.cell.metric,
            "seed": r.cell.seed,
            "value": r.value,
            "n": r.n,
            "chance": r.chance,
            "zero_shot": r.cell.zero_shot,
            "score": r.cell.score,
        }
        for r in rows
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """The records as CSV; an axis that a run does not reach is empty."""
    found = records(rows)
    axes = list(dict.fromkeys(k for r in found for k in r if k not in _COLUMNS and k != "experiment"))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["experiment", *axes, *_COLUMNS], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def as_json(rows: Sequence[Row], missing: int) -> str:
    """The records as one JSON document."""
    return json.dumps({"format_version": "1.0", "missing": missing, "scores": records(rows)}, indent=1)
