"""Reports and claims: what a spec asks of its scores, held against what its experiments have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler import codes
from compiler.axes import tables
from compiler.bag import Bag
from compiler.claims import check_claim
from compiler.reports import check_report
from dsl.diagnostics import Label, Severity
from dsl.syntax import Claim, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.axes import Table
    from compiler.settle import Run
    from dsl.diagnostics import Diagnostic
    from dsl.source import Span
    from dsl.syntax import Spec

Conclusion = Report | Claim


def check_conclusions(spec: Spec, runs: Iterable[Run], bag: Bag, *, changed: bool) -> None:
    """Report what is wrong in each report and claim; of those that are right, that they are not computed yet.

    Where settings were `changed` from outside, for a quick trial perhaps, a choice that a report speaks of may be
    gone: what is wrong then is a warning.
    """
    asked = [s for s in spec.statements if isinstance(s, Conclusion)]
    known = tables(runs) if asked else {}
    first: dict[tuple[type, str], Span] = {}
    for conclusion in asked:
        for diagnostic in _findings(conclusion, known, first):
            bag.add(replace(diagnostic, severity=Severity.WARNING) if changed else diagnostic)


def _findings(
    conclusion: Conclusion, known: Mapping[str, Table], first: dict[tuple[type, str], Span]
) -> tuple[Diagnostic, ...]:
    bag = Bag()
    match conclusion:
        case Report():
            check_report(conclusion, known, bag)
            said = "reports are not drawn yet"
        case Claim():
            check_claim(conclusion, known, bag)
            said = "claims are not tested yet"
    _check_title(conclusion, first, bag)
    if not bag.failed():
        bag.warn(codes.NOT_COMPUTED, conclusion.title.span, said, "`xfer results` shows the table of scores")
    return bag.all()


def _check_title(conclusion: Conclusion, first: dict[tuple[type, str], Span], bag: Bag) -> None:
    """Two reports, or two claims, must not have one title."""
    title = conclusion.title
    before = first.setdefault((type(conclusion), title.value), title.span)
    if before is not title.span:
        what = "reports" if isinstance(conclusion, Report) else "claims"
        message = f"two {what} have one title"
        bag.error(codes.LABEL_TWICE, title.span, message, "give each a title of its own", Label(before, "first here"))
