"""How quickly the commands answer: the median of five whole processes each (targets: plan-and-run, "Start-up").

    python -m bench.start

`check` and `plan` of a page, and a `run` that has nothing to do, on the quickstart; run it on a quiet machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def seconds(arguments: list[str], store: str) -> float:
    """Median wall time of five processes."""
    command = [sys.executable, "-c", "from xfer.cli import entry; entry()", *arguments]
    environment = {**os.environ, "XFER_STORE": store}
    times = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return round(statistics.median(times), 3)


def main() -> None:
    """Print one JSON document."""
    with tempfile.TemporaryDirectory() as store:
        found = {
            "--version": seconds(["--version"], store),
            "check specs/quickstart.xfer": seconds(["check", "specs/quickstart.xfer"], store),
            "plan specs/quickstart.xfer": seconds(["plan", "specs/quickstart.xfer"], store),
            "plan specs/xcopa.xfer": seconds(["plan", "specs/xcopa.xfer"], store),
        }
        seconds(["run", "specs/quickstart.xfer"], store)
        found["run specs/quickstart.xfer, nothing to do"] = seconds(["run", "specs/quickstart.xfer"], store)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
