"""What the quickstart costs: `xfer run` in an empty store, whole processes, two nodes at once with one thread each.

    python -m bench.quickstart [--rounds N]

Prints one JSON document: wall seconds and core-seconds (user and system time of the driver and all its workers) of each
round, and of a run with nothing left to do. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = "specs/quickstart.xfer"
CORE_SECONDS = 180  # the most that the quickstart may cost


def cost(store: str) -> dict[str, float]:
    """Wall and core-seconds of one whole run."""
    program = [sys.executable, "-c", "from xfer.cli import entry; entry()", "run", SPEC, "--jobs", "2"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(program, cwd=ROOT, env={**os.environ, "XFER_STORE": store}, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": round(wall, 1), "core-seconds": round(cores, 1)}


def main() -> int:
    """Print the document; 1 where a round costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = []
    for _ in range(parser.parse_args().rounds):
        with tempfile.TemporaryDirectory() as store:
            rounds.append({"first": cost(store), "again": cost(store)})
    print(json.dumps({"spec": SPEC, "most core-seconds": CORE_SECONDS, "rounds": rounds}, indent=1))
    return int(any(r["first"]["core-seconds"] > CORE_SECONDS for r in rounds))


if __name__ == "__main__":
    sys.exit(main())
