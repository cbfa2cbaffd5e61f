"""How quickly `xfer plan` answers, beside Snakemake, DVC and ninja on the same graph.

    python -m bench.plan [--sizes N,N] [--tools NAME,NAME] [--out DIR] [--peers DIR]      (`make bench-plan`)

The graph: a model, ten trainings from it, ten after each, and evaluations, each one job; in xfer one is a prediction
and a score, and data besides. Each tool previews it twice: with nothing recorded, and with everything recorded by its
own commands. Measured are whole processes, in rounds of all tools, so that noise meets all alike; a preview of more
than a minute is measured once. The record tells how each recorded, and what took too long. What each tool is given, and
with which options, stands in `tools` and its neighbours; xfer runs without the development extra `interegular`, which
users do not have, and while its store is filled, which is not measured, nothing is forced to the disk.

Prints one JSON document and writes it to DIR/record.json; a table of it, with what was to be reached, goes to standard
error. Work folders lie in DIR meanwhile: at 100,011 jobs they need some 5 GB. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.plan import tools
from bench.plan.graph import of_size
from bench.plan.record import document, table
from bench.plan.rounds import Bench, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = "1011,10011,100011"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help=f"jobs of the graphs (default: {SIZES})")
    parser.add_argument("--tools", default=",".join(tools.NAMES), help=f"some of {', '.join(tools.NAMES)}")
    parser.add_argument("--out", type=Path, default=Path("build/plan"), help="the record, and work folders meanwhile")
    parser.add_argument("--peers", type=Path, default=Path("build/peers"), help="where the peers are installed")
    parser.add_argument("--limit", type=float, default=600, help="seconds that a preview may take")
    parser.add_argument("--patience", type=float, default=1800, help="seconds that recording everything may take")
    asked = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    graphs = [of_size(int(size)) for size in asked.sizes.split(",")]
    chosen = tools.tools(asked.tools.split(","), asked.peers)
    work = asked.out.absolute() / "work"
    shutil.rmtree(work, ignore_errors=True)
    (work / "caches").mkdir(parents=True)
    bench = Bench(work, tools.environment(work / "caches"), asked.limit, asked.patience)
    found = document([measure(graph, chosen, bench) for graph in graphs], load)
    shutil.rmtree(work)
    text = json.dumps(found, indent=1)
    (asked.out / "record.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    print(table(found), file=sys.stderr)


if __name__ == "__main__":
    main()
