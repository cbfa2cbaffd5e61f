"""Classification of a text or of a pair of texts (MNLI, QQP, XNLI, PAWS-X).

A pair is `<s> A </s></s> B </s>`; the head reads the first token by dropout, dense, tanh, dropout, linear, as RoBERTa's
classification head does (`transformers/models/roberta/modeling_roberta.py`, jiant's
`jiant/proj/main/modeling/heads.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from runtime.architectures import head_dropout
from runtime.kinds.kind import Batch, Coding, Encoded, Items, Kind, Measured
from runtime.kinds.labels import index_of
from runtime.kinds.sums import averaged, quotient, rows_of, stacked, whole_of
from runtime.kinds.texts import pair_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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
    found = accuracy_items(table)
    return Measured(whole_of(found), len(found.rows), 1 / _labels(table))


def accuracy_items(table: Any) -> Items:  # noqa: ANN401
    """Whether each example is right."""
    label, prediction = _answers(table)
    return averaged(rows_of(table), label == prediction)


def _answers(table: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # noqa: ANN401
    return table.column("label").to_numpy(), table.column("prediction").to_numpy()


def _labels(table: Any) -> int:  # noqa: ANN401
    """How many labels are declared."""
    return len(table.column("scores")[0])


def macro_f1(table: Any) -> Measured:  # noqa: ANN401
    """Mean of F1 over the labels that occur or are predicted."""
    from sklearn.metrics import f1_score

    label, prediction = _answers(table)
    return Measured(float(f1_score(label, prediction, average="macro", zero_division=0.0)), len(label), None)


def macro_f1_items(table: Any) -> Items:  # noqa: ANN401
    """Of each example, for each of C labels, whether it is rightly predicted, predicted, and there: 3C counts."""
    said, gold = _one_hot(table)
    return Items(rows_of(table), np.concatenate([said * gold, said, gold], axis=1), _macro_f1)


def _macro_f1(sums: Floats) -> Floats:
    """(…, 3C) counts -> (…)."""
    right, said, gold = np.split(sums, 3, axis=-1)
    by_label = quotient(2 * right, said + gold)
    return quotient(by_label.sum(axis=-1), (said + gold > 0).sum(axis=-1).astype(np.float64))


def _one_hot(table: Any) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Predictions and labels, each (I, C)."""
    each = np.eye(_labels(table) if table.num_rows else 0)
    label, prediction = _answers(table)
    return each[prediction], each[label]


def mcc(table: Any) -> Measured:  # noqa: ANN401
    """Matthews correlation coefficient, of several labels too (Gorodkin 2004); 0 where one side is constant."""
    from sklearn.metrics import matthews_corrcoef

    label, prediction = _answers(table)
    constant = (label == label[0]).all() or (prediction == prediction[0]).all()  # scikit-learn gives 0 and warns
    return Measured(0.0 if constant else float(matthews_corrcoef(label, prediction)), len(label), 0.0)


def mcc_items(table: Any) -> Items:  # noqa: ANN401
    """Of each example whether it is right, and for each of C labels whether it is predicted, and there: 1 + 2C counts.

    They are all that Gorodkin's formula reads of a matrix of confusions.
    """
    said, gold = _one_hot(table)
    right = (said * gold).sum(axis=1)
    return Items(rows_of(table), np.concatenate([stacked(right), said, gold], axis=1), _mcc)


def _mcc(sums: Floats) -> Floats:
    """(…, 1 + 2C) counts -> (…); 0 where one side is constant, which the products tell without rounding."""
    right, (said, gold) = sums[..., 0], np.split(sums[..., 1:], 2, axis=-1)
    spreads = [(side * (side.sum(axis=-1, keepdims=True) - side)).sum(axis=-1) for side in (said, gold)]
    covariance = right * gold.sum(axis=-1) - (said * gold).sum(axis=-1)
    return quotient(covariance, np.sqrt(spreads[0] * spreads[1]))


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
    items={"accuracy": accuracy_items, "macro-f1": macro_f1_items, "mcc": mcc_items},
)
