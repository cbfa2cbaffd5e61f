"""Claims judged: supported, refuted or undecided (docs/language.md, section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import cells
from runtime.evidence.answers import answer, extremes, means
from runtime.evidence.family import holm
from runtime.evidence.power import POWER
from runtime.evidence.quantities import Linear, Quantity, highest, lowest, shifted, total
from runtime.evidence.tables import Estimate

if TYPE_CHECKING:
    from compiler.asked import Claimed, Comparison
    from compiler.plan import Cell
    from runtime.evidence.intervals import Interval
    from runtime.evidence.scores import Evidence

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
FEWEST_SEEDS = 3  # for a verdict on what is trained


class Compared(Struct, frozen=True, eq=False):
    """One comparison of a claim: what is estimated, and the number it is held against."""

    of: Comparison
    quantity: Quantity
    sign: str  # ">", ">=", "<" or "<="
    bound: float
    interval: Interval | None  # of the estimate at the claim's level, for itself alone
    extremes: tuple[tuple[str, str], ...] = ()  # each `worst`, `best` or `spread` in it, and at which value it is

    @property
    def direction(self) -> float:
        """1 where more speaks for the claim, else -1."""
        return 1.0 if self.sign.startswith(">") else -1.0

    @property
    def is_nothing(self) -> bool:
        """Whether nothing differs anywhere."""
        return not any(block.values.any() for effect in self.quantity.effects for block in effect.blocks)

    @property
    def detectable(self) -> float | None:
        """How far from the bound the truth would have to be for four studies of five like this one to see it alone."""
        if not isinstance(self.quantity, Linear) or self.interval is None:
            return None
        beside = self.quantity.interval(2 * POWER - 1)
        return ((self.interval.high - self.interval.low) + (beside.high - beside.low)) / 2 if beside else None


class Judged(Struct, frozen=True, eq=False):
    """A claim with its verdict."""

    claim: Claimed
    verdict: str
    compared: tuple[Compared, ...]
    p: float | None  # two-sided, of the whole claim, corrected for all claims of the spec (Holm)
    alone: float | None  # the same of this claim by itself
    missing: tuple[int, int]  # scores that are not there, of how many
    collapsed: tuple[int, int] = (0, 0)  # degenerate runs, of how many
    why: str = ""  # why it is undecided whatever the scores: "missing", "seeds" or "no value"

    @property
    def is_expected(self) -> bool:
        """Whether the author expected it so."""
        return self.verdict == self.claim.expected


class _Weighed(Struct, frozen=True, eq=False):
    claim: Claimed
    compared: tuple[Compared, ...]
    missing: tuple[int, int]
    collapsed: tuple[int, int]
    why: str
    above: float = 1.0  # one-sided p-values: of the whole claim's being wrong, and of its being right
    below: float = 1.0

    @property
    def p(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * min(self.above, self.below))


def judge(claims: Sequence[Claimed], evidence: Evidence) -> tuple[Judged, ...]:
    """The verdicts of all claims of a spec together: each is corrected for all others, decidable or not."""
    weighed = [_weigh(claim, evidence) for claim in claims]
    others = [1.0] * (evidence.plan.claimed - len(weighed))  # claims of the spec that nobody asked for count, too
    corrected = holm([*(w.p for w in weighed), *others])[: len(weighed)]
    return tuple(_judged(w, p) for w, p in zip(weighed, corrected, strict=True))


def _judged(weighed: _Weighed, p: float) -> Judged:
    verdict = UNDECIDED
    if not weighed.why and p <= 1 - weighed.claim.level:
        verdict = SUPPORTED if weighed.above < weighed.below else REFUTED
    told, alone = (None, None) if weighed.why else (p, weighed.p)
    rests = weighed.missing, weighed.collapsed, weighed.why
    return Judged(weighed.claim, verdict, weighed.compared, told, alone, *rests)


def _weigh(claim: Claimed, evidence: Evidence) -> _Weighed:
    found = [compare(c, claim, evidence) for c in claim.comparisons]
    compared = tuple(c for c in found if c is not None)
    every = cells_of(claim)
    rests = evidence.missing(every), evidence.collapsed(every)
    if rests[0][0]:
        return _Weighed(claim, compared, *rests, "missing")
    if len(compared) < len(found) or not found:
        return _Weighed(claim, compared, *rests, "no value")
    if _fewest_seeds(claim, compared) < FEWEST_SEEDS:
        return _Weighed(claim, compared, *rests, "seeds")
    over = [total([(c.direction, shifted(c.quantity, -c.bound))]) for c in compared]
    whole = highest(over) if claim.quantifier == "some" else lowest(over) if len(over) > 1 else over[0]
    return _Weighed(claim, compared, *rests, "", whole.above(0.0), whole.below(0.0))


def _fewest_seeds(claim: Claimed, compared: Sequence[Compared]) -> int:
    """The fewest seeds with which something in it is trained, those apart that are left out; many where nothing is."""
    left = [e.seeds for c in compared for e in c.quantity.effects if e.seeds]
    return min([*left, *([claim.seeds] if claim.seeds is not None else [])], default=FEWEST_SEEDS)


def compare(comparison: Comparison, claim: Claimed, evidence: Evidence) -> Compared | None:
    """Left less right, all numbers on the right, unless scores stand there alone; None without a value."""
    left, right = answer(comparison.left, evidence), answer(comparison.right, evidence)
    if left is None or right is None:
        return None
    if left.quantity is None and right.quantity is not None:
        quantity, bound, sign = right.quantity, left.number - right.number, _TURNED[claim.sign]
    else:
        sides = [(1.0, left.quantity), (-1.0, right.quantity)]
        quantity = total([(weight, q) for weight, q in sides if q is not None])
        bound, sign = right.number - left.number, claim.sign
    at = tuple(found for side in (comparison.left, comparison.right) for found in extremes(side, evidence))
    return Compared(comparison, quantity, sign, bound, quantity.interval(claim.level), at)


_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


def estimated(found: Compared) -> Estimate:
    """What is compared, with its interval; the fewest seeds of what it is made of, and its items."""
    effects, ends = found.quantity.effects, found.interval
    return Estimate(
        found.quantity.value,
        ends.low if ends is not None else None,
        ends.high if ends is not None else None,
        min((e.seeds for e in effects if e.seeds), default=0),
        min(len(e.rows) for e in effects),
    )


def cells_of(claim: Claimed) -> tuple[Cell, ...]:
    """Every cell that a claim rests on, once."""
    sides = [side for c in claim.comparisons for side in (c.left, c.right)]
    return tuple(dict.fromkeys(cell for side in sides for mean in means(side) for cell in cells(mean)))
