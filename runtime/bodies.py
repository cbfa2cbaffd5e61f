"""What each op does, by the modules that do it. Loads the ML libraries when the first node runs, not before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from compiler.ops import Data, Key, Model, Predict, Score, Train
from runtime.errors import BadInput
from runtime.executor import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from compiler.plan import Node
    from runtime.executor import Inputs, Write

CURVE = "curve.jsonl"


@dataclass
class TorchBodies:
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

    def __call__(
        self, group: Sequence[Node], inputs: Inputs, tell: Callable[[Node, Progress], None]
    ) -> Sequence[Write]:
        """One writer for each node of the group."""
        if all(isinstance(n.op, Predict) for n in group):
            return self._predict([n.op for n in group if isinstance(n.op, Predict)], inputs)
        return [self._single(node, inputs, tell) for node in group]

    def _single(self, node: Node, inputs: Inputs, tell: Callable[[Node, Progress], None]) -> Write:
        match node.op:
            case Model():
                return partial(self._make, node.op)
            case Data():
                return partial(self._encode, node.op, inputs)
            case Train():
                return self._train(node.op, inputs, lambda step, steps, loss: tell(node, Progress(step, steps, loss)))
            case Predict():
                return self._predict([node.op], inputs)[0]
            case Score():
                return self._score(node.op, inputs)

    def _make(self, op: Model, folder: Path) -> None:
        from runtime import models

        models.make(op, self.files, folder)

    def _encode(self, op: Data, inputs: Inputs, folder: Path) -> None:
        from runtime import encoding

        encoding.encode(op, inputs[op.model], self.files, folder, allow_code=self.allow_code)

    def _train(self, op: Train, inputs: Inputs, on_step: Callable[[int, int, float], None]) -> Write:
        from runtime import columns, models, training
        from runtime.feed import Feed

        parent = inputs[op.parent]
        network: Any = training.start(op, parent, self.files)
        special = models.read_special(parent, network.encoder.config)
        if network.masks and special.mask is None:
            raise BadInput("the model's tokenizer has no mask token", "masked-lm needs a model with one", "weights")
        feed = Feed(op, [[columns.read(inputs[key]) for key in part.data] for part in op.parts], special)
        curve = training.train(op, network, feed, device=self.device, on_step=on_step)

        def write(folder: Path) -> None:
            models.save(network, parent, folder)
            lines = "".join(json.dumps(asdict(point)) + "\n" for point in curve)
            (folder / CURVE).write_text(lines, encoding="utf-8")

        return write

    def _predict(self, ops: list[Predict], inputs: Inputs) -> Sequence[Write]:
        """One pass over the data of all ops, which share weights, kind, precision and mask."""
        from runtime import columns, evaluation, models
        from runtime.metrics import PREDICTIONS

        first = ops[0]
        network: Any = models.load_network(inputs[first.weights], self.files, first.kind, first.head or 0)
        special = models.read_special(inputs[first.weights], network.encoder.config)
        parts = [columns.read(inputs[op.data]) for op in ops]
        tables = evaluation.predict(
            network, parts, special, device=self.device, precision=first.precision, mask=first.mask
        )

        def write(table: Any, folder: Path) -> None:  # noqa: ANN401
            columns.write_table(folder / PREDICTIONS, table)

        return [partial(write, table) for table in tables]

    def _score(self, op: Score, inputs: Inputs) -> Write:
        from runtime import metrics

        measured = metrics.score(self.kinds[op.predictions], op.metric, inputs[op.predictions])
        return lambda folder: metrics.write(folder, measured)
