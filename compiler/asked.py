"""What a spec asks of its scores, in terms of cells: all that is left to do is to look at their predictions.

Whatever needs the text is settled here: which scores are averaged, what they are compared with, which languages count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from compiler.plan import Cell, Place

At = tuple[tuple[str, str], ...]  # axis -> value


class Group(Struct, frozen=True):
    """One benchmark in one language: a score for each seed, of several metrics the mean of theirs."""

    benchmark: str
    language: str
    scores: Mapping[str, tuple[Cell, ...]]  # seed ("" where nothing is trained) -> the cells that count as one


class Mean(Struct, frozen=True):
    """The mean over seeds, then over languages, then over benchmarks."""

    groups: tuple[Group, ...]


def cells(of: Mean) -> Iterator[Cell]:
    """Every cell that a mean is of."""
    yield from (cell for group in of.groups for of_seed in group.scores.values() for cell in of_seed)


class Number(Struct, frozen=True):
    """A number of the claim, as a fraction where scores are proportions."""

    value: float


class Sum(Struct, frozen=True):
    """Weighted terms."""

    terms: tuple[tuple[float, Expression], ...]


class Extreme(Struct, frozen=True):
    """`worst`, `best` or `spread` of members, by the values of the axis that is gone over."""

    which: str
    axis: str
    members: tuple[tuple[str, Expression], ...]


class Quotient(Struct, frozen=True):
    """`retained`: a share of the clean score."""

    above: Expression
    below: Expression


class Correlation(Struct, frozen=True):
    """Pearson's r of members, by language, with distances."""

    members: tuple[tuple[str, float, Expression], ...]


Expression = Mean | Number | Sum | Extreme | Quotient | Correlation


class Comparison(Struct, frozen=True):
    """`left > right`, for one combination of the values that a claim goes through."""

    at: At
    left: Expression
    right: Expression


class Claimed(Struct, frozen=True):
    """A claim: its comparison for every combination of values, or for some."""

    title: str
    text: str  # of the comparison, as it is written
    place: Place
    expected: str  # "supported", "refuted" or "undecided"
    quantifier: str  # "every", "some", or "" where there is one comparison
    axes: tuple[str, ...]  # that are gone through
    comparisons: tuple[Comparison, ...]
    sign: str  # ">", ">=", "<" or "<="
    level: float
    unit: str  # of its two sides: "points", or as `compiler.units` calls it
    is_difference: bool  # whether its sides differ by differences of scores, and not by a score itself
    seeds: int | None  # the fewest with which a run in it is trained; None where nothing is


class Spot(Struct, frozen=True):
    """One place of a report's table: what is shown, and the same of the baseline; None where there is nothing."""

    shown: Mean | None
    against: Mean | None


class Line(Struct, frozen=True):
    """A row of a report's table."""

    at: At
    spots: tuple[Spot, ...]  # empty in the line of a source language
    source: tuple[Spot, ...]  # the same in the source language, or that line itself; else empty


class Column(Struct, frozen=True):
    """A column, by its values; of what is averaged `mean`, of languages the source apart."""

    at: At
    sort: str = ""  # "mean" over what the other columns show; a language: the "source", or "trained" on by some line


class PublishedLine(Struct, frozen=True):
    """Scores that somebody published, by the columns of a report; None where nothing is."""

    system: str
    source: str
    scores: tuple[float | None, ...]  # as printed: proportions in points


class Reported(Struct, frozen=True):
    """A report as a table."""

    title: str
    place: Place
    rows: tuple[str, ...]  # axes
    columns: tuple[str, ...]
    heads: tuple[Column, ...]
    lines: tuple[Line, ...]
    metrics: tuple[str, ...]  # what the scores are: one metric, or of each benchmark its own
    baseline: tuple[str, str] | None  # axis and value
    level: float
    forms: tuple[str, ...]  # "table", "heatmap"
    pins: At  # what `where` says
    published: tuple[PublishedLine, ...]
    everywhere: bool  # whether means are over all languages, not over the zero-shot ones
