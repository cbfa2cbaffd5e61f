"""Numbers by their address in a report or a claim: `"TITLE" AXIS=VALUE …`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler.cells import OF_LANGUAGES
from compiler.suggest import closest, did_you_mean, listing
from compiler.units import POINTS
from runtime.evidence.answers import means
from runtime.evidence.scores import Evidence
from runtime.evidence.tables import asked, draw
from runtime.evidence.tracing import Lineage, lineage
from runtime.evidence.verdicts import compare, estimated
from xfer.opening import UsageError

if TYPE_CHECKING:
    from compiler.asked import Claimed, Mean
    from compiler.plan import Place
    from runtime.evidence.tables import Drawn, Estimate
    from xfer.api import Study

_SHOWN = 12


class Number(Struct, frozen=True):
    """A number with where it stands."""

    title: str
    place: Place
    at: Mapping[str, str]
    of: str  # "cell", "mean", "source", or "claim"
    shown: Estimate | None
    difference: Estimate | None
    means: tuple[Mean, ...]
    unit: str = POINTS
    pins: Mapping[str, str] = field(default_factory=dict)  # of the whole report


class Traced(Struct, frozen=True):
    """A number with all that it rests on."""

    number: Number
    lineage: Lineage


def trace(study: Study, title: str, address: Sequence[str], *, source: bool = False) -> Traced:
    """The number at an address. Raises UsageError where there is none, or several."""
    evidence = Evidence(study.plan, study.store())
    wanted = _address(address)
    found = list(_numbers(study, title, evidence))
    if not found:
        titles = [r.title for r in study.plan.reports] + [c.title for c in study.plan.claims]
        known = [f"`{one}`" for one in titles]
        message = f"no report and no claim of `{study.path}` is called `{title}`"
        raise UsageError(message, f"there is {', '.join(known) or 'none'}")
    apart = [n for n in found if source == (n.of == "source" and "language" not in n.at)]
    if not apart:
        raise UsageError(f"no number of `{title}` stands apart in the source language", _where_source(found))
    number = _chosen(apart, {axis: v for axis, v in wanted.items() if not _is_pinned(apart, axis, v)}, title)
    return Traced(number, lineage(number.means, evidence))


def _is_pinned(numbers: Sequence[Number], axis: str, value: str) -> bool:
    """Whether all of a report is at the value of an axis, so that no number of it has it in its address."""
    return all(axis not in n.at and n.pins.get(axis) == value for n in numbers)


def _where_source(numbers: Sequence[Number]) -> str:
    """How to reach what a report shows in the source language, where that is a column like others."""
    shown = next((n.at["language"] for n in numbers if n.of == "source" and "language" in n.at), None)
    return f"it stands at `language={shown}`" if shown is not None else "leave `--source` out"


def _address(address: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in address:
        axis, equals, value = pair.partition("=")
        if not (axis and equals and value):
            raise UsageError(f"`{pair}` is no `AXIS=VALUE`", "for example `language=sw`")
        found[axis] = value
    return found


def _chosen(numbers: Sequence[Number], wanted: Mapping[str, str], title: str) -> Number:
    """The number at exactly these values, else the only one that has them."""
    exact = [n for n in numbers if dict(n.at) == dict(wanted)]
    fitting = exact or [n for n in numbers if wanted.items() <= n.at.items()]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        _check_words(numbers, wanted, title)
    offered = fitting or numbers
    several = len({n.title for n in offered}) > 1
    shown = "".join(f"\n  {_offered(n, titled=several)}" for n in offered[:_SHOWN])
    more = f"\n  and {len(offered) - _SHOWN:,} more" if len(offered) > _SHOWN else ""
    said = _written(wanted)
    what = f"{len(fitting)} numbers of `{title}` fit" if fitting else f"no number of `{title}` stands at `{said}`"
    raise UsageError(what, f"say which:{shown}{more}")


def _check_words(numbers: Sequence[Number], wanted: Mapping[str, str], title: str) -> None:
    """Raise UsageError for an axis that no number has, or a value that none has there."""
    axes = list(dict.fromkeys(axis for n in numbers for axis in n.at))
    for axis, value in wanted.items():
        if axis not in axes:
            hint = did_you_mean(axis, axes) if axes else "it is one number: give no axis"
            raise UsageError(f"the numbers of `{title}` have no axis `{axis}`", hint)
        values = list(dict.fromkeys(n.at[axis] for n in numbers if axis in n.at))
        if value not in values:
            mean = " (a mean has none: leave the axis out)" if any(axis not in n.at for n in numbers) else ""
            near = closest(value, values) if axis not in OF_LANGUAGES else None
            hint = f"did you mean `{near}`?" if near is not None else f"there is {listing(values)}{mean}"
            raise UsageError(f"no number of `{title}` stands at `{axis}={value}`", hint)


def _offered(number: Number, *, titled: bool) -> str:
    at = _written(number.at) or "(all)"
    return f"`{number.title}` {at}" if titled else at


def _written(at: Mapping[str, str]) -> str:
    return " ".join(f"{axis}={value}" for axis, value in at.items())


def _numbers(study: Study, title: str, evidence: Evidence) -> Iterator[Number]:
    """Every number of the report and the claim of a title; else of all whose titles hold the words."""
    plan, words = study.plan, title.lower()
    exact = title in {r.title for r in plan.reports} | {c.title for c in plan.claims}
    for report in plan.reports:
        if report.title == title or (not exact and words in report.title.lower()):
            yield from _of_report(draw(report, evidence))
    for claim in plan.claims:
        if claim.title == title or (not exact and words in claim.title.lower()):
            yield from _of_claim(claim, evidence)


def _of_report(drawn: Drawn) -> Iterator[Number]:
    for row, head, entry, apart in drawn.entries():
        if entry.spot.shown is not None:
            at = {**dict(row.at), **dict(head.at)}
            of = "source" if apart else head.sort or "cell"
            title, place = drawn.report.title, drawn.report.place
            behind, pins = asked(entry.spot), dict(drawn.report.pins)
            yield Number(title, place, at, of, entry.shown, entry.difference, behind, pins=pins)


def _of_claim(claim: Claimed, evidence: Evidence) -> Iterator[Number]:
    for comparison in claim.comparisons:
        sides = (comparison.left, comparison.right)
        behind = tuple(mean for side in sides for mean in means(side))
        found = compare(comparison, claim, evidence)
        shown = estimated(found) if found is not None else None
        yield Number(claim.title, claim.place, dict(comparison.at), "claim", shown, None, behind, claim.unit)
