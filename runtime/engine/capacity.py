"""How much of this machine a plan needs: which GPUs there are, how many workers make sense, whether one more fits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from compiler.ops import Model

if TYPE_CHECKING:
    from compiler.plan import Plan

SMALL = 5_000_000  # parameters; below, threads of one training only wait for each other
_WORKER = 700 * 10**6  # bytes of a process with the libraries loaded
_TRAINED = 16  # bytes a parameter: weight, gradient and two moments, in float32
_LIVE = 6 * 10**9  # bytes of activations that a large model's micro-batch may take


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def workers(plan: Plan, asked: int | None = None) -> tuple[tuple[str, ...], int]:
    """The GPUs that a run of the plan uses, and how many workers it has.

    One a GPU, or fewer where that is asked for; on CPUs as many as are asked for, else one a core for small models,
    which use one thread each, and one in all for large ones.
    """
    if plan.device.kind == "cuda":
        found = gpus()
        most = max(1, len(found))
        return found, min(asked or most, most)
    return (), asked or (usable_cores() if largest(plan) < SMALL else 1)


def largest(plan: Plan) -> int:
    """Parameters of the plan's largest model; one of unknown size counts as large."""
    models = [n.key for n in plan.nodes if isinstance(n.op, Model)]
    sizes = [plan.shapes[key].parameters if key in plan.shapes else None for key in models]
    return max((SMALL if size is None else size for size in sizes), default=0)


def needed_memory(plan: Plan) -> int:
    """Bytes that one more training of the plan may take on the CPU; an upper estimate."""
    size = largest(plan)
    return _WORKER + _TRAINED * size + (_LIVE if size >= SMALL else 0)


def available_memory() -> int | None:
    """Bytes that processes may still take; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) * 1024 if found is not None else None


def gpus() -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES calls each GPU that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name.strip() for name in visible.split(",") if name.strip())
    if (tool := which("nvidia-smi")) is None:
        return ()
    query = [tool, "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(answer.split())
