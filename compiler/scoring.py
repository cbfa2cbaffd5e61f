"""Targets to predictions and scores, each a cell of the results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from compiler import codes
from compiler.baselines import Baselines, Question
from compiler.catalog import OF_ANSWERS
from compiler.cells import chosen, seed_of
from compiler.check import check_contamination, is_trained, rows_of, trained_languages
from compiler.data import CHOOSES, own_of, under_of
from compiler.forgetting import evaluations
from compiler.heads import answering
from compiler.keys import metric_version
from compiler.ops import Data, Key, Method, Model, Predict, Score, Select, Vectors
from compiler.perturbations import CLEAN, perturbation_name
from compiler.plan import Cell, Step
from compiler.selection import TARGET_DEV, SelectRule
from compiler.trainings import Weights, precision_of, setting_places
from compiler.values import as_real, as_text, as_whole

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.data import DataLowering
    from compiler.graph import Graph
    from compiler.judging import Judging
    from compiler.locate import Locator
    from compiler.plan import Device
    from compiler.settle import Run, Settled, Stage
    from compiler.suites import Taken


@dataclass(frozen=True, slots=True)
class Reached:
    """A run up to a stage: what is trained, and what the label of it is."""

    run: Run
    model: Key
    weights: Weights
    title: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whose head answers a target: a part of a stage, and the weights that it left; all None where none is needed."""

    cell: Cell  # of each of its scores, as far as they have it in common
    trained: Collection[str]  # languages that are not zero-shot
    part: Settled | None = None
    stage: Stage | None = None
    weights: Weights | None = None
    earlier: bool = False  # whether the stage is not the one that left the weights to score


class Scoring:
    """Enters the nodes of targets, and collects their cells."""

    def __init__(
        self, graph: Graph, data: DataLowering, judging: Judging, locator: Locator, device: Device, bag: Bag
    ) -> None:
        self._graph, self._data, self._judging = graph, data, judging
        self._locator, self._device, self._bag = locator, device, bag
        self.baselines = Baselines(graph)
        self.cells: list[Cell] = []
        self.naive = 0  # predictions if every chain ran alone

    def target(self, reached: Reached, target: Settled) -> Iterator[Step]:
        """The scores of one target in all its languages, by the last stage's head."""
        run, answer = reached.run, _answering(reached, target)
        split = self._data.target_split(target)
        if not self._data.has_split(target, split, "a target is scored on it") or not self._has_layer(reached, target):
            return
        if reached.weights.open and answer.part is not None and not self._data.has_split(target, "dev", CHOOSES):
            return
        for language in target.languages:
            data = self._data.node(target, reached.model, language, split, _lengths(target, answer), scored=True)
            weights = self._weights(reached, target, language, answer)
            if data is None or weights is None:
                continue
            self._check_rows(replace(reached, weights=weights), target, data)
            selected = TARGET_DEV if weights is not reached.weights else ""
            cells = [
                replace(cell, selected=selected)
                for cell in self._scored(replace(reached, weights=weights), target, language, data, answer)
            ]
            title = target.task.name + (f" ({selected})" if selected else "")
            yield from (Step(title, cell.score, seed_of(run)) for cell in cells)
            self.cells += cells
            self._ask_baselines(reached, answer, target, data, tuple(cells))

    def _ask_baselines(
        self, reached: Reached, answer: Answer, target: Settled, data: Key, cells: tuple[Cell, ...]
    ) -> None:
        """What is learned without a network from the data of whose head answers."""
        if answer.part is not None:
            train = self._data.of_part(answer.part, reached.model) or ()
            self.baselines.ask(Question(reached.run, answer.part, train, target, data, cells))

    def previous(self, reached: Sequence[Reached], names: Sequence[str]) -> Iterator[tuple[int, Step]]:
        """What `@ previous` evaluates, each with the number of the stage after which it does.

        Of a task that several stages train, the latest head that is there answers.
        """
        run = reached[-1].run
        for again in evaluations(run):
            stage, target = run.stages[again.earlier.stage], again.target
            common = _cell(run, target, again.after), trained_languages(run, target)
            weights = reached[again.earlier.stage].weights
            answer = Answer(*common, stage.parts[again.earlier.part], stage, weights, again.is_later)
            if self._data.has_split(target, "dev", "`@ previous` is scored on it"):
                found = self._after(reached[again.after], names[again.after], target, answer)
                yield from ((again.after, step) for step in found)

    def _after(self, reached: Reached, name: str, target: Settled, answer: Answer) -> Iterator[Step]:
        for language in target.languages:
            data = self._data.node(target, reached.model, language, "dev", _lengths(target, answer), scored=True)
            if data is None:
                continue
            self._check_rows(reached, target, data)
            scored = self._scored(reached, target, language, data, answer)
            cells = tuple(replace(cell, axes=(*cell.axes, ("after", name))) for cell in scored)
            self.cells += cells
            yield from (Step(f"{target.task.name} (previous)", cell.score, cell.seed) for cell in cells)
            if not answer.earlier:
                self._ask_baselines(reached, answer, target, data, cells)

    def _scored(self, reached: Reached, target: Settled, language: str, data: Key, answer: Answer) -> Iterator[Cell]:
        """One cell a metric: the predictions of one head, or of the vectors, on one data set."""
        part, weights = answer.part, reached.weights
        own = target.settings["precision"]
        of_stage = answer.stage.settings["precision"] if answer.stage is not None else own
        precision = own if own.place is not None else of_stage
        places = setting_places(target.settings, self._graph)
        if precision.place is not None:
            places["precision"] = self._graph.place(precision.place)
        predict = Predict(
            weights=weights.key,
            data=data,
            kind=target.task.kind.name,
            head=answer.weights.head(part) if part is not None and answer.weights is not None else None,
            precision=precision_of(precision, self._device),
            mask=as_real(target["mask"]) if "mask" in target.settings else None,
            vectors=_vectors(target),
            head_of=answer.weights.key if answer.earlier and answer.weights is not None else None,
            own=own_of(target.settings, OF_ANSWERS),
        )
        seed = seed_of(reached.run)
        name = f"{reached.title} @ {target.task.name}[{language}]{under_of(target)}"
        name += f" (seed {seed})" if seed else ""
        predictions = self._graph.enter(predict, f"predict {name}", target.span, places)
        self.naive += 1
        for metric in target.task.metrics:
            op = Score(predictions, metric, metric_version(metric))
            score = self._graph.enter(op, f"{metric} {name}", target.span, {})
            zero_shot = not is_trained(language, answer.trained)
            yield replace(answer.cell, language=language, metric=metric, zero_shot=zero_shot, score=score)

    def _weights(self, reached: Reached, target: Settled, language: str, answer: Answer) -> Weights | None:
        """The weights that answer a target in one language: its own choice where the last stage left it open."""
        weights = reached.weights
        if not weights.open or answer.part is None or answer.stage is None:
            return weights
        rule, setting = answer.stage["select"], answer.stage.settings["select"]
        place = setting.place or answer.stage.span
        if not isinstance(rule, SelectRule):
            raise TypeError(rule)
        head, lengths = weights.head(answer.part), _lengths(target, answer)
        judges = self._judging.of_target(target, language, lengths, head, reached.model, rule, place)
        if judges is None:
            return None
        trained = [p for s in reached.run.stages for p in s.parts if p.task.kind.labelled]
        self._judging.check_unseen(judges, (target,), trained, reached.model, place)
        op = Select(weights.trainings, judges, precision_of(answer.stage.settings["precision"], self._device))
        label = f"choose {reached.title} for {target.task.name}[{language}] (seed {answer.stage['seed']})"
        places = setting_places({"select": setting}, self._graph)
        key = self._graph.enter(op, label, place, places)
        return replace(weights, key=key, open=False, chosen_on=weights.chosen_on | self._judging.rows(judges))

    def _check_rows(self, reached: Reached, target: Settled, data: Key) -> None:
        scored = self._graph.nodes[data].op
        if not isinstance(scored, Data):
            raise TypeError(scored)
        for part in (p for stage in reached.run.stages for p in stage.parts):
            check_contamination(part, self._data.rows_read(part, reached.model), target, scored, self._bag)
        if not reached.weights.chosen_on.isdisjoint(rows_of(scored)):
            message = f"`{target.task.name}` is scored on rows that chose the checkpoint"
            hint = "what is best on some rows looks better there than on others: score another split, `split: test`"
            if target.span == reached.run.previous_span:
                hint = (
                    "what is best on some rows looks better there than on others; to avoid it keep the last checkpoint"
                )
            self._bag.warn(codes.SCORED_ON_CHOSEN, target.span, message, hint)

    def _has_layer(self, reached: Reached, target: Settled) -> bool:
        """Whether the model has the `layer`, as far as its layers are known here."""
        op, layer = self._graph.nodes[reached.model].op, target["layer"] if "layer" in target.settings else None
        layers = self._locator.shape(op.source).layers if isinstance(op, Model) and layer is not None else None
        if layer is None or layers is None or as_whole(layer) <= layers:
            return True
        said = target.settings["layer"].place
        span = said if said is not None and said.source is target.span.source else target.span
        message = f"`layer` is {layer}, and the model has {layers}"
        hint = f"`layer: 0` is the output of the embeddings, `layer: {layers}` the last"
        self._bag.error(codes.WRONG_VALUE, span, message, hint)
        return False


