"""Reports as sheets of text, the same for the terminal, Markdown and LaTeX: what is said, not how it is drawn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import cells
from runtime.evidence.intervals import EDGE, FEWEST_ITEMS
from xfer.render.messages import counted
from xfer.render.outlooks import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from compiler.asked import At, Column, Reported
    from runtime.evidence.tables import Drawn, Entry, Estimate

NOTHING = "–"
GATHERED = "rows of one text are one item"
_LANGUAGES = ("language", "first", "second")
CLEAR, CHOSEN, FAILED, PARTIAL = "*", "†", "‡", "?"  # behind a number; the notes say what each means


class Cell(Struct, frozen=True):
    """A number as text, in points: the estimate, half of its interval, and marks."""

    value: str = NOTHING
    half: str = ""
    marks: str = ""
    shade: float | None = None  # of a heat map, from -1 to 1


class SheetLine(Struct, frozen=True):
    """A line: its labels, and its cells."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    is_difference: bool = False


class Block(Struct, frozen=True):
    """Lines with something in common, which stands above them."""

    title: str
    lines: tuple[SheetLine, ...]


class Sheet(Struct, frozen=True):
    """A report as text."""

    title: str
    stubs: tuple[str, ...]  # what the labels are
    heads: tuple[tuple[str, ...], ...]  # of each column, one text an axis
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    is_heatmap: bool


def sheets(drawn: Sequence[Drawn]) -> list[Sheet]:
    """The reports as text; where titles of several specs are the same, each with its place."""
    titles = Counter(one.report.title for one in drawn)
    return [_sheet(one, apart=titles[one.report.title] > 1) for one in drawn]


def _sheet(drawn: Drawn, *, apart: bool) -> Sheet:
    report = drawn.report
    title = f"{report.title} ({report.place})" if apart else report.title
    stubs = report.rows or ("",)
    blocks = [Block("", tuple(_lines(drawn, apart=False)))]
    if any(row.source for row in drawn.rows):
        blocks.append(Block("in the source language", tuple(_lines(drawn, apart=True))))
    if report.published:
        blocks.append(Block("published", tuple(_published(report, len(stubs)))))
    heads = tuple(_head(head, report) for head in drawn.heads)
    return Sheet(title, stubs, heads, tuple(blocks), tuple(_notes(drawn)), "heatmap" in report.forms)


def _head(head: Column, report: Reported) -> tuple[str, ...]:
    if head.sort == "mean":
        return (*[""] * (len(report.columns) - 1), "mean")
    if not report.columns:
        return (_words(report),)
    apart = {"source": " (source)", "trained": " (trained on)"}.get(head.sort, "")
    return tuple(f"{value}{apart}" if axis == "language" else value for axis, value in head.at)


def _words(report: Reported) -> str:
    return " / ".join(report.metrics)


def _lines(drawn: Drawn, *, apart: bool) -> Iterator[SheetLine]:
    for row in drawn.rows:
        entries = row.source if apart else row.entries
        if not entries:
            continue
        labels = _labels(row.at, drawn.report)
        yield SheetLine(labels, tuple(map(_score, entries)))
        if any(entry.difference is not None for entry in entries) and drawn.report.baseline is not None:
            over = (f"  less {drawn.report.baseline[1]}", *[""] * (len(labels) - 1))
            yield SheetLine(over, tuple(_difference(entry, drawn.report) for entry in entries), is_difference=True)


def _published(report: Reported, stubs: int) -> Iterator[SheetLine]:
    for number, line in enumerate(report.published, 1):
        labels = (f"{line.system} [{number}]", *[""] * (stubs - 1))
        yield SheetLine(labels, tuple(Cell() if s is None else Cell(f"{s:.1f}") for s in line.scores))


def _labels(at: At, report: Reported) -> tuple[str, ...]:
    return tuple(value for _, value in at) or (_words(report),)


def _score(entry: Entry) -> Cell:
    if entry.shown is None:
        return Cell()
    marks = (CHOSEN if entry.selected else "") + (FAILED if entry.collapsed[0] else "")
    marks += PARTIAL if entry.missing else ""
    return Cell(f"{100 * entry.shown.value:.1f}", _half(entry.shown), marks, entry.shown.value * 2 - 1)


def _difference(entry: Entry, report: Reported) -> Cell:
    found = entry.difference
    if found is None:
        return Cell("" if entry.shown is None else NOTHING)
    is_clear = found.adjusted is not None and found.adjusted <= 1 - report.level
    marks = (CLEAR if is_clear else "") + (FAILED if entry.collapsed[0] or entry.beside[1] else "")
    marks += PARTIAL if entry.missing or entry.beside[0] else ""
    return Cell(signed(100 * found.value), _half(found), marks, found.value * 5)


def _half(estimate: Estimate) -> str:
    return "" if estimate.low is None else f"{100 * (estimate.value - estimate.low):.1f}"


# --- what is said below


