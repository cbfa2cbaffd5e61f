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

from runtime.batches import examples_at, hide, micro_batches, steps_per_epoch
from runtime.errors import BadInput
from runtime.kinds import kinds
from runtime.machine import accelerator, token_budget, use_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compiler.ops import Train
    from runtime.columns import Columns
    from runtime.kinds.kind import Special
    from runtime.models import Network

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


def seed_torch(seed: int, purpose: int, number: int = 0) -> None:
    """Start torch's generators anew for one purpose."""
    torch.manual_seed(int(np.random.SeedSequence([seed, purpose, number]).generate_state(1, np.uint64)[0] >> 1))


def seed_head(seed: int) -> None:
    """Start torch's generators for a new head."""
    seed_torch(seed, _HEAD)


def count_steps(op: Train, examples: int) -> int:
    """Optimizer steps of a stage over so many examples."""
    unit, number = op.length
    return number if unit == "steps" else number * steps_per_epoch(examples, op.batch)


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


def train(
    op: Train, network: Network, columns: Columns, special: Special, *, device: str, on_step: OnStep
) -> list[Point]:
    """Train `network` in place; the curve, one point a step.

    Raises BadInput when the loss is no longer a number.
    """
    use_threads(network)
    machine = accelerator(device, op.precision)
    network.to(machine.device)
    optimizer = torch.optim.AdamW(parameter_groups(network, op.weight_decay), lr=op.lr, eps=op.eps)
    kind, budget = kinds()[op.kind], token_budget(machine.device)
    steps = count_steps(op, len(columns))
    often = 1 if machine.device.type == "cpu" else _STEPS_BETWEEN_READS
    curve: list[tuple[float, torch.Tensor, torch.Tensor]] = []  # rate, loss and norm, read from the device at the end
    network.train()
    for step in range(steps):
        chosen, targets, units = _step_examples(op, columns, special, step)
        rate = learning_rate(op, step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        seed_torch(op.seed, _STEP, step)  # dropout
        total = torch.zeros((), device=machine.device)
        for _, batch in micro_batches(chosen, budget, special.pad, machine.device, targets):
            with machine.autocast():
                hidden = network(batch.tokens, batch.attention, batch.segments)  # (N, T, H)
                loss = kind.loss(network.head, hidden, batch) / units
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        norm = nn.utils.clip_grad_norm_(network.parameters(), op.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        curve.append((rate, total, norm))
        if (step + 1) % often == 0 or step + 1 == steps:
            on_step(step + 1, steps, _finite(float(total), step))
    return [Point(n, rate, float(loss), float(norm)) for n, (rate, loss, norm) in enumerate(curve, 1)]


def _step_examples(
    op: Train, columns: Columns, special: Special, step: int
) -> tuple[Columns, NDArray[np.int32] | None, int]:
    """The examples of a step, the hidden tokens where the kind has such, and how many units its loss is the mean of."""
    chosen = columns.take(examples_at(step, examples=len(columns), batch=op.batch, seed=op.seed))
    if op.mask is None:
        return chosen, None, len(chosen)
    chosen, targets = hide(chosen, op.mask, special, seed=op.seed, step=step)
    return chosen, targets, max(1, int((targets >= 0).sum()))


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise BadInput(f"the loss is {loss} at step {step + 1}", "try a smaller `lr`, or more `warmup`", "lr")
    return loss
