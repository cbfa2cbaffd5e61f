"""Targets to predictions and scores, each a cell of the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.baselines import Baselines, Question
from compiler.cells import Whose, chosen, seed_of, whose
from compiler.check import check_contamination, trained_languages
from compiler.data import CHOOSES
from compiler.forgetting import evaluations
from compiler.heads import answering
from compiler.ops import Key, Model, Select
from compiler.perturbations import CLEAN, perturbation_name
from compiler.plan import Cell, Step
from compiler.predicting import Answer, asked, enter
from compiler.selection import TARGET_DEV, SelectRule
from compiler.suggest import listing
from compiler.trainings import Weights, precision_of, setting_places
from compiler.values import as_whole, as_words

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.data import DataLowering
    from compiler.graph import Graph
    from compiler.judging import Judging
    from compiler.locate import Locator
    from compiler.plan import Device
    from compiler.settle import Run, Settled
    from compiler.suites import Taken


EXCLUDE = "exclude"  # what `degenerate` says of runs that count nowhere
DEV = "dev"  # of a threshold: chosen on that split


class Reached(Struct, frozen=True):
    """A run up to a stage: what is trained, and what the label of it is."""

    run: Run
    model: Key
    weights: Weights
    title: str


class Scoring:
    """Enters the nodes of targets, and collects their cells."""

    def __init__(
        self, graph: Graph, data: DataLowering, judging: Judging, locator: Locator, device: Device, bag: Bag
    ) -> None:
        self._graph, self._data, self._judging = graph, data, judging
        self._locator, self._device, self._bag = locator, device, bag
        self.baselines = Baselines(graph)
        self.cells: list[Cell] = []
        self.placed: dict[Whose, dict[tuple[str, str], Cell]] = {}  # of what is asked, by language and metric
        self.naive = 0  # predictions if every chain ran alone

    def target(self, reached: Reached, target: Settled) -> Iterator[Step]:
        """The scores of one target in all its languages, by the last stage's head."""
        run, answer = reached.run, _answering(reached, target)
        split = self._data.target_split(target)
        if not self._data.has_split(target, split, "a target is scored on it") or not self._has_layer(reached, target):
            return
        if reached.weights.open and answer.part is not None and not self._data.has_split(target, "dev", CHOOSES):
            return
        if not self._has_threshold(target) or not self._has_baselines(target):
            return
        data = self._data.of_target(target, reached.model, split, answer.lengths(target))
        weights = {language: self._weights(reached, target, language, answer) for language in data}
        self._check_rows(reached, weights, target, data, split)
        selected = TARGET_DEV if reached.weights.open and answer.part is not None else ""
        title = target.task.name + (f" ({selected})" if selected else "")
        answer = replace(answer, cell=replace(answer.cell, selected=selected))
        for cells in self._scored(reached, target, answer, data, weights):
            self._place(whose(run, target), cells)
            yield from _steps(title, cells, seed_of(run))

    def _place(self, of: Whose, cells: tuple[Cell, ...]) -> None:
        self.cells += cells
        self.placed.setdefault(of, {}).update(((c.language, c.metric), c) for c in cells)

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
                of = whose(run, target, again.after)
                found = self._after(reached[again.after], names[again.after], target, answer, of)
                yield from ((again.after, step) for step in found)

    def _after(self, reached: Reached, name: str, target: Settled, answer: Answer, of: Whose) -> Iterator[Step]:
        data = self._data.of_target(target, reached.model, "dev", answer.lengths(target))
        weights = dict.fromkeys(data, reached.weights)
        self._check_rows(reached, weights, target, data, "dev")
        answer = replace(answer, cell=replace(answer.cell, axes=(*answer.cell.axes, ("after", name))))
        for cells in self._scored(reached, target, answer, data, weights):
            self._place(of, cells)
            yield from _steps(f"{target.task.name} (previous)", cells, cells[0].seed)

    def _scored(
        self,
        reached: Reached,
        target: Settled,
        answer: Answer,
        data: Mapping[str, Key],
        weights: Mapping[str, Weights | None],
    ) -> Iterator[tuple[Cell, ...]]:
        """The cells of each language, one a metric; beside them what is learned without a network is asked for."""
        what = asked(reached.run, reached.title, target, answer, self._graph, self._device)
        tuned = what.threshold == DEV
        dev = self._data.of_target(target, reached.model, "dev", answer.lengths(target)) if tuned else {}
        for language, key in data.items():
            if (used := weights[language]) is None:
                continue
            cells = enter(self._graph, what, used.key, key, language, dev.get(language))
            self.naive += 1 + (dev.get(language, key) != key)
            yield cells
            if not answer.earlier:
                self._ask_baselines(reached, answer, target, key, cells)

    def _weights(self, reached: Reached, target: Settled, language: str, answer: Answer) -> Weights | None:
        """The weights that answer a target in one language: its own choice where the last stage left it open."""
        weights = reached.weights
        if not weights.open or answer.part is None or answer.stage is None:
            return weights
        rule, setting = answer.stage["select"], answer.stage.settings["select"]
        place = setting.place or answer.stage.span
        if not isinstance(rule, SelectRule):
            raise TypeError(rule)
        head, lengths = weights.head(answer.part), answer.lengths(target)
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

    def _check_rows(
        self,
        reached: Reached,
        weights: Mapping[str, Weights | None],
        target: Settled,
        data: Mapping[str, Key],
        split: str,
    ) -> None:
        rows = self._data.rows(tuple(data.values()))
        for part in (p for stage in reached.run.stages for p in stage.parts):
            read = self._data.rows_read(part, reached.model)
            check_contamination(part, read, target, rows, split, self._bag)
        chosen_on = {c: w.chosen_on for c, w in weights.items() if w is not None and w.chosen_on}
        if not all(on.isdisjoint(self._data.rows((data[c],))) for c, on in chosen_on.items()):
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

    def _has_baselines(self, target: Settled) -> bool:
        """Whether each baseline that is asked for can answer the kind."""
        setting, kind = target.settings.get("baselines"), target.task.kind
        unfit = [m for m in as_words(setting.value) if m not in kind.baselines] if setting is not None else []
        if unfit and setting is not None:
            message = f"the baseline `{unfit[0]}` cannot answer {kind.name}, which `{target.task.name}` is"
            hint = f"what can: {listing(kind.baselines)}"
            self._bag.error(codes.WRONG_VALUE, setting.place or target.span, message, hint)
        return not unfit

    def _has_threshold(self, target: Settled) -> bool:
        """Whether a threshold has something to be chosen on, and a metric that counts with it."""
        setting = target.settings.get("threshold")
        if setting is None or setting.value is None:
            return True
        metrics, kind = target.task.metrics, target.task.kind
        if not any(kind.metrics[metric].has_threshold for metric in metrics):
            there = listing(m for m, rule in kind.metrics.items() if rule.has_threshold)
            message = f"`threshold` is set, and `{target.task.name}` is scored by {listing(metrics)}, which has none"
            hint = f"a metric with a threshold is {there}: `metrics: [f1]` in the declaration"
            self._bag.error(codes.WRONG_VALUE, setting.place or target.span, message, hint)
            return False
        return setting.value != DEV or self._data.has_split(target, DEV, "its threshold is chosen on it")


def _steps(title: str, cells: tuple[Cell, ...], seed: str) -> Iterator[Step]:
    return (Step(title, cell.score, seed, language=cell.language) for cell in cells)


def _answering(reached: Reached, target: Settled) -> Answer:
    """The part of the last stage whose head answers, if the kind needs one."""
    common = _cell(reached.run, target), trained_languages(reached.run, target)
    if not target.task.kind.trains:
        return Answer(*common)
    stage = reached.run.stages[-1]
    (part,) = answering(stage.parts, target.task)
    return Answer(*common, part, stage, reached.weights)


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
        excluded=bool(run.stages) and run.stages[-1 if after is None else after]["degenerate"] == EXCLUDE,
    )


def _is_seed(taken: Taken) -> bool:
    return taken.axis.rpartition(".")[2] == "seed"
