"""Reports and claims: what a spec asks of its scores, held against what its experiments have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from compiler import codes
from compiler.asking import ask
from compiler.bag import Bag
from compiler.claims import check_claim
from compiler.reports import read_report
from compiler.tabulating import tabulate
from dsl.diagnostics import Label, Severity, has_errors
from dsl.syntax import Claim, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.asked import Claimed, Reported
    from compiler.averaging import Placed
    from compiler.axes import Table
    from dsl.diagnostics import Diagnostic
    from dsl.source import Span
    from dsl.syntax import Spec

Conclusion = Report | Claim


class Conclusions(Struct, frozen=True):
    """The reports and claims of a spec that are right, and the scores of its experiments."""

    right: tuple[Conclusion, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)

    @property
    def claimed(self) -> int:
        """How many claims there are."""
        return sum(1 for c in self.right if isinstance(c, Claim))

    def ask(self, placed: Placed) -> tuple[tuple[Reported, ...], tuple[Claimed, ...]]:
        """Those of which every score is planned, in terms of cells."""
        reports = [tabulate(r, self.tables, placed) for r in self.right if isinstance(r, Report)]
        claims = [ask(c, self.tables, placed) for c in self.right if isinstance(c, Claim)]
        return tuple(r for r in reports if r is not None), tuple(c for c in claims if c is not None)


def check_conclusions(spec: Spec, known: Mapping[str, Table], bag: Bag, *, changed: bool) -> Conclusions:
    """Those that are right; what is wrong in the others is reported.

    Where settings were `changed` from outside, for a quick trial perhaps, a choice that a report speaks of may be
    gone: what is wrong then is a warning.
    """
    asked = [s for s in spec.statements if isinstance(s, Conclusion)]
    first: dict[tuple[type, str], Span] = {}
    right = []
    for conclusion in asked:
        found = _findings(conclusion, known, first)
        for diagnostic in found:
            bag.add(replace(diagnostic, severity=Severity.WARNING) if changed else diagnostic)
        if not has_errors(found):
            right.append(conclusion)
    return Conclusions(tuple(right), known)


def _findings(
    conclusion: Conclusion, known: Mapping[str, Table], first: dict[tuple[type, str], Span]
) -> tuple[Diagnostic, ...]:
    bag = Bag()
    match conclusion:
        case Report():
            read_report(conclusion, known, bag)
        case Claim():
            check_claim(conclusion, known, bag)
    _check_title(conclusion, first, bag)
    return bag.all()


def _check_title(conclusion: Conclusion, first: dict[tuple[type, str], Span], bag: Bag) -> None:
    """Two reports, or two claims, must not have one title."""
    title = conclusion.title
    if not title.value.strip() or len(title.value.splitlines()) > 1:
        bag.error(codes.WRONG_VALUE, title.span, "a title is one line of text", "say in a few words what is asked")
    before = first.setdefault((type(conclusion), title.value), title.span)
    if before is not title.span:
        what = "reports" if isinstance(conclusion, Report) else "claims"
        message = f"two {what} have one title"
        bag.error(codes.LABEL_TWICE, title.span, message, "give each a title of its own", Label(before, "first here"))
