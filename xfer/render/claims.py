"""Claims with their verdicts on the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from compiler.asking import LEVEL
from compiler.units import CORRELATION
from runtime.evidence.intervals import FEWEST_ITEMS
from runtime.evidence.power import POWER
from runtime.evidence.verdicts import FEWEST_SEEDS, REFUTED, SUPPORTED, UNDECIDED
from xfer.render.messages import counted, say
from xfer.render.outlooks import bound_in, number_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from runtime.evidence.verdicts import Compared, Judged

_STYLE = {SUPPORTED: "bold green", REFUTED: "bold red", UNDECIDED: "bold yellow"}
_WIDTH = max(map(len, _STYLE))
_NO_VALUE = (
    "it has no value here: its sides have no languages or benchmarks in common that count, all its runs are left out, "
    "it divides by 0, or it correlates extremes, fewer than four languages, or values that are the same or on a line"
)
_MOST = 6  # comparisons of a claim that are shown: of `every` the least clear first, of `some` the clearest


def show_verdicts(console: Console, judged: Sequence[Judged], claimed: int, *, full: bool = False) -> None:
    """Each claim with its verdict, what it rests on, and whether its author expected it.

    `claimed` are the claims of the whole spec.
    """
    for one in judged:
        surprise = "" if one.is_expected else f"  (expected: {one.claim.expected})"
        head = Text.assemble(
            (one.verdict.ljust(_WIDTH), _STYLE[one.verdict]), "  ", (one.claim.title, "bold"), surprise
        )
        say(console, head)
        for line in _lines(one, full=full):
            say(console, Text(f"{' ' * _WIDTH}  {line}", "dim"))
    numbers = Counter(one.verdict for one in judged)
    counts = ", ".join(f"{numbers[verdict]} {verdict}" for verdict in _STYLE if numbers[verdict])
    unexpected = sum(1 for one in judged if not one.is_expected)
    expected = "as expected" if not unexpected else f"{unexpected} not as expected"
    say(console, Text(f"{counted(len(judged), 'claim')}: {counts}; {expected}", "bold"))
    corrected = f", corrected for all {claimed} claims of the spec (Holm)" if claimed > 1 else ""
    say(console, Text(f"intervals are of each by itself; p: two-sided, against the bound{corrected}", "dim"))


def _lines(one: Judged, *, full: bool) -> Iterator[str]:
    names = f"{one.claim.quantifier} {', '.join(one.claim.axes)}: " if one.claim.quantifier else ""
    yield f"{names}{one.claim.text}{_level(one)}   {one.claim.place}"
    yield from _why(one)
    shown = _in_order(one) if one.claim.quantifier else one.compared
    for compared in shown if full else shown[:_MOST]:
        yield _compared(compared, one)
    if len(shown) > _MOST and not full:
        yield f"… and {len(shown) - _MOST} more (--full)"
    if one.p is not None:
        yield f"p {_p(one.p)}{_corrected(one)}{_detectable(one)}"


def _level(one: Judged) -> str:
    return "" if one.claim.level == LEVEL else f" at {100 * one.claim.level:g}%"


def _why(one: Judged) -> Iterator[str]:
    missing, number = one.missing
    if one.why == "missing":
        yield f"{missing:,} of {number:,} scores are missing: `xfer run` makes them"
    elif one.why == "seeds":
        yield f"fewer than {FEWEST_SEEDS} seeds are there, or in common: a verdict needs so many"
    elif one.why:
        yield _NO_VALUE
    if not one.why and any(c.is_nothing for c in one.compared):
        yield "its sides give the same to every item in every seed: are they the same work?"
    if not one.why and any(c.interval is None for c in one.compared):
        yield "no interval can be told: a number in it has one seed, or one item"
    if not one.why and min(len(e.rows) for c in one.compared for e in c.quantity.effects) < FEWEST_ITEMS:
        yield f"fewer than {FEWEST_ITEMS} items: its coverage was not simulated (docs/statistics.md, section 10)"
    if one.collapsed[0]:
        failed, runs = one.collapsed
        yield f"{failed} of {counted(runs, 'run')} collapsed to chance or to one answer"


def _in_order(one: Judged) -> list[Compared]:
    """What a verdict hangs on first: of `every` what speaks least for it, of `some` what speaks most."""
    some = one.claim.quantifier == "some"
    return sorted(one.compared, key=lambda c: c.direction * (c.quantity.value - c.bound), reverse=some)


def _compared(compared: Compared, one: Judged) -> str:
    at = f"{', '.join(value for _, value in compared.of.at)}: " if compared.of.at else ""
    ends = compared.interval
    number = _number(compared.quantity.value, one)
    within = ""
    if ends is not None:
        within = f" [{_number(ends.low, one)}, {_number(ends.high, one)}]"
    extremes = "".join(f"; {which} is {value}" for which, value in compared.extremes)
    return f"{at}{number}{within} {compared.sign} {bound_in(compared.bound, one.claim.unit)}{extremes}"


def _number(value: float, one: Judged) -> str:
    """A score without a sign, a difference with one."""
    written = number_in(value, one.claim.unit)
    return written if one.claim.is_difference or one.claim.unit == CORRELATION else written.removeprefix("+")


def _corrected(one: Judged) -> str:
    """The p-value by itself, where it alone would have decided."""
    if one.p is None or one.alone is None or one.verdict != UNDECIDED or one.alone > 1 - one.claim.level:
        return ""
    return f"; by itself {_p(one.alone)}, which the correction leaves undecided"


def _detectable(one: Judged) -> str:
    """How large a difference would have been seen, where one comparison was left undecided."""
    if one.verdict != UNDECIDED or len(one.compared) != 1:
        return ""
    found = one.compared[0].detectable
    if not found:
        return ""
    size = number_in(found, one.claim.unit).lstrip("+")
    return f"; one that is {size} from the bound would be seen by itself in {POWER:.0%} of such studies"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}"  # noqa: PLR2004
