"""A run as it happens: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from msgspec import Struct, field
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from runtime.engine.messages import Progress
from runtime.executor import Event, Outcome, Report, Waiting
from xfer.render.messages import NOTHING, say

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

_PLAIN_EVERY = 10.0  # seconds between two lines of one training
_OVER = (Outcome.RAN, Outcome.FOUND, Outcome.FAILED, Outcome.SKIPPED)


class Seen(Struct, frozen=True):
    """A node as a viewer knows it, here or from an events file."""

    key: str
    op: str
    label: str


class _Training(Struct):
    bar: TaskID
    began: float = field(default_factory=time.monotonic)
    spoke: float = field(default_factory=time.monotonic)


class LiveView:
    """Shows events of a run; a context manager."""

    def __init__(self, console: Console, nodes: int) -> None:
        self._console = console
        self._plain = not console.is_terminal
        self._total, self._done = nodes, 0
        self._started: dict[str, float] = {}
        self._waiting: set[str] = set()
        name, note = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[note]}", markup=False)
        columns = (name, BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), note)
        self._bars = Bars(*columns, console=console, transient=True)
        self._whole = self._bars.add_task("whole plan", total=nodes, note="")
        self._trainings: dict[str, _Training] = {}

    def __enter__(self) -> Self:
        if not self._plain:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._plain:
            self._bars.stop()

    def show(self, node: Seen, event: Event) -> None:
        """Take in one event."""
        match event:
            case Outcome.STARTED:
                self._started[node.key] = time.monotonic()
                if node.op == "train":
                    self._trainings[node.key] = _Training(self._bars.add_task(node.label, total=None, note=""))
            case Progress():
                self._advance(node, event)
            case Waiting(holder=holder):
                self._wait(str(holder))
            case Outcome.PUBLISHING:
                pass
            case Outcome():
                self._finish(node, event)

    def say_stopping(self, asked: int) -> None:
        """What Ctrl-C does now."""
        words = (
            "stopping: the running steps are finished and saved; Ctrl-C again drops them" if asked == 1 else "stopped"
        )
        say(self._console, Text(words, "yellow"))

    def _wait(self, holder: str) -> None:
        if holder not in self._waiting:
            self._waiting.add(holder)
            say(self._console, Text(f"{holder} works on a part of this: its results will be used"))

    def _advance(self, node: Seen, event: Progress) -> None:
        training = self._trainings.get(node.key)
        if training is None:
            return
        spent = max(1e-3, time.monotonic() - training.began)
        left = spent * (event.steps - event.step) / max(1, event.step - event.first)
        note = f"loss {event.loss:.3f}, {event.tokens / spent:,.0f} tokens/s, {left:,.0f} s left"
        self._bars.update(training.bar, completed=event.step, total=event.steps, note=note)
        if self._plain and time.monotonic() - training.spoke > _PLAIN_EVERY:
            training.spoke = time.monotonic()
            say(self._console, Text(f"{node.label}: step {event.step:,} of {event.steps:,}, {note}"))

    def _finish(self, node: Seen, outcome: Outcome) -> None:
        training = self._trainings.pop(node.key, None)
        if training is not None:
            self._bars.remove_task(training.bar)
        if outcome in _OVER:
            self._done += 1
            self._bars.update(self._whole, completed=self._done)
        started = self._started.get(node.key)
        took = f" ({time.monotonic() - started:.1f} s)" if started is not None else ""
        if node.op == "train" or outcome is Outcome.FAILED:
            say(self._console, Text(f"[{self._done}/{self._total}] {outcome.value} {node.label}{took}"))


def summary(report: Report) -> str:
    """What a run did, in one line."""
    if not report.ran and not report.failed and not report.found:
        return "" if report.interrupted else NOTHING
    found = f"{len(report.found):,} used from another run, " if report.found else ""
    return f"{len(report.ran):,} ran, {found}{len(report.failed_nodes):,} failed, {len(report.skipped):,} skipped"
