"""Scores: one metric over the predictions of one target in one language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from runtime import columns
from runtime.kinds import kinds
from runtime.kinds.kind import Measured
from runtime.results import SCORE

if TYPE_CHECKING:
    from pathlib import Path


PREDICTIONS = "predictions.arrow"


def score(
    kind: str, metric: str, predictions: Path, *, threshold: float | None = None, tuned_on: Path | None = None
) -> Measured:
    """The metric over a folder of predictions, or over those at or above a threshold, which others may choose."""
    found, own = columns.read_table(predictions / PREDICTIONS), kinds()[kind]
    if own.threshold is not None and tuned_on is not None:
        threshold = own.threshold.tune(columns.read_table(tuned_on / PREDICTIONS))
    if own.threshold is None or threshold is None:
        return own.metrics[metric](found)
    return replace(own.metrics[metric](own.threshold.above(found, threshold)), threshold=threshold)


def write(folder: Path, measured: Measured) -> None:
    """Write a score."""
    (folder / SCORE).write_text(json.dumps(asdict(measured)), encoding="utf-8")
