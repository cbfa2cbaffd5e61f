"""Baselines beside the scores of a target: learned without a network from its stage's data, once for all arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.check import is_trained
from compiler.data import under_of
from compiler.ops import Baseline, Data, Key, Score
from compiler.pairs import sides
from compiler.plan import Cell, Route, Step
from compiler.settle import Run, Settled
from compiler.titles import called_as_data
from compiler.values import as_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compiler.graph import Graph

Axes = tuple[tuple[str, str], ...]
_Variant = tuple[object, ...]  # what a baseline learns from and is asked about, the language apart


class Question(Struct, frozen=True):
    """A target in one language, as one run asks for its baselines."""

    run: Run
    part: Settled  # of the last stage, whose head answers the target
    train: tuple[Key, ...]  # the data of `part`
    target: Settled
    data: Key
    cells: tuple[Cell, ...]  # those of the run on these data


class Baselines:
    """Collects what runs ask for: equal baselines are one node, and one cell of each experiment."""

    def __init__(self, graph: Graph) -> None:
        self.naive = 0  # how many there would be if every chain ran alone
        self._graph = graph
        self._asked: dict[tuple[str, str, str], dict[_Variant, list[Cell]]] = {}
        self._routes: dict[Route, None] = {}  # each once, in order

    def ask(self, question: Question) -> None:
        """Enter the baselines of the target, each with a score for each of the run's."""
        data, settings = self._graph.nodes[question.data].op, question.target.settings
        methods = as_words(settings["baselines"].value) if "baselines" in settings else ()
        if isinstance(data, Data):
            for method in methods:
                op = Baseline(method, data.kind, data.model, question.train, question.data, data.labels)
                self._enter(op, data, question)
                self.naive += 1

    def _enter(self, op: Baseline, data: Data, question: Question) -> None:
        run, target = question.run, question.target
        title = f"{op.method} {called_as_data(question.part)}"
        label = f"{title} @ {target.task.name}[{data.language}]{under_of(target)}"
        said = target.settings["baselines"].place
        places = {"baselines": self._graph.place(said)} if said is not None else {}
        key = self._graph.enter(op, label, target.span, places)
        steps = (Step(run.model.name, op.model, ""), Step(title, key, ""))
        trained = {side for language in question.part.languages for side in sides(language)}
        zero_shot = not is_trained(data.language, trained)
        for cell in question.cells:
            score = Score(key, cell.metric, target.task.kind.metrics[cell.metric].version)
            scored = self._graph.enter(score, f"{cell.metric} {label}", target.span, {})
            own = replace(cell, seed="", zero_shot=zero_shot, score=scored, skips=(), baseline=op.method)
            self._keep(own, (op.model, op.train, data.split, data.max_length, data.limit, data.under))
            step = Step(target.task.name, scored, "", language=cell.language)
            self._routes[Route(run.experiment, steps, (step,))] = None

    def _keep(self, cell: Cell, variant: _Variant) -> None:
        variants = self._asked.setdefault((cell.experiment, cell.benchmark, cell.baseline), {})
        variants.setdefault(variant, []).append(cell)

    def cells(self) -> Iterator[Cell]:
        """One cell a baseline, language and metric of an experiment, with the axes that tell it from other such."""
        for variants in self._asked.values():
            axes = _telling_apart({v: list(dict.fromkeys(c.axes for c in cells)) for v, cells in variants.items()})
            for variant, cells in variants.items():
                once = {cell.score: replace(cell, axes=axes[variant]) for cell in cells}
                yield from once.values()

    def routes(self) -> tuple[Route, ...]:
        """A line below the model for each baseline."""
        return tuple(self._routes)


def _telling_apart(runs: Mapping[_Variant, list[Axes]]) -> dict[_Variant, Axes]:
    """Of each variant the axes that have one value in all its runs, and another in some run of another variant."""
    everywhere = [dict(axes) for found in runs.values() for axes in found]
    named = {
        variant: tuple(
            (axis, value)
            for axis, value in found[0]
            if all(dict(axes).get(axis) == value for axes in found)
            and any(axes.get(axis) != value for axes in everywhere)
        )
        for variant, found in runs.items()
    }
    if len(set(named.values())) == len(named):
        return named
    return {variant: found[0] for variant, found in runs.items()}
