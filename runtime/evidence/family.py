"""Several comparisons at once: what the clearest of them shows, and Holm's correction of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from runtime.evidence.components import of_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.evidence.effects import Effect, Values

_TIMES, _AT_ONCE = 20, 1_000  # draws; all at once, the differences of many languages would fill the memory
_SEED = 1
_NOTHING = 1e-10  # of the largest eigenvalue
_ENOUGH = 50  # draws beyond a bound, for a share of them to be told


class Family(Struct, frozen=True, eq=False):
    """Comparisons that vary together: how often the clearest of them is as clear by luck.

    `peaks` are, ascending, the highest of each draw of normal variables with their correlations; so comparisons that
    are nearly one count nearly as one. Where too few draws tell, and without any, all are counted (Bonferroni).
    """

    number: int
    peaks: Values | None

    @classmethod
    def of(cls, effects: Sequence[Effect]) -> Family:
        """Of linear quantities over the same seeds and items."""
        return cls._drawn(_factor(effects))

    @classmethod
    def of_differences(cls, effects: Sequence[Effect]) -> Family:
        """Of all differences of two of them, each way."""
        factor = _factor(effects)
        one, other = np.nonzero(~np.eye(len(effects), dtype=bool))
        return cls._drawn(factor[one] - factor[other])

    @classmethod
    def _drawn(cls, factor: Values) -> Family:
        """By a root of the covariances, (N, R); what does not vary at all never peaks."""
        lengths = np.sqrt(np.square(factor).sum(axis=1, keepdims=True))
        factor = np.divide(factor, lengths, out=np.zeros_like(factor), where=lengths > _NOTHING * lengths.max())
        rng = np.random.default_rng(_SEED)
        parts = [(rng.standard_normal((_AT_ONCE, factor.shape[1])) @ factor.T).max(axis=1) for _ in range(_TIMES)]
        return cls(len(factor), np.sort(np.concatenate(parts)))

    def any(self, share: float) -> float:
        """How likely one of them has a p-value of `share` or less, if nothing is there."""
        most = min(1.0, self.number * share)
        if self.peaks is None:
            return most
        from scipy.special import ndtri

        beyond = len(self.peaks) - int(np.searchsorted(self.peaks, -ndtri(share)))
        return most if beyond < _ENOUGH else min(most, max(share, beyond / len(self.peaks)))

    def each(self, share: float) -> float:
        """The share at which each has to be looked at for `any` of it to be no more than `share`."""
        least = share / self.number
        if self.peaks is None or share * len(self.peaks) < _ENOUGH:
            return least
        from scipy.special import ndtr

        at = self.peaks[len(self.peaks) - int(share * len(self.peaks))]
        return min(share, max(least, float(ndtr(-at))))


def alone(number: int) -> Family:
    """Comparisons of which nobody knows how they vary together."""
    return Family(number, None)


def _factor(effects: Sequence[Effect]) -> Values:
    """(E, R) a root of the covariances of E aligned effects; R, their rank, is small where they are differences."""
    by_item = np.stack([np.sum([b.values.mean(axis=0) for b in e.blocks], axis=0) for e in effects])
    parts = [_of_means(by_item)]
    for n, block in enumerate(effects[0].blocks):
        if block.seeds:
            parts.append(_of_means(np.stack([of_units(e.blocks[n]).values.mean(axis=1) for e in effects])))
    values, vectors = np.linalg.eigh(np.sum(parts, axis=0))
    kept = values > values[-1] * _NOTHING
    found: Values = vectors[:, kept] * np.sqrt(values[kept])
    return found


def _of_means(values: Values) -> Values:
    """(E, E) covariances of the means of E variables, (E, N) draws of them."""
    apart = values - values.mean(axis=1, keepdims=True)
    found: Values = apart @ apart.T / (max(1, values.shape[1] - 1) * values.shape[1])
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for being several, in their order (Holm 1979, Scand. J. Statist. 6:65)."""
    order = sorted(range(len(p_values)), key=lambda n: p_values[n])
    found, highest = [0.0] * len(p_values), 0.0
    for rank, n in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[n]))
        found[n] = highest
    return found
