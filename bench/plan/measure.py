"""Running a process to its end: what it said, how long it took, and the most memory that it held."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STARTER = Path(__file__).with_name("starter.py")


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took."""

    seconds: float  # wall time
    cpu: float  # seconds, of the user and the system
    mib: float  # the most that it held at once, or one of the processes that it waited for
    code: int  # its exit code; negative where a signal ended it
    said: str


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and where."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def run(command: Command, limit: float) -> Run:
    """Run a command alone in a session of its own; after `limit` seconds it is killed with all that it started."""
    log = command.folder / "said.log"
    starter = [sys.executable, "-I", "-S", str(_STARTER), str(limit), log.name, *command.words]
    answer = subprocess.run(
        starter, cwd=command.folder, env=command.environment, capture_output=True, text=True, check=True
    )
    seconds, cpu, kib, code = answer.stdout.split()
    said = log.read_text(encoding="utf-8", errors="replace")
    return Run(float(seconds), float(cpu), int(kib) / 1024, int(code), said)
