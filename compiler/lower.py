"""Runs to nodes: equal work becomes one node, however many runs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.check import check_contamination, rows_of, trained_languages
from compiler.keys import METRIC_VERSION, is_pinned, key_of, preimage
from compiler.ops import Data, Key, Limit, Model, Op, Predict, Score, Scratch, Train, inputs
from compiler.plan import Cell, Device, Node, Place, Plan, Route, Step
from compiler.settle import Run, Settled
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.bag import Bag
    from compiler.locate import Locator
    from compiler.values import Scalar
    from dsl.source import Span


def place(span: Span) -> Place:
    """A span as a place that outlives the text."""
    line = span.source.line(span.line)
    width = max(1, min(span.end - span.start, len(line) - span.column + 1))
    return Place(span.source.name, span.line, span.column, width, line)


class Lowering:
    """Collects nodes by key; a node is entered after its inputs, so the order is topological."""

    def __init__(self, locator: Locator, device: Device, bag: Bag) -> None:
        self.locator, self.device, self.bag = locator, device, bag
        self.nodes: dict[Key, Node] = {}
        self.cells: list[Cell] = []
        self.routes: list[Route] = []
        self.naive = 0
        self._models: dict[Span, Key | None] = {}
        self._data: dict[tuple[object, ...], Key | None] = {}
        self._places: dict[Span, Place] = {}
        self._split_there: dict[tuple[str, tuple[str, ...], str], bool] = {}
        self._rows: dict[tuple[Key, ...], frozenset[object]] = {}

    def plan(self, spec: str, runs: Iterable[Run]) -> Plan:
        """The plan of all runs."""
        for run in runs:
            self._run(run)
        nodes = tuple(self.nodes.values())
        files = dict(self.locator.files)
        hub = dict(self.locator.hub)
        return Plan(spec, self.device, nodes, tuple(self.cells), tuple(self.routes), files, hub, self.naive)

    def _run(self, run: Run) -> None:
        model = self._model(run)
        if model is None:
            return
        weights, title, steps = model, run.model.name, [Step(run.model.name, model, "")]
        for stage in run.stages:
            title = f"{title} -> {_called(stage)}"
            key = self._train(stage, weights, model, f"{title} (seed {stage['seed']})")
            if key is None:
                return
            steps.append(Step(_title(stage), key, str(stage["seed"])))
            weights = key
            self.naive += 1
        targets = [s for t in run.targets for s in self._target(run, t, weights, model, title)]
        self.routes.append(Route(tuple(steps), tuple(targets)))

    def _model(self, run: Run) -> Key | None:
        span = run.model.weights.span
        if span not in self._models:
            source = self.locator.model(run.model.weights)
            self._models[span] = None
            if source is not None:
                places = {"weights": self._place(span)}
                self._models[span] = self._enter(Model(source), run.model.name, run.model_span, places)
        return self._models[span]

    def _train(self, stage: Settled, parent: Key, model: Key, label: str) -> Key | None:
        data = self._stage_data(stage, model)
        if data is None:
            return None
        length = stage.settings["epochs"]
        op = Train(
            parent=parent,
            data=data,
            kind=stage.task.kind.name,
            labels=stage.task.labels,
            head=_text(stage["head"]),
            length=(length.key, _whole(length.value)),
            batch=_whole(stage["batch"]),
            lr=_real(stage["lr"]),
            warmup=_number(stage["warmup"]),
            schedule=_text(stage["schedule"]),
            weight_decay=_real(stage["weight-decay"]),
            eps=_real(stage["eps"]),
            clip=_real(stage["clip"]),
            optimizer=_text(stage["optimizer"]),
            dropout=None if stage["dropout"] is None else _real(stage["dropout"]),
            seed=_whole(stage["seed"]),
            precision=self._precision(stage),
            mask=_real(stage["mask"]) if "mask" in stage.settings else None,
        )
        return self._enter(op, label, stage.span, self._setting_places(stage))

    def _stage_data(self, stage: Settled, model: Key) -> tuple[Key, ...] | None:
        """The data of a stage, one key a language; None after a finding."""
        if not self._has_split(stage, "train"):
            return None
        keys = [self._data_node(stage, model, c, "train", stage, scored=False) for c in stage.languages]
        found = tuple(k for k in keys if k is not None)
        return found if len(found) == len(keys) else None

    def _has_split(self, part: Settled, split: str) -> bool:
        """Whether the data have the split in all languages; one message tells of all in which they do not."""
        known = (part.task.name, part.languages, split)
        if known not in self._split_there:
            lacking = [c for c in part.languages if split not in self.locator.splits(part.task.data, c)]
            self._split_there[known] = not lacking
            if lacking:
                self._no_split(part, lacking, split)
        return self._split_there[known]

    def _data_node(
        self, part: Settled, model: Key, language: str, split: str, lengths: Settled, *, scored: bool
    ) -> Key | None:
        task, limit = part.task, part["limit"]
        max_length = _whole(lengths["max-length"])
        known = (task.name, model, language, split, max_length, limit, scored)
        if known not in self._data:
            self._data[known] = None
            if not self._fits(model, lengths):
                return None
            rows = [self.locator.rows(source, split, language) for source in task.data]
            if None in rows:
                return None
            op = Data(
                model=model,
                kind=task.kind.name,
                rows=tuple(r for r in rows if r is not None),
                language=language,
                split=split,
                fields=tuple((f.name, f.template) for f in task.input),
                labels=task.labels,
                max_length=max_length,
                limit=limit if isinstance(limit, Limit) else None,
                scored=scored,
            )
            places = self._data_places(part, lengths)
            self._data[known] = self._enter(op, f"data {task.name} {split}[{language}]", part.name_span, places)
        return self._data[known]

    def _fits(self, model: Key, lengths: Settled) -> bool:
        """Whether `max-length` lies within the positions of a model from scratch; others' are not known here."""
        op, length = self.nodes[model].op, _whole(lengths["max-length"])
        if not isinstance(op, Model) or not isinstance(op.source, Scratch) or length <= op.source.positions:
            return True
        said = lengths.settings["max-length"].place
        span = said if said is not None and said.source is lengths.span.source else lengths.span
        message = f"`max-length` is {length}, and the model has {op.source.positions} positions"
        hint = f"set `max-length: {op.source.positions}` or less, or give the model more `positions`"
        self.bag.error(codes.WRONG_VALUE, span, message, hint)
        return False

    def _data_places(self, part: Settled, lengths: Settled) -> Mapping[str, Place]:
        """Where each thing that the data's key holds was said."""
        said = {f"input.{f.name}": f.span for f in part.task.input}
        said |= {"data": part.task.data[0].span, "input": part.task.input[0].span}
        for key, owner in (("max-length", lengths), ("limit", part), ("split", part)):
            setting = owner.settings.get(key)
            if setting is not None and setting.place is not None:
                said[key] = setting.place
        return {key: self._place(span) for key, span in said.items()}

    def _no_split(self, part: Settled, lacking: list[str], split: str) -> None:
        data = part.task.data
        there = ", ".join(self.locator.splits(data, lacking[0])) or "no split at all"
        why = "a stage needs one" if split == "train" else "a target is scored on it"
        message = f"`{part.task.name}` has no {split} split in {', '.join(f'`{c}`' for c in lacking)}; {why}"
        missing = self.locator.expected(data, split, lacking[0])
        hint = f"its data have: {there}" + (f"; {missing}" if missing else "")
        self.bag.error(codes.NO_SPLIT, part.name_span, message, hint, Label(data[0].span, "its data"))

    def _target(self, run: Run, target: Settled, weights: Key, model: Key, title: str) -> Iterable[Step]:
        stage = run.stages[-1]
        lengths = target if target.settings["max-length"].place is not None else stage
        precision = target if target.settings["precision"].place is not None else stage
        said = precision.settings["precision"].place
        places = {**self._setting_places(target), **({"precision": self._place(said)} if said else {})}
        split = self._target_split(target)
        if not self._has_split(target, split):
            return
        for language in target.languages:
            data = self._data_node(target, model, language, split, lengths, scored=True)
            if data is None:
                continue
            self._check_contamination(run, target, model, data)
            mask = _real(target["mask"]) if "mask" in target.settings else None
            predict = Predict(weights, data, target.task.kind.name, self._precision(precision), mask)
            seed = str(stage["seed"])
            name = f"{title} @ {target.task.name}[{language}] (seed {seed})"
            predictions = self._enter(predict, f"predict {name}", target.span, places)
            self.naive += 1
            for metric in target.task.metrics:
                op = Score(predictions, metric, METRIC_VERSION[metric])
                score = self._enter(op, f"{metric} {name}", target.span, {})
                self.cells.append(_cell(run, target, language, metric, score))
                yield Step(target.task.name, score, seed)

    def _check_contamination(self, run: Run, target: Settled, model: Key, data: Key) -> None:
        scored = self.nodes[data].op
        for stage in run.stages:
            if isinstance(scored, Data):
                check_contamination(stage, self._rows_read(stage, model), target, scored, self.bag)

    def _rows_read(self, stage: Settled, model: Key) -> frozenset[object]:
        keys = self._stage_data(stage, model) or ()
        if keys not in self._rows:
            ops = [self.nodes[k].op for k in keys]
            self._rows[keys] = frozenset(r for op in ops if isinstance(op, Data) for r in rows_of(op))
        return self._rows[keys]

    def _target_split(self, target: Settled) -> str:
        stated = target["split"] or target.task.split
        if stated is not None:
            return _text(stated)
        there = {s for c in target.languages for s in self.locator.splits(target.task.data, c)}
        return "test" if "test" in there else "dev"

    def _precision(self, part: Settled) -> str:
        precision = _text(part["precision"])
        if precision == "auto":
            return "bf16" if self.device.bf16 else "fp32"
        return precision

    def _setting_places(self, part: Settled) -> Mapping[str, Place]:
        return {s.key: self._place(s.place) for s in part.settings.values() if s.place is not None}

    def _place(self, span: Span) -> Place:
        if span not in self._places:
            self._places[span] = place(span)
        return self._places[span]

    def _enter(self, op: Op, label: str, span: Span, places: Mapping[str, Place]) -> Key:
        record = preimage(op)
        key = key_of(record)
        if key not in self.nodes:
            pinned = is_pinned(op) and all(self.nodes[k].pinned for k in inputs(op))
            self.nodes[key] = Node(key, op, record, label, pinned, self._place(span), places)
        return key


