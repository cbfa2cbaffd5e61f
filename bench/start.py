"""How quickly the commands answer: medians of five whole processes each, beside a process that imports torch alone.

    python -m bench.start

`check` and `plan` of a page, and a `run` that has nothing to do, on the quickstart; run it on a quiet machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.plan.tools import XFER, environment

ROOT = Path(__file__).resolve().parent.parent
_XFER = XFER[-1]


def seconds(code: str, arguments: list[str], store: str) -> float:
    """Wall time of one process."""
    kept = environment(Path(store, "caches")) | {"XFER_STORE": store}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, env=kept, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print one JSON document: medians, and each command's ratio to the same round's `import torch`."""
    spec = "specs/quickstart.xfer"
    commands = {
        "check": ["check", spec],
        "plan": ["plan", spec],
        "plan of specs/xcopa.xfer": ["plan", "specs/xcopa.xfer"],
        "run, nothing to do": ["run", spec],
    }
    with tempfile.TemporaryDirectory() as store:
        seconds(_XFER, ["run", spec], store)
        rounds = [
            {"import torch": seconds("import torch", [], store)}
            | {name: seconds(_XFER, arguments, store) for name, arguments in commands.items()}
            for _ in range(5)
        ]
    found = {
        name: {
            "seconds": round(statistics.median(r[name] for r in rounds), 2),
            "of import torch": round(statistics.median(r[name] / r["import torch"] for r in rounds), 2),
        }
        for name in rounds[0]
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
