"""Runs to nodes: equal work becomes one node, however many runs ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler import codes
from compiler.baselines import Baselines, Question
from compiler.check import check_contamination, trained_languages
from compiler.data import DataLowering, under_of
from compiler.graph import Graph
from compiler.heads import answering, kept
from compiler.keys import METRIC_VERSION
from compiler.mixes import MixRule, mix_of, weights_of
from compiler.ops import Data, Key, Mix, Model, Part, Predict, Score, Train, Vectors
from compiler.parts import Ordered, ordered
from compiler.perturbations import CLEAN, perturbation_name
from compiler.plan import Cell, Device, Place, Plan, Route, Step
from compiler.settle import Run, Setting, Settings, Settled, Stage
from compiler.titles import called, title_of
from compiler.values import as_number, as_real, as_text, as_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.bag import Bag
    from compiler.locate import Locator
    from dsl.source import Span


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
        self.graph = Graph()
        self.data = DataLowering(self.graph, locator, bag)
        self.baselines = Baselines(self.graph)
        self.cells: list[Cell] = []
        self.routes: list[Route] = []
        self.naive = 0
        self._models: dict[Span, Key | None] = {}

    def plan(self, spec: str, runs: Iterable[Run]) -> Plan:
        """The plan of all runs."""
        for run in runs:
            self._run(run)
        nodes = tuple(self.graph.nodes.values())
        files = dict(self.locator.files)
        hub = dict(self.locator.hub)
        cells, routes = (*self.cells, *self.baselines.cells()), (*self.routes, *self.baselines.routes())
        return Plan(spec, self.device, nodes, cells, routes, files, hub, self.naive + self.baselines.naive)

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
                places = {"weights": self.graph.place(span)}
                self._models[span] = self.graph.enter(Model(source), run.model.name, run.model_span, places)
        return self._models[span]

    def _train(self, stage: Stage, parent: Weights, model: Key, label: str) -> Weights | None:
        data = [self.data.of_part(part, model) for part in stage.parts]
        known = [(part, keys) for part, keys in zip(stage.parts, data, strict=True) if keys is not None]
        if len(known) < len(data):
            return None
        rule = stage["mix"] if isinstance(stage["mix"], MixRule) else None
        written = [_part(part, keys, parent) for part, keys in known]
        found = ordered(written, weights_of(rule, [part.task.name for part in stage.parts]))
        mix = mix_of(rule, found.weights, [len(part.data) for part in found.parts])
        key = self.graph.enter(
            self._train_op(stage, parent.key, found, mix), label, stage.span, self._stage_places(stage)
        )
        return Weights(key, tuple(zip(stage.parts, found.head_of, strict=True)))

    def _train_op(self, stage: Stage, parent: Key, found: Ordered, mix: Mix | None) -> Train:
        length = stage.settings["epochs"]
        return Train(
            parent=parent,
            parts=found.parts,
            mix=mix,
            length=(length.key, as_whole(length.value)),
            batch=as_whole(stage["batch"]),
            lr=as_real(stage["lr"]),
            warmup=as_number(stage["warmup"]),
            schedule=as_text(stage["schedule"]),
            weight_decay=as_real(stage["weight-decay"]),
            eps=as_real(stage["eps"]),
            clip=as_real(stage["clip"]),
            optimizer=as_text(stage["optimizer"]),
            dropout=None if stage["dropout"] is None else as_real(stage["dropout"]),
            seed=as_whole(stage["seed"]),
            precision=self._precision(stage.settings["precision"]),
        )

    def _has_layer(self, model: Key, target: Settled) -> bool:
        """Whether the model has the `layer`, as far as its layers are known here."""
        op, layer = self.graph.nodes[model].op, target["layer"] if "layer" in target.settings else None
        layers = self.locator.shape(op.source).layers if isinstance(op, Model) and layer is not None else None
        if layer is None or layers is None or as_whole(layer) <= layers:
            return True
        said = target.settings["layer"].place
        span = said if said is not None and said.source is target.span.source else target.span
        message = f"`layer` is {layer}, and the model has {layers}"
        hint = f"`layer: 0` is the output of the embeddings, `layer: {layers}` the last"
        self.bag.error(codes.WRONG_VALUE, span, message, hint)
        return False

    def _target(self, run: Run, target: Settled, weights: Weights, model: Key, title: str) -> Iterable[Step]:
        part = _answering(run, target)
        lengths = target if part is None or target.settings["max-length"].place is not None else part
        own = target.settings["precision"]
        precision = own if part is None or own.place is not None else run.stages[-1].settings["precision"]
        said = precision.place
        places = {**self._setting_places(target.settings), **({"precision": self.graph.place(said)} if said else {})}
        split = self.data.target_split(target)
        if not self.data.has_split(target, split) or not self._has_layer(model, target):
            return
        for language in target.languages:
            data = self.data.node(target, model, language, split, lengths, scored=True)
            if data is None:
                continue
            self._check_contamination(run, target, model, data)
            mask = as_real(target["mask"]) if "mask" in target.settings else None
            kind, head = target.task.kind.name, weights.head(part) if part is not None else None
            precision_ = self._precision(precision)
            predict = Predict(weights.key, data, kind, head, precision_, mask, _vectors(target))
            seed = _last_seed(run)
            name = f"{title} @ {target.task.name}[{language}]{under_of(target)}" + (f" (seed {seed})" if seed else "")
            predictions = self.graph.enter(predict, f"predict {name}", target.span, places)
            self.naive += 1
            cells = []
            for metric in target.task.metrics:
                op = Score(predictions, metric, METRIC_VERSION[metric])
                score = self.graph.enter(op, f"{metric} {name}", target.span, {})
                cells.append(_cell(run, target, language, metric, score))
                yield Step(target.task.name, score, seed)
            self.cells += cells
            if part is not None:
                train = self.data.of_part(part, model) or ()
                self.baselines.ask(Question(run, part, train, target, data, tuple(cells)))

    def _check_contamination(self, run: Run, target: Settled, model: Key, data: Key) -> None:
        scored = self.graph.nodes[data].op
        for part in (p for stage in run.stages for p in stage.parts):
            if isinstance(scored, Data):
                check_contamination(part, self.data.rows_read(part, model), target, scored, self.bag)

    def _precision(self, setting: Setting) -> str:
        precision = as_text(setting.value)
        if precision == "auto":
            return "bf16" if self.device.bf16 else "fp32"
        return precision

    def _setting_places(self, settings: Settings) -> Mapping[str, Place]:
        return {s.key: self.graph.place(s.place) for s in settings.values() if s.place is not None}

    def _stage_places(self, stage: Stage) -> Mapping[str, Place]:
        """Where each setting of a training was said; of one key in several parts the first."""
        places: dict[str, Place] = {}
        for settings in (stage.settings, *(part.settings for part in stage.parts)):
            places = {**self._setting_places(settings), **places}
        return places


def _cell(run: Run, target: Settled, language: str, metric: str, score: Key) -> Cell:
    axes = [(t.axis, t.value) for t in run.axes.values() if t.axis != "seed" and not t.axis.endswith(".seed")]
    if all(axis != "model" for axis, _ in axes):
        axes.insert(0, ("model", run.model.name))
    if all(axis.rpartition(".")[2] != "under" for axis, _ in axes) and any(t["under"] != CLEAN for t in run.targets):
        axes.append(("under", perturbation_name(target["under"])))
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
    return Vectors(None if layer is None else as_whole(layer), as_text(target["pool"]), as_text(target["similarity"]))


def _part(part: Settled, data: tuple[Key, ...], parent: Weights) -> Part:
    keeps = kept([p for p, _ in parent.heads], part) if part["head"] == "keep" else ()
    return Part(
        kind=part.task.kind.name,
        labels=part.task.labels,
        data=data,
        head=parent.head(keeps[0]) if keeps else "new",
        mask=as_real(part["mask"]) if "mask" in part.settings else None,
    )
