"""What nodes cost: tokens, floating-point operations and bytes, from the sizes of data and models (docs/plan.md).

What is not known stays None, and so does all that depends on it.
"""

from __future__ import annotations

from math import ceil, exp, log
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.ops import Baseline, Data, Judge, Key, Mix, Model, Op, Predict, Score, Scratch, Select, Train

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.plan import Plan
    from compiler.shapes import ModelShape

_BACKWARD = 2  # a backward pass takes twice a forward pass (Kaplan et al. 2020, section 2.1)
_FLOAT = 4  # bytes of a weight
_TOKEN, _EXAMPLE = 5, 24  # bytes of encoded columns (runtime.columns)
_PREDICTION, _SCORE = 60, 600  # bytes of a row of predictions; of a score


class Amount(Struct, frozen=True):
    """How much there is in encoded data."""

    examples: float
    sequences: float
    tokens: float  # of all sequences
    recorded: bool = False  # counted when they were encoded, not estimated from the sizes of files

    @property
    def length(self) -> float:
        """Mean tokens of a sequence."""
        return self.tokens / max(1.0, self.sequences)


class Work(Struct, frozen=True):
    """What a node takes and leaves."""

    flops: float | None
    tokens: float | None
    size: float | None  # bytes of what it leaves
    weights: float | None = None  # of the encoder that it computes with
    steps: float = 0.0  # optimizer steps


class _Trained(Struct, frozen=True):
    """A training's length."""

    steps: float
    tokens: float
    length: float  # mean tokens of a sequence
    candidates: float  # checkpoints that are judged or kept


def works(plan: Plan, amounts: Mapping[Key, Amount]) -> dict[Key, Work]:
    """The work of each node of the plan; `amounts` of the data nodes of which they are known."""
    return _Works(plan, amounts).all()


def forward(shape: ModelShape, length: float) -> float | None:
    """Floating-point operations of a forward pass for each token of sequences of `length` tokens.

    2 N + 4 L n d: two for each weight of the encoder, embeddings apart, and two matrix products in each layer of every
    token with every other (Kaplan et al. 2020, table 1, without their causal mask, which halves the latter).
    """
    weights = shape.encoder
    if weights is None:
        return None
    attention = 4 * (shape.layers or 0) * length * (shape.width or 0)
    return 2.0 * weights + attention


