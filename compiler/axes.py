"""The axes of an experiment: what its scores differ by, and the values there are (docs/language.md, sections 4, 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from compiler.catalog import BUILT_IN_AXES
from compiler.cells import OF_LANGUAGES, Scored, scores

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from compiler.settle import Run


class Table(Struct, frozen=True):
    """Scores, and what their axes are; built by `table`."""

    rows: tuple[Scored, ...]
    values: Mapping[str, tuple[str, ...]]  # axis -> its values, both in the order of the text
    baselines: Mapping[str, tuple[str, ...]]  # axis -> those of its values that change nothing
    slots: Mapping[str, str]  # axis -> the slot of settings that it sets
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)  # of languages, by name: of whole experiments

    def narrowed(self, axis: str, values: Collection[str]) -> Table:
        """The scores that have one of the values."""
        return table(r for row in self.rows if (r := row.narrowed(axis, values)) is not None)

    def lacking(self, axis: str) -> Table:
        """The scores of runs that do not reach the axis."""
        return table(row for row in self.rows if axis not in row.free and not row.values(axis))

    def pinned(self, pins: Mapping[str, Collection[str]]) -> Table:
        """The scores that are left by all pins: a run that does not reach an axis is left out by a pin of it."""
        found = self
        for axis, values in pins.items():
            found = found.narrowed(axis, values)
        return found

    def baseline(self, pins: Mapping[str, Collection[str]], axis: str, value: str) -> Table:
        """What pinned scores are compared with: those with a value of `axis`.

        Unlike others, a run of the baseline that does not reach the axis of some choice is not left out by its pin.
        """
        found = self.narrowed(axis, (value,))
        for other in pins.keys() - {axis}:
            beside = found.lacking(other).rows if other not in BUILT_IN_AXES else ()
            found = table((*found.narrowed(other, pins[other]).rows, *beside))
        return found

    def is_averaged(self, axis: str) -> bool:
        """Whether an axis that is neither shown nor pinned is averaged: seeds, languages, benchmarks."""
        return self.is_seed(axis) or axis == "benchmark" or axis in OF_LANGUAGES

    def is_seed(self, axis: str) -> bool:
        """Whether it is `seed`, or the seed of one stage."""
        return self.slots.get(axis) == "seed"

    def open(self, shown: Collection[str]) -> tuple[str, ...]:
        """The axes of which one cell would hold several values; a cell has one value of each axis that is `shown`.

        What is averaged, `metric`, and what is decided by the axes that are shown is not open.
        """
        known: dict[tuple[object, ...], str] = {}
        found: set[str] = set()
        apart = tuple(axis for axis in self.values if axis in shown)
        for row in self.rows:
            cell = tuple(row.taken.get(axis) for axis in apart)
            found |= {axis for axis, value in row.taken.items() if known.setdefault((axis, *cell), value) != value}
        return tuple(a for a in self.values if a in found and a not in shown and not self.is_averaged(a))


def table(rows: Iterable[Scored]) -> Table:
    """The scores with their axes: those of models and stages first, languages and metrics last."""
    kept = tuple(rows)
    values: dict[str, dict[str, bool]] = {}
    slots: dict[str, str] = {}
    for row in kept:
        slots.update(row.slots)
        for axis in row.axes():
            known = values.setdefault(axis, {})
            for value in row.values(axis):
                known[value] = known.get(value, False) or axis in row.neutral
    order = sorted(values, key=lambda axis: _LAST.get(axis, -1))
    baselines = {a: tuple(v for v, neutral in values[a].items() if neutral) for a in order}
    return Table(kept, {a: tuple(values[a]) for a in order}, {a: b for a, b in baselines.items() if b}, slots)


_LAST = {axis: n for n, axis in enumerate(("benchmark", *OF_LANGUAGES, "seed", "under", "chain", "after", "metric"))}


def tables(runs: Iterable[Run], groups: Mapping[str, Collection[str]]) -> dict[str, Table]:
    """The scores of each experiment by its label, in the order of the text; `#2` is the second, which has none.

    By the names of the groups languages can be pinned.
    """
    rows: dict[str, list[Scored]] = {}
    for run in runs:
        rows.setdefault(run.experiment, []).extend(scores(run))
    return {label: replace(table(found), groups=groups) for label, found in rows.items()}


def joined(several: Mapping[str, Table]) -> Table:
    """The scores of several experiments in one table, in which they are values of the axis `chain`."""
    if len(several) == 1:
        return next(iter(several.values()))
    rows = (row for found in several.values() for row in found.rows)
    whole = table(replace(row, taken={**row.taken, "chain": row.experiment}) for row in rows)
    return replace(whole, groups=next((found.groups for found in several.values()), {}))
