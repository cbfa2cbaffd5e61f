"""Expressions of a claim or a report as quantities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.asked import Correlation, Expression, Extreme, Mean, Number, Quotient, Sum
from runtime.evidence.quantities import (
    Linear,
    Quantity,
    correlated,
    highest,
    lowest,
    quotient,
    shifted,
    spread,
    total,
)

if TYPE_CHECKING:
    from runtime.evidence.scores import Evidence


class Answer(Struct, frozen=True, eq=False):
    """What an expression comes to: numbers alone, or a quantity, its own numbers added."""

    number: float
    quantity: Quantity | None = None

    def scaled(self, weight: float) -> Answer:
        """The answer times a number."""
        return Answer(weight * self.number, total([(weight, self.quantity)]) if self.quantity is not None else None)

    @property
    def whole(self) -> Quantity:
        """The quantity with its numbers."""
        if self.quantity is None:
            raise ValueError("a number alone is no quantity")
        return shifted(self.quantity, self.number)


def answer(expression: Expression, evidence: Evidence) -> Answer | None:
    """What an expression comes to; None where scores are missing, or it has no value, such as a share of nothing."""
    match expression:
        case Number(value=value):
            return Answer(value)
        case Mean():
            effect = evidence.mean(expression)
            return Answer(0.0, Linear(effect)) if effect is not None else None
        case Sum(terms=terms):
            return _sum(terms, evidence)
        case Quotient(above=above, below=below):
            one, other = _quantity(above, evidence), _quantity(below, evidence)
            return _of(quotient(one, other)) if one is not None and other is not None else None
        case Extreme(which=which, members=members):
            among = [_quantity(member, evidence) for _, member in members]
            known = [m for m in among if m is not None]
            return _of(_EXTREMES[which](known)) if len(known) == len(members) else None
        case Correlation(members=of_languages):
            if len(of_languages) < FEWEST_LANGUAGES:
                return None
            linear = [m for _, _, e in of_languages if isinstance(m := _quantity(e, evidence), Linear)]
            distances = [distance for _, distance, _ in of_languages]
            return _of(correlated(linear, distances)) if len(linear) == len(of_languages) else None


FEWEST_LANGUAGES = 4  # that are averaged; of fewer, any numbers correlate
_EXTREMES = {"best": highest, "worst": lowest, "spread": spread}


def _of(quantity: Quantity | None) -> Answer | None:
    return Answer(0.0, quantity) if quantity is not None else None


def _quantity(expression: Expression, evidence: Evidence) -> Quantity | None:
    found = answer(expression, evidence)
    return found.whole if found is not None and found.quantity is not None else None


def _sum(terms: Sequence[tuple[float, Expression]], evidence: Evidence) -> Answer | None:
    found = [(weight, answer(term, evidence)) for weight, term in terms]
    known = [a.scaled(weight) for weight, a in found if a is not None]
    if len(known) < len(found):
        return None
    quantities = [(1.0, a.quantity) for a in known if a.quantity is not None]
    return Answer(sum(a.number for a in known), total(quantities) if quantities else None)


def extremes(expression: Expression, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each `worst`, `best` and `spread` within an expression, and at which value it is; of a spread `low to high`."""
    match expression:
        case Extreme(which=which, members=members):
            found = {value: q.value for value, member in members if (q := _quantity(member, evidence)) is not None}
            if found:
                low, high = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
                yield which, {"worst": low, "best": high}.get(which, f"{low} to {high}")
        case Sum(terms=terms):
            yield from (at for _, term in terms for at in extremes(term, evidence))
        case Quotient(above=above, below=below):
            yield from (at for side in (above, below) for at in extremes(side, evidence))


def means(expression: Expression) -> Iterator[Mean]:
    """Every mean within an expression."""
    match expression:
        case Mean():
            yield expression
        case Sum(terms=terms):
            yield from (mean for _, term in terms for mean in means(term))
        case Quotient(above=above, below=below):
            yield from (mean for side in (above, below) for mean in means(side))
        case Extreme(members=members):
            yield from (mean for _, member in members for mean in means(member))
        case Correlation(members=members):
            yield from (mean for _, _, member in members for mean in means(member))
