"""Published files, whole: retrieval on Tatoeba in XTREME's 36 languages by a published model.

    python -m bench.published [--store DIR] [--real DIR]

Runs what the store lacks and prints the table as Markdown: accuracy in points, and how many sentences there are. The
files are those of `../shared/real` (README there), which are no part of the project.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import fmean

import xfer

SPEC = Path(__file__).resolve().parents[1] / "tests" / "cases" / "real" / "tatoeba-36.xfer"
REAL = Path(__file__).resolve().parents[2] / "shared" / "real"
ACROSS = 6  # languages in a line of the table


def main() -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=Path("build/published"))
    parser.add_argument("--real", type=Path, default=REAL)
    chosen = parser.parse_args()
    options = xfer.Options(store=chosen.store, device="cpu", roots=(("real", chosen.real),))
    study, began = xfer.compile(SPEC, options, run=True), time.monotonic()
    report = xfer.run(study)
    rows, missing = xfer.rows(study)
    found = [f"{r.cell.language} {100 * r.value:.1f} ({r.n:,})" for r in rows]
    print("| " * ACROSS + "|\n" + "| --- " * ACROSS + "|")
    for start in range(0, len(found), ACROSS):
        print("| " + " | ".join(found[start : start + ACROSS]) + " |")
    print(f"\n{len(rows)} languages, mean {100 * fmean(r.value for r in rows):.1f}; {time.monotonic() - began:.0f} s")
    return 1 if report.failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
