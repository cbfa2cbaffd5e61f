"""A number with all that it rests on, on the terminal and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from xfer.render.messages import counted, say, show_place
from xfer.render.outlooks import number_in, unit_of_value
from xfer.render.sheets import GATHERED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from runtime.evidence.tables import Estimate
    from runtime.evidence.tracing import Lineage, Origin, TracedScore
    from xfer.tracing import Number, Traced

FORMAT = "1.0"
_MOST = 12  # scores, and nodes of a sort, unless all are asked for
_DIGITS = 12
_SORTS = ("model", "data", "train", "select", "predict", "score")


def show_trace(console: Console, traced: Traced, *, full: bool = False) -> None:
    """The number, its scores, the nodes behind them with what they read, and the lines of the spec."""
    number = traced.number
    at = " · ".join(f"{axis}: {value}" for axis, value in number.at.items())
    say(
        console,
        Text.assemble((number.title, "bold"), f"  {at}", ("  in the source language" if number.of == "source" else "")),
    )
    show_place(console, number.place, style="cyan")
    for what, estimate in (("value", number.shown), ("difference", number.difference)):
        if estimate is not None:
            say(console, Text(f"{what} {_estimate(estimate, number.unit, signed=what == 'difference')}"))
    _show_scores(console, traced.lineage, full=full)
    _show_origins(console, traced.lineage, full=full)
    say(console, Text("Lines of the spec", "bold"))
    for place in traced.lineage.lines:
        say(console, Text.assemble(("  ", ""), (f"{place.file}:{place.line}", "blue"), f"  {place.text.strip()}"))


def _estimate(found: Estimate, unit: str, *, signed: bool) -> str:
    def written(value: float) -> str:
        return number_in(value, unit) if signed else number_in(value, unit).removeprefix("+")

    ends = ""
    if found.low is not None and found.high is not None:
        ends = f" [{written(found.low)}, {written(found.high)}]"
    rests = f"{counted(found.seeds, 'seed')}, {counted(found.items, 'item')}"
    return f"{written(found.value)}{ends}, {rests}{_of_variance(found)}"


def _of_variance(found: Estimate) -> str:
    """What part of the variance is of seeds, of items and of both together."""
    if found.variance is None:
        return ""
    parts = (("seeds", found.variance.seeds), ("items", found.variance.items), ("both", found.variance.rest))
    return f"; of its variance {', '.join(f'{name} {found.variance.share(part):.0%}' for name, part in parts)}"


def _show_scores(console: Console, found: Lineage, *, full: bool) -> None:
    missing = sum(1 for score in found.scores if score.value is None)
    also = f", {missing:,} of them not there yet" if missing else ""
    out = sum(1 for score in found.scores if score.left_out)
    also += f", {out:,} of them left out" if out else ""
    also += f"; {GATHERED}" if found.gathered else ""
    say(console, Text(f"{counted(len(found.scores), 'score')}{also}", "bold"))
    for score in found.scores if full else found.scores[:_MOST]:
        say(console, Text(f"  {_score(score)}"))
    _say_more(console, len(found.scores), full=full)


def _score(score: TracedScore) -> str:
    cell = score.cell
    axes = " · ".join(value for _, value in cell.axes)
    value = f"{100 * score.value:5.1f}" if score.value is not None else "    –"
    seed = f"seed {cell.seed}" if cell.seed else "no seed"
    what = f"{value}  {cell.metric}  {cell.benchmark}[{cell.language}]  {axes}  {seed}"
    score_, predictions, weights, data = (
        key[:_DIGITS] for key in (cell.score, score.predictions, score.weights, score.data)
    )
    out = f"   left out: {score.left_out}" if score.left_out else ""
    return f"{what}   score {score_} ← predictions {predictions} ← weights {weights}, data {data}{out}"


def _show_origins(console: Console, found: Lineage, *, full: bool) -> None:
    by_sort: dict[str, list[Origin]] = {}
    for origin in found.origins:
        by_sort.setdefault(origin.node.sort, []).append(origin)
    for sort in _SORTS[:4]:
        origins = by_sort.get(sort, [])
        if origins:
            say(console, Text(f"{_NAMES[sort]}, {len(origins):,}", "bold"))
        for origin in origins if full else origins[:_MOST]:
            read = f"   reads {_listed(origin)}" if origin.sources else ""
            say(console, Text(f"  {origin.node.key[:_DIGITS]}  {origin.node.label}   {origin.node.place}{read}"))
        _say_more(console, len(origins), full=full)


_NAMES = {"model": "Models", "data": "Data", "train": "Trainings", "select": "Choices of checkpoints"}


def _listed(origin: Origin) -> str:
    alike = Counter(origin.sources)
    return "; ".join(alike)


def _say_more(console: Console, number: int, *, full: bool) -> None:
    if number > _MOST and not full:
        say(console, Text(f"  … and {number - _MOST:,} more (--full)", "dim"))


def trace_document(traced: Traced) -> str:
    """The same as one JSON document."""
    number = traced.number
    document = {
        "format_version": FORMAT,
        "title": number.title,
        "place": str(number.place),
        "at": dict(number.at),
        "of": number.of,
        "unit": unit_of_value(number.unit),
        **_record(number),
        "scores": list(_scores(traced.lineage)),
        "nodes": [
            {
                "key": o.node.key,
                "op": o.node.sort,
                "label": o.node.label,
                "inputs": list(o.node.inputs),
                "place": str(o.node.place),
                "reads": list(o.sources),
            }
            for o in traced.lineage.origins
        ],
        "lines": [{"place": f"{p.file}:{p.line}", "text": p.text} for p in traced.lineage.lines],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _record(number: Number) -> dict[str, object]:
    """By the names that the documents of `report` have."""
    shown, less = number.shown, number.difference
    return {
        "value": shown.value if shown else None,
        "low": shown.low if shown else None,
        "high": shown.high if shown else None,
        "difference": less.value if less else None,
        "difference_low": less.low if less else None,
        "difference_high": less.high if less else None,
        "p": less.p if less else None,
        "p_holm": less.adjusted if less else None,
        "seeds": shown.seeds if shown else None,
        "items": shown.items if shown else None,
    }


def _scores(found: Lineage) -> Iterator[dict[str, object]]:
    for score in found.scores:
        cell = score.cell
        yield {
            "experiment": cell.experiment,
            "axes": dict(cell.axes),
            "benchmark": cell.benchmark,
            "language": cell.language,
            "seed": cell.seed,
            "metric": cell.metric,
            "value": score.value,
            "left_out": score.left_out or None,
            "items": score.items,
            "score": cell.score,
            "predictions": score.predictions,
            "weights": score.weights,
            "data": score.data,
        }
