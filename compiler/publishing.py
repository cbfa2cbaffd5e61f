"""Published scores beside those of a report: by its columns, where a column says which benchmark and language it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.asked import PublishedLine
from compiler.facts import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from compiler.asked import Column
    from compiler.averaging import Averaging
    from compiler.cells import Scored
    from compiler.facts import Published

_Known = dict[
    tuple[str, str], dict[tuple[str, str, str], float]
]  # system, source -> benchmark, language, metric -> score


def published_lines(heads: Sequence[Column], rows: Sequence[Scored], averaging: Averaging) -> Iterator[PublishedLine]:
    """A line for each system and source that has a score in some column."""
    by_benchmark = {row.taken["benchmark"]: row for row in rows}
    known: _Known = {}
    for benchmark, row in by_benchmark.items():
        for score in row.published:
            if _is_comparable(score):
                place = (benchmark, score.language, score.metric)
                known.setdefault((score.system, score.source), {})[place] = score.score
    for (system, source), scores in known.items():
        found = tuple(_at(head, by_benchmark, scores, averaging) for head in heads)
        if any(score is not None for score in found):
            yield PublishedLine(system, source, found)


def _is_comparable(score: Published) -> bool:
    """Whether it is of the split that is scored anyway."""
    return score.split is None


def _at(
    head: Column, rows: Mapping[str, Scored], scores: Mapping[tuple[str, str, str], float], averaging: Averaging
) -> float | None:
    """The score of a column: of its language, else the mean over languages; of two metrics as one their mean."""
    at = dict(head.at)
    benchmark = at.get("benchmark", next(iter(rows)) if len(rows) == 1 else "")
    if benchmark not in rows or any(axis not in {"benchmark", "language"} for axis in at):
        return None
    language = at.get("language", MEAN)
    found = [scores.get((benchmark, language, metric)) for metric in averaging.metrics(rows[benchmark])]
    known = [score for score in found if score is not None]
    return sum(known) / len(known) if known and len(known) == len(found) else None
