"""Trainings that collapsed and begin anew with another seed: `degenerate: restart(tries: N)`.

Fine-tuning on few examples may end where it learnt nothing but how often each answer is right (Mosbach et al. 2021).
That shows in its own loss, without any other data: it stays at that of the best constant answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from runtime.columns import Columns
    from runtime.resuming import Point

NEAR = 0.98  # share of the constant answer's loss, from which nothing was learnt
_LAST = 0.1  # share of the steps whose loss counts
_SEEDS = 1_000_003  # from one try's seed to the next: prime, and beyond the seeds that people give
_END = 2**32


def seed_of(seed: int, attempt: int) -> int:
    """The seed of a try, the first of which is 0: another than those that other runs have."""
    return (seed + attempt * _SEEDS) % _END


def has_collapsed(curve: Sequence[Point], constants: Sequence[float | None]) -> bool:
    """Whether some part's loss ended at that of a constant answer; `constants` are those, None of other kinds."""
    return any(
        constant is not None and _ended([p.loss for p in curve if p.part == part]) >= NEAR * constant
        for part, constant in enumerate(constants)
    )


def _ended(losses: Sequence[float]) -> float:
    """The mean loss of the last steps; 0 of none."""
    return float(np.mean(losses[-max(1, round(_LAST * len(losses))) :])) if losses else 0.0


def constant_loss(kind: str, data: Sequence[Columns]) -> float | None:
    """The cross entropy of the best constant answer, in nats an example; None of a kind without discrete answers."""
    if kind == "classification":
        shares = np.unique(np.concatenate([columns.labels for columns in data]), return_counts=True)[1]
        shares = shares / shares.sum()
        return float(-(shares * np.log(shares)).sum())
    if kind == "multiple-choice":
        return float(np.log(np.concatenate([columns.choices for columns in data])).mean())
    return None
