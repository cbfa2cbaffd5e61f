"""Classification of a text or of a pair of texts (MNLI, QQP, XNLI, PAWS-X).

A pair is `<s> A </s></s> B </s>`; the head reads the first token by dropout, dense, tanh, dropout, linear, as RoBERTa's
classification head does (`transformers/models/roberta/modeling_roberta.py`, jiant's
`jiant/proj/main/modeling/heads.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from runtime.errors import BadInput
from runtime.kinds.kind import Batch, Encoded, Kind, Measured
from runtime.kinds.labels import is_unlabelled, number
from runtime.kinds.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Head(nn.Module):
    """First token's vector -> one score a label."""

    def __init__(self, width: int, labels: int, dropout: float, deviation: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(width, labels)
        for layer in (self.dense, self.out_proj):
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, T, H) -> (N, labels)."""
        first = hidden[:, 0]  # (N, H)
        scores: Tensor = self.out_proj(self.dropout(torch.tanh(self.dense(self.dropout(first)))))
        return scores


def head(encoder: nn.Module, labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    config: Any = encoder.config
    return Head(config.hidden_size, labels, config.hidden_dropout_prob, config.initializer_range)


def encode(values: Mapping[str, Any], tokenizer: Any, max_length: int, labels: tuple[str, ...]) -> Encoded:  # noqa: ANN401
    """One sequence. What is too long loses the ends of its texts, first of the longer one."""
    first = tokenizer.encode(text_of(values, "text"), add_special_tokens=False)
    second = tokenizer.encode(text_of(values, "pair"), add_special_tokens=False) if "pair" in values else None
    room = max_length - tokenizer.num_special_tokens_to_add(is_pair=second is not None)
    ends = longest_first(len(first), 0 if second is None else len(second), room)
    cut = len(first) + len(second or ()) > room
    first.truncate(ends[0])
    if second is not None:
        second.truncate(ends[1])
    whole = tokenizer.post_process(first, second, add_special_tokens=True)
    return Encoded((whole.ids,), (whole.type_ids,), _label(values["label"], labels), cut)


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts are kept, as by `longest_first` of transformers.

    The longer one gives until both are equal, then both give; where the room is odd, the longer one keeps one more, or
    the second of equal ones.
    """
    if first + second <= room:
        return first, second
    short, long = sorted((first, second))
    long = max(short, room - short) if short <= room else short
    if short + long > room:
        short, long = room // 2, room - room // 2
    return (short, long) if first <= second else (long, short)


def _label(value: object, labels: tuple[str, ...]) -> int | None:
    """The label's index: by its name, else as a number that is no name; None where the row has no label."""
    text = str(value).strip()
    if text in labels:
        return labels.index(text)
    if is_unlabelled(value, labels):
        return None
    if (index := number(value, len(labels))) is None:
        shown = ", ".join(labels[:12]) + (" …" if len(labels) > 12 else "")  # noqa: PLR2004
        hint = f"the labels are {shown}, or their numbers from 0 to {len(labels) - 1}"
        raise BadInput(f"`label` is {value!r:.40}", hint, "input.label")
    return index


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the labels, summed over the batch's examples."""
    return functional.cross_entropy(head(hidden).float(), batch.labels, reduction="sum")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example: label, prediction, and the score of each label."""
    scores = head(hidden).float()
    return {
        "row": batch.rows.tolist(),
        "label": batch.labels.tolist(),
        "prediction": scores.argmax(dim=-1).tolist(),
        "scores": scores.tolist(),
    }


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of examples whose highest score is at the label; chance is one over the number of labels."""
    label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    return Measured(float((label == prediction).mean()), len(label), 1 / len(table.column("scores")[0]))


KIND = Kind(
    name="classification",
    fields=("text", "pair", "label"),
    required=("text", "label"),
    texts=("text", "pair"),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"accuracy": accuracy},
)
