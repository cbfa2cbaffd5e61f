"""Retrieval: which of all documents of a language belongs to a query (Tatoeba in XTREME).

Nothing is trained: a sentence's vector is the mean over the hidden states of all its tokens, special ones included, or
that of its first token (as XTREME's `third_party/utils_retrieve.py`); the nearest document by cosine is the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from runtime.kinds.kind import Batch, Encoded, Kind, Measured
from runtime.kinds.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_AT_ONCE = 1024  # queries whose similarities to all documents are held at one time


class Pool(nn.Module):
    """Vectors of tokens -> one of their sentence. It has no weights."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, hidden: Tensor, attention: Tensor) -> Tensor:
        """(N, T, H), (N, T) -> (N, H) in float32."""
        if self.how == "cls":
            return hidden[:, 0].float()
        real = attention[..., None].float()
        return (hidden.float() * real).sum(dim=1) / real.sum(dim=1)


def head(_encoder: nn.Module, _labels: int) -> Pool:
    """The mean, unless a target says otherwise (`runtime.models.load_network`)."""
    return Pool("mean")


def encode(values: Mapping[str, Any], tokenizer: Any, max_length: int, labels: tuple[str, ...]) -> Encoded:  # noqa: ANN401, ARG001
    """Two sequences, query and document, of one row. What is too long loses its end."""
    room = max_length - tokenizer.num_special_tokens_to_add(is_pair=False)
    encodings, cut = [], False
    for name in ("query", "document"):
        encoding = tokenizer.encode(text_of(values, name), add_special_tokens=False)
        cut |= len(encoding) > room
        encoding.truncate(room)
        encodings.append(tokenizer.post_process(encoding, None, add_special_tokens=True))
    return Encoded(tuple(e.ids for e in encodings), tuple(e.type_ids for e in encodings), -1, cut)


def loss(_head: nn.Module, _hidden: Tensor, _batch: Batch) -> Tensor:
    """None: nothing is trained."""
    raise AssertionError("the compiler let a stage of retrieval through")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example the vectors of query and document, and the document's tokens."""
    vectors = head(hidden, batch.attention).cpu().numpy()
    documents = zip(batch.tokens[1::2].cpu().numpy(), batch.attention[1::2].cpu().numpy(), strict=True)
    return {
        "row": batch.rows.tolist(),
        "query": list(vectors[0::2]),
        "document": list(vectors[1::2]),
        "tokens": [tokens[attention == 1].tobytes() for tokens, attention in documents],
    }


def finish(found: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """For each query of a language: its own row, the row of the nearest document, and how similar that is."""
    nearest, similarity = search(np.stack(found["query"]), np.stack(found["document"]))
    first: dict[bytes, int] = {}  # equal documents differ by rounding at most: the first of them stands for all
    for index, tokens in enumerate(found["tokens"]):
        first.setdefault(tokens, index)
    chosen = [first[found["tokens"][index]] for index in nearest]
    rows = found["row"]
    return {"row": rows, "label": rows, "prediction": [rows[c] for c in chosen], "similarity": similarity.tolist()}


def search(
    queries: NDArray[np.float32], documents: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Index and cosine of the document nearest to each query; of equally near ones the first."""
    queries, documents = _unit(queries), _unit(documents)
    nearest, similarity = [], []
    for start in range(0, len(queries), _AT_ONCE):
        similarities = queries[start : start + _AT_ONCE] @ documents.T
        nearest.append(similarities.argmax(axis=1))
        similarity.append(similarities.max(axis=1))
    return np.concatenate(nearest), np.concatenate(similarity)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of queries whose nearest document is their own; chance is one over the number of documents."""
    label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    return Measured(float((label == prediction).mean()), len(label), 1 / len(label))


KIND = Kind(
    name="retrieval",
    fields=("query", "document"),
    required=("query", "document"),
    texts=("query",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    finish=finish,
    metrics={"accuracy": accuracy},
)
