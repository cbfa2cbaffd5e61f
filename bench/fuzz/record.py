"""One record of a whole run, from what its processes left behind."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.fuzz.trial import Task, breach, hand, tally, write_breach

ROOT = Path(__file__).resolve().parents[2]
_STATUS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")


@dataclass(frozen=True, slots=True)
class Left:
    """What one process left: its tally, the last word of libFuzzer about coverage, and a breach."""

    tally: dict[str, Any]
    coverage: dict[str, int] | None
    breach: str | None  # the file, and what its input does


_NOTHING = {"inputs": {}, "slowest": {"cpu_seconds": 0, "sort": ""}, "slowest_text": "", "grown": {"bytes": 0}}


def log(task: Task) -> Path:
    """The file of what the process and libFuzzer said."""
    return Path(task.out) / f"{task.sort}-{task.number}.log"


def left_by(task: Task, code: int) -> Left:
    """What a process left that ended with `code`. The input that one died of is written down as a breach."""
    found = json.loads(tally(task).read_text(encoding="utf-8")) if tally(task).exists() else _NOTHING
    path = breach(task)
    if not path.exists() and (found is _NOTHING or code):
        data = hand(task).read_bytes() if hand(task).exists() else b""
        write_breach(task, data, f"the process ended with {code}; see {log(task).name}")
    what = f"{path}: {path.with_suffix('.txt').read_text(encoding='utf-8').splitlines()[0]}" if path.exists() else None
    return Left(found, _coverage(log(task)), what)


def _coverage(path: Path) -> dict[str, int] | None:
    """Counters and features reached and inputs kept, as libFuzzer last told; None where it did not come to it."""
    found = _STATUS.findall(path.read_text(encoding="utf-8", errors="replace"))
    return dict(zip(("counters", "features", "kept"), map(int, found[-1]), strict=True)) if found else None


def record(left: list[Left], seconds: float, processes: int, seed: int) -> dict[str, Any]:
    """The record: what was tried, what it took and reached, and where."""
    inputs: Counter[str] = sum((Counter(worker.tally["inputs"]) for worker in left), Counter())
    return {
        "inputs": dict(sorted(inputs.items())),
        "tried": inputs.total(),
        "seconds": round(seconds, 1),
        "per_second": round(inputs.total() / seconds, 1),
        "processes": processes,
        "slowest": _slowest(left)["slowest"],
        "grown": max((worker.tally["grown"] for worker in left), key=lambda g: g["bytes"]),
        "coverage": [worker.coverage for worker in left if worker.coverage is not None],
        "breaches": [worker.breach for worker in left if worker.breach is not None],
        "seed": seed,
        "commit": commit(),
        "machine": {"cpu": cpu(), "cores": len(os.sched_getaffinity(0))},
        "python": platform.python_version(),
        "atheris": _version("atheris"),
    }


def slowest_text(left: list[Left]) -> str:
    """The input that took the longest."""
    return str(_slowest(left)["slowest_text"])


def _slowest(left: list[Left]) -> dict[str, Any]:
    return max((worker.tally for worker in left), key=lambda t: t["slowest"]["cpu_seconds"])


def commit() -> str | None:
    """The commit of this checkout, with `+` where files differ from it; None outside one."""
    try:
        name, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "-uno")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{name}{'+' if changed else ''}"


def _git(*words: str) -> str:
    answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return answer.stdout.strip()


def cpu() -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # a bare folder on PYTHONPATH
        return None