def _outside(shown: Sequence[Estimate]) -> Iterator[str]:
    """Where intervals were found to cover too little."""
    told = [e for e in shown if e.low is not None]
    if any(e.items < FEWEST_ITEMS for e in told):
        yield f"fewer than {FEWEST_ITEMS} items: their coverage was not simulated (docs/statistics.md, section 10)"
    if any(min(e.value, 1 - e.value) < EDGE and e.seeds for e in told):
        words = f"within {100 * EDGE:.0f} points of 0 or 100"
        yield f"a score {words} is skewed over seeds: its interval may be too short (docs/statistics.md, section 10)"


def _notes(drawn: Drawn) -> Iterator[str]:
    report, entries = drawn.report, [entry for _, _, entry, _ in drawn.entries()]
    shown = [e.shown for e in entries if e.shown is not None]
    if shown:
        yield from _of_numbers(report, shown, gathered=any(entry.gathered for entry in entries))
        yield from _of_means(report, entries)
        yield from _of_differences(report, entries)
        yield from _of_marks(entries)
    elif all(entry.spot.shown is None for entry in entries):
        yield "no benchmark has a language that counts in every line"
    elif any(entry.left_out and entry.collapsed[0] for entry in entries):
        yield "every run is degenerate, and left out"
    else:
        yield "no score is there yet: `xfer run` makes them"
    for number, line in enumerate(report.published, 1):
        yield f"[{number}] {line.source}; a mean is over the languages of its source"
    if report.pins:
        yield f"where {'; '.join(f'{axis}: {values}' for axis, values in report.pins)}"


def _of_numbers(report: Reported, shown: Sequence[Estimate], *, gathered: bool) -> Iterator[str]:
    seeds, items = _seeds([e.seeds for e in shown]), _range([e.items for e in shown])
    yield f"{', '.join(report.metrics)}, in points; {seeds}, {items} items{f' ({GATHERED})' if gathered else ''}"
    if any(e.low is not None for e in shown):
        yield f"±: half of the {report.level:.0%} interval over seeds and items, of each number by itself"
    yield from _outside(shown)
    if any(e.low is None for e in shown):
        yield "a number without ± has one seed, or one item, and no interval can be told"


def _of_means(report: Reported, entries: Sequence[Entry]) -> Iterator[str]:
    averaged = "language" not in (*report.rows, *report.columns) or any(h.sort == "mean" for h in report.heads)
    if averaged and any(axis in _LANGUAGES for axis, _ in report.pins):
        yield "means are over the languages that are selected"
    elif averaged and report.everywhere:
        yield "means are over all languages, trained on or not"
    elif averaged and any(cell.zero_shot for e in entries if e.spot.shown is not None for cell in cells(e.spot.shown)):
        yield "means are over the languages that are zero-shot in every line"
    elif averaged:
        yield "means are over the languages of every line, of which none is zero-shot"


def _of_differences(report: Reported, entries: Sequence[Entry]) -> Iterator[str]:
    found = [(e.difference, e.most_seeds) for e in entries if e.difference is not None and e.shown is not None]
    if not found or report.baseline is None:
        return
    axis, value = report.baseline
    tested = sum(1 for difference, _ in found if difference.p is not None)
    corrected = f"corrected for the {counted(tested, 'difference')} shown (Holm)"
    clear = f"; {CLEAR} not zero at {report.level:.0%}, {corrected}" if tested else ""
    yield f"less {value}: paired, to `{axis}: {value}`{clear}"
    fewer = [difference.seeds for difference, most in found if 0 < difference.seeds < most]
    if fewer:
        yield f"some differences are over {_range(fewer)} seeds: those that both sides have"


def _of_marks(entries: Sequence[Entry]) -> Iterator[str]:
    if any(e.selected for e in entries):
        yield f"{CHOSEN} target dev: the checkpoint was chosen for each language by its own dev data"
    for left_out, words in ((False, "holds"), (True, "was made without")):
        failed = [e.collapsed for e in entries if e.collapsed[0] and e.left_out == left_out]
        if failed:
            worst = max(failed)
            what = "degenerate runs, collapsed to chance or to one answer"
            short = "" if left_out else "; intervals of such means are too short"
            yield f"{FAILED} {words} {what}: up to {worst[0]} of {worst[1]}{short}"
    if restarted := max((e.restarted for e in entries), default=0):
        yield f"up to {counted(restarted, 'training')} behind a number collapsed and began anew with another seed"
    missing = [e for e in entries if e.missing + e.beside[0]]
    if missing:
        mark = f"{PARTIAL} " if any(e.shown is not None for e in missing) else ""
        yield f"{mark}not all scores are there yet: `xfer run` makes them"


def _seeds(numbers: Sequence[int]) -> str:
    trained = [n for n in numbers if n]
    if not trained:
        return "nothing trained"
    seeds = _range(trained)
    return f"{seeds} {'seed' if seeds == '1' else 'seeds'}"


def _range(numbers: Sequence[int]) -> str:
    fewest, most = min(numbers), max(numbers)
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
