"""Tests of a paired difference that assume nothing of its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from runtime.evidence.effects import Values

RESAMPLES = 9_999
_SEED = 1


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
    from scipy.stats import permutation_test

    if not differences.any():
        return 1.0
    found = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return float(found.pvalue)
