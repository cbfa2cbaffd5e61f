"""Scores: one metric over the predictions of one target in one language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from runtime import columns
from runtime.kinds import kinds
from runtime.kinds.kind import Measured
from runtime.results import SCORE

if TYPE_CHECKING:
    from pathlib import Path


PREDICTIONS = "predictions.arrow"


def score(kind: str, metric: str, predictions: Path) -> Measured:
    """The metric over a folder of predictions."""
    return kinds()[kind].metrics[metric](columns.read_table(predictions / PREDICTIONS))


def write(folder: Path, measured: Measured) -> None:
    """Write a score."""
    (folder / SCORE).write_text(json.dumps(asdict(measured)), encoding="utf-8")
