"""Which intermediate tasks help which targets in the embedded world: the table of docs/world.md, section 8.

    python -m bench.transfer [--seeds N] [--store DIR]

Runs what the store lacks of `specs/world/study.xfer` with the seeds 1 … N, and prints two tables as Markdown: for each
intermediate task and target, the mean over zero-shot languages and seeds, less that of `skip`, in points, with the
standard deviation of that difference over seeds; and the same of the source language.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import xfer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runtime.results import Row

SPEC = Path(__file__).resolve().parent.parent / "specs" / "world" / "study.xfer"
SOURCE, SKIP = "qaa", "skip"
_Means = dict[tuple[str, str], dict[str, float]]  # by intermediate task and target, of each seed


def table(rows: Sequence[Row], metrics: Mapping[str, str], *, source: bool) -> list[str]:
    """The lines of a table: of the source language, or of all others."""
    kept = [r for r in rows if (r.cell.language == SOURCE) is source and metrics[r.cell.benchmark] == r.cell.metric]
    means = _means(kept)
    targets = list(dict.fromkeys(target for _, target in means))
    arms = list(dict.fromkeys(arm for arm, _ in means))
    lines = [f"| intermediate | {' | '.join(targets)} |", f"| --- |{' --- |' * len(targets)}"]
    for arm in arms:
        cells = [_cell(means[arm, t], means[SKIP, t], absolute=arm == SKIP) for t in targets]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return lines


def _means(rows: Iterable[Row]) -> _Means:
    """Means over languages. A score that no seed reaches (nothing was trained) is that of every seed."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        by_seed = found.setdefault((_arm(row), row.cell.benchmark), {})
        by_seed.setdefault(row.cell.seed, []).append(row.value)
    return {key: {seed: fmean(values) for seed, values in by_seed.items()} for key, by_seed in found.items()}


def _arm(row: Row) -> str:
    return dict(row.cell.axes)["intermediate"]


def _cell(own: Mapping[str, float], skip: Mapping[str, float], *, absolute: bool) -> str:
    if absolute:
        values = list(own.values())
        return f"{100 * fmean(values):.1f}{_spread(values)}"
    gains = [own[seed] - skip.get(seed, fmean(skip.values())) for seed in own]
    return f"{100 * fmean(gains):+.1f}{_spread(gains)}"


def _spread(values: Sequence[float]) -> str:
    return f" ±{100 * stdev(values):.1f}" if len(values) > 1 else ""


def main() -> int:
    """Run, and print the tables; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--store", type=Path, default=None)
    arguments = parser.parse_args()
    study = xfer.compile(SPEC, xfer.Options(store=arguments.store, settings=(f"seeds={arguments.seeds}",)))
    if xfer.run(study).failed:
        return 1
    rows, _ = xfer.rows(study)
    metrics: dict[str, str] = {}
    for cell in study.plan.cells:
        metrics.setdefault(cell.benchmark, cell.metric)
    for source in (False, True):
        sys.stdout.write("\n".join(["", "the source language" if source else "zero-shot languages", ""]) + "\n")
        sys.stdout.write("\n".join(table(rows, metrics, source=source)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
