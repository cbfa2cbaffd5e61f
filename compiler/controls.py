"""Control chains: the runs without an intermediate task that a report or a claim compares with, and nobody wrote.

A study of `{mnli | hellaswag} -> copa` asks for gains over `skip` and has no `skip`. What is found here is where one is
wanted; the walk through the chain then adds that alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from compiler.bag import Bag
from compiler.catalog import BUILT_IN_AXES
from compiler.named import items, written_label
from compiler.quantities import selections, statistics
from compiler.reports import KEYS
from compiler.resolve import own_pairs
from dsl.syntax import Claim, Record, Report, Selection, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from compiler.axes import Table
    from compiler.quantities import Selected
    from dsl.source import Span
    from dsl.syntax import Pair, Spec, Statistic

SKIP = "skip"
FIRST = "stage-1"  # what the choice is called that a chain without one gets
Controls = Mapping[str, Mapping[str, "Span"]]  # experiment -> axis -> who asks for its `skip`


def wanted(spec: Spec, tables: Mapping[str, Table]) -> Controls:
    """The axes of stages that want a `skip`, each with the first place that compares with it."""
    found: dict[str, dict[str, Span]] = {}
    for statement in spec.statements:
        match statement:
            case Report():
                asked = _of_report(statement, tables)
            case Claim():
                asked = _of_claim(statement, tables)
            case _:
                continue
        for label, axis, span in asked:
            found.setdefault(label, {}).setdefault(axis, span)
    return found


_Asked = tuple[str, str, "Span"]


def _of_report(report: Report, tables: Mapping[str, Table]) -> Iterator[_Asked]:
    """`baseline: skip`, or `baseline: { AXIS: skip }`, of experiments in which nothing is called so."""
    pairs = {key: pair for key, pair in own_pairs(report.record, Bag()).items() if key in KEYS}
    if (pair := pairs.get("baseline")) is None:
        return
    of = pairs.get("of")
    labels = [v.text for v in items(of.value) if isinstance(v, Word)] if of is not None else list(tables)
    known = [label for label in labels if label in tables and tables[label].rows and _is_kept(label, pairs)]
    if isinstance(pair.value, Word) and any(SKIP in v for label in known for v in tables[label].values.values()):
        return
    for label in known:
        yield from ((label, axis, pair.value.span) for axis in _said(pair.value, tables[label]))


def _is_kept(label: str, pairs: Mapping[str, Pair]) -> bool:
    """Whether `where: { chain: … }` leaves an experiment in."""
    where = pairs.get("where")
    record = where.value.pairs if where is not None and isinstance(where.value, Record) else ()
    pinned = next((p.value for p in record if p.key.text == "chain"), None)
    return pinned is None or label in {written_label(value) for value in items(pinned)}


def _said(value: object, table: Table) -> Iterable[str]:
    match value:
        case Record(pairs=(only,)) if written_label(only.value) == SKIP:
            return [only.key.text] if SKIP not in table.values.get(only.key.text, ()) else []
        case Word(text="skip") if not any(SKIP in values for values in table.values.values()):
            return of_stages(table)[:2] or [FIRST]
    return []


def _of_claim(claim: Claim, tables: Mapping[str, Table]) -> Iterator[_Asked]:
    """`gain(x[AXIS: VALUE])` where no pinned axis has a baseline; `against: { AXIS: skip }` where there is none."""
    yield from _pinned_alone(claim, tables)
    for selected in selections(claim, tables, Bag()) or ():
        for statistic in selected.inside:
            if statistic.function.text == "gain":
                label = selected.node.name.text
                yield from ((label, axis, statistic.span) for axis in _gained(statistic, selected))


def _gained(statistic: Statistic, selected: Selected) -> list[str]:
    table, pins = selected.axes.table, selected.pins
    against = next((pair for pair in statistic.options if pair.key.text == "against"), None)
    if against is not None:
        return list(_said(against.value, table)) if isinstance(against.value, Record) else []
    if any(axis in table.baselines for axis in pins):
        return []
    return [axis for axis in of_stages(table) if axis in pins][:2]


def _pinned_alone(claim: Claim, tables: Mapping[str, Table]) -> Iterator[_Asked]:
    """`gain(x[stage-1: hellaswag])` of a chain without a choice, in which nothing is called `stage-1` yet."""
    for statistic in statistics(claim):
        for signed in statistic.operand.terms if statistic.function.text == "gain" else ():
            if isinstance(signed.term, Selection) and signed.term.name.text in tables:
                table = tables[signed.term.name.text]
                if any(p.key.text == FIRST for p in signed.term.pins) and FIRST not in table.values:
                    yield signed.term.name.text, FIRST, statistic.span


def of_stages(table: Table) -> list[str]:
    """The axes that are choices of stages, without a `skip`; those of models, values and suites are none."""
    known = [axis for axis in table.values if axis not in BUILT_IN_AXES and axis not in table.slots]
    return [axis for axis in known if axis not in table.baselines]
