"""Tests of a paired difference that assume nothing of its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from runtime.evidence.effects import Values

RESAMPLES = 9_999
_SEED = 1
_AT_ONCE = 500  # of many thousands of items
_EQUAL = 1 - 1e-12  # sums of the same numbers in another order


def mcnemar(one: Values, other: Values) -> float:
    """The exact two-sided p-value of two classifiers' being equally often right on the same items (McNemar 1947).

    `one` and `other` are (I,), 1 where right and 0 where not. Only items on which they differ tell; without any, 1.
    """
    from scipy.stats import binomtest

    first, second = int(((one == 1) & (other == 0)).sum()), int(((one == 0) & (other == 1)).sum())
    return float(binomtest(first, first + second, 0.5).pvalue) if first + second else 1.0


def signs(differences: Values) -> float:
    """The two-sided p-value of differences, (N,), that are as likely of either sign: a permutation test of pairs.

    Exact where there are few enough for all 2^N signs, else by random ones. Over seeds it says that the difference is
    not luck of the seeds, and cannot be below 2 / 2^N: of five seeds 0.0625. Over items it speaks of these checkpoints
    alone.
    """
    told = differences[differences != 0]  # a sign changes nothing of 0
    number = len(told)
    least = abs(float(told.sum())) * _EQUAL
    if 2**number <= RESAMPLES:
        every = (np.arange(2**number)[:, None] >> np.arange(number)) & 1
        return float((np.abs((2 * every - 1) @ told) >= least).mean())
    rng, beyond = np.random.default_rng(_SEED), 1  # the one that was seen is one of them
    for start in range(0, RESAMPLES, _AT_ONCE):
        drawn = rng.integers(0, 2, (min(_AT_ONCE, RESAMPLES - start), number), dtype=np.int8)
        beyond += int((np.abs((2 * drawn - 1) @ told) >= least).sum())
    return beyond / (RESAMPLES + 1)
