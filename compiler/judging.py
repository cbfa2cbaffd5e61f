"""By what checkpoints are judged: dev data of a stage's parts, or of one target (docs/language.md, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.catalog import OF_ANSWERS, SETTINGS
from compiler.check import declared_same, rows_of
from compiler.data import own_of
from compiler.ops import Data, Judge, Key, Own
from compiler.selection import SelectRule, metric_of
from compiler.values import as_real
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from compiler.bag import Bag
    from compiler.data import DataLowering
    from compiler.graph import Graph
    from compiler.settle import Settled, Stage
    from dsl.source import Span


class Judging:
    """Makes judges, and remembers which rows they read."""

    def __init__(self, graph: Graph, data: DataLowering, bag: Bag) -> None:
        self._graph, self._data, self._bag = graph, data, bag

    def of_stage(
        self, stage: Stage, heads: Iterable[int], model: Key, rule: SelectRule, place: Span
    ) -> tuple[Judge, ...] | None:
        """One for each part of a stage, on its dev split in the languages that it trains on; None after a finding."""
        judges: dict[int, Judge] = {}
        for part, head in zip(stage.parts, heads, strict=True):
            data = self._data.dev(part, part, model, part.languages, rule.limit)
            metric = metric_of(rule, part, place, self._bag)
            if data is None or metric is None:
                return None
            judges[head] = _judge(part, head, data, metric)
        return tuple(judges[head] for head in sorted(judges))

    def of_target(
        self, target: Settled, language: str, lengths: Settled, head: int, model: Key, rule: SelectRule, place: Span
    ) -> tuple[Judge, ...] | None:
        """The one that chooses for a target in one language, on its own dev split there; None after a finding."""
        data = self._data.dev(target, lengths, model, (language,), rule.limit)
        metric = metric_of(rule, target, place, self._bag)
        return None if data is None or metric is None else (_judge(target, head, data, metric),)

    def rows(self, judges: Iterable[Judge]) -> frozenset[object]:
        """What judges read, as `rows_of` tells it."""
        ops = [self._graph.nodes[key].op for judge in judges for key in judge.data]
        return frozenset(row for op in ops if isinstance(op, Data) for row in rows_of(op))

    def check_unseen(
        self, judges: tuple[Judge, ...], judged: Sequence[Settled], parts: Iterable[Settled], model: Key, place: Span
    ) -> None:
        """Report dev rows of what is judged that a stage trains on, or that are declared to be the same."""
        read = self.rows(judges)
        part = next((p for p in parts if self._shares(p, read, judged, model)), None)
        if part is not None:
            message = f"the checkpoint is chosen on rows that `{part.task.name}` trains on"
            label = Label(part.span, "trained here")
            hint = "give the task a dev split of other rows, or keep the last checkpoint: `select: last`"
            self._bag.error(codes.CHOSEN_ON_TRAINED, place, message, hint, label)

    def _shares(self, part: Settled, read: frozenset[object], judged: Sequence[Settled], model: Key) -> bool:
        if not read.isdisjoint(self._data.rows_read(part, model)):
            return True
        return any(declared_same(part.task, other.task, "dev") is not None for other in judged)


def _judge(judged: Settled, head: int, data: tuple[Key, ...], metric: str) -> Judge:
    mask = as_real(judged["mask"]) if "mask" in judged.settings else None
    kind = judged.task.kind
    return Judge(kind.name, head, data, metric, kind.metrics[metric].version, mask, _answers(judged))


def _answers(judged: Settled) -> Own | None:
    """How answers are taken from predictions: as a target says, at a stage as the task does."""
    said = {given.key: given.value for given in judged.task.settings} | {
        key: setting.value for key, setting in judged.settings.items()
    }
    return own_of({key: said.get(key, SETTINGS[key].default) for key in OF_ANSWERS if key in judged.task.kind.settings})


BY_FIRST_METRIC = SelectRule()  # how `best {…}` judges its candidates
