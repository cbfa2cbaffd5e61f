"""Do intervals cover, and do tests hold their level? Every table of docs/statistics.md.

    python -m bench.coverage [--out DIR] [--page FILE] [--runs N] [--again]      (`make coverage`)

Simulates the grid, the cells beyond it, extremes, and tests where nothing is there; every cell has random numbers of
its own, so each comes out the same whichever others are run. Writes DIR/record.json, and draws the tables of FILE anew.
With `--again` nothing is simulated: the tables are drawn from the record. `--runs` for a quick look: so many runs of
each cell, whatever it has. One core; about 25 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from threadpoolctl import threadpool_limits

from bench.coverage import extremes, grid, levels, outside
from bench.coverage.page import put
from bench.fuzz.record import commit, cpu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.coverage.page import Record

Row = TypeVar("Row", bound=msgspec.Struct)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"


def simulate(runs: int | None) -> Record:
    """Everything, and where it was found."""
    started, made = time.perf_counter(), commit()
    with threadpool_limits(1):
        found = {
            "grid": [*_grid(runs or grid.RUNS)],
            "outside": [*_outside(runs or outside.RUNS)],
            "extremes": [*_told(extremes.cells(runs or extremes.RUNS))],
            "levels": [*_told(levels.levels(runs or levels.RUNS))],
        }
    return {
        **found,
        "seconds": round(time.perf_counter() - started, 1),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": made or "unknown",
        "machine": {"cpu": cpu(), "cores": len(os.sched_getaffinity(0))},
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }


def _grid(runs: int) -> Iterator[grid.Coverage]:
    for name, world in grid.cells().items():
        yield from _told(grid.cover(name, world, runs))


def _outside(runs: int) -> Iterator[grid.Coverage]:
    for name, case in outside.cases().items():
        yield from _told(grid.cover(name, case.world, runs, case.taken))


def _told(rows: Iterable[Row]) -> Iterator[Row]:
    """The same, each printed as it comes."""
    for row in rows:
        print(" ".join(str(v) for v in msgspec.structs.astuple(row)[:1]), file=sys.stderr)
        yield row


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/coverage"), help="where the record lies")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page with the tables")
    parser.add_argument("--runs", type=int, default=None, help="of each cell (default: what each has)")
    parser.add_argument("--again", action="store_true", help="draw the tables from the record that is there")
    asked = parser.parse_args(arguments)
    path = asked.out / "record.json"
    if not asked.again:
        found = simulate(asked.runs)
        asked.out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    record = json.loads(path.read_text(encoding="utf-8"))
    asked.page.write_text(put(asked.page.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
