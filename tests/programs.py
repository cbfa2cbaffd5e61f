"""The program as its users start it: a process of its own, with workers, watched through the store."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-c", "from xfer.cli import entry; entry()"]


def environment(store, **more):
    """Of a process that imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "XFER_STORE": str(store), "OMP_NUM_THREADS": "1", **more}


def start(here, *arguments, store=None):
    """A command in a session of its own."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=here,
        env=environment(store or here / "store"),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(here, *arguments, store=None):
    """A command that ends: its exit code and what it said."""
    process = start(here, *arguments, store=store)
    said, _ = process.communicate()
    return process.returncode, said


def workers(process):
    """The numbers of the processes that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(process.pid) and b"multiprocessing.spawn" in (stat.parent / "cmdline").read_bytes():
            found.append(int(stat.parent.name))
    return found


def kill_all(process):
    """SIGKILL to a run and its workers, as a machine that goes down."""
    for number in [process.pid, *workers(process)]:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()


def events(store):
    """All events of all runs in the store, the earliest run first."""
    lines = []
    for path in sorted(Path(store, "runs").glob("*/events.jsonl")):
        for line in path.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
    return lines


def wait_for(condition, process, patience=120):
    """Wait until the condition holds; fails when the process ends before, or nothing happens for long."""
    until = time.monotonic() + patience
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.002)
