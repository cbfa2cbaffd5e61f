"""One training stage, written out once.

AdamW with decoupled weight decay (none on biases and layer norms), warmup and decay, clipping; a step may be several
micro-batches whose gradients add up to the step's exactly. Everything random is drawn from (seed, step).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from msgspec import Struct, field
from torch import nn

from runtime.batches import micro_batches
from runtime.errors import BadInput, Stopped
from runtime.kinds import kinds
from runtime.machine import accelerator, layout_for
from runtime.models import Network, load_encoder, read_head
from runtime.resuming import Keeper, Layout, Point, Progressed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from accelerate import Accelerator

    from compiler.ops import Train
    from runtime.feed import Drawn, Feed
    from runtime.selecting import Chooser

OnStep = Callable[["Reached"], None]

HEAD = "head"  # `tune: head`, the heads alone learn
_HEAD, _STEP = 1, 2  # what a random stream is for
_STEPS_BETWEEN_READS = 10  # on a GPU, reading the loss waits for the device


class Reached(Struct, frozen=True):
    """How far a training is, after a step."""

    step: int  # from 1
    steps: int  # in all
    loss: float
    first: int  # the step that this process began after: 0 unless it resumed
    tokens: int  # seen by this process


def seed_torch(seed: int, purpose: int, number: int = 0) -> None:
    """Start torch's generators anew for one purpose."""
    torch.manual_seed(int(np.random.SeedSequence([seed, purpose, number]).generate_state(1, np.uint64)[0] >> 1))


def seed_head(seed: int, index: int) -> None:
    """Start torch's generators for a new head, the `index`-th of a network."""
    seed_torch(seed, _HEAD, index)


def start(op: Train, parent: Path, files: Mapping[str, Path]) -> Network:
    """The network that a training starts from: the parent's encoder, and each head new or as the parent has it."""
    network = Network(load_encoder(parent, files, op.dropout))
    if op.tune == HEAD:
        network.encoder.requires_grad_(requires_grad=False)
    for index, part in enumerate(op.parts):
        seed_head(op.seed, index)
        head = network.add(part.kind, len(part.labels))
        if isinstance(part.head, int):
            read_head(head, parent, part.head)
    return network


def learning_rate(op: Train, step: int, steps: int) -> float:
    """The learning rate of step `step` (from 0): linear up over the warmup, then decaying to 0 at `steps`.

    Source: Devlin et al. 2019, appendix A.2 (linear); half a cosine for `cosine`.
    """
    warmup = round(op.warmup * steps) if isinstance(op.warmup, float) else op.warmup
    if step < warmup:
        return op.lr * (step + 1) / warmup
    left = (steps - step) / max(1, steps - warmup)
    match op.schedule:
        case "linear":
            return op.lr * left
        case "cosine":
            return op.lr * 0.5 * (1 - math.cos(math.pi * left))
        case _:
            return op.lr


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Of the weights that learn those that decay, and biases and layer norms, which do not."""
    learning = [p for p in network.parameters() if p.requires_grad]
    decaying = [p for p in learning if p.ndim > 1]
    others = [p for p in learning if p.ndim <= 1]
    return [{"params": decaying, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def train(
    op: Train,
    network: Network,
    feed: Feed,
    *,
    device: str,
    on_step: OnStep,
    keeper: Keeper | None = None,
    chooser: Chooser | None = None,
) -> list[Point]:
    """Train `network` in place, from where the keeper's last state left off; the curve, one point a step.

    The heads of parts that a step did not draw have no gradient: it neither moves nor decays them. At the end the
    network has the weights of the chooser's best candidate, after which it may have ended early.

    Raises BadInput when the loss is no longer a number, Stopped when the keeper was told to stop and has saved.
    """
    keeper = keeper or Keeper()
    machine = accelerator(device, op.precision)
    network.to(machine.device)
    optimizer = torch.optim.AdamW(parameter_groups(network, op.weight_decay), lr=op.lr, eps=op.eps)
    before = keeper.restore(network, optimizer, machine.device.type)
    layout = before.layout if before is not None else layout_for(network, machine.device)
    curve = _Curve(layout, before, chooser)
    steps, first, tokens = feed.steps, curve.step, 0
    often = 1 if machine.device.type == "cpu" else _STEPS_BETWEEN_READS
    _learning(network, op, layout)
    for step in range(first, steps):
        drawn, rate = feed.at(step), learning_rate(op, step, steps)
        seed_torch(op.seed, _STEP, step)  # dropout
        loss = _learn(network, drawn, feed.special.pad, machine, layout)
        norm = nn.utils.clip_grad_norm_(network.parameters(), op.clip)
        _move(optimizer, rate)
        curve.add(rate, loss, norm, drawn.part)
        tokens += len(drawn.columns.tokens)
        if (step + 1) % often == 0 or step + 1 == steps:
            on_step(Reached(step + 1, steps, _finite(float(loss), step), first, tokens))
        over = chooser is not None and chooser.take_if_due(network, step + 1, last=step + 1 == steps)
        _learning(network, op, layout)
        _keep(keeper, network, optimizer, curve, last=over or step + 1 == steps)
        if over:
            break
    if chooser is not None:
        chooser.settle(network)
    return curve.points()


def _move(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """One step along the gradient, which is then gone."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _learning(network: Network, op: Train, layout: Layout) -> None:
    """Ready for a step: dropout in what learns; an encoder whose weights stay gives the vectors of an evaluation."""
    torch.set_num_threads(layout.threads)
    network.train()
    if op.tune == HEAD:
        network.encoder.eval()


