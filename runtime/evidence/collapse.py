"""Degenerate runs: fine-tuning that collapsed to one answer or to chance, as it does on small training sets.

A run fails in the sense of Mosbach et al. 2021 (On the stability of fine-tuning BERT) if it does no better than the
majority. Far languages may be at chance while the run is sound, so where its source language was scored that one tells,
and else all languages have to be so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from runtime.items import answers

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_ANSWER = 0.99  # share of items that get the same answer, from which the run has only one
_LEVEL = 0.05  # at which a score is better than the majority
_MARGIN = 0.05  # above the majority, from which a score is better whatever the test says: few items tell little

CHANCE, ONE_CLASS = "chance", "one class"


class Look(Struct, frozen=True):
    """How the answers to one data set are spread."""

    number: int
    right: int
    top: float  # share of the most frequent answer
    majority: float  # share right if the most frequent label were always the answer, or any answer at random

    @property
    def is_one_class(self) -> bool:
        """Whether there is one answer, and more than one is right."""
        return self.top >= ONE_ANSWER > self.majority

    def is_chance(self, level: float) -> bool:
        """Whether it is right no more often than the majority, by an exact binomial test."""
        from scipy.special import bdtrc

        if self.right / self.number > self.majority + _MARGIN:
            return False
        return bool(self.right == 0 or bdtrc(self.right - 1, self.number, min(self.majority, 1.0)) > level)


def look(kind: str, table: Any) -> Look | None:  # noqa: ANN401
    """How the answers of a table of predictions are spread; None of a kind without labels."""
    found = answers(kind, table)
    if found is None:
        return None
    label, prediction, classes = found
    number = len(label)
    majority = max(float(np.bincount(label).max()) / number, 1 / classes)
    return Look(number, int((label == prediction).sum()), float(np.bincount(prediction).max()) / number, majority)


def collapsed(looks: Sequence[Look]) -> str:
    """To what a run collapsed, by all its data sets that tell; "" where it did not."""
    if not looks:
        return ""
    if all(one.is_one_class for one in looks):
        return ONE_CLASS
    return CHANCE if all(one.is_chance(_LEVEL / len(looks)) for one in looks) else ""