class _Works:
    """Walks the plan in its order: each weights node has the shape of the model that it comes from."""

    def __init__(self, plan: Plan, amounts: Mapping[Key, Amount]) -> None:
        self._plan, self._amounts = plan, amounts
        self._shapes: dict[Key, ModelShape | None] = dict(plan.shapes)
        self._trained: dict[Key, _Trained | None] = {}

    def all(self) -> dict[Key, Work]:
        """The work of each node."""
        return {node.key: self._work(node.key, node.op) for node in self._plan.nodes}

    def _work(self, key: Key, op: Op) -> Work:
        match op:
            case Model(source=source):
                copied = self._bytes(key) if isinstance(source, Scratch) else 0.0
                return Work(0.0, 0.0, copied)
            case Data():
                amount = self._amounts.get(key)
                size = amount.tokens * _TOKEN + amount.examples * _EXAMPLE if amount is not None else None
                return Work(0.0, 0.0, size)
            case Train():
                return self._train(key, op)
            case Select():
                return self._select(key, op)
            case Predict():
                shape, amount = self._shapes.get(op.weights), self._amounts.get(op.data)
                size = amount.examples * _PREDICTION if amount is not None else None
                return Work(_read(shape, amount), amount.tokens if amount is not None else None, size, _encoder(shape))
            case Baseline(data=data):
                amount = self._amounts.get(data)
                return Work(0.0, 0.0, amount.examples * _PREDICTION if amount is not None else None)
            case Score():
                return Work(0.0, 0.0, _SCORE)

    def _bytes(self, key: Key) -> float | None:
        """Of the weights that a node leaves."""
        shape = self._shapes.get(key)
        return _FLOAT * shape.parameters if shape is not None and shape.parameters is not None else None

    def _train(self, key: Key, op: Train) -> Work:
        shape = self._shapes[key] = self._shapes.get(op.parent)
        trained = self._trained[key] = self._length(op)
        weights = self._bytes(key)
        kept = trained.candidates if op.keep is not None and not op.keep.judges and trained is not None else 1.0
        size = weights * kept if weights is not None else None
        if shape is None or trained is None or (one := forward(shape, trained.length)) is None:
            return Work(None, trained.tokens if trained is not None else None, size, _encoder(shape))
        passes = 1 if op.tune == "head" else 1 + _BACKWARD
        judged = self._judged(shape, op.keep.judges) if op.keep is not None else 0.0
        flops = trained.tokens * one * passes + trained.candidates * judged if judged is not None else None
        return Work(flops, trained.tokens, size, _encoder(shape), trained.steps)

    def _length(self, op: Train) -> _Trained | None:
        parts = [_together(self._amounts.get(k) for k in part.data) for part in op.parts]
        known = [p for p in parts if p is not None]
        if len(known) < len(parts) or not all(p.examples for p in known):
            return None
        epoch = sum(min(p.examples, _cap(op.mix)) for p in known)
        unit, number = op.length
        steps = number if unit == "steps" else number * ceil(epoch / op.batch)
        examples = number * op.batch if unit == "steps" else number * epoch
        shares = _shares(op.mix, known)
        tokens = sum(share * p.tokens / p.examples for share, p in zip(shares, known, strict=True))
        sequences = sum(share * p.sequences / p.examples for share, p in zip(shares, known, strict=True))
        every = (op.keep.every if op.keep is not None else None) or ceil(epoch / op.batch)
        candidates = ceil(steps / every) if op.keep is not None else 0
        return _Trained(steps, examples * tokens, tokens / max(1.0, sequences), candidates)

    def _judged(self, shape: ModelShape, judges: Iterable[Judge]) -> float | None:
        """FLOPs of judging one checkpoint."""
        found = [_read(shape, self._amounts.get(key)) for judge in judges for key in judge.data]
        known = [f for f in found if f is not None]
        return sum(known) if len(known) == len(found) else None

    def _select(self, key: Key, op: Select) -> Work:
        shape = self._shapes[key] = self._shapes.get(op.candidates[0])
        trained = [self._trained.get(k) for k in op.candidates]
        judged = self._judged(shape, op.judges) if shape is not None else None
        if judged is None or None in trained:
            return Work(None, None, self._bytes(key), _encoder(shape))
        checkpoints = sum(max(1.0, t.candidates) for t in trained if t is not None)
        return Work(judged * checkpoints, None, self._bytes(key), _encoder(shape))


def _encoder(shape: ModelShape | None) -> float | None:
    return shape.encoder if shape is not None else None


def _read(shape: ModelShape | None, amount: Amount | None) -> float | None:
    """FLOPs of one pass over the data."""
    one = forward(shape, amount.length) if shape is not None and amount is not None else None
    return one * amount.tokens if one is not None and amount is not None else None


def _together(amounts: Iterable[Amount | None]) -> Amount | None:
    """Those of several languages."""
    found = list(amounts)
    known = [a for a in found if a is not None]
    if len(known) < len(found):
        return None
    return Amount(sum(a.examples for a in known), sum(a.sequences for a in known), sum(a.tokens for a in known))


def _cap(mix: Mix | None) -> float:
    return float("inf") if mix is None or mix.cap is None else mix.cap


def _shares(mix: Mix | None, parts: list[Amount]) -> list[float]:
    """With what probability a step draws each part (as `runtime.mixing.shares`)."""
    match mix:
        case Mix(rule="uniform"):
            heavy = [1.0] * len(parts)
        case Mix(rule="temperature"):
            logs = [log(p.examples) / (mix.temperature or 1.0) for p in parts]
            heavy = [exp(each - max(logs)) for each in logs]  # no power overflows, however cold
        case Mix(rule="weights"):
            heavy = list(mix.weights)
        case _:
            heavy = [min(p.examples, _cap(mix)) for p in parts]
    return [h / sum(heavy) for h in heavy]
