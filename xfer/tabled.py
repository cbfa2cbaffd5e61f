"""Reports and verdicts for programs: one flat record a number, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from xfer.render.outlooks import unit_of_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from compiler.asked import Reported
    from runtime.evidence.tables import Drawn, Entry, Estimate, Variance
    from runtime.evidence.verdicts import Compared, Judged

FORMAT = "1.0"
_NUMBERS = (
    "value", "low", "high", "difference", "difference_low", "difference_high", "p", "p_holm",
    "difference_missing", "difference_degenerate", "seeds", "items",
    "variance_seeds", "variance_items", "missing", "degenerate", "runs", "selected",
)  # fmt: skip
_COLUMNS = ("report", "place", "of", "metric", *_NUMBERS)


def report_records(drawn: Drawn) -> list[dict[str, Any]]:
    """One record a place of the table that has a score; proportions are fractions, not points."""
    metric = " / ".join(drawn.report.metrics)
    return [
        {
            "report": drawn.report.title,
            "of": "source" if apart else head.sort or "cell",
            "at": {**dict(row.at), **dict(head.at)},
            "metric": metric,
            **_numbers(entry, entry.shown),
        }
        for row, head, entry, apart in drawn.entries()
        if entry.shown is not None
    ]


def _numbers(entry: Entry, shown: Estimate) -> dict[str, object]:
    return {
        "value": shown.value,
        "low": shown.low,
        "high": shown.high,
        **_of_difference(entry),
        "seeds": shown.seeds,
        "items": shown.items,
        **_of_variance(shown.variance),
        "missing": entry.missing,
        "degenerate": entry.collapsed[0],
        "runs": entry.collapsed[1],
        "selected": entry.selected or None,
    }


def _of_variance(found: Variance | None) -> dict[str, object]:
    """What part of the value's variance is of seeds, and of items; what is left is of both together."""
    if found is None:
        return {"variance_seeds": None, "variance_items": None}
    return {"variance_seeds": found.share(found.seeds), "variance_items": found.share(found.items)}


def _of_difference(entry: Entry) -> dict[str, object]:
    """The difference to the baseline; what is missing or degenerate of either side."""
    names = ("difference", "difference_low", "difference_high", "p", "p_holm")
    both = {
        "difference_missing": entry.missing + entry.beside[0],
        "difference_degenerate": entry.collapsed[0] + entry.beside[1],
    }
    found = entry.difference
    if found is None:
        return dict.fromkeys((*names, *both))
    return {**dict(zip(names, (found.value, found.low, found.high, found.p, found.adjusted), strict=True)), **both}


def reports_csv(drawn: Sequence[Drawn]) -> str:
    """Every report one below the other, with a column for each axis that is shown or pinned."""
    axes = list(dict.fromkeys(axis for one in drawn for axis in _axes(one.report)))
    named = {axis: axis if axis not in _COLUMNS else f"axis:{axis}" for axis in axes}
    text = io.StringIO()
    columns = ["report", "place", "of", *named.values(), "metric", *_NUMBERS]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in drawn:
        pinned = {axis: value for axis, value in one.report.pins if axis in named}
        for record in report_records(one):
            at = {named[axis]: value for axis, value in (pinned | record["at"]).items()}
            writer.writerow({**record, "place": str(one.report.place), **at})
    return text.getvalue()


def _axes(report: Reported) -> Iterator[str]:
    yield from (*report.rows, *report.columns)
    yield from (axis for axis, _ in report.pins if axis != "metric")


def reports_json(drawn: Sequence[Drawn]) -> str:
    """Every report with its records."""
    found = [
        {
            "title": one.report.title,
            "place": str(one.report.place),
            "rows": one.report.rows,
            "columns": one.report.columns,
            "level": one.report.level,
            "baseline": dict([one.report.baseline]) if one.report.baseline is not None else None,
            "where": dict(one.report.pins),
            "published": [
                {"system": line.system, "source": line.source, "points": list(line.scores)}
                for line in one.report.published
            ],
            "cells": report_records(one),
        }
        for one in drawn
    ]
    return json.dumps({"format_version": FORMAT, "reports": found}, indent=1, ensure_ascii=False) + "\n"


def verdicts_json(judged: Sequence[Judged]) -> str:
    """Every claim with its verdict and what it rests on."""
    found = [
        {
            "title": one.claim.title,
            "claim": one.claim.text,
            "place": str(one.claim.place),
            "quantifier": one.claim.quantifier or None,
            "level": one.claim.level,
            "unit": unit_of_value(one.claim.unit),
            "verdict": one.verdict,
            "expected": one.claim.expected,
            "why": one.why or None,
            "p": one.alone,
            "p_holm": one.p,
            "missing": one.missing[0],
            "scores": one.missing[1],
            "degenerate": one.collapsed[0],
            "runs": one.collapsed[1],
            "comparisons": list(_comparisons(one)),
        }
        for one in judged
    ]
    return json.dumps({"format_version": FORMAT, "claims": found}, indent=1, ensure_ascii=False) + "\n"


def _comparisons(judged: Judged) -> Iterator[dict[str, object]]:
    for compared in judged.compared:
        found = compared.interval
        yield {
            "at": dict(compared.of.at),
            "estimate": compared.quantity.value,
            "seeds": min((e.seeds for e in compared.quantity.effects if e.seeds), default=0),
            "items": min(len(e.rows) for e in compared.quantity.effects),
            "low": found.low if found is not None else None,
            "high": found.high if found is not None else None,
            "sign": compared.sign,
            "bound": compared.bound,
            "detectable": compared.detectable,
            "extremes": [{"of": which, "at": value} for which, value in compared.extremes],
            **_bootstrap(compared, judged.claim.level),
        }


def _bootstrap(compared: Compared, level: float) -> dict[str, object]:
    """The percentile interval of the bootstrap, beside the other as a check."""
    from runtime.evidence.bootstrap import percentile

    found = percentile(compared.quantity, level)
    return {"bootstrap_low": found.low, "bootstrap_high": found.high}
