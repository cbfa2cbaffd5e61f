"""Runs to nodes: equal work becomes one node, however many runs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler.data import DataLowering
from compiler.graph import Graph
from compiler.ops import Key, Model
from compiler.plan import Device, Plan, Route, Step
from compiler.scoring import Reached, Scoring
from compiler.selection import SelectRule
from compiler.settle import Run, Settings, Stage
from compiler.titles import called, stage_names, title_of
from compiler.trainings import Trainings, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.bag import Bag
    from compiler.conclusions import Conclusions
    from compiler.locate import Locator
    from compiler.shapes import ModelShape
    from dsl.source import Span


class Lowering:
    """Collects nodes by key; a node is entered after its inputs, so the order is topological."""

    def __init__(self, locator: Locator, device: Device, bag: Bag) -> None:
        self.locator, self.device, self._bag = locator, device, bag
        self.graph = Graph()
        self.data = data = DataLowering(self.graph, locator, bag)
        self.trainings = Trainings(self.graph, data, device, bag)
        self.scoring = Scoring(self.graph, data, self.trainings.judging, locator, device, bag)
        self.routes: list[Route] = []
        self._models: dict[Span, Key | None] = {}
        self.unverified: dict[str, tuple[str, ...]] = {}

    def plan(self, spec: str, runs: Iterable[Run], conclusions: Conclusions | None = None) -> Plan:
        """The plan of all runs, and what is asked of their scores; after an error nobody asks."""
        for run in runs:
            self._run(run)
        baselines = self.scoring.baselines
        return Plan(
            spec,
            self.device,
            tuple(self.graph.nodes.values()),
            tuple(dict.fromkeys((*self.scoring.cells, *baselines.cells()))),  # two runs may ask for one score
            (*self.routes, *baselines.routes()),
            dict(self.locator.files),
            dict(self.locator.hub),
            (self.trainings.naive, self.scoring.naive + baselines.naive),
            self._shapes(),
            dict(self.data.declared),
            dict(self.locator.obtain),
            {**self.unverified, **self.data.unverified},
            *(conclusions.ask(self.scoring.placed) if conclusions is not None and not self._bag.failed() else ()),
        )

    def _shapes(self) -> dict[Key, ModelShape]:
        models = {key: self.graph.nodes[key].op for key in self._models.values() if key is not None}
        return {key: self.locator.shape(op.source) for key, op in models.items() if isinstance(op, Model)}

    def _run(self, run: Run) -> None:
        model = self._model(run)
        if model is None:
            return
        reached = [Reached(run, model, Weights(model, ()), run.model.name)]
        steps = [Step(run.model.name, model, "")]
        for number in range(len(run.stages)):
            stage, before = _in_place(run, number), run.stages[:number]
            last = reached[-1]
            weights = self.trainings.enter(stage, before, last.weights, model, last.title)
            if weights is None:
                return
            reached.append(Reached(run, model, weights, f"{last.title} -> {called(stage)}"))
            tried = weights.trainings if len(weights.trainings) > 1 else ()
            steps.append(Step(title_of(stage), weights.key, str(stage["seed"]), tried))
        targets = tuple(s for t in run.targets for s in self.scoring.target(reached[-1], t))
        self.routes.append(Route(run.experiment, tuple(steps), targets, run.written))
        if run.previous:
            self._previous(run, reached[1:], steps)

    def _previous(self, run: Run, reached: list[Reached], steps: list[Step]) -> None:
        """The scores of `@ previous`, each below the stage after which it is taken."""
        for number, step in self.scoring.previous(reached, stage_names(run.stages)):
            self.routes.append(Route(run.experiment, tuple(steps[: number + 2]), (step,), run.written, again=True))

    def _model(self, run: Run) -> Key | None:
        span = run.model.weights.span
        if span not in self._models:
            source = self.locator.model(run.model.weights, run.model.size)
            self._models[span] = None
            if source is not None:
                self.unverified |= {run.model.name: run.model.unverified} if run.model.unverified else {}
                places = {"weights": self.graph.place(span)}
                self._models[span] = self.graph.enter(Model(source), run.model.name, run.model_span, places)
        return self._models[span]


def _in_place(run: Run, number: int) -> Stage:
    """A stage of a run; one that is not the last, or has no target, cannot leave its choice of checkpoint to one."""
    stage = run.stages[number]
    if number + 1 == len(run.stages) and run.targets:
        return stage
    candidates = tuple(_on_source(settings) for settings in stage.candidates)
    return replace(stage, settings=_on_source(stage.settings), candidates=candidates)


def _on_source(settings: Settings) -> Settings:
    setting = settings["select"]
    if not isinstance(setting.value, SelectRule):
        return settings
    return {**settings, "select": replace(setting, value=replace(setting.value, on_target=False))}
