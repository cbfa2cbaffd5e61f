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

from runtime.architectures import head_dropout
from runtime.kinds.kind import Batch, Coding, Encoded, Kind, Measured
from runtime.kinds.labels import index_of
from runtime.kinds.texts import pair_of

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
    return Head(config.hidden_size, labels, head_dropout(config), config.initializer_range)


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """One sequence. What is too long loses the ends of its texts, first of the longer one."""
    whole, cut = pair_of(values, coding)
    also = f", or their numbers from 0 to {len(coding.labels) - 1}"
    label = index_of(values["label"], coding.labels, "`label`", "label", also)
    return Encoded((whole.ids,), (whole.type_ids,), label, cut)


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


def macro_f1(table: Any) -> Measured:  # noqa: ANN401
    """Mean of F1 over the labels that occur or are predicted."""
    from sklearn.metrics import f1_score

    label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    return Measured(float(f1_score(label, prediction, average="macro", zero_division=0.0)), len(label), None)


def mcc(table: Any) -> Measured:  # noqa: ANN401
    """Matthews correlation coefficient, of several labels too (Gorodkin 2004); 0 where one side is constant."""
    from sklearn.metrics import matthews_corrcoef

    label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    constant = (label == label[0]).all() or (prediction == prediction[0]).all()  # scikit-learn gives 0 and warns
    return Measured(0.0 if constant else float(matthews_corrcoef(label, prediction)), len(label), 0.0)


KIND = Kind(
    name="classification",
    fields=("text", "pair", "label"),
    required=("text", "label"),
    texts=("text", "pair"),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"accuracy": accuracy, "macro-f1": macro_f1, "mcc": mcc},
)
