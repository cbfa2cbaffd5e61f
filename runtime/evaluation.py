"""Evaluation: the predictions of one checkpoint on many data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from runtime.batches import hide, micro_batches
from runtime.kinds import kinds
from runtime.machine import accelerator, token_budget, use_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.columns import Columns
    from runtime.kinds.kind import Kind, Special
    from runtime.models import Network

MASK_SEED = 1  # hidden tokens of an evaluation are the same for every model
_Found = list[tuple["NDArray[np.int64]", dict[str, list[Any]]]]  # indices of examples, and columns of their predictions


def predict(
    network: Network, parts: list[Columns], special: Special, *, device: str, precision: str, mask: float | None
) -> list[Any]:
    """An Arrow table of predictions for each of `parts`, rows in the order of the data.

    Each part (a language of a benchmark) has batches of its own, so that no part's result depends on the others.
    """
    use_threads(network)
    machine = accelerator(device, precision)
    network.to(machine.device).eval()
    kind, tables = kinds()[network.kind], []
    for part in parts:
        shown, targets = part, None
        if kind.masks and mask is not None:
            shown, targets = hide(part, mask, special, seed=MASK_SEED, step=0)
        found: _Found = []
        with torch.inference_mode(), machine.autocast():
            budget = token_budget(machine.device)
            for chosen, batch in micro_batches(shown, budget, special.pad, machine.device, targets):
                hidden = network(batch.tokens, batch.attention, batch.segments)
                found.append((chosen, kind.predict(network.head, hidden, batch)))
        tables.append(_table(kind, found))
    return tables


def _table(kind: Kind, found: _Found) -> Any:  # noqa: ANN401
    """One table of all predictions in the order of the data, as the kind finishes them."""
    import pyarrow as pa

    order = np.argsort(np.concatenate([chosen for chosen, _ in found]))
    together = {name: [v for _, columns in found for v in columns[name]] for name in found[0][1]}
    columns = {name: [values[i] for i in order] for name, values in together.items()}
    return pa.table(columns if kind.finish is None else kind.finish(columns))
