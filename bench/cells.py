"""The knobs of the embedded world: every cell of the table in docs/world.md, each a spec in `specs/world/`.

    python -m bench.cells [--store DIR] [CELL ...]

Runs the cells that the store lacks (each pretrains a model of its own: several minutes on one core) and prints the
table as Markdown: means over seeds, in points. Cells with other words have tokenizers of their own, learnt here as the
embedded one was, so that no cell's words are cut finer because the tokenizer has not seen them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import xfer
from runtime.world import LANGUAGES, SOURCE, World
from runtime.world.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.results import Row
    from runtime.world import Language

SPECS = Path(__file__).resolve().parent.parent / "specs" / "world"
CELLS = {
    "base": "as it is",
    "cognates-none": "cognates and loans: none",
    "cognates-double": "cognates and loans: twice as many",
    "mixed-none": "mixed texts: none",
    "mixed-all": "mixed texts: all texts (100 %)",
    "low-resource-fifth": "low-resource text: a fifth (5 %)",
    "low-resource-equal": "low-resource text: as much as others",
}
TOKENIZERS = {"cognates-none": World(cognates=0), "cognates-double": World(cognates=2)}  # in `specs/world/tokenizers`
GROUPS: dict[str, Callable[[Language], bool]] = {  # of languages, each averaged
    "source": lambda language: language == SOURCE,
    "Latin script": lambda language: language.script == "latin" and not language.low_resource and language != SOURCE,
    "other scripts": lambda language: language.script != "latin" and not language.low_resource,
    "low-resource": lambda language: language.low_resource,
}


def line(cell: str, rows: Sequence[Row]) -> str:
    """The scores of one cell as a row of the table: for each group `skip`, and the gain of the intermediate task."""
    shown = []
    for holds in GROUPS.values():
        codes = {code for code, language in LANGUAGES.items() if holds(language)}
        by_arm = {
            arm: _by_seed([r for r in rows if _arm(r) == arm and r.cell.language in codes]) for arm in (True, False)
        }
        skip, gains = by_arm[True], [by_arm[False][seed] - by_arm[True][seed] for seed in by_arm[True]]
        shown.append(f"{100 * fmean(skip.values()):.1f} ±{100 * stdev(skip.values()):.1f}, {100 * fmean(gains):+.1f}")
    return f"| {CELLS[cell]} | {' | '.join(shown)} |"


def _arm(row: Row) -> bool:
    """Whether the row is of the arm that skips the intermediate task."""
    return "intermediate" in row.cell.skips


def _by_seed(rows: Sequence[Row]) -> dict[str, float]:
    seeds = dict.fromkeys(r.cell.seed for r in rows)
    return {seed: fmean(r.value for r in rows if r.cell.seed == seed) for seed in seeds}


def main() -> int:
    """Run, and print the table; 1 where a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("cells", nargs="*", default=list(CELLS))
    arguments = parser.parse_args()
    lines = [f"| world | {' | '.join(GROUPS)} |", f"| --- |{' --- |' * len(GROUPS)}"]
    for cell in arguments.cells:
        if cell in TOKENIZERS:
            train_tokenizer(SPECS / "tokenizers" / cell, TOKENIZERS[cell])
        study = xfer.compile(SPECS / f"{cell}.xfer", xfer.Options(store=arguments.store))
        report = xfer.run(study)
        if report.failed:
            print(report.failed[0], file=sys.stderr)
            return 1
        lines.append(line(cell, xfer.rows(study)[0]))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
