"""Evaluation: the predictions of one checkpoint on one data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from runtime.batches import hide, micro_batches
from runtime.clusters import marked
from runtime.errors import Stopped
from runtime.kinds import kinds
from runtime.machine import accelerator, layout_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.columns import Columns
    from runtime.kinds.kind import Kind, Own, Special
    from runtime.models import Network

MASK_SEED = 1  # hidden tokens of an evaluation are the same for every model
_Found = list[tuple["NDArray[np.int64]", dict[str, list[Any]]]]  # indices of examples, and columns of their predictions


def predict(
    network: Network,
    columns: Columns,
    special: Special,
    *,
    head: int = 0,
    device: str,
    precision: str,
    mask: float | None,
    own: Own | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Any:  # noqa: ANN401
    """An Arrow table of predictions on one data set by one of the network's heads, rows in the order of the data.

    Batches hold examples of this data set alone: what is predicted in one language does not depend, to the last bit,
    on which others a run has left to do. Raises Stopped between two batches.
    """
    machine = accelerator(device, precision)
    network.to(machine.device).eval()
    layout = layout_for(network, machine.device)
    torch.set_num_threads(layout.threads)
    kind = kinds()[network.kinds[head]]
    shown = columns
    if kind.masks and mask is not None:
        shown = hide(columns, mask, special, seed=MASK_SEED, step=0)
    found: _Found = []
    with torch.inference_mode(), machine.autocast():
        for chosen, batch in micro_batches(shown, layout.token_budget, special.pad, machine.device):
            if stopping():
                raise Stopped
            vectors = network(batch.tokens, batch.attention, batch.segments)
            found.append((chosen, kind.predict(network.heads[head], vectors, batch)))
    return marked(_table(kind, found, columns.kept, own or {}), columns)


def _table(kind: Kind, found: _Found, kept: Any, own: Own) -> Any:  # noqa: ANN401
    """One table of all predictions in the order of the data, as the kind finishes them."""
    import pyarrow as pa

    order = np.argsort(np.concatenate([chosen for chosen, _ in found]))
    together = {name: [v for _, columns in found for v in columns[name]] for name in found[0][1]}
    columns = {name: [values[i] for i in order] for name, values in together.items()}
    return pa.table(columns if kind.finish is None else kind.finish(columns, kept, own))
