"""Reports as tables of estimates: each score with its interval, and its difference to the baseline with its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Mean, cells
from runtime.evidence.components import components
from runtime.evidence.effects import combined
from runtime.evidence.family import holm
from runtime.evidence.intervals import interval, two_sided

if TYPE_CHECKING:
    from compiler.asked import At, Column, Line, Reported, Spot
    from runtime.evidence.effects import Effect
    from runtime.evidence.scores import Evidence


class Estimate(Struct, frozen=True):
    """A value with its interval at the report's level. Proportions are fractions."""

    value: float
    low: float | None  # None where one seed cannot tell
    high: float | None
    seeds: int  # 0 where nothing is random
    items: int
    p: float | None = None  # of a difference, two-sided, by itself
    adjusted: float | None = None  # the same corrected for all differences of the report (Holm)
    variance: Variance | None = None  # of the value, by its sources; None where it cannot be told


class Variance(Struct, frozen=True):
    """The variance of an estimate, by what it comes from."""

    seeds: float  # var(seed) / S
    items: float  # var(item) / I
    rest: float  # var(rest) / (S I)

    def share(self, part: float) -> float:
        """What part of the whole that is."""
        whole = self.seeds + self.items + self.rest
        return part / whole if whole else 0.0


class Entry(Struct, frozen=True):
    """One place of the table."""

    spot: Spot
    shown: Estimate | None
    difference: Estimate | None  # to the baseline
    missing: int  # scores that are not there
    collapsed: tuple[int, int]  # degenerate runs, of how many
    selected: str  # "target dev": checkpoints were chosen by dev data of each language
    left_out: bool = False  # whether degenerate runs count nowhere
    restarted: int = 0  # trainings that collapsed and began anew
    gathered: bool = False  # whether rows of one text count as one item
    most_seeds: int = 0  # of the value, and of what it is compared with
    beside: tuple[int, int] = (0, 0)  # of what it is compared with: scores that are not there, degenerate runs


class Row(Struct, frozen=True):
    """A line of the table; `source` is the same in the source language, where that is apart."""

    at: At
    entries: tuple[Entry, ...]
    source: tuple[Entry, ...]


class Drawn(Struct, frozen=True):
    """A report with its numbers."""

    report: Reported
    rows: tuple[Row, ...]

    @property
    def heads(self) -> tuple[Column, ...]:
        """Its columns."""
        return self.report.heads

    def entries(self) -> Iterator[tuple[Row, Column, Entry, bool]]:
        """Every place with its row and column, and whether it is of the source language apart."""
        for row in self.rows:
            for head, entry in zip(self.heads, row.entries, strict=False):
                yield row, head, entry, False
            for head, entry in zip(self.heads, row.source, strict=False):
                yield row, head, entry, True


def draw(report: Reported, evidence: Evidence) -> Drawn:
    """The table of a report by the scores that are there."""
    rows = tuple(_row(line, report.level, evidence) for line in report.lines)
    found = [
        e.difference.p for _, _, e, _ in Drawn(report, rows).entries() if e.difference and e.difference.p is not None
    ]
    corrected = iter(holm(found))
    return Drawn(report, tuple(_corrected(row, corrected) for row in rows))


def _corrected(row: Row, p_values: Iterator[float]) -> Row:
    """The row with its p-values corrected, taken in the order of its entries."""
    return Row(row.at, _all_corrected(row.entries, p_values), _all_corrected(row.source, p_values))


def _all_corrected(entries: Sequence[Entry], p_values: Iterator[float]) -> tuple[Entry, ...]:
    from msgspec.structs import replace

    return tuple(
        replace(e, difference=replace(e.difference, adjusted=next(p_values)))
        if e.difference is not None and e.difference.p is not None
        else e
        for e in entries
    )


def _row(line: Line, level: float, evidence: Evidence) -> Row:
    return Row(
        line.at,
        tuple(_entry(spot, level, evidence) for spot in line.spots),
        tuple(_entry(spot, level, evidence) for spot in line.source),
    )


def _entry(spot: Spot, level: float, evidence: Evidence) -> Entry:
    if spot.shown is None:
        return Entry(spot, None, None, 0, (0, 0), "")
    shown = evidence.mean(spot.shown)
    against = evidence.mean(spot.against) if spot.against is not None else None
    difference = combined([(1.0, shown), (-1.0, against)]) if shown is not None and against is not None else None
    return Entry(
        spot,
        estimate(shown, level) if shown is not None else None,
        estimate(difference, level, tested=True) if difference is not None else None,
        evidence.missing(cells(spot.shown))[0],
        evidence.collapsed(cells(spot.shown)),
        next((cell.selected for cell in cells(spot.shown) if cell.selected), ""),
        any(cell.excluded for cell in cells(spot.shown)),
        evidence.restarted(cells(spot.shown)),
        evidence.gathers(cells(spot.shown)),
        max((effect.seeds for effect in (shown, against) if effect is not None), default=0),
        _beside(spot, evidence),
    )


def _beside(spot: Spot, evidence: Evidence) -> tuple[int, int]:
    if spot.against is None:
        return 0, 0
    return evidence.missing(cells(spot.against))[0], evidence.collapsed(cells(spot.against))[0]


def estimate(effect: Effect, level: float, *, tested: bool = False) -> Estimate:
    """An effect with its interval; where it is `tested`, with the p-value of its being 0."""
    found = components(effect)
    ends = interval(found, level)
    return Estimate(
        found.value,
        ends.low if ends is not None else None,
        ends.high if ends is not None else None,
        effect.seeds,
        len(effect.rows),
        two_sided(found, 0.0) if tested and ends is not None else None,
        variance=Variance(found.seed_part, found.item_part, found.rest) if found.is_known else None,
    )


def asked(spot: Spot) -> tuple[Mean, ...]:
    """The means of a place: what is shown, and what it is compared with."""
    return tuple(mean for mean in (spot.shown, spot.against) if mean is not None)
