"""Predictions and their scores: what those of one target by one head have in common is settled once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.catalog import OF_ANSWERS, SETTINGS
from compiler.cells import seed_of
from compiler.check import is_trained
from compiler.data import own_of, under_of
from compiler.keys import HOLE, Pattern
from compiler.ops import Key, Method, Predict, Score, Vectors
from compiler.plan import Cell
from compiler.trainings import Weights, precision_of, setting_places
from compiler.values import as_real, as_text, as_whole

if TYPE_CHECKING:
    from collections.abc import Collection

    from compiler.catalog import Metric
    from compiler.graph import Graph
    from compiler.ops import Own
    from compiler.plan import Device, Place
    from compiler.settle import Run, Settled, Stage
    from compiler.values import Scalar
    from dsl.source import Span


_NOWHERE: Mapping[str, Place] = {}


class Answer(Struct, frozen=True):
    """Whose head answers a target: a part of a stage, and the weights that it left; all None where none is needed."""

    cell: Cell  # of each of its scores, as far as they have it in common
    trained: Collection[str]  # languages that are not zero-shot
    part: Settled | None = None
    stage: Stage | None = None
    weights: Weights | None = None
    earlier: bool = False  # whether the stage is not the one that left the weights to score

    def lengths(self, target: Settled) -> Settled:
        """Who says how long sequences may be: the target if it does, else the part whose head answers."""
        return target if self.part is None or target.settings["max-length"].place is not None else self.part


class Asked(Struct, frozen=True, dict=True):
    """What is asked in every language alike."""

    cell: Cell
    trained: Collection[str]
    kind: str
    head: int | None
    head_of: Key | None
    precision: str
    mask: float | None
    vectors: Vectors | None
    own: Own | None
    metrics: tuple[tuple[str, Metric], ...]
    threshold: Scalar | None  # of metrics that have one: a number, or "dev"
    label: tuple[str, str]  # before and behind the language
    span: Span
    places: Mapping[str, Place]
    scored: Mapping[str, Place]  # of its scores

    @cached_property
    def pattern(self) -> Pattern:
        """The keys of all predictions that it asks for."""
        return Pattern(self.op(HOLE, HOLE))

    def op(self, weights: Key, data: Key) -> Predict:
        """What predicts it by these weights on these data."""
        return Predict(
            weights=weights,
            data=data,
            kind=self.kind,
            head=self.head,
            precision=self.precision,
            mask=self.mask,
            vectors=self.vectors,
            head_of=self.head_of,
            own=self.own,
        )


def asked(run: Run, title: str, target: Settled, answer: Answer, graph: Graph, device: Device) -> Asked:
    """What is asked of a target after a chain that is called `title`."""
    own = target.settings["precision"]
    precision = own if own.place is not None or answer.stage is None else answer.stage.settings["precision"]
    places = setting_places(target.settings, graph)
    if precision.place is not None:
        places["precision"] = graph.place(precision.place)
    said = target.task.said
    part, weights, seed = answer.part, answer.weights, seed_of(run)
    return Asked(
        cell=answer.cell,
        trained=answer.trained,
        kind=target.task.kind.name,
        head=weights.head(part) if part is not None and weights is not None else None,
        head_of=weights.key if answer.earlier and weights is not None else None,
        precision=precision_of(precision, device),
        mask=as_real(target["mask"]) if "mask" in target.settings else None,
        vectors=_vectors(target),
        own=own_of({key: target[key] for key in OF_ANSWERS if key in target.settings}),
        metrics=tuple((metric, target.task.kind.metrics[metric]) for metric in target.task.metrics),
        threshold=target["threshold"] if "threshold" in target.settings else None,
        label=(f"{title} @ {target.task.name}[", f"]{under_of(target)}{f' (seed {seed})' if seed else ''}"),
        span=target.span,
        places=places,
        scored={"metrics": graph.place(said["metrics"])} if "metrics" in said else _NOWHERE,
    )


def enter(
    graph: Graph, asked: Asked, weights: Key, data: Key, language: str, dev: Key | None = None
) -> tuple[Cell, ...]:
    """The nodes of one language's predictions and of each metric; a cell for each metric.

    By the predictions on `dev` a threshold is chosen.
    """
    predict = asked.op(weights, data)
    name = language.join(asked.label)
    key = asked.pattern.key(data, weights)
    graph.enter(predict, f"predict {name}", asked.span, asked.places, key)
    zero_shot = not is_trained(language, asked.trained)
    cells = []
    tuned_on = _tuning(graph, asked, weights, dev, language) if dev is not None else None
    for metric, rule in asked.metrics:
        label = f"{metric} {name}"
        if rule.has_threshold and asked.threshold is not None:
            number = as_real(asked.threshold) if tuned_on is None else None
            cut = Score(key, metric, rule.version, number, tuned_on)
            scored = graph.enter(cut, label, asked.span, {**asked.places, **asked.scored})
        else:
            scored = _scored(metric, rule.version).key(key)
            graph.enter(Score(key, metric, rule.version), label, asked.span, asked.scored, scored)
        cells.append(asked.cell.scored(language, metric, scored, zero_shot=zero_shot))
    return tuple(cells)


def _tuning(graph: Graph, asked: Asked, weights: Key, dev: Key, language: str) -> Key:
    """The node of the predictions by which a threshold is chosen."""
    name = f"{asked.label[0]}{language}, to choose its threshold{asked.label[1]}"
    key = asked.pattern.key(dev, weights)
    return graph.enter(asked.op(weights, dev), f"predict {name}", asked.span, asked.places, key)


@cache
def _scored(metric: str, version: int) -> Pattern:
    """The keys of all scores by a metric."""
    return Pattern(Score(HOLE, metric, version))


def _vectors(target: Settled) -> Vectors | None:
    if "pool" not in target.settings:
        return None
    layer, similarity, match = target["layer"], target["similarity"], as_text(target["match"])
    return Vectors(
        None if layer is None else as_whole(layer),
        as_text(target["pool"]),
        similarity if isinstance(similarity, Method) else as_text(similarity),
        None if match == SETTINGS["match"].default else match,
    )
