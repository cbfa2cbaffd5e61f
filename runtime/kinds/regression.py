"""Regression of a number on a text or a pair of texts (STS-B).

The pair and the head are those of classification, with one score; the loss is the squared error, as in jiant's and
transformers' fine-tuning on GLUE (`transformers/models/roberta/modeling_roberta.py`, `problem_type: regression`).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional

from runtime.errors import BadInput
from runtime.kinds.classification import Head
from runtime.kinds.classification import head as classification_head
from runtime.kinds.correlations import correlation, moments, ranks, spearman_pseudo_values
from runtime.kinds.kind import Batch, Coding, Encoded, Items, Kind, Measured
from runtime.kinds.sums import rows_of
from runtime.kinds.texts import pair_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def head(encoder: nn.Module, _labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    return classification_head(encoder, 1)


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """One sequence. What is too long loses the ends of its texts, first of the longer one."""
    whole, cut = pair_of(values, coding)
    return Encoded((whole.ids,), (whole.type_ids,), _value(values["value"]), cut)


def _value(value: object) -> float | None:
    """The number that a value is or writes out; None for a null or an empty text. -1 is a number like others."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    found = float(text) if _NUMBER.fullmatch(text) and not isinstance(value, bool) else math.nan
    if not math.isfinite(found):
        raise BadInput(f"`value` is {value!r:.40}", "it must be a number", "input.value")
    return found


def _scores(head: nn.Module, hidden: Tensor) -> Tensor:
    scores: Tensor = head(hidden).float().squeeze(-1)  # (B,)
    return scores


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Squared error, summed over the batch's examples."""
    return functional.mse_loss(_scores(head, hidden), batch.labels, reduction="sum")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example: value and prediction."""
    return {
        "row": batch.rows.tolist(),
        "label": batch.labels.tolist(),
        "prediction": _scores(head, hidden).tolist(),
    }


def _correlation(table: Any, of: str) -> Measured:  # noqa: ANN401
    """A correlation of SciPy's by name; 0 where one side is constant and it is not defined."""
    from scipy import stats

    value, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    if len(value) < 2 or (value == value[0]).all() or (prediction == prediction[0]).all():  # noqa: PLR2004
        return Measured(0.0, len(value), 0.0)
    return Measured(float(getattr(stats, of)(value, prediction).statistic), len(value), 0.0)


def pearson(table: Any) -> Measured:  # noqa: ANN401
    """Pearson correlation of values and predictions."""
    return _correlation(table, "pearsonr")


def spearman(table: Any) -> Measured:  # noqa: ANN401
    """Spearman rank correlation of values and predictions; equal ones have the mean of their ranks."""
    return _correlation(table, "spearmanr")


def pearson_items(table: Any) -> Items:  # noqa: ANN401
    """The moments of each example; of predictions that are no numbers there is no correlation, and it is 0."""
    value, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    return Items(rows_of(table), moments(value, prediction), correlation)


def spearman_items(table: Any) -> Items:  # noqa: ANN401
    """The moments of each example's ranks, and its pseudo-value, which counts what it does to the ranks of others."""
    value, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    sums, pseudo = moments(ranks(value), ranks(prediction)), spearman_pseudo_values(value, prediction)
    return Items(rows_of(table), sums, correlation, pseudo)


KIND = Kind(
    name="regression",
    fields=("text", "pair", "value"),
    required=("text", "value"),
    texts=("text", "pair"),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"pearson": pearson, "spearman": spearman},
    items={"pearson": pearson_items, "spearman": spearman_items},
)