def _answering(reached: Reached, target: Settled) -> Answer:
    """The part of the last stage whose head answers, if the kind needs one."""
    common = _cell(reached.run, target), trained_languages(reached.run, target)
    if not target.task.kind.trains:
        return Answer(*common)
    stage = reached.run.stages[-1]
    (part,) = answering(stage.parts, target.task)
    return Answer(*common, part, stage, reached.weights)


def _lengths(target: Settled, answer: Answer) -> Settled:
    """Who says how long sequences may be: the target if it does, else the part whose head answers."""
    return target if answer.part is None or target.settings["max-length"].place is not None else answer.part


def _cell(run: Run, target: Settled, after: int | None = None) -> Cell:
    """What the cells of a target have in common, scored after a stage by its number, or after the last."""
    taken = chosen(run, target, after).values()
    axes = [(t.axis, t.value) for t in taken if not _is_seed(t)]
    if all(axis != "model" for axis, _ in axes):
        axes.insert(0, ("model", run.model.name))
    if all(axis.rpartition(".")[2] != "under" for axis, _ in axes) and target["under"] != CLEAN:
        axes.append(("under", perturbation_name(target["under"])))
    return Cell(
        experiment=run.experiment,
        axes=tuple(axes),
        seed="/".join(t.value for t in taken if _is_seed(t)) or seed_of(run, after),
        benchmark=target.task.name,
        language="",
        metric="",
        zero_shot=False,
        score="",
        skips=tuple(t.axis for t in taken if t.skip),
    )


def _is_seed(taken: Taken) -> bool:
    return taken.axis.rpartition(".")[2] == "seed"


def _vectors(target: Settled) -> Vectors | None:
    if "pool" not in target.settings:
        return None
    layer = target["layer"]
    similarity, threshold = target["similarity"], target["threshold"]
    return Vectors(
        None if layer is None else as_whole(layer),
        as_text(target["pool"]),
        similarity if isinstance(similarity, Method) else as_text(similarity),
        threshold if isinstance(threshold, Method) else None,
    )
