"""Claims before anything has run: what they could see with what is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from compiler.units import CORRELATION, POINTS, SHARE
from runtime.evidence.power import LARGE, POWER
from xfer.render.messages import counted, say, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from runtime.evidence.power import Outlook


def show_outlooks(console: Console, outlooks: Sequence[Outlook]) -> None:
    """Of each claim that can hardly be decided, what it could see."""
    for one in outlooks:
        unit, place = one.claim.unit, one.claim.place
        size = number_in(one.detectable, unit).lstrip("+")
        planned = f"{counted(one.seeds, 'seed')} and {one.items:,} items"
        seen = f"what is {size} points from its bound or more ({POWER:.0%} of studies)"
        claim = f'the claim "{one.claim.title}" ({place})'
        warn(console, f"with {planned} {claim} sees {seen}{_more(one)}")
    for deviation, measured in dict.fromkeys((one.deviation, one.measured) for one in outlooks):
        known = "as the store's scores do" if measured else "an assumption"
        words = f"scores that differ by {100 * deviation:.1f} points between seeds, {known} (docs/statistics.md)"
        say(console, Text(f"  {words}", "dim"))


def _more(one: Outlook) -> str:
    large = f"{100 * LARGE:.0f} points"
    if one.enough is None:
        return f"; {large} no number of seeds in reach would show"
    return f"; {large} take {counted(one.enough, 'seed')}"


def number_in(value: float, unit: str) -> str:
    """A value as its unit is written: points and correlations with a sign, shares in per cent."""
    if unit == SHARE:
        return f"{100 * value:.1f}%"
    return signed(value, 2) if unit == CORRELATION else signed(100 * value)


def signed(number: float, digits: int = 1) -> str:
    """With its sign; what is rounded to nothing has that of nothing."""
    written = f"{number:+.{digits}f}"
    return written.replace("-", "+") if float(written) == 0 else written


def unit_of_value(unit: str) -> str:
    """The unit of a value as documents hold it: scores are fractions there."""
    return "a fraction" if unit == POINTS else unit


def bound_in(value: float, unit: str) -> str:
    """A bound as its author may have written it: no more digits than it has."""
    if unit == CORRELATION:
        return f"{value:g}"
    return f"{100 * value:.6g}{'%' if unit == SHARE else ''}"
