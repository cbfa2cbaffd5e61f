"""Runs of a store: as a table, and one of them as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins
from msgspec.structs import asdict
from rich.table import Table
from rich.text import Text

from runtime.engine.messages import Progress
from runtime.events import FORMAT_VERSION, RunRecord, read_on, record
from runtime.executor import Event, Outcome, Waiting
from runtime.store.leases import Holder, lives
from xfer import exits
from xfer.render.live import LiveView, Seen
from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_LOOK = 0.5  # seconds between two looks at the file
_STYLE = {"running": "cyan", "done": "green", "failed": "red", "error": "red", "gone": "red", "interrupted": "yellow"}
_EXITS = {"done": exits.OK, "interrupted": exits.INTERRUPTED}


def show_runs(console: Console, runs: Sequence[RunRecord]) -> None:
    """One line a run."""
    if not runs:
        say(console, Text("no run in this store"))
        return
    table = Table("run", "state", "spec", "began", "took", "nodes", "failed", box=None, pad_edge=False)
    for run in runs:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.began))
        state = Text(run.state, _STYLE.get(run.state, ""))
        took = f"{run.last - run.began:,.0f} s"
        table.add_row(run.name, state, run.spec, began, took, f"{run.ran:,}/{run.to_run:,}", str(run.failed))
    console.print(table)


def runs_document(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """The runs as one JSON document."""
    return {"format_version": FORMAT_VERSION, "runs": [to_builtins(asdict(r) | {"path": str(r.path)}) for r in runs]}


def follow(console: Console, run: RunRecord) -> int:
    """Show a run's events until it ends; the exit code that it ended, or would have ended, with."""
    say(console, Text(f"{run.name}: {run.spec}, {run.state}"))
    place, over = 0, False
    with LiveView(console, run.to_run) as live:
        while not over:
            over = not lives(run.holder, run.path)  # asked first: what is read then is all there will be
            for line, after in read_on(run.path, place):
                place = after
                over |= line.get("event") == "end"
                if (event := _event(line)) is not None:
                    live.show(Seen(line["key"], line["op"], line["label"]), event)
            if not over:
                time.sleep(_LOOK)
    ended = record(run.path) or run
    words = f"{ended.state}: {ended.ran:,} of {ended.to_run:,} nodes ran, {ended.failed:,} failed"
    say(console, Text(words, _STYLE.get(ended.state, "")))
    return _EXITS.get(ended.state, exits.ERROR)


def _event(line: dict[str, Any]) -> Event | None:
    """An event of a node as it was told; None for the first and the last line, and for what a later version says."""
    name, known = str(line.get("event", "")), {"step", "steps", "loss", "first", "tokens"}
    if name == "progress":
        return Progress(**{k: v for k, v in line.items() if k in known})
    if name == "waiting":
        return Waiting(Holder(**line["holder"]))
    return Outcome[name.upper()] if name.upper() in Outcome.__members__ else None
