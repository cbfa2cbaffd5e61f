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
        threshold = own.threshold.tune(columns.read_table(tuned_on / PREDICTIONS))
    return replace(own.metrics[metric](_counted(own, predictions, threshold)), threshold=threshold)


def items(kind: str, metric: str, predictions: Path, threshold: float | None = None) -> Items:
    """What each item of a folder of predictions gives to the metric; the threshold is that of the score.

    The whole of their sums is the value of `score`, and says what it says.
    """
    own = kinds()[kind]
    return own.items[metric](_counted(own, predictions, threshold))


def _counted(own: Kind, predictions: Path, threshold: float | None) -> Any:  # noqa: ANN401
    """The table of predictions; of a kind with thresholds without what is below one."""
    found = columns.read_table(predictions / PREDICTIONS)
    return found if own.threshold is None or threshold is None else own.threshold.above(found, threshold)


def write(folder: Path, measured: Measured) -> None:
    """Write a score."""
    (folder / SCORE).write_text(json.dumps(asdict(measured)), encoding="utf-8")
