"""Worker processes on this machine: one for each GPU, or as many as fit on the CPU."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from runtime.engine.messages import Died, Finished, Group, Message
from runtime.engine.worker import STOP, Job, main

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from compiler.ops import Key

Judge = Callable[[Group], bool]
_WORTH = 3.0  # seconds that others must have been busy before a new worker is started for something quick
_PATIENCE = 10.0  # seconds that a worker without work has to end


class _Worker(Struct):
    process: SpawnProcess
    pipe: Connection
    log: str
    doing: tuple[Key, ...] = ()
    since: float = 0.0  # that it has been doing it
    stopped: bool = False
    told: list[Message] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        return bool(self.doing)


class LocalEngine:
    """Starts workers when there is work for them; each has a process group of its own.

    `fits` says whether memory is free for one more worker, `long` whether a group takes longer than starting one.
    """

    def __init__(
        self,
        job: Job,
        *,
        jobs: int,
        gpus: Sequence[str] = (),
        fits: Judge = lambda _: True,
        long: Judge = lambda _: True,
    ) -> None:
        self._job, self._jobs, self._fits, self._long = job, jobs, fits, long
        self._gpus = list(gpus)
        self._workers: list[_Worker | None] = [None] * jobs

    def has_room(self, group: Group) -> bool:
        """Whether a place is free, and beside what runs enough memory."""
        busy = [w for w in self._workers if w is not None and w.busy]
        if not busy:
            return True
        if len(busy) == self._jobs or not self._fits(group):
            return False
        idle = any(w is not None and not w.busy for w in self._workers)
        return idle or self._long(group) or time.monotonic() - max(w.since for w in busy) > _WORTH

    def submit(self, group: Group) -> None:
        """Give the group to a free worker."""
        free = [n for n, w in enumerate(self._workers) if w is None or not w.busy]
        place = next((n for n in free if self._workers[n] is not None), free[0])
        worker = self._workers[place]
        if worker is None or not worker.process.is_alive():
            worker = self._workers[place] = self._start(place)
        worker.doing, worker.since = tuple(n.key for n in group), time.monotonic()
        with suppress(OSError):  # it died just now: the next poll tells
            worker.pipe.send(list(group))

    def _start(self, place: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        gpu = self._gpus[place] if place < len(self._gpus) else None
        job = replace(self._job, gpu=gpu, log=self._job.log.with_name(f"worker-{place}.log"))
        process = context.Process(target=main, args=(theirs, job), name=f"xfer-worker-{place}", daemon=False)
        with _no_main_module():
            process.start()
        theirs.close()
        return _Worker(process, ours, str(job.log))

    def poll(self, timeout: float) -> Sequence[Message]:
        """Messages of all workers, and deaths."""
        busy = {w.pipe: w for w in self._workers if w is not None and w.busy}
        told: list[Message] = []
        for ready in wait(list(busy), timeout) if busy else self._idle(timeout):
            told += self._receive(busy[ready])  # type: ignore[index]
        return told

    def _idle(self, timeout: float) -> tuple[()]:
        time.sleep(timeout)
        return ()

    def _receive(self, worker: _Worker) -> list[Message]:
        told: list[Message] = []
        try:
            while worker.pipe.poll():
                message = worker.pipe.recv()
                told.append(message)
                if isinstance(message, Finished):
                    worker.doing = ()
        except (EOFError, OSError):
            told += self._bury(worker)
        return told

    def _bury(self, worker: _Worker) -> list[Message]:
        """What is to be told of a worker that is gone; its place is free."""
        worker.process.join(_PATIENCE)
        keys, worker.doing = worker.doing, ()
        worker.pipe.close()
        self._workers[self._workers.index(worker)] = None
        return [Died(keys, _ending(worker.process.exitcode), worker.log), Finished()]

    def stop(self) -> None:
        """Tell every busy worker to finish its step and save."""
        for worker in self._workers:
            if worker is not None and worker.busy and not worker.stopped:
                worker.stopped = True
                with suppress(OSError):
                    worker.pipe.send(STOP)

    def close(self, *, at_once: bool = False) -> None:
        """End all workers; at once, with everything that they started."""
        workers = [w for w in self._workers if w is not None]
        for worker in workers:
            worker.pipe.close()
            if at_once:
                _kill(worker.process)
        for worker in workers:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                _kill(worker.process)
                worker.process.join()
        self._workers = [None] * self._jobs


@contextmanager
def _no_main_module() -> Iterator[None]:
    """While it holds, new processes do not import the program's main module.

    Workers need nothing of it, and in one a script that calls `xfer.run` at its top level would call it again.
    """
    main_module = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main_module


def _kill(process: SpawnProcess) -> None:
    """Kill a worker and its process group."""
    if process.pid is not None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"
