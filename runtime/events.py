"""What happens in a run, as lines of JSON in the store: written while it runs, read by `xfer runs` and `xfer watch`."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from runtime.engine.messages import Progress
from runtime.engine.pace import Pace
from runtime.executor import Event, Outcome, Waiting
from runtime.store import io
from runtime.store.leases import Holder, lives, myself

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from compiler.plan import Node
    from runtime.executor import Report

FORMAT_VERSION = 1
NAME = "events.jsonl"
_PROGRESS_EVERY = 1.0  # seconds between two lines of one training


def new_name() -> str:
    """A name for a run that sorts by time."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(2)


class EventLog:
    """The events of one run, one line each, in `runs/NAME/events.jsonl`."""

    def __init__(self, store: Path, name: str, spec: str, nodes: int, to_run: int) -> None:
        self.folder = store / "runs" / name
        io.make_folder(self.folder)
        self._path = self.folder / NAME
        self._pace = Pace(_PROGRESS_EVERY)
        header = {"format_version": FORMAT_VERSION, "run": name, "spec": spec, "nodes": nodes, "to_run": to_run}
        self._write({**header, "holder": asdict(myself(name))})

    def __call__(self, node: Node, event: Event) -> None:
        """Write one event; those of a training's steps now and then."""
        if isinstance(event, Progress) and not self._pace.is_due(node.key, event):
            return
        self._write({"key": node.key, "op": node.sort, "label": node.label, **_record(event)})

    def end(self, report: Report | None) -> None:
        """The last line: how it ended; without a report, an error stopped it."""
        if report is None:
            self._write({"event": "end", "outcome": "error"})
            return
        outcome = "interrupted" if report.interrupted else "failed" if report.failed else "done"
        counts = {"ran": len(report.ran), "found": len(report.found), "failed": len(report.failed_nodes)}
        self._write({"event": "end", "outcome": outcome, **counts, "skipped": len(report.skipped)})

    def _write(self, record: dict[str, Any]) -> None:
        io.append_line(self._path, json.dumps({"at": round(time.time(), 3), **record}, ensure_ascii=False))


def _record(event: Event) -> dict[str, Any]:
    match event:
        case Outcome():
            return {"event": event.name.lower()}
        case Progress():
            return {"event": "progress", **asdict(event)}
        case Waiting(holder=holder):
            return {"event": "waiting", "holder": asdict(holder)}


class RunRecord(Struct, frozen=True):
    """A run as its events tell it."""

    name: str
    spec: str
    began: float  # seconds since 1970
    last: float  # of its last event
    state: str  # "running", "done", "failed", "interrupted", "error", or "gone" for a process that ended unheard
    to_run: int
    ran: int
    failed: int
    holder: Holder
    path: Path


def records(store: Path) -> list[RunRecord]:
    """The runs of a store, the latest first; what cannot be read is left out."""
    names = sorted(io.names_in(store / "runs"), reverse=True)
    found = (record(store / "runs" / name / NAME) for name in names)
    return [r for r in found if r is not None]


def record(path: Path) -> RunRecord | None:
    """A run by its events file; None where that is none."""
    events = list(read(path))
    if not events or "run" not in events[0]:
        return None
    header, last = events[0], events[-1]
    counts = [e.get("event") for e in events]
    try:
        holder = Holder(**header["holder"])
        state = str(last["outcome"]) if last.get("event") == "end" else "running" if lives(holder, path) else "gone"
        return RunRecord(
            header["run"], header["spec"], header["at"], last["at"], state, header["to_run"],
            counts.count("ran"), counts.count("failed"), holder, path,
        )  # fmt: skip
    except (KeyError, TypeError):
        return None


def read(path: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    """The whole lines of an events file, from a byte on; a line that is being written is left for later."""
    for line, _ in read_on(path, start):
        yield line


def read_on(path: Path, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Whole lines from a byte on, each with the byte after it."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
    except OSError:
        return
    for line in data.splitlines(keepends=True):
        start += len(line)
        if not line.endswith(b"\n"):
            return
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found, start
