"""Fuzz the compiler: no input raises, takes 200 MiB or a second of CPU to compile, and what is valid has no fault.

    python -m bench.fuzz [--inputs N] [--jobs N] [--seed N] [--out DIR]      (`make fuzz N=20000 JOBS=8`)

A quarter of the inputs is valid by construction, each from its number. The others are chosen and mutated by atheris
(libFuzzer) by what they reach in `dsl` and `compiler`: texts, and what `tests/fuzzing.py` makes of numbers, edited.
So that plans stay small a chain of more than 400 runs is refused here (the language allows 20,000), and a plan of more
than 4,000 nodes may take a second for each 4,000. A breach stops its process, is written to DIR with what it did, and
is named at the end. Prints one JSON record and writes it to DIR/record.json. Exit 0: no breach; 1: a breach; 2: there
is no atheris.

The same seed, number of inputs, number of processes and DIR give the same inputs on the same versions of Python,
atheris and xfer: hashes of texts are fixed, and libFuzzer draws from its seed and from what was reached (in another DIR
paths compare otherwise). Not the same are times and memory, and so which input is the slowest. A breach needs none of
this: its text is kept, and `python -m bench.fuzz.again FILE` tries it once more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.fuzz.record import ROOT, Left, left_by, log, record, slowest_text
from bench.fuzz.trial import Task, work

if TYPE_CHECKING:
    from collections.abc import Sequence

SPAN = 10**9  # valid specs have numbers from here on, times the seed: `make test` tries those below


def tasks(inputs: int, jobs: int, seed: int, out: Path, trier: str) -> list[Task]:
    """What each process is to do: a quarter of the inputs valid, all shared out evenly, no valid one tried twice."""
    found, first = [], seed * SPAN
    for number, count in enumerate(_shares(inputs // 4, jobs)):
        found.append(Task("valid", number, first, count, str(out), trier))
        first += count
    for number, count in enumerate(_shares(inputs - inputs // 4, jobs)):
        found.append(Task("guided", number, seed * 1000 + number + 1, count, str(out), trier))
    return [task for task in found if task.count]


def _shares(count: int, jobs: int) -> list[int]:
    return [count // jobs + (number < count % jobs) for number in range(jobs)]


def run(task: Task) -> Left:
    """What the process of a task left when it ended."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": path}
    program = [sys.executable, "-m", f"bench.fuzz.{task.sort}"]
    work(task).mkdir()
    with log(task).open("w", encoding="utf-8") as file:
        ended = subprocess.run(
            program,
            env=environment,
            input=json.dumps(asdict(task)),
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    shutil.rmtree(work(task))  # here: libFuzzer ends its process without clearing up
    return left_by(task, ended.returncode)


def fuzz(todo: Sequence[Task], jobs: int, seed: int, out: Path) -> dict[str, Any]:
    """Do all tasks, so many at once; the record, which is also in `out`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        left = list(pool.map(run, todo))
    found = record(left, time.perf_counter() - began, jobs, seed)
    (out / "slowest.xfer").write_bytes(slowest_text(left).encode("utf-8", "surrogatepass"))
    (out / "record.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m bench.fuzz", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (one a core)")
    parser.add_argument("--seed", type=int, default=1, help="of the whole run (1)")
    parser.add_argument(
        "--out", type=Path, default=Path("build/fuzz"), help="what comes out; emptied first (build/fuzz)"
    )
    parser.add_argument("--trier", default="tests.fuzzing:tried", help="MODULE:FUNCTION that tries a text; for tests")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz and print the record; the exit code."""
    said = arguments(words)
    if find_spec("atheris") is None:
        print(
            "there is no atheris here: `make fuzz` installs it; or name a folder that has it in PYTHONPATH",
            file=sys.stderr,
        )
        return 2
    out = said.out.absolute()
    print(f"{said.inputs:,} inputs in {said.jobs} processes; logs in {out}", file=sys.stderr)
    found = fuzz(tasks(said.inputs, said.jobs, said.seed, out, said.trier), said.jobs, said.seed, out)
    print(json.dumps(found, indent=1))
    for breach in found["breaches"]:
        print(f"breach: {breach}", file=sys.stderr)
    return int(bool(found["breaches"]))


if __name__ == "__main__":
    sys.exit(main())
