"""Two sets of scores side by side, on the terminal and as JSON."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from runtime.evidence.comparing import ALL, ITEMS, MCNEMAR, SEEDS
from xfer.render.messages import counted, say
from xfer.render.outlooks import signed
from xfer.render.sheets import CLEAR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from runtime.evidence.comparing import Compared, Pair
    from runtime.evidence.tables import Estimate

FORMAT = "1.0"
_SIDES = ("first", "second")
_HEADS = ("language", "first", "second", "second less first", "p")
_OF = {
    SEEDS: "over seeds and items: it speaks of these recipes",
    MCNEMAR: "McNemar's exact test of one pair: it speaks of these two checkpoints alone",
    ITEMS: "permuted signs over items: it speaks of these checkpoints alone",
}


def show_pairs(console: Console, titles: tuple[str, str], compared: Compared, level: float) -> None:
    """A table for each question that both answer."""
    for number, title in zip(_SIDES, titles, strict=True):
        say(console, Text.assemble((f"{number}: ", "bold"), title))
    for named, pairs in groupby(compared.pairs, key=lambda p: (p.experiment, p.axes, p.benchmark, p.metric)):
        experiment, axes, benchmark, metric = named
        label = "" if experiment.startswith("#") or not experiment else f"{experiment}: "
        say(console, Text(f"{label}{' · '.join(value for _, value in axes)} @ {benchmark} · {metric}", "bold"))
        console.print(_grid(list(pairs), level), soft_wrap=True, crop=False)
    for line in _notes(compared, level):
        say(console, Text(line, "dim"))


def _grid(pairs: Sequence[Pair], level: float) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(_HEADS):
        grid.add_column(name, justify="right" if number else "left", no_wrap=True)
    for pair in pairs:
        p, adjusted = pair.difference.p, pair.difference.adjusted
        clear = CLEAR if adjusted is not None and adjusted <= 1 - level else ""
        told = "–" if p is None else f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"  # noqa: PLR2004
        grid.add_row(
            "mean" if pair.language == ALL else pair.language,
            _number(pair.first, ""),
            _number(pair.second, ""),
            _number(pair.difference, "+") + clear,
            told,
        )
    return grid


def _number(estimate: Estimate, sign: str) -> str:
    half = "" if estimate.low is None else f" ±{100 * (estimate.value - estimate.low):.1f}"
    value = signed(100 * estimate.value) if sign else f"{100 * estimate.value:.1f}"
    return f"{value}{half}"


def _notes(compared: Compared, level: float) -> list[str]:
    missing = list(_missing(compared))
    if not compared.pairs:
        nothing = "no score of one is of the same question as one of the other: experiment, axes, benchmark, metric"
        return missing if any(is_empty(compared)) else [*missing, nothing]
    tests = dict.fromkeys(pair.test for pair in compared.pairs)
    lines = [f"points; ±: half of the {level:.0%} interval over seeds and items, where there are two seeds or more"]
    lines += [f"p {_OF[test]}" for test in tests]
    number = counted(len(compared.pairs), "comparison")
    lines.append(f"{CLEAR} not zero at {level:.0%}, corrected for all {number} (Holm); p are not corrected")
    for side, only in zip(_SIDES, (compared.only_first, compared.only_second), strict=True):
        if only:
            lines.append(f"{counted(only, 'question')} the {side} alone asks")
    for side, seeds in zip(_SIDES, compared.unpaired, strict=True):
        if seeds:
            lines.append(f"up to {counted(seeds, 'seed')} of a question the {side} alone has: left out on both sides")
    return [*lines, *missing]


def is_empty(compared: Compared) -> tuple[bool, bool]:
    """Whether the first, the second side has no score at all."""
    first, second = (missing == scores for missing, scores in compared.missing)
    return first, second


def _missing(compared: Compared) -> Iterator[str]:
    for side, (missing, scores) in zip(_SIDES, compared.missing, strict=True):
        if missing:
            said = "no score" if missing == scores else f"{scores - missing:,} of {scores:,} scores"
            yield f"{said} of the {side} {'is' if missing == scores else 'are'} there: `xfer run` makes them"


def pairs_document(titles: tuple[str, str], compared: Compared, level: float) -> str:
    """The same as one JSON document; values are fractions."""
    found = [
        {
            "experiment": p.experiment,
            "axes": dict(p.axes),
            "benchmark": p.benchmark,
            "metric": p.metric,
            "language": p.language or None,
            **{
                name: _record(e) for name, e in (("first", p.first), ("second", p.second), ("difference", p.difference))
            },
            "p": p.difference.p,
            "p_holm": p.difference.adjusted,
            "test": p.test,
        }
        for p in compared.pairs
    ]
    document = {
        "format_version": FORMAT,
        "first": titles[0],
        "second": titles[1],
        "level": level,
        "only_first": compared.only_first,
        "only_second": compared.only_second,
        "unpaired": dict(zip(_SIDES, compared.unpaired, strict=True)),
        "missing": dict(zip(_SIDES, (missing for missing, _ in compared.missing), strict=True)),
        "pairs": found,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _record(estimate: Estimate) -> dict[str, float | int | None]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "seeds": estimate.seeds,
        "items": estimate.items,
    }