def _cell(run: Run, target: Settled, language: str, metric: str, score: Key) -> Cell:
    axes = [(t.axis, t.value) for t in run.axes.values() if t.axis != "seed" and not t.axis.endswith(".seed")]
    if all(axis != "model" for axis, _ in axes):
        axes.insert(0, ("model", run.model.name))
    seeds = [t.value for t in run.axes.values() if t.axis == "seed" or t.axis.endswith(".seed")]
    trained = trained_languages(run, target)
    return Cell(
        experiment=run.experiment,
        axes=tuple(axes),
        seed="/".join(seeds) or str(run.stages[-1]["seed"]),
        benchmark=target.task.name,
        language=language,
        metric=metric,
        zero_shot=language not in trained,
        score=score,
        skips=tuple(t.axis for t in run.axes.values() if t.skip),
    )


def _called(stage: Settled) -> str:
    """The stage with those of its settings that are one of a choice: what tells two trainings of it apart."""
    chosen = [f"{s.key}: {s.chosen}" for slot, s in stage.settings.items() if s.chosen and slot != "seed"]
    return f"{_title(stage)}({', '.join(chosen)})" if chosen else _title(stage)


def _title(stage: Settled) -> str:
    if stage.languages == (stage.task.source,):
        return stage.task.name
    return f"{stage.task.name}[{', '.join(stage.languages)}]"


# The table of settings promises these types (compiler.catalog); a broken promise is a bug of ours.


def _whole(value: Scalar | None) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _real(value: Scalar | None) -> float:
    if not isinstance(value, float | int):
        raise TypeError(value)
    return float(value)


def _number(value: Scalar | None) -> float | int:
    if not isinstance(value, float | int):
        raise TypeError(value)
    return value


def _text(value: Scalar | None) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
