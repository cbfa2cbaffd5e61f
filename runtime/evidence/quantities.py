"""Quantities with an interval and p-values: linear ones, extremes of several, and sums of both."""

from __future__ import annotations

from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Protocol

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from runtime.evidence.components import Components, components
from runtime.evidence.effects import Effect, aligned, combined, correlation, ratio
from runtime.evidence.family import Family, alone
from runtime.evidence.intervals import SMALLEST_P, Interval, interval, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.evidence.bootstrap import Resamples
    from runtime.evidence.effects import Values


class Quantity(Protocol):
    """A value that scores estimate."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The linear quantities that it is made of."""

    def interval(self, level: float) -> Interval | None:
        """The two-sided interval; None where the scores tell none."""

    def above(self, bound: float) -> float:
        """The one-sided p-value of its being at or below a bound: small where it lies above."""

    def below(self, bound: float) -> float:
        """The one-sided p-value of its being at or above a bound."""

    def resampled(self, by: Resamples) -> Values:
        """(B,) its value in each resample."""


class Linear(Struct, frozen=True, dict=True, eq=False):
    """A mean, a difference, or what is linear around its value."""

    effect: Effect

    @property
    def value(self) -> float:
        """The estimate."""
        return self.effect.value

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Itself."""
        return (self.effect,)

    @cached_property
    def components(self) -> Components:
        """Where its variance comes from."""
        return components(self.effect)

    def interval(self, level: float) -> Interval | None:
        """From its components of variance."""
        return interval(self.components, level)

    def above(self, bound: float) -> float:
        """The tail beyond the bound."""
        return tail(self.components, bound)

    def below(self, bound: float) -> float:
        """The tail beyond the bound."""
        return tail(replace(self.components, value=-self.value), -bound)

    def resampled(self, by: Resamples) -> Values:
        """Weighted means of what the items give."""
        return by.values(self.effect)


class Highest(Struct, frozen=True, dict=True, eq=False):
    """The highest of several quantities, whichever it is.

    That it lies above a bound is shown by any one of them, so what shows it is corrected for how many were looked at
    (`Family`); that it lies below is shown by all, each alone (the intersection-union test, Berger 1982). So the
    interval covers at least its level, also where several are nearly equal, where a bootstrap of the highest is biased.
    """

    members: tuple[Quantity, ...]
    differ: tuple[Effect, ...] = ()  # where the members are all differences of two of these

    @property
    def value(self) -> float:
        """The estimate."""
        return max(m.value for m in self.members)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those of all members."""
        return tuple(e for m in self.members for e in m.effects)

    @cached_property
    def family(self) -> Family:
        """How the members vary together."""
        if self.differ:
            return Family.of_differences(aligned(self.differ))
        if all(isinstance(m, Linear) for m in self.members):
            return Family.of(aligned(self.effects))
        return alone(len(self.members))

    def interval(self, level: float) -> Interval | None:
        """From the highest of corrected lower ends to the highest of upper ends."""
        share = self.family.each((1 - level) / 2)
        lows, highs = [m.interval(1 - 2 * share) for m in self.members], [m.interval(level) for m in self.members]
        if None in lows or None in highs:
            return None
        return Interval(max(i.low for i in lows if i), max(i.high for i in highs if i))

    def above(self, bound: float) -> float:
        """That of the clearest member, corrected."""
        return self.family.any(min(m.above(bound) for m in self.members))

    def below(self, bound: float) -> float:
        """That of the least clear member."""
        return max(m.below(bound) for m in self.members)

    def resampled(self, by: Resamples) -> Values:
        """Chosen anew in every resample."""
        found: Values = np.max([m.resampled(by) for m in self.members], axis=0)
        return found


class Total(Struct, frozen=True, eq=False):
    """The sum of weighted quantities that are not all linear.

    Both ends are the sums of theirs, each at a share of the tail (Bonferroni).
    """

    terms: tuple[tuple[float, Quantity], ...]
    number: float = 0.0  # added to them

    @property
    def value(self) -> float:
        """The estimate."""
        return self.number + sum(weight * term.value for weight, term in self.terms)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those of all terms."""
        return tuple(e for _, term in self.terms for e in term.effects)

    def interval(self, level: float) -> Interval | None:
        """The sums of lower and of upper ends."""
        each = 1 - (1 - level) / len(self.terms)
        found = [(weight, term.interval(each)) for weight, term in self.terms]
        if any(i is None for _, i in found):
            return None
        ends = [sorted((weight * i.low, weight * i.high)) for weight, i in found if i is not None]
        return Interval(self.number + sum(low for low, _ in ends), self.number + sum(high for _, high in ends))

    def above(self, bound: float) -> float:
        """By the widest interval that lies above the bound."""
        return _widest(self, lambda found: found.low > bound)

    def below(self, bound: float) -> float:
        """By the widest interval that lies below the bound."""
        return _widest(self, lambda found: found.high < bound)

    def resampled(self, by: Resamples) -> Values:
        """The sum in each resample."""
        found: Values = self.number + np.sum([weight * term.resampled(by) for weight, term in self.terms], axis=0)
        return found


class Bent(Struct, frozen=True, dict=True, eq=False):
    """A correlation of quantities with known numbers: the hyperbolic tangent of a linear quantity (Fisher 1921).

    What the quantities vary by luck makes a correlation smaller than that of their true values (Spearman 1904, American
    Journal of Psychology 15:72). The value is not changed for that, but an end that lies away from 0 is put as much
    farther as the corrected value would be: the interval is of the correlation of the true values.
    """

    linear: Linear
    members: tuple[Linear, ...]
    numbers: tuple[float, ...]

    @property
    def value(self) -> float:
        """The estimate."""
        return float(np.tanh(self.linear.value))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those of all quantities."""
        return tuple(m.effect for m in self.members)

    @cached_property
    def stretch(self) -> float:
        """How many times the corrected value is the value: the root of all variance over that which is not luck."""
        effects = aligned(self.effects)
        mean = combined([(1 / len(effects), e) for e in effects])
        apart = [components(combined([(1.0, e), (-1.0, mean)])) for e in effects]
        whole, luck = sum(c.value**2 for c in apart), sum(c.deviation**2 for c in apart)
        return float(np.sqrt(whole / (whole - luck))) if luck < whole else np.inf

    def interval(self, level: float) -> Interval | None:
        """That of the linear quantity, bent and stretched; its ends lie within -1 and 1."""
        found = self.linear.interval(level)
        if found is None:
            return None
        low, high = float(np.tanh(found.low)), float(np.tanh(found.high))
        farther = self.stretch
        return Interval(max(-1.0, low * farther) if low < 0 else low, min(1.0, high * farther) if high > 0 else high)

    def above(self, bound: float) -> float:
        """That of the linear quantity, at the bound that the interval's lower end comes from."""
        near = bound / self.stretch if bound < 0 else bound
        return self.linear.above(float(np.arctanh(near))) if abs(bound) < 1 else float(bound >= 1)

    def below(self, bound: float) -> float:
        """That of the linear quantity, at the bound that the interval's upper end comes from."""
        near = bound / self.stretch if bound > 0 else bound
        return self.linear.below(float(np.arctanh(near))) if abs(bound) < 1 else float(bound <= -1)

    def resampled(self, by: Resamples) -> Values:
        """Of the quantities in each resample; 0 where they are all the same."""
        values = np.stack([m.resampled(by) for m in self.members])
        ours, theirs = values - values.mean(axis=0), np.array(self.numbers) - np.mean(self.numbers)
        length = np.sqrt(np.square(ours).sum(axis=0) * (theirs @ theirs))
        found: Values = np.divide(theirs @ ours, length, out=np.zeros_like(length), where=length > 0)
        return found


