"""Runs to nodes: equal work becomes one node, however many runs ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler import codes
from compiler.check import check_contamination, rows_of, trained_languages
from compiler.heads import answering, kept
from compiler.keys import METRIC_VERSION, is_pinned, key_of, preimage
from compiler.mixes import MixRule, mix_of, weights_of
from compiler.ops import Data, Key, Limit, Mix, Model, Op, Part, Predict, Rows, Score, Train, Vectors, inputs
from compiler.parts import Ordered, ordered
from compiler.plan import Cell, Device, Node, Place, Plan, Route, Step
from compiler.settle import Run, Setting, Settings, Settled, Stage
from compiler.titles import called, title_of
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.bag import Bag
    from compiler.declare import TaskDecl
    from compiler.locate import Locator
    from compiler.reading import Reading
    from compiler.values import Scalar
    from dsl.source import Span


def place(span: Span) -> Place:
    """A span as a place that outlives the text."""
    line = span.source.line(span.line)
    width = max(1, min(span.end - span.start, len(line) - span.column + 1))
    return Place(span.source.name, span.line, span.column, width, line)


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights node, and which of its heads each part of the stage behind it trained."""

    key: Key
    heads: tuple[tuple[Settled, int], ...]

    def head(self, part: Settled) -> int:
        """The index of a part's head."""
        return next(index for trained, index in self.heads if trained is part)


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
        self._split_there: dict[tuple[Span, tuple[str, ...], str], bool] = {}
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
        weights, title, steps = Weights(model, ()), run.model.name, [Step(run.model.name, model, "")]
        for stage in run.stages:
            title = f"{title} -> {called(stage)}"
            trained = self._train(stage, weights, model, f"{title} (seed {stage['seed']})")
            if trained is None:
                return
            steps.append(Step(title_of(stage), trained.key, str(stage["seed"])))
            weights = trained
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

    def _train(self, stage: Stage, parent: Weights, model: Key, label: str) -> Weights | None:
        data = [self._part_data(part, model) for part in stage.parts]
        known = [(part, keys) for part, keys in zip(stage.parts, data, strict=True) if keys is not None]
        if len(known) < len(data):
            return None
        rule = stage["mix"] if isinstance(stage["mix"], MixRule) else None
        written = [_part(part, keys, parent) for part, keys in known]
        found = ordered(written, weights_of(rule, [part.task.name for part in stage.parts]))
        mix = mix_of(rule, found.weights, [len(part.data) for part in found.parts])
        key = self._enter(self._train_op(stage, parent.key, found, mix), label, stage.span, self._stage_places(stage))
        return Weights(key, tuple(zip(stage.parts, found.head_of, strict=True)))

    def _train_op(self, stage: Stage, parent: Key, found: Ordered, mix: Mix | None) -> Train:
        length = stage.settings["epochs"]
        return Train(
            parent=parent,
            parts=found.parts,
            mix=mix,
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
            precision=self._precision(stage.settings["precision"]),
        )

    def _part_data(self, part: Settled, model: Key) -> tuple[Key, ...] | None:
        """The data of a part of a stage, one key a language; None after a finding."""
        if not self._has_split(part, "train"):
            return None
        keys = [self._data_node(part, model, c, "train", part, scored=False) for c in part.languages]
        found = tuple(k for k in keys if k is not None)
        return found if len(found) == len(keys) else None

    def _has_split(self, part: Settled, split: str) -> bool:
        """Whether the data have the split in all languages; one message tells of all in which they do not."""
        known = (part.task.span, part.languages, split)
        if known not in self._split_there:
            lacking = [c for c in part.languages if split not in self._splits(part.task, c)]
            self._split_there[known] = not lacking
            if lacking:
                self._no_split(part, lacking, split)
        return self._split_there[known]

    def _splits(self, task: TaskDecl, language: str) -> tuple[str, ...]:
        return self.locator.splits(task.reading_of(language).sources, language, task.code_of(language))

    def _sources(self, task: TaskDecl, split: str, language: str) -> tuple[tuple[str, tuple[Rows, ...]], ...] | None:
        """The rows of each source by its name, in the order that matters to a join alone; None after a finding."""
        reading, code = task.reading_of(language), task.code_of(language)
        found: list[tuple[str, tuple[Rows, ...]]] = []
        for named in reading.data:
            rows = [self.locator.rows(source, split, language, code) for source in named.parts]
            found.append((named.name, tuple(r for r in rows if r is not None)))
            if None in rows:
                return None
        return tuple(found if reading.join else sorted(found, key=lambda n: n[0]))

    def _data_node(
        self, part: Settled, model: Key, language: str, split: str, lengths: Settled, *, scored: bool
    ) -> Key | None:
        task, limit = part.task, part["limit"]
        max_length, prefix = _whole(lengths["max-length"]), _text(part["prefix"]) if "prefix" in part.settings else ""
        known = (task.span, model, language, split, max_length, prefix, limit, scored)
        if known not in self._data:
            self._data[known] = None
            if not self._fits(model, lengths):
                return None
            sources, reading = self._sources(task, split, language), task.reading_of(language)
            if sources is None:
                return None
            op = Data(
                model=model,
                kind=task.kind.name,
                sources=sources,
                join=reading.join.text if reading.join else None,
                filter=reading.filter.text if reading.filter else None,
                language=language,
                code=task.code_of(language),
                split=split,
                fields=tuple((f.name, f.template) for f in reading.input),
                labels=task.labels,
                max_length=max_length,
                prefix=prefix,
                limit=limit if isinstance(limit, Limit) else None,
                scored=scored,
            )
            places = self._data_places(part, reading, lengths)
            self._data[known] = self._enter(op, f"data {task.name} {split}[{language}]", part.name_span, places)
        return self._data[known]

    def _fits(self, model: Key, lengths: Settled) -> bool:
        """Whether `max-length` lies within the model's positions, as far as these are known here."""
        op, length = self.nodes[model].op, _whole(lengths["max-length"])
        positions = self.locator.shape(op.source).positions if isinstance(op, Model) else None
        if positions is None or length <= positions:
            return True
        said = lengths.settings["max-length"].place
        span = said if said is not None and said.source is lengths.span.source else lengths.span
        message = f"`max-length` is {length}, and the model has {positions} positions"
        self.bag.error(codes.WRONG_VALUE, span, message, f"set `max-length: {positions}` or less")
        return False

    def _has_layer(self, model: Key, target: Settled) -> bool:
        """Whether the model has the `layer`, as far as its layers are known here."""
        op, layer = self.nodes[model].op, target["layer"] if "layer" in target.settings else None
        layers = self.locator.shape(op.source).layers if isinstance(op, Model) and layer is not None else None
        if layer is None or layers is None or _whole(layer) <= layers:
            return True
        said = target.settings["layer"].place
        span = said if said is not None and said.source is target.span.source else target.span
        message = f"`layer` is {layer}, and the model has {layers}"
        hint = f"`layer: 0` is the output of the embeddings, `layer: {layers}` the last"
        self.bag.error(codes.WRONG_VALUE, span, message, hint)
        return False

    def _data_places(self, part: Settled, reading: Reading, lengths: Settled) -> Mapping[str, Place]:
        """Where each thing that the data's key holds was said."""
        said = {f"input.{f.name}": f.span for f in reading.input}
        said |= {"data": reading.sources[0].span, "input": reading.input[0].span}
        said |= {key: w.span for key, w in (("join", reading.join), ("filter", reading.filter)) if w is not None}
        for key, owner in (("max-length", lengths), ("limit", part), ("split", part), ("prefix", part)):
            setting = owner.settings.get(key)
            if setting is not None and setting.place is not None:
                said[key] = setting.place
        return {key: self._place(span) for key, span in said.items()}

    def _no_split(self, part: Settled, lacking: list[str], split: str) -> None:
        data, code = part.task.reading_of(lacking[0]).sources, part.task.code_of(lacking[0])
        there = ", ".join(self.locator.splits(data, lacking[0], code)) or "no split at all"
        why = "a stage needs one" if split == "train" else "a target is scored on it"
        message = f"`{part.task.name}` has no {split} split in {', '.join(f'`{c}`' for c in lacking)}; {why}"
        missing = self.locator.expected(data, split, lacking[0], code)
        hint = f"its data have: {there}" + (f"; {missing}" if missing else "")
        self.bag.error(codes.NO_SPLIT, part.name_span, message, hint, Label(data[0].span, "its data"))

    def _target(self, run: Run, target: Settled, weights: Weights, model: Key, title: str) -> Iterable[Step]:
        part = _answering(run, target)
        lengths = target if part is None or target.settings["max-length"].place is not None else part
        own = target.settings["precision"]
        precision = own if part is None or own.place is not None else run.stages[-1].settings["precision"]
        said = precision.place
        places = {**self._setting_places(target.settings), **({"precision": self._place(said)} if said else {})}
        split = self._target_split(target)
        if not self._has_split(target, split) or not self._has_layer(model, target):
            return
        for language in target.languages:
            data = self._data_node(target, model, language, split, lengths, scored=True)
            if data is None:
                continue
            self._check_contamination(run, target, model, data)
            mask = _real(target["mask"]) if "mask" in target.settings else None
            kind, head = target.task.kind.name, weights.head(part) if part is not None else None
            precision_ = self._precision(precision)
            predict = Predict(weights.key, data, kind, head, precision_, mask, _vectors(target))
            seed = _last_seed(run)
            name = f"{title} @ {target.task.name}[{language}]" + (f" (seed {seed})" if seed else "")
            predictions = self._enter(predict, f"predict {name}", target.span, places)
            self.naive += 1
            for metric in target.task.metrics:
                op = Score(predictions, metric, METRIC_VERSION[metric])
                score = self._enter(op, f"{metric} {name}", target.span, {})
                self.cells.append(_cell(run, target, language, metric, score))
                yield Step(target.task.name, score, seed)

    def _check_contamination(self, run: Run, target: Settled, model: Key, data: Key) -> None:
        scored = self.nodes[data].op
        for part in (p for stage in run.stages for p in stage.parts):
            if isinstance(scored, Data):
                check_contamination(part, self._rows_read(part, model), target, scored, self.bag)

    def _rows_read(self, part: Settled, model: Key) -> frozenset[object]:
        keys = self._part_data(part, model) or ()
        if keys not in self._rows:
            ops = [self.nodes[k].op for k in keys]
            self._rows[keys] = frozenset(r for op in ops if isinstance(op, Data) for r in rows_of(op))
        return self._rows[keys]

    def _target_split(self, target: Settled) -> str:
        stated = target["split"] or target.task.split
        if stated is not None:
            return _text(stated)
        there = {s for c in target.languages for s in self._splits(target.task, c)}
        return "test" if "test" in there else "dev"

    def _precision(self, setting: Setting) -> str:
        precision = _text(setting.value)
        if precision == "auto":
            return "bf16" if self.device.bf16 else "fp32"
        return precision

    def _setting_places(self, settings: Settings) -> Mapping[str, Place]:
        return {s.key: self._place(s.place) for s in settings.values() if s.place is not None}

    def _stage_places(self, stage: Stage) -> Mapping[str, Place]:
        """Where each setting of a training was said; of one key in several parts the first."""
        places: dict[str, Place] = {}
        for settings in (stage.settings, *(part.settings for part in stage.parts)):
            places = {**self._setting_places(settings), **places}
        return places

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
        seed="/".join(seeds) or _last_seed(run),
        benchmark=target.task.name,
        language=language,
        metric=metric,
        zero_shot=language not in trained,
        score=score,
        skips=tuple(t.axis for t in run.axes.values() if t.skip),
    )


def _answering(run: Run, target: Settled) -> Settled | None:
    """The part of the last stage whose head answers; None for a kind that needs no head."""
    if not target.task.kind.trains:
        return None
    (part,) = answering(run.stages[-1].parts, target.task)
    return part


def _last_seed(run: Run) -> str:
    """The seed of the last stage; nothing is random where nothing is trained."""
    return str(run.stages[-1]["seed"]) if run.stages else ""


def _vectors(target: Settled) -> Vectors | None:
    if "pool" not in target.settings:
        return None
    layer = target["layer"]
    return Vectors(None if layer is None else _whole(layer), _text(target["pool"]), _text(target["similarity"]))


def _part(part: Settled, data: tuple[Key, ...], parent: Weights) -> Part:
    keeps = kept([p for p, _ in parent.heads], part) if part["head"] == "keep" else ()
    return Part(
        kind=part.task.kind.name,
        labels=part.task.labels,
        data=data,
        head=parent.head(keeps[0]) if keeps else "new",
        mask=_real(part["mask"]) if "mask" in part.settings else None,
    )


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
