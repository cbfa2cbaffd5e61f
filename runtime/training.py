"""One training stage, written out once.

AdamW with decoupled weight decay (none on biases and layer norms), warmup and decay, clipping; a step may be several
micro-batches whose gradients add up to the step's exactly. Everything random is drawn from (seed, step).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from runtime.batches import micro_batches
from runtime.errors import BadInput
from runtime.kinds import kinds
from runtime.machine import accelerator, token_budget, use_threads
from runtime.models import Network, load_encoder, read_head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from compiler.ops import Train
    from runtime.feed import Feed

OnStep = Callable[[int, int, float], None]  # step from 1, steps in all, loss

_HEAD, _STEP = 1, 2  # what a random stream is for
_STEPS_BETWEEN_READS = 10  # on a GPU, reading the loss waits for the device


@dataclass(frozen=True, slots=True)
class Point:
    """One optimizer step of the curve."""

    step: int
    lr: float
    loss: float  # mean over the step's units
    norm: float  # of the gradient, before clipping
    part: int  # that the step drew


def seed_torch(seed: int, purpose: int, number: int = 0) -> None:
    """Start torch's generators anew for one purpose."""
    torch.manual_seed(int(np.random.SeedSequence([seed, purpose, number]).generate_state(1, np.uint64)[0] >> 1))


def seed_head(seed: int, index: int) -> None:
    """Start torch's generators for a new head, the `index`-th of a network."""
    seed_torch(seed, _HEAD, index)


def start(op: Train, parent: Path, files: Mapping[str, Path]) -> Network:
    """The network that a training starts from: the parent's encoder, and each head new or as the parent has it."""
    network = Network(load_encoder(parent, files, op.dropout))
    for index, part in enumerate(op.parts):
        seed_head(op.seed, index)
        head = network.add(part.kind)
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
    """Weights that decay, and biases and layer norms that do not."""
    decaying = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decaying, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def train(op: Train, network: Network, feed: Feed, *, device: str, on_step: OnStep) -> list[Point]:
    """Train `network` in place; the curve, one point a step.

    The heads of parts that a step did not draw have no gradient: it neither moves nor decays them.

    Raises BadInput when the loss is no longer a number.
    """
    use_threads(network)
    machine = accelerator(device, op.precision)
    network.to(machine.device)
    optimizer = torch.optim.AdamW(parameter_groups(network, op.weight_decay), lr=op.lr, eps=op.eps)
    budget, pad, steps = token_budget(machine.device), feed.special.pad, feed.steps
    often = 1 if machine.device.type == "cpu" else _STEPS_BETWEEN_READS
    curve: list[tuple[float, torch.Tensor, torch.Tensor, int]] = []  # a Point's, read from the device at the end
    network.train()
    for step in range(steps):
        drawn = feed.at(step)
        kind, head = kinds()[network.kinds[drawn.part]], network.heads[drawn.part]
        rate = learning_rate(op, step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        seed_torch(op.seed, _STEP, step)  # dropout
        total = torch.zeros((), device=machine.device)
        for _, batch in micro_batches(drawn.columns, budget, pad, machine.device, drawn.targets):
            with machine.autocast():
                hidden = network(batch.tokens, batch.attention, batch.segments)  # (N, T, H)
                loss = kind.loss(head, hidden, batch) / drawn.units
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        norm = nn.utils.clip_grad_norm_(network.parameters(), op.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        curve.append((rate, total, norm, drawn.part))
        if (step + 1) % often == 0 or step + 1 == steps:
            on_step(step + 1, steps, _finite(float(total), step))
    return [Point(n, rate, float(loss), float(norm), part) for n, (rate, loss, norm, part) in enumerate(curve, 1)]


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise BadInput(f"the loss is {loss} at step {step + 1}", "try a smaller `lr`, or more `warmup`", "lr")
    return loss
