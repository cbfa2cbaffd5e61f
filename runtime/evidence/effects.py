"""A quantity as what each item gives to it in each seed: means, differences and smooth functions are sums of such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Rows = NDArray[np.int64]


_CLOSE = 1 - 1e-9  # a correlation of 1


class Block(Struct, frozen=True, eq=False):
    """What the items give in each of some seeds; without seeds, where nothing is random, in one row."""

    seeds: tuple[str, ...]
    values: Values  # (S, I), or (1, I) without seeds

    def over(self, seeds: Sequence[str]) -> Block:
        """The rows of these seeds, which it has; what knows no seed is the same in each."""
        if not self.seeds:
            return Block(tuple(seeds), np.repeat(self.values, len(seeds), axis=0))
        return Block(tuple(seeds), self.values[[self.seeds.index(seed) for seed in seeds]])


class Effect(Struct, frozen=True, eq=False):
    """A quantity: the sum over blocks of the mean over their seeds and items.

    Seeds of one block were paired; two blocks share none, so they vary independently. `rows` say which item each column
    is: items of one row, in whatever languages and data, count as one draw.
    """

    rows: Rows  # (I,) ascending
    blocks: tuple[Block, ...]

    @property
    def value(self) -> float:
        """The estimate."""
        return float(sum(block.values.mean() for block in self.blocks))

    @property
    def seeds(self) -> int:
        """The fewest independent draws of seeds of a block that has any; 0 where nothing is random."""
        return min((len(set(units_of(b.seeds))) for b in self.blocks if b.seeds), default=0)

    def scaled(self, weight: float) -> Effect:
        """The quantity times a number."""
        return Effect(self.rows, tuple(Block(b.seeds, weight * b.values) for b in self.blocks))

    def shifted(self, by: float) -> Effect:
        """The quantity plus a number."""
        first, *others = self.blocks
        return Effect(self.rows, (Block(first.seeds, first.values + by), *others))


def units_of(seeds: tuple[str, ...]) -> tuple[str, ...]:
    """What each seed is a draw of: of seeds of several stages, the first stage's that differs."""
    parts = [seed.split("/") for seed in seeds]
    for at in range(min(map(len, parts), default=0)):
        if len({part[at] for part in parts}) > 1:
            return tuple("/".join(part[: at + 1]) for part in parts)
    return seeds


def of_items(rows: Rows, values: Sequence[Values], seeds: Sequence[str]) -> Effect:
    """The mean of what items give, (I,) for each seed; `seeds` is empty where nothing is random.

    The rows are those of the items, in any order, and the same for every seed.
    """
    order = np.argsort(rows, kind="stable")
    return Effect(rows[order], (Block(tuple(seeds), np.stack([v[order] for v in values])),))


def combined(terms: Sequence[tuple[float, Effect]]) -> Effect:
    """The sum of weighted quantities, over the seeds and items that they share or each alone has."""
    effects = aligned([effect for _, effect in terms])
    weights = [weight for weight, _ in terms]
    blocks = tuple(
        Block(of_one[0].seeds, np.sum([w * b.values for w, b in zip(weights, of_one, strict=True)], axis=0))
        for of_one in zip(*(e.blocks for e in effects), strict=True)
    )
    return Effect(effects[0].rows, blocks)


def ratio(above: Effect, below: Effect) -> Effect | None:
    """The quotient, linear around its value (delta method); None where it has none."""
    above, below = aligned([above, below])
    if below.value == 0:
        return None
    found = above.value / below.value
    return combined([(1 / below.value, above), (-found / below.value, below)]).shifted(found)


def correlation(effects: Sequence[Effect], others: Sequence[float]) -> Effect | None:
    """Fisher's z of Pearson's r of quantities with known numbers, linear around its value (delta method).

    None where one side is constant, or all lies on a line: what is exact has no first order.
    """
    effects = aligned(effects)
    values, known = np.array([e.value for e in effects]), np.array(others, dtype=np.float64)
    if np.ptp(values) == 0 or np.ptp(known) == 0:
        return None
    ours, theirs = values - values.mean(), known - known.mean()
    width, length = float(np.sqrt(ours @ ours)), float(np.sqrt(theirs @ theirs))
    found = float(ours @ theirs) / (width * length)
    if abs(found) > _CLOSE:
        return None
    slopes = (theirs / (width * length) - found * ours / width**2) / (1 - found**2)
    linear = combined(list(zip(slopes.tolist(), effects, strict=True)))
    return linear.shifted(float(np.arctanh(found)) - linear.value)


# --- the same seeds and items for all


def aligned(effects: Sequence[Effect]) -> list[Effect]:
    """The quantities over one set of items, each with a block for every set of seeds that are paired.

    Of seeds that several have, those in common stay: what has fewer is compared on these.
    """
    rows = union([effect.rows for effect in effects])
    sets = paired([b.seeds for e in effects for b in e.blocks])
    return [Effect(rows, _blocks(effect, rows, sets)) for effect in effects]


def union(all_rows: Sequence[Rows]) -> Rows:
    """The items of all, ascending where they are not the same."""
    first = all_rows[0]
    if all(rows is first or np.array_equal(rows, first) for rows in all_rows):
        return first
    return np.unique(np.concatenate(all_rows))


def paired(sets: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The sets of seeds that are left when sets with seeds in common become what they have in common."""
    found: list[tuple[str, ...]] = []
    for seeds in sets:
        if seeds:
            at = next((n for n, other in enumerate(found) if not set(other).isdisjoint(seeds)), None)
            if at is None:
                found.append(seeds)
            else:
                found[at] = tuple(s for s in found[at] if s in seeds)
    return found or [()]


def _blocks(effect: Effect, rows: Rows, sets: Sequence[tuple[str, ...]]) -> tuple[Block, ...]:
    """One block a set: the effect's own where it has these seeds, nothing where it has not.

    A block stands once, with the first set that it has, also where it has the seeds of two.
    """
    found = [Block(seeds, np.zeros((max(1, len(seeds)), len(rows)))) for seeds in sets]
    for block in _spread(effect, rows).blocks:  # what is not random stands with the first, whichever that is
        at = next(n for n, seeds in enumerate(sets) if set(seeds) <= set(block.seeds)) if block.seeds else 0
        own = block.over(sets[at]) if sets[at] else block
        found[at] = Block(sets[at], found[at].values + own.values)
    return tuple(found)


def _spread(effect: Effect, rows: Rows) -> Effect:
    return Effect(rows, tuple(Block(b.seeds, spread(b.values, effect.rows, rows)) for b in effect.blocks))


def spread(values: Values, own: Rows, rows: Rows) -> Values:
    """(S, I) of own items over more, (S, J): those that they lack give the mean, and their own deviate J / I more.

    So neither the mean changes nor, up to (n - 1)/n, the variance of it. Of a ratio of sums, as F1 is, that is exact:
    an item that gives nothing to any sum has no influence.
    """
    if own is rows or np.array_equal(own, rows):
        return values
    mean = values.mean(axis=1, keepdims=True)
    found: Values = np.repeat(mean, len(rows), axis=1)
    found[:, np.searchsorted(rows, own)] = mean + len(rows) / len(own) * (values - mean)
    return found
