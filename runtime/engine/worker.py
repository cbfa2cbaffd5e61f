"""A worker process: takes groups from its pipe, works on them, tells about them. Loads the ML libraries on its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler.ops import Key
from runtime.contents import Content
from runtime.engine.messages import Advanced, Finished, Group, Message
from runtime.engine.pace import Pace
from runtime.engine.work import Desk, work

if TYPE_CHECKING:
    from compiler.plan import Node

STOP = "stop"
_TELL_EVERY = 0.2  # seconds between two messages of one training


class Job(Struct, frozen=True):
    """What every worker of a run is told when it starts."""

    store: Path
    files: Mapping[str, Path]
    device: str
    kinds: Mapping[Key, str]
    allow_code: bool
    save_every: float
    run: str  # the run's name
    cores: int  # that a large model may use
    log: Path  # where what libraries print goes
    names: Mapping[str, Content] = field(default_factory=dict)  # what contents are called, by digest
    gpu: str | None = None  # for CUDA_VISIBLE_DEVICES; None leaves it as it is


def main(pipe: Connection, job: Job) -> None:
    """Work until the pipe closes. A signal of the terminal does not reach this process: its parent decides."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if job.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = job.gpu
    _redirect(job.log)
    line = _Line(pipe)
    bodies_of_this_process(job, line)


def bodies_of_this_process(job: Job, line: _Line) -> None:
    """Open the store, and serve the line."""
    from runtime.bodies import TorchBodies
    from runtime.machine import share_cores
    from runtime.store.leases import Leases, myself
    from runtime.store.objects import Store

    share_cores(job.cores)
    store = Store(job.store, write=True)
    leases = Leases(store.leases, myself(job.run))
    desk = Desk(store, leases, line.send, lambda: line.stopping, job.save_every, run=job.run, names=job.names)
    bodies = TorchBodies(job.files, job.device, job.kinds, job.allow_code)
    while (group := line.next_group()) is not None:
        work(group, bodies, desk)
        line.send(Finished())


def _redirect(log: Path) -> None:
    """What libraries print, on either stream, goes to the log."""
    with log.open("ab") as file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


class _Line:
    """The pipe, read by a thread of its own: a training hears that it is to stop between two steps."""

    def __init__(self, pipe: Connection) -> None:
        self.stopping = False
        self._pipe = pipe
        self._groups: deque[list[Node]] = deque()
        self._news = threading.Condition()
        self._over = False
        self._pace = Pace(_TELL_EVERY)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                received = self._pipe.recv()
            except (EOFError, OSError):  # the parent is gone, or wants nothing more
                received = None
            with self._news:
                if received is None or received == STOP:
                    self.stopping = True
                    self._over |= received is None
                else:
                    self._groups.append(received)
                self._news.notify()
            if received is None:
                return

    def next_group(self) -> Group | None:
        """The next group; None when there will be none."""
        with self._news:
            while not self._groups and not self._over:
                self._news.wait()
            return self._groups.popleft() if self._groups and not self.stopping else None

    def send(self, message: Message) -> None:
        """Tell the parent; when it is gone, stop as if it had asked for it."""
        if isinstance(message, Advanced) and not self._pace.is_due(message.key, message.progress):
            return
        try:
            self._pipe.send(message)
        except OSError:
            self.stopping = True
