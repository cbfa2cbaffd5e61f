"""`report "…" { … }`, held against the axes of its experiments (docs/language.md, section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.axes import joined
from compiler.intervals import check_level
from compiler.layouts import Laid, Layout
from compiler.named import Axes, experiment, items, offered
from compiler.resolve import own_pairs
from compiler.suggest import did_you_mean
from compiler.writing import describe
from dsl.syntax import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.axes import Table
    from compiler.bag import Bag
    from dsl.syntax import Pair, Report

KEYS = ("of", "where", "rows", "columns", "value", "baseline", "interval", "average", "as")
_MEANT = {"metric": "value", "metrics": "value", "filter": "where", "pins": "where", "against": "baseline"}
_WORDS = {"average": ("zero-shot", "all"), "as": ("table", "heatmap")}


class Read(Struct, frozen=True):
    """A report that was read: its layout over the axes of its experiments, and its keys."""

    laid: Laid
    axes: Axes
    pairs: Mapping[str, Pair]


def read_report(report: Report, tables: Mapping[str, Table], bag: Bag) -> Read | None:
    """The report; each key that is wrong, and each axis that is left open, is reported."""
    pairs = own_pairs(report.record, bag)
    whole = len(pairs) == len(report.record.pairs) and pairs.keys() <= set(KEYS)
    for key, pair in pairs.items():
        if key not in KEYS:
            hint = f"did you mean `{_MEANT[key]}`?" if key in _MEANT else offered(key, KEYS)
            bag.error(codes.UNKNOWN_KEY, pair.key.span, f"a report has no key `{key}`", hint)
        elif key in _WORDS:
            _check_words(pair, bag)
    if "interval" in pairs:
        check_level(pairs["interval"].value, "interval", bag)
    chosen = _of(report, pairs.get("of"), tables, bag)
    if not chosen:
        return None
    axes = Axes(joined(chosen), _whose(chosen), bag)
    laid = Layout(pairs, axes, report.title.span, whole).read()
    return Read(laid, axes, pairs) if laid is not None else None


def _check_words(pair: Pair, bag: Bag) -> None:
    """`average` takes one of its words, `as` one or a list of them."""
    key = pair.key.text
    for value in items(pair.value) if key == "as" else (pair.value,):
        if not isinstance(value, Word) or value.text not in _WORDS[key]:
            allowed = " or ".join(f"`{w}`" for w in _WORDS[key]) + (", or a list of both" if key == "as" else "")
            hint = did_you_mean(value.text, _WORDS[key]) if isinstance(value, Word) else None
            bag.error(codes.WRONG_VALUE, value.span, f"`{key}` is {describe(value)} but must be {allowed}", hint)


def _of(report: Report, pair: Pair | None, tables: Mapping[str, Table], bag: Bag) -> dict[str, Table]:
    """The scores of the experiments that a report is of, of all unless said; none after a finding."""
    if pair is not None:
        return _named(pair, tables, bag)
    found = {label: table for label, table in tables.items() if table.rows}
    if not found:
        message = "no experiment of this spec has scores to report"
        hint = "evaluate something: `MODEL -> TASK @ BENCHMARK[*]`"
        bag.error(codes.NO_SCORES, report.title.span, message, hint)
    return found


def _named(pair: Pair, tables: Mapping[str, Table], bag: Bag) -> dict[str, Table]:
    """The experiments that `of` names; none after a finding."""
    found: dict[str, Table] = {}
    for value in items(pair.value):
        if not isinstance(value, Word):
            message = f"`of` is {describe(value)} but must be the label of an experiment, or a list of labels"
            bag.error(codes.WRONG_VALUE, value.span, message, "labels stand without quotes")
        elif value.text in found:
            bag.error(codes.LABEL_TWICE, value.span, f"`{value.text}` stands twice in `of`", "once is enough")
        elif (table := experiment(value.text, value.span, tables, bag)) is not None:
            found[value.text] = table
    return found if len(found) == len(items(pair.value)) else {}


def _whose(chosen: Mapping[str, Table]) -> str:
    """Whose axes they are, in words."""
    label, *more = chosen
    return "these experiments" if more else "this experiment" if label.startswith("#") else f"`{label}`"
