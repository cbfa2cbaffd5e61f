"""What each op does, by the modules that do it. Loads the ML libraries when the first node runs, not before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from compiler.ops import Baseline, Data, Key, Method, Model, Predict, Score, Select, Train
from runtime.engine.messages import Group, Progress
from runtime.errors import BadInput, Stopped

if TYPE_CHECKING:
    from pathlib import Path

    from compiler.ops import Judge
    from compiler.plan import Node
    from runtime.columns import Columns
    from runtime.engine.work import Desk, Inputs, Write
    from runtime.feed import Feed
    from runtime.models import Network
    from runtime.resuming import Point, Shelf
    from runtime.selecting import Chooser

CURVE = "curve.jsonl"


class _Trained(Struct, frozen=True, eq=False):
    """What a training came to, before it is written."""

    network: Network
    parent: Path
    chooser: Chooser | None
    curve: list[Point]
    measured: dict[str, int]

    def write(self, folder: Path, attempt: int | None) -> dict[str, int]:
        """The weights and the curve; what was measured, with the try that it was where there might be several."""
        from runtime import models, selecting

        if self.chooser is None or not self.chooser.keeps_all:
            models.save(self.network, self.parent, folder)
        if self.chooser is not None:
            selecting.write(self.chooser, folder)
        lines = "".join(json.dumps(asdict(point)) + "\n" for point in self.curve)
        (folder / CURVE).write_text(lines, encoding="utf-8")
        return {**self.measured, **({"restarts": attempt} if attempt is not None else {})}


class TorchBodies(Struct):
    """Bodies on one device of this machine."""

    files: Mapping[str, Path]  # where local files lie, by digest
    device: str  # "cpu" or "cuda"
    kinds: Mapping[Key, str]  # the kind of each predict node
    allow_code: bool = False
    _provenance: dict[str, Any] = field(default_factory=dict)

    def provenance(self) -> Mapping[str, Any]:
        """Device and libraries."""
        if not self._provenance:
            from runtime.machine import environment

            self._provenance = environment(self.device)
        return self._provenance

    def __call__(self, group: Group, inputs: Inputs, desk: Desk) -> Iterator[Write]:
        """One writer for each node of the group; a node's work is done when its writer is asked for."""
        if all(isinstance(n.op, Predict) for n in group):
            yield from self._predict([n.op for n in group if isinstance(n.op, Predict)], inputs, desk)
            return
        if all(isinstance(n.op, Baseline) for n in group):
            yield from self._learn([n.op for n in group if isinstance(n.op, Baseline)], inputs, desk)
            return
        if all(isinstance(n.op, Select) for n in group):
            yield from self._select([n.op for n in group if isinstance(n.op, Select)], inputs, desk)
            return
        for node in group:
            yield self._single(node, inputs, desk)

    def _single(self, node: Node, inputs: Inputs, desk: Desk) -> Write:
        match node.op:
            case Model():
                return partial(self._make, node.op)
            case Data():
                return partial(self._encode, node.op, inputs, desk)
            case Train():
                return self._train(node, node.op, inputs, desk)
            case Select():
                return next(self._select([node.op], inputs, desk))
            case Predict():
                return next(self._predict([node.op], inputs, desk))
            case Baseline():
                return next(self._learn([node.op], inputs, desk))
            case Score():
                return self._score(node.op, inputs)

    def _make(self, op: Model, folder: Path) -> None:
        from runtime import models

        models.make(op, self.files, folder)

    def _encode(self, op: Data, inputs: Inputs, desk: Desk, folder: Path) -> dict[str, int]:
        from runtime import encoding

        model, allow = inputs[op.model], self.allow_code
        return encoding.encode(op, model, self.files, folder, allow_code=allow, stopping=desk.stopping)

    def _train(self, node: Node, op: Train, inputs: Inputs, desk: Desk) -> Write:
        """A training; one that collapsed begins anew as often as it may."""
        from runtime import columns, restarting
        from runtime.resuming import attempt_of

        data = [[columns.read(inputs[key]) for key in part.data] for part in op.parts]
        constants = [restarting.constant_loss(p.kind, own) for p, own in zip(op.parts, data, strict=True)]
        first, most = attempt_of(desk.states(node)) if op.restarts else 0, op.restarts or 0
        for attempt in range(first, most + 1):
            tried = replace(op, seed=restarting.seed_of(op.seed, attempt))
            trained = self._try(node, tried, inputs, data, desk, attempt)
            if not restarting.has_collapsed(trained.curve, constants):
                break
        return partial(trained.write, attempt=attempt if op.restarts else None)

    def _try(
        self, node: Node, op: Train, inputs: Inputs, data: list[list[Columns]], desk: Desk, attempt: int
    ) -> _Trained:
        from runtime import models, training
        from runtime.feed import Feed
        from runtime.resuming import Keeper

        parent = inputs[op.parent]
        network: Any = training.start(op, parent, self.files)
        special = models.read_special(parent, network.encoder.config)
        if network.masks and special.mask is None:
            raise BadInput("the model's tokenizer has no mask token", "masked-lm needs a model with one", "weights")
        feed = Feed(op, data, special)
        seen: dict[str, int] = {}

        def on_step(at: training.Reached) -> None:
            seen.update({"tokens": at.tokens} if not at.first else {})  # all of them
            desk.advance(node, Progress(at.step, at.steps, at.loss, at.first, at.tokens))

        shelf = desk.states(node)
        keeper = Keeper(shelf, desk.save_every, desk.stopping, attempt)
        chooser = self._chooser(op, inputs, feed, shelf)
        curve = training.train(op, network, feed, device=self.device, on_step=on_step, keeper=keeper, chooser=chooser)
        desk.spent[node.key] = keeper.spent
        return _Trained(network, parent, chooser, curve, {**seen, **models.weights(network)})

    def _chooser(self, op: Train, inputs: Inputs, feed: Feed, shelf: Shelf) -> Chooser | None:
        """What follows a training that keeps another checkpoint than its last."""
        from runtime import models, selecting

        if op.keep is None:
            return None
        data = _judged(op.keep.judges, inputs)
        bench = selecting.Bench(op.keep.judges, data, feed.special, self.device, op.precision)
        parent = inputs[op.parent]

        def write(network: Network, folder: Path) -> None:
            models.save(network, parent, folder)

        return selecting.Chooser(op.keep, feed.epoch, bench.score, shelf, write)

    def _select(self, ops: list[Select], inputs: Inputs, desk: Desk) -> Iterator[Write]:
        """The choices of one set of candidates, each candidate loaded once for all of them."""
        from runtime import models, selecting

        found = [
            (key, step, folder)
            for key in ops[0].candidates
            for step, folder in selecting.checkpoints(inputs[key]).items()
        ]
        scores: list[list[float]] = [[] for _ in ops]
        judges = tuple(dict.fromkeys(judge for op in ops for judge in op.judges))
        data = _judged(judges, inputs)
        for _, _, folder in found:
            network, heads = models.load_heads(folder, self.files, {j.head: j.kind for j in judges})
            special = models.read_special(folder, network.encoder.config)
            for op, judged in zip(ops, scores, strict=True):
                if desk.stopping():
                    raise Stopped
                bench = selecting.Bench(op.judges, data, special, self.device, op.precision)
                judged.append(bench.score(network, heads))
        for judged in scores:
            yield partial(selecting.write_choice, found, judged)

    def _predict(self, ops: list[Predict], inputs: Inputs, desk: Desk) -> Iterator[Write]:
        """One data set after the other, the weights loaded once: the ops share weights, kind, precision and mask."""
        from runtime import columns, evaluation, models

        first = ops[0]
        network: Any = models.load_network(
            inputs[first.weights],
            self.files,
            first.kind,
            first.head,
            first.vectors,
            inputs[first.head_of or first.weights],
        )
        special = models.read_special(inputs[first.weights], network.encoder.config)
        for op in ops:
            data = columns.read(inputs[op.data])
            table = evaluation.predict(
                network,
                data,
                special,
                device=self.device,
                precision=op.precision,
                mask=op.mask,
                own=own_of(op),
                stopping=desk.stopping,
            )
            yield partial(_write_predictions, table, {**data.counts(), **models.weights(network)})

    def _learn(self, ops: list[Baseline], inputs: Inputs, desk: Desk) -> Iterator[Write]:
        """One data set after the other, learned once: the ops share their method and what it learns from."""
        from runtime import baselines, columns, models

        first = ops[0]
        task = baselines.Task(first.kind, len(first.labels))
        train = columns.concatenate([columns.read(inputs[key]) for key in first.train])
        scorer = baselines.learn(first.method, task, train, models.read_special(inputs[first.model], None))
        for op in ops:
            if desk.stopping():
                raise Stopped
            data = columns.read(inputs[op.data])
            yield partial(_write_predictions, baselines.predict(task, data, scorer), data.counts())

    def _score(self, op: Score, inputs: Inputs) -> Write:
        from runtime import metrics

        tuned_on = None if op.tuned_on is None else inputs[op.tuned_on]
        kind = self.kinds[op.predictions]
        measured = metrics.score(kind, op.metric, inputs[op.predictions], threshold=op.threshold, tuned_on=tuned_on)
        return lambda folder: metrics.write(folder, measured)


def own_of(op: Predict) -> dict[str, Any]:
    """The settings that the kind alone has."""
    found: dict[str, Any] = dict(op.own or ())
    if op.vectors is not None:
        margin = op.vectors.similarity
        found |= dict(margin.arguments) if isinstance(margin, Method) else {}
        found |= {} if op.vectors.match is None else {"match": op.vectors.match}
    return found


def _judged(judges: Iterable[Judge], inputs: Inputs) -> dict[Key, Columns]:
    """The dev data that judges read."""
    from runtime import columns

    return {key: columns.read(inputs[key]) for judge in judges for key in judge.data}


def _write_predictions(table: Any, counted: dict[str, int], folder: Path) -> dict[str, int]:  # noqa: ANN401
    from runtime import columns
    from runtime.metrics import PREDICTIONS

    columns.write_table(folder / PREDICTIONS, table)
    return counted
