"""Scores of cells as quantities: what each item of their predictions gives, read once and from the store alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from compiler.ops import Data, Predict, Score, Select, Train
from runtime.clusters import gathered
from runtime.errors import DamagedObject
from runtime.evidence.collapse import Look, collapsed, look
from runtime.evidence.effects import Effect, combined, of_items, paired, spread, union
from runtime.items import pseudo_values
from runtime.metrics import items, predicted
from runtime.results import threshold_of
from runtime.store.objects import MEASURED

if TYPE_CHECKING:
    from compiler.asked import Group, Mean
    from compiler.ops import Key
    from compiler.plan import Cell, Plan
    from runtime.evidence.effects import Rows, Values
    from runtime.store.objects import Store

_Run = tuple["Key | tuple[Key, ...]", str]  # weights, or what each language chooses from, and benchmark
UNTRAINED = ""  # the seed of a run that trains nothing, where nothing is random


class Given(Struct, frozen=True, eq=False):
    """What the items of one data set give to a score: its mean is the score. Those of one cluster are one."""

    rows: Rows  # (I,)
    values: Values  # (I,)
    gathered: bool = False  # whether several rows are one item


class _Answers(Struct, frozen=True, eq=False):
    kind: str
    table: Any  # of Arrow


class Evidence:
    """The scores of a plan that are there, each read when somebody first asks for it."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self.plan, self.store = plan, store
        self._given: dict[Key, Given | None] = {}
        self._tables: dict[Key, _Answers | None] = {}
        self._collapsed: dict[_Run, str | None] = {}
        self.ops = {n.key: n.op for n in plan.nodes if isinstance(n.op, Score | Predict | Data | Select)}
        scores = [key for key, op in self.ops.items() if isinstance(op, Score)]
        predictions = {op.predictions for op in self.ops.values() if isinstance(op, Score)}
        self.present = store.present((*scores, *predictions))

    # --- means

    def mean(self, of: Mean) -> Effect | None:
        """The mean over seeds, languages, benchmarks; None where one of its groups has no score at all."""
        by_benchmark: dict[str, list[Effect]] = {}
        ranked = _apart(self._rows(of))
        for group in of.groups:
            found = self._group(group, ranked=group.benchmark in ranked)
            if found is None:
                return None
            by_benchmark.setdefault(group.benchmark, []).append(found)
        weights = {name: 1 / (len(by_benchmark) * len(found)) for name, found in by_benchmark.items()}
        return combined([(weights[name], e) for name, found in by_benchmark.items() for e in found])

    def missing(self, of: Iterable[Cell]) -> tuple[int, int]:
        """How many of these scores are not there, and how many they are."""
        keys = {cell.score for cell in of}
        return len([key for key in keys if self.given(key) is None]), len(keys)

    def gathers(self, of: Iterable[Cell]) -> bool:
        """Whether several rows of some of these scores count as one item, as those of one text do."""
        return any(found.gathered for cell in of if (found := self.given(cell.score)) is not None)

    def _rows(self, of: Mean) -> Iterator[tuple[str, Rows]]:
        for group in of.groups:
            for of_seed in group.scores.values():
                if (found := self.given(of_seed[0].score)) is not None:
                    yield group.benchmark, found.rows
                    break

    def _group(self, group: Group, *, ranked: bool) -> Effect | None:
        """The mean over the seeds that have all their scores."""
        found: dict[str, list[Given]] = {}
        for seed, of_seed in group.scores.items():
            if not self._why_left_out(of_seed):
                found[seed] = [g for cell in of_seed if (g := self.given(cell.score)) is not None]
        if not found:
            return None
        rows = union([g.rows for given in found.values() for g in given])  # of pools, those that a seed found
        values = [np.mean([_over(rows, g) for g in given], axis=0) for given in found.values()]
        seeds = () if UNTRAINED in found else tuple(found)
        return of_items(np.arange(len(rows)) if ranked else rows, values, seeds)

    def left_out(self, of: Iterable[Mean]) -> dict[Key, str]:
        """The scores that are there and that none of these means counts, and why."""
        found: dict[Key, str] = {}
        counted: set[Key] = set()
        groups = [group for mean in of for group in mean.groups]
        common = {seed for seeds in paired([self._counted(group) for group in groups]) for seed in seeds}
        for group in groups:
            for seed, of_seed in group.scores.items():
                keys = [cell.score for cell in of_seed if self.given(cell.score) is not None]
                why = self._why_left_out(of_seed)
                if why or seed not in {*common, UNTRAINED}:
                    found |= dict.fromkeys(keys, why or "not all that it is averaged or compared with has its seed")
                else:
                    counted |= set(keys)
        return {key: why for key, why in found.items() if key not in counted}

    def _counted(self, group: Group) -> tuple[str, ...]:
        """The seeds of a group that count in it; none where nothing is trained."""
        return tuple(s for s, of_seed in group.scores.items() if s != UNTRAINED and not self._why_left_out(of_seed))

    def _why_left_out(self, of_seed: Sequence[Cell]) -> str:
        """Why a seed does not count, or nothing."""
        if self.is_left_out(of_seed[0]):
            return "its run is degenerate"
        return "" if all(self.given(cell.score) for cell in of_seed) else "another score of its seed is missing"

    # --- one score

    def given(self, score: Key) -> Given | None:
        """What the items give to a score; None where it, or its predictions, are not there or damaged."""
        if score not in self._given:
            self._given[score] = self._read(score)
        return self._given[score]

    def _read(self, score: Key) -> Given | None:
        op = self.ops.get(score)
        if not isinstance(op, Score) or score not in self.present:
            return None
        answered = self._answers(op.predictions)
        if answered is None:
            return None
        try:
            threshold = threshold_of(self.store, score) if op.has_threshold else None
        except DamagedObject:
            return None
        found = items(answered.kind, op.metric, answered.table, threshold)
        rows, values = gathered(answered.table, found.rows, pseudo_values(found))
        return Given(rows, values, len(rows) < len(found.rows))

    def _answers(self, predictions: Key) -> _Answers | None:
        """The predictions, read once; None where they are not there, or damaged, or those of no network."""
        if predictions not in self._tables:
            op = self.ops.get(predictions)
            found = None
            if isinstance(op, Predict) and predictions in self.present:
                with suppress(DamagedObject):
                    found = _Answers(op.kind, predicted(self.store.read(predictions)))
            self._tables[predictions] = found
        return self._tables[predictions]

    # --- degenerate runs

    def is_left_out(self, cell: Cell) -> bool:
        """Whether the run behind a score is degenerate, and its chain says that such runs count nowhere."""
        return cell.excluded and bool(self.collapse(cell))

    def restarted(self, of: Iterable[Cell]) -> int:
        """How many of the trainings behind some scores, of whichever stage, collapsed and began anew."""
        if not self._restarts:
            return 0
        seen: set[Key] = set()
        left = [self._weights(cell) for cell in of]
        while left:
            key = left.pop()
            if key not in seen:
                seen.add(key)
                left += self._inputs.get(key, ())
        return sum(1 for key in seen if self._restarts.get(key))

    @cached_property
    def _inputs(self) -> dict[Key, tuple[Key, ...]]:
        return {n.key: n.inputs for n in self.plan.nodes}

    def _weights(self, cell: Cell) -> Key:
        op = self.ops[cell.score]
        predict = self.ops.get(op.predictions) if isinstance(op, Score) else None
        return predict.weights if isinstance(predict, Predict) else ""

    @cached_property
    def _restarts(self) -> dict[Key, int]:
        """How often each training that may begin anew did."""
        keys = [n.key for n in self.plan.nodes if isinstance(n.op, Train) and n.op.restarts]
        said = self.store.index.provenance(keys) if keys else {}
        return {key: int(found.get(MEASURED, {}).get("restarts", 0)) for key, found in said.items()}

    def collapsed(self, of: Iterable[Cell]) -> tuple[int, int]:
        """How many of the runs behind some scores are degenerate, and of how many that is told."""
        runs = {self._run(cell): cell for cell in of}
        told = [found for cell in runs.values() if (found := self.collapse(cell)) is not None]
        return sum(1 for found in told if found), len(told)

    def collapse(self, cell: Cell) -> str | None:
        """To what the run behind a score collapsed, "" if it did not; None where its answers tell nothing.

        A run is a checkpoint on one benchmark, or the trainings of which each language chooses its own: whatever is
        done to the texts, it is judged by them as they are.
        """
        run = self._run(cell)
        if run not in self._collapsed:
            mine = self._of_run.get(run, [])
            clean = [cell for cell in mine if self._is_clean(cell)] or mine
            told = [cell for cell in clean if not cell.zero_shot] or clean
            looks = [look for cell in told if (look := self.look(cell)) is not None]
            self._collapsed[run] = collapsed(looks) if looks else None
        return self._collapsed[run]

    def _run(self, cell: Cell) -> _Run:
        weights = self._weights(cell)
        chosen = self.ops.get(weights) if cell.selected else None
        if isinstance(chosen, Select):
            return (*chosen.candidates, *(judge.metric for judge in chosen.judges)), cell.benchmark
        return weights, cell.benchmark

    def _is_clean(self, cell: Cell) -> bool:
        op = self.ops[cell.score]
        predict = self.ops.get(op.predictions) if isinstance(op, Score) else None
        data = self.ops.get(predict.data) if isinstance(predict, Predict) else None
        return not isinstance(data, Data) or data.under is None

    @cached_property
    def _of_run(self) -> dict[_Run, list[Cell]]:
        """The cells of each run, one for each of its predictions."""
        found: dict[_Run, dict[Key, Cell]] = {}
        for cell in self.plan.cells:
            op = self.ops.get(cell.score)
            if isinstance(op, Score) and not cell.baseline:
                found.setdefault(self._run(cell), {}).setdefault(op.predictions, cell)
        return {run: list(of_run.values()) for run, of_run in found.items()}

    def look(self, cell: Cell) -> Look | None:
        """How the answers behind a score are spread; None where they have no labels, or are not there."""
        op = self.ops[cell.score]
        answered = self._answers(op.predictions) if isinstance(op, Score) else None
        return look(answered.kind, answered.table) if answered is not None else None


def _over(rows: Rows, given: Given) -> Values:
    found: Values = spread(given.values[None], given.rows, rows)[0]
    return found


def _apart(rows: Iterable[tuple[str, Rows]]) -> set[str]:
    """The benchmarks whose languages share no row: languages of one file, whose items stand in one order.

    There an item is known by where it stands, else by its row. Items that are the same in no way are not hurt by it:
    independent ones taken together vary as much in expectation.
    """
    first: dict[str, Rows] = {}
    found = set()
    for benchmark, own in rows:
        other = first.setdefault(benchmark, own)
        if not np.array_equal(other, own) and not np.intersect1d(other, own).size:
            found.add(benchmark)
    return found
