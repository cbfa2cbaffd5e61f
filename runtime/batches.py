"""Batches: which examples a step sees, hidden tokens, and how a step is cut to fit the machine.

What a step sees is a pure function of (seed, step). How it is cut into micro-batches changes no gradient but by
rounding, and stands in no key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from msgspec.structs import replace

from runtime.kinds.kind import IGNORED, Batch, Special

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from runtime.columns import Columns

_ORDER, _MASK = 1, 2  # what a random stream is for


def _random(seed: int, purpose: int, number: int) -> np.random.Generator:
    """The stream for one purpose at one epoch or step."""
    return np.random.Generator(np.random.PCG64([seed, purpose, number]))


def steps_per_epoch(examples: int, batch: int) -> int:
    """Optimizer steps that see every example once; the last one may be smaller."""
    return -(-examples // batch)


@lru_cache(maxsize=2)
def _epoch(examples: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch sees its examples."""
    return _random(seed, _ORDER, epoch).permutation(examples)


def examples_at(step: int, *, examples: int, batch: int, seed: int) -> NDArray[np.int64]:
    """Indices of the examples of a step: each epoch is its own permutation, cut into batches."""
    epoch, position = divmod(step, steps_per_epoch(examples, batch))
    order = _epoch(examples, seed, epoch)
    return order[position * batch : (position + 1) * batch]


def hide(columns: Columns, share: float, special: Special, *, seed: int, step: int) -> Columns:
    """The columns with `share` of their tokens hidden; the target of a hidden token is itself, of others IGNORED.

    Of the tokens drawn, 80 % become the mask, 10 % another token, 10 % stay (Devlin et al. 2019, section 3.1).
    """
    random = _random(seed, _MASK, step)
    tokens = columns.tokens
    drawn = random.random(len(tokens)) < share
    drawn &= ~np.isin(tokens, sorted(special.special))
    how = random.random(len(tokens))
    other = random.integers(special.size, size=len(tokens), dtype=np.int32)
    mask = -1 if special.mask is None else special.mask
    inputs = np.where(drawn & (how < 0.8), mask, tokens)  # noqa: PLR2004
    inputs = np.where(drawn & (how >= 0.9), other, inputs).astype(np.int32)  # noqa: PLR2004
    return replace(columns, tokens=inputs, targets=np.where(drawn, tokens, IGNORED).astype(np.int32))


def micro_batches(
    columns: Columns, budget: int, pad: int, device: torch.device
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """All examples of `columns`, longest first, cut so that a padded batch has at most `budget` tokens.

    Yields the examples' indices with each batch. One example is never cut, however long.
    """
    for chosen in _cuts(columns, budget):
        yield chosen, _pad(columns.take(chosen), pad, device)


def _cuts(columns: Columns, budget: int) -> Iterator[NDArray[np.int64]]:
    lengths, choices = columns.lengths, columns.choices
    order = np.argsort(-lengths, kind="stable")
    start, sequences = 0, 0
    for position, example in enumerate(order):
        wide = int(lengths[order[start]])
        if position > start and (sequences + int(choices[example])) * wide > budget:
            yield order[start:position]
            start, sequences = position, 0
        sequences += int(choices[example])
    if start < len(order):
        yield order[start:]


def _pad(part: Columns, pad: int, device: torch.device) -> Batch:
    starts, lengths = part.sequence_starts[:-1], np.diff(part.sequence_starts)
    columns_of = np.arange(int(lengths.max()))
    real = columns_of < lengths[:, None]  # (N, T)
    index = np.minimum(starts[:, None] + columns_of, len(part.tokens) - 1)
    targets = None if part.targets is None else _tensor(np.where(real, part.targets[index], IGNORED), device)
    return Batch(
        tokens=_tensor(np.where(real, part.tokens[index], pad), device),
        attention=_tensor(real, device),
        segments=_tensor(np.where(real, part.segments[index], 0), device),
        choices=_tensor(part.choices, torch.device("cpu")),
        labels=_tensor(part.labels, device),
        rows=_tensor(part.rows, device),
        targets=targets,
    )


def _tensor(values: NDArray[np.generic], device: torch.device) -> torch.Tensor:
    whole = np.issubdtype(values.dtype, np.integer) or values.dtype == bool
    tensor = torch.from_numpy(values.astype(np.int64 if whole else np.float32))
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
