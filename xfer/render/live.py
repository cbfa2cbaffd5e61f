"""A run as it happens: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from compiler.ops import Train
from runtime.executor import Outcome, Progress
from xfer.render.messages import say

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from compiler.plan import Node

_PLAIN_EVERY = 10.0  # seconds between two lines of one training


class LiveRun:
    """Shows what an executor tells; a context manager."""

    def __init__(self, console: Console, nodes: int) -> None:
        self._console = console
        self._plain = not console.is_terminal
        self._total, self._done = nodes, 0
        self._started: dict[str, float] = {}
        self._spoke = 0.0
        name, note = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[note]}", markup=False)
        columns = (name, BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), note)
        self._bars = Bars(*columns, console=console, transient=True)
        self._whole = self._bars.add_task("whole plan", total=nodes, note="")
        self._current: TaskID | None = None

    def __enter__(self) -> Self:
        if not self._plain:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._plain:
            self._bars.stop()

    def __call__(self, node: Node, event: Outcome | Progress) -> None:
        """Take in one event."""
        match event:
            case Outcome.STARTED:
                self._started[node.key] = time.monotonic()
                if isinstance(node.op, Train):
                    self._start_training(node)
            case Progress():
                self._advance(node, event)
            case Outcome.RAN | Outcome.FAILED | Outcome.SKIPPED:
                self._finish(node, event)

    def _start_training(self, node: Node) -> None:
        self._spoke = time.monotonic()
        if self._current is not None:
            self._bars.remove_task(self._current)
        self._current = self._bars.add_task(node.label, total=None, note="")

    def _advance(self, node: Node, event: Progress) -> None:
        note = f"loss {event.loss:.3f}"
        if self._current is not None:
            self._bars.update(self._current, completed=event.step, total=event.steps, note=note)
        if self._plain and time.monotonic() - self._spoke > _PLAIN_EVERY:
            self._spoke = time.monotonic()
            left = (time.monotonic() - self._started[node.key]) * (event.steps - event.step) / event.step
            say(self._console, Text(f"{node.label}: step {event.step:,} of {event.steps:,}, {note}, {left:.0f} s left"))

    def _finish(self, node: Node, outcome: Outcome) -> None:
        self._done += 1
        self._bars.update(self._whole, completed=self._done)
        started = self._started.get(node.key)
        took = f" ({time.monotonic() - started:.1f} s)" if started is not None else ""
        if isinstance(node.op, Train) or outcome is Outcome.FAILED:
            say(self._console, Text(f"[{self._done}/{self._total}] {outcome.value} {node.label}{took}"))
