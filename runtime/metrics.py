"""Scores: one metric over the predictions of one target in one language, and what each item gives to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from runtime import columns
from runtime.kinds import kinds
from runtime.results import SCORE

if TYPE_CHECKING:
    from pathlib import Path

    from runtime.kinds.kind import Items, Kind, Measured


PREDICTIONS = "predictions.arrow"


def score(
    kind: str, metric: str, predictions: Path, *, threshold: float | None = None, tuned_on: Path | None = None
) -> Measured:
    """The metric over a folder of predictions, or over those at or above a threshold, which others may choose."""
    own = kinds()[kind]
    if own.threshold is None:
        threshold = None
    elif tuned_on is not None:
        threshold = own.threshold.tune(predicted(tuned_on))
    return replace(own.metrics[metric](_counted(own, predicted(predictions), threshold)), threshold=threshold)


def predicted(predictions: Path) -> Any:  # noqa: ANN401
    """The Arrow table of a folder of predictions."""
    return columns.read_table(predictions / PREDICTIONS)


def items(kind: str, metric: str, table: Any, threshold: float | None = None) -> Items:  # noqa: ANN401
    """What each item of a table of predictions gives to the metric; the threshold is that of the score.

    The whole of their sums is the value of `score`, and says what it says.
    """
    own = kinds()[kind]
    return own.items[metric](_counted(own, table, threshold))


def _counted(own: Kind, table: Any, threshold: float | None) -> Any:  # noqa: ANN401
    """The predictions; of a kind with thresholds without what is below one."""
    return table if own.threshold is None or threshold is None else own.threshold.above(table, threshold)


def write(folder: Path, measured: Measured) -> None:
    """Write a score."""
    (folder / SCORE).write_text(json.dumps(asdict(measured)), encoding="utf-8")
