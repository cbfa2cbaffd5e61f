"""Evaluation: the predictions of one checkpoint on many data sets in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from runtime import columns as encoded
from runtime.batches import hide, micro_batches
from runtime.columns import Columns
from runtime.kinds import kinds
from runtime.machine import accelerator, token_budget, use_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.kinds.kind import Special
    from runtime.models import Network

MASK_SEED = 1  # hidden tokens of an evaluation are the same for every model


def predict(
    network: Network, parts: list[Columns], special: Special, *, device: str, precision: str, mask: float | None
) -> list[Any]:
    """An Arrow table of predictions for each of `parts`, by the network's first head, rows in the order of the data.

    All parts (the languages of a benchmark) are sorted by length together, so that a batch holds little padding.
    """
    use_threads(network)
    machine = accelerator(device, precision)
    network.to(machine.device).eval()
    kind = kinds()[network.kinds[0]]
    whole, targets = _hidden(parts, special, mask if kind.masks else None)
    found: list[tuple[NDArray[np.int64], dict[str, list[Any]]]] = []
    with torch.inference_mode(), machine.autocast():
        for chosen, batch in micro_batches(whole, token_budget(machine.device), special.pad, machine.device, targets):
            hidden = network(batch.tokens, batch.attention, batch.segments)
            found.append((chosen, kind.predict(network.heads[0], hidden, batch)))
    return _split(_in_order(found), [len(p) for p in parts])


def _hidden(parts: list[Columns], special: Special, mask: float | None) -> tuple[Columns, NDArray[np.int32] | None]:
    """All parts as one; for masked-lm with hidden tokens, which depend on nothing but each part."""
    if mask is None:
        return encoded.concatenate(parts), None
    pairs = [hide(p, mask, special, seed=MASK_SEED, step=0) for p in parts]
    return encoded.concatenate([p for p, _ in pairs]), np.concatenate([t for _, t in pairs])


def _in_order(found: list[tuple[NDArray[np.int64], dict[str, list[Any]]]]) -> Any:  # noqa: ANN401
    """One table of all predictions in the order of the data."""
    import pyarrow as pa

    table = pa.concat_tables([pa.table(columns) for _, columns in found])
    order = np.argsort(np.concatenate([chosen for chosen, _ in found]))
    return table.take(order)


def _split(table: Any, sizes: list[int]) -> list[Any]:  # noqa: ANN401
    starts = np.cumsum([0, *sizes])
    return [table.slice(int(start), size) for start, size in zip(starts, sizes, strict=False)]
