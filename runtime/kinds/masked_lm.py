"""Masked language modelling: predict tokens that were hidden (Devlin et al. 2019, section 3.1).

The head is XLM-R's, on every encoder: dense, GELU, layer norm, and the word embeddings once more as the output layer.
Where these are of another width, the dense layer leads to it; RemBERT's own output layer, which it was pretrained with,
is not read. Tokens are hidden by `runtime.batches`, before a step is cut into micro-batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from runtime.architectures import norm_eps
from runtime.kinds.kind import IGNORED, Batch, Coding, Encoded, Items, Kind, Measured
from runtime.kinds.sums import ratio, rows_of, stacked, whole_of
from runtime.kinds.texts import text_encoding

if TYPE_CHECKING:
    from collections.abc import Mapping


class Head(nn.Module):
    """Token vectors -> scores over the vocabulary, with the embeddings' own weights."""

    def __init__(self, width: int, embeddings: nn.Embedding, deviation: float, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embeddings.embedding_dim)
        self.norm = nn.LayerNorm(embeddings.embedding_dim, eps=eps)
        self.bias = nn.Parameter(torch.zeros(embeddings.num_embeddings))
        self._embeddings = [embeddings]  # in a list: the encoder owns and saves them
        nn.init.normal_(self.dense.weight, std=deviation)
        nn.init.zeros_(self.dense.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """(M, H) -> (M, V)."""
        hidden = self.norm(functional.gelu(self.dense(vectors)))
        return functional.linear(hidden, self._embeddings[0].weight, self.bias)


def head(encoder: nn.Module, _labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    model: Any = encoder
    config = model.config
    return Head(config.hidden_size, model.get_input_embeddings(), config.initializer_range, norm_eps(config))


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """One sequence; what is too long loses its end."""
    whole, cut = text_encoding(values, "text", coding)
    return Encoded((whole.ids,), (whole.type_ids,), -1, cut)


def _chosen(head: nn.Module, hidden: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Scores (M, V), targets (M,) and the example (M,) of each hidden token."""
    if batch.targets is None:
        raise ValueError("a batch of masked-lm has targets")
    example, position = (batch.targets != IGNORED).nonzero(as_tuple=True)
    scores = head(hidden[example, position]).float()
    return scores, batch.targets[example, position], example


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the hidden tokens, summed over the batch."""
    scores, targets, _ = _chosen(head, hidden, batch)
    return functional.cross_entropy(scores, targets, reduction="sum")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example: how many tokens were hidden, and how many of them were found."""
    scores, targets, example = _chosen(head, hidden, batch)
    size = len(batch.labels)
    right = (scores.argmax(dim=-1) == targets).long()
    zero = torch.zeros(size, dtype=torch.long, device=hidden.device)
    return {
        "row": batch.rows.tolist(),
        "hidden": zero.index_add(0, example, torch.ones_like(example)).tolist(),
        "found": zero.index_add(0, example, right).tolist(),
    }


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of hidden tokens that were found."""
    found = accuracy_items(table)
    return Measured(whole_of(found), int(found.sums[:, 1].sum()), None)


def accuracy_items(table: Any) -> Items:  # noqa: ANN401
    """How many hidden tokens of each example were found, and how many there were."""
    hidden, found = table.column("hidden").to_numpy(), table.column("found").to_numpy()
    return Items(rows_of(table), stacked(found, hidden), ratio)


KIND = Kind(
    name="masked-lm",
    fields=("text",),
    required=("text",),
    texts=("text",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"accuracy": accuracy},
    items={"accuracy": accuracy_items},
    masks=True,
    by_token=True,
)