def _learn(network: Network, drawn: Drawn, pad: int, machine: Accelerator, layout: Layout) -> torch.Tensor:
    """The loss of one step's examples; its gradient stands in the network."""
    kind, head = kinds()[network.kinds[drawn.part]], network.heads[drawn.part]
    total = torch.zeros((), device=machine.device)
    for _, batch in micro_batches(drawn.columns, layout.token_budget, pad, machine.device):
        with machine.autocast():
            hidden = network(batch.tokens, batch.attention, batch.segments)  # (N, T, H)
            loss = kind.loss(head, hidden, batch) / drawn.units
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return total


class _Curve(Struct):
    """The points so far; losses and norms are read from the device only when somebody wants them."""

    layout: Layout
    before: Progressed | None
    chooser: Chooser | None = None
    began: float = field(default_factory=time.monotonic)
    waiting: list[tuple[float, torch.Tensor, torch.Tensor, int]] = field(default_factory=list)  # as in a Point
    read: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read = list(self.before.curve) if self.before is not None else []
        if self.chooser is not None and self.before is not None:
            self.chooser.resume(self.before.candidates, self.before.best)

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.read) + len(self.waiting)

    def add(self, rate: float, loss: torch.Tensor, norm: torch.Tensor, part: int) -> None:
        """One more step."""
        self.waiting.append((rate, loss, norm, part))

    def points(self) -> list[Point]:
        """All points, read."""
        for rate, loss, norm, part in self.waiting:
            self.read.append(Point(len(self.read) + 1, rate, float(loss), float(norm), part))
        self.waiting.clear()
        return self.read

    def progressed(self) -> Progressed:
        """What a state holds beside tensors."""
        spent = (self.before.seconds if self.before is not None else 0.0) + time.monotonic() - self.began
        found, best = (self.chooser.found, self.chooser.best) if self.chooser is not None else ([], {})
        return Progressed(self.layout, self.points(), spent, found, best)


def _keep(keeper: Keeper, network: nn.Module, optimizer: torch.optim.Optimizer, curve: _Curve, *, last: bool) -> None:
    """Save when it is time, or when the training is to stop; nothing after the last step, which is published."""
    if last:
        return
    stopping = keeper.stopping()
    if stopping or keeper.due():
        keeper.save(network, optimizer, curve.progressed())
    if stopping:
        raise Stopped(curve.step)


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise BadInput(f"the loss is {loss} at step {step + 1}", "try a smaller `lr`, or more `warmup`", "lr")
    return loss