class Share(Struct, frozen=True, eq=False):
    """The share that one quantity is of another, where they are not both linear: by the ends of both."""

    above_line: Quantity
    below_line: Quantity

    @property
    def value(self) -> float:
        """The estimate."""
        return self.above_line.value / self.below_line.value

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those of both."""
        return (*self.above_line.effects, *self.below_line.effects)

    def interval(self, level: float) -> Interval | None:
        """The least and the most that ends come to, each at half of the tail; None where the other may be 0."""
        each = 1 - (1 - level) / 2
        one, other = self.above_line.interval(each), self.below_line.interval(each)
        if one is None or other is None or other.low <= 0 <= other.high:
            return None
        ends = [a / b for a in (one.low, one.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def above(self, bound: float) -> float:
        """By the widest interval that lies above the bound."""
        return _widest(self, lambda found: found.low > bound)

    def below(self, bound: float) -> float:
        """By the widest interval that lies below the bound."""
        return _widest(self, lambda found: found.high < bound)

    def resampled(self, by: Resamples) -> Values:
        """The share in each resample."""
        found: Values = self.above_line.resampled(by) / self.below_line.resampled(by)
        return found


def _widest(of: Total | Share, holds: Callable[[Interval], bool]) -> float:
    """The tail of the widest interval for which it holds, by halving; 1 where none does."""
    low, high = np.log(SMALLEST_P), np.log(0.5)
    found = of.interval(1 - 2 * 0.499)
    if found is None or not holds(found):
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        found = of.interval(1 - 2 * float(np.exp(middle)))
        low, high = (low, middle) if found is not None and holds(found) else (middle, high)
    return float(np.exp(high))


# --- made of others


def total(terms: Sequence[tuple[float, Quantity]]) -> Quantity:
    """The sum of weighted quantities; linear where all are."""
    linear = [(weight, term.effect) for weight, term in terms if isinstance(term, Linear)]
    others = [(weight, term) for weight, term in terms if not isinstance(term, Linear)]
    if not others:
        return Linear(combined(linear))
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    return Total((*([(1.0, Linear(combined(linear)))] if linear else []), *others))


def highest(members: Sequence[Quantity]) -> Quantity:
    """The highest of several; of one itself."""
    return members[0] if len(members) == 1 else Highest(tuple(members))


def lowest(members: Sequence[Quantity]) -> Quantity:
    """The lowest: the highest of what is turned around, turned around."""
    return total([(-1.0, highest([total([(-1.0, m)]) for m in members]))])


def shifted(quantity: Quantity, by: float) -> Quantity:
    """The quantity plus a number."""
    if by == 0:
        return quantity
    if isinstance(quantity, Linear):
        return Linear(quantity.effect.shifted(by))
    return Total(((1.0, quantity),), by)


def quotient(above: Quantity, below: Quantity) -> Quantity | None:
    """The share that one is of the other; None where the other is 0."""
    if isinstance(above, Linear) and isinstance(below, Linear):
        found = ratio(above.effect, below.effect)
        return Linear(found) if found is not None else None
    return Share(above, below) if below.value else None


def correlated(members: Sequence[Linear], numbers: Sequence[float]) -> Bent | None:
    """Pearson's r of quantities with known numbers; None where one side is constant."""
    found = correlation([m.effect for m in members], numbers)
    return Bent(Linear(found), tuple(members), tuple(numbers)) if found is not None else None


def spread(members: Sequence[Quantity]) -> Quantity:
    """The highest less the lowest: the highest of all differences, in each of which what both share falls out."""
    differences = [total([(1.0, one), (-1.0, other)]) for one, other in permutations(members, 2)]
    linear = tuple(m.effect for m in members if isinstance(m, Linear))
    return Highest(tuple(differences), linear if len(linear) == len(members) else ())
