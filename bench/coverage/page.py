"""The record as the tables of docs/statistics.md, between marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.coverage import grid, levels
from bench.coverage.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Row = Mapping[str, Any]
Record = dict[str, Any]


def put(page: str, record: Record) -> str:
    """The page with its tables drawn anew."""
    for name, lines in sections(record).items():
        start, end = f"<!-- coverage: {name} -->\n", f"<!-- coverage: end of {name} -->\n"
        head, found, rest = page.partition(start)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the page has no place for `{name}`")
        page = "".join([head, start, "\n", *(f"{line}\n" for line in lines), "\n", end, tail])
    return page


def sections(record: Record) -> dict[str, list[str]]:
    """The lines of each place."""
    return {
        "run": [_run(record)],
        **{name: list(draw(record[source])) for name, (source, draw) in _DRAWN.items()},
    }


def _run(record: Record) -> str:
    machine = record["machine"]
    return (
        f"Recorded run (`make coverage`, {record['date']}, commit {record['commit'][:7]}, {machine['cpu']}, one of "
        f"{machine['cores']} cores, Python {record['python']}, numpy {record['numpy']}, scipy {record['scipy']}; "
        f"{record['seconds']:,.0f} s)."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> Iterator[str]:
    """A table whose first `words` columns are words, the others numbers."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * words}{' --: |' * (len(head) - words)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _covered(covered: Mapping[str, float], *, marked: bool = False) -> list[str]:
    """The shares of all methods, xfer's first, which is marked where it fails."""
    own, *others = (_share(covered[m]) for m in METHODS)
    return [f"**{own}**" if marked else own, *others]


# --- the grid


def _languages(row: Row) -> int:
    return len(row["world"]["levels"][0])


def _fails(row: Row) -> bool:
    return grid.fails(row["covered"]["xfer"], row["world"]["deviation"])


def _grid(rows: Sequence[Row]) -> Iterator[str]:
    for statistic in grid.STATISTICS:
        for languages in grid.LANGUAGES:
            kept = [r for r in rows if r["statistic"] == statistic and _languages(r) == languages]
            if not kept:
                continue
            yield f"**{_title(statistic, languages)}**"
            yield ""
            head = ["seeds", "items", "seed SD", *(m.title for m in METHODS.values()), "half-width"]
            yield from _table(head, (_cell(row) for row in kept), 0)
            yield ""
    failed = [r for r in rows if _fails(r)]
    yield f"Cells in which xfer's interval fails: {len(failed)} of {len(rows)}."


def _title(statistic: str, languages: int) -> str:
    what = {"mean": "The mean of an arm", "gain": "The gain of one arm over another"}[statistic]
    return f"{what}, {'one language' if languages == 1 else f'over {languages} languages'}"


def _cell(row: Row) -> list[str]:
    world, covered = row["world"], _covered(row["covered"], marked=_fails(row))
    return [str(world["seeds"]), str(world["items"]), f"{world['deviation']:g}", *covered, _share(row["width"])]


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    """The lowest and the highest of each method."""
    lines = []
    for m, method in METHODS.items():
        line = [method.title]
        for statistic in grid.STATISTICS:
            for least in (0.0, grid.MOST_FROM):
                kept = [r for r in rows if r["statistic"] == statistic and r["world"]["deviation"] >= least]
                found = [v for r in kept if (v := r["covered"][m]) is not None]
                line.append(f"{_share(min(found))} to {_share(max(found))}" if found else "")
        lines.append(line)
    several = f"seed SD ≥ {grid.MOST_FROM:g}"
    yield from _table(["", "mean", f"mean, {several}", "gain", f"gain, {several}"], lines, 1)


# --- the others


def _outside(rows: Sequence[Row]) -> Iterator[str]:
    def line(row: Row) -> list[str]:
        share = row["covered"]["xfer"]
        return [row["cell"], row["statistic"], *_covered(row["covered"], marked=share < grid.LEAST)]

    yield from _table(["", "", *(m.title for m in METHODS.values())], map(line, rows), 2)


def _extremes(rows: Sequence[Row]) -> Iterator[str]:
    head = ["", "languages", "seeds", "truth", "xfer", "half-width", "crossed bootstrap", "half-width"]
    yield from _table(
        head,
        (
            [
                *(r["statistic"], r["languages"], str(r["seeds"]), f"{r['truth']:.2f}".replace("-0.00", "0.00")),
                *(_share(r["covered"]), f"{r['width']:.3f}", _share(r["drawn"]), f"{r['drawn_width']:.3f}"),
            ]
            for r in rows
        ),
        2,
    )


def _levels(rows: Sequence[Row]) -> Iterator[str]:
    yield from _table(
        ["", *(f"p ≤ {level:g}" for level in levels.LEVELS)],
        ([r["test"], *_with_steps(r)] for r in rows),
        1,
    )


def _with_steps(row: Row) -> Iterator[str]:
    """Each share, and what the steps of a discrete test allow."""
    for n, share in enumerate(row["shares"]):
        yield f"{_share(share)} (its steps allow {_share(row['expected'][n])})" if row["expected"] else _share(share)


_DRAWN: Mapping[str, tuple[str, Callable[[Sequence[Row]], Iterator[str]]]] = {
    "summary": ("grid", _summary),
    "grid": ("grid", _grid),
    "outside": ("outside", _outside),
    "extremes": ("extremes", _extremes),
    "levels": ("levels", _levels),
}
