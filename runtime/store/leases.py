"""Leases: who works on a key, so that others wait instead of doing it again. They only save work (docs/store.md)."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from runtime.store import io
from runtime.store.trouble import store_trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEAT = 5.0  # seconds between two signs of life of a holder
SILENT = 60.0  # seconds without one after which a holder of another machine counts as gone


class Holder(Struct, frozen=True):
    """Who holds a lease. `started` tells a process from a later one with the same number."""

    host: str  # machine and, on it, the space in which `process` means something
    boot: str  # of the machine: two may have one name
    process: int
    started: str
    run: str  # the run's name, as `xfer runs` lists it
    since: float  # seconds since 1970

    def words(self) -> str:
        """Who it is, where and since when."""
        machine = self.host.rpartition(".")[0] or self.host
        began = time.strftime("%H:%M:%S", time.localtime(self.since))
        return f"{f'run {self.run}' if self.run else f'process {self.process}'} on {machine}, since {began}"


def myself(run: str = "") -> Holder:
    """This process as a holder."""
    process = io.process()
    return Holder(io.host(), io.boot(), process, io.started(process), run, time.time())


class Leases:
    """The leases of one store. What one process takes with it, it keeps alive until it lets go."""

    def __init__(self, folder: Path, holder: Holder) -> None:
        self._folder, self._holder = folder, holder
        self._mine: set[str] = set()
        self._lock = threading.Lock()
        self._beating: threading.Thread | None = None

    def take(self, key: str) -> Holder | None:
        """Take the lease of `key`; whoever holds it already, and lives, is the answer instead of None."""
        path = _path(self._folder, key)
        guard = self._folder / ".guard"
        with store_trouble(self._folder), io.guarded(guard):
            if (other := holder(self._folder, key, guard)) is not None and other != self._holder:
                return other
            io.write_quick(path, json.dumps(asdict(self._holder)).encode())
        with self._lock:
            self._mine.add(key)
            if self._beating is None:
                self._beating = threading.Thread(target=self._beat, daemon=True)
                self._beating.start()
        return None

    def release(self, key: str) -> None:
        """Let go of a lease, if it is still ours."""
        with self._lock:
            self._mine.discard(key)
        with io.guarded(self._folder / ".guard"):
            if _read(_path(self._folder, key)) == self._holder:
                io.remove_file(_path(self._folder, key))

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT)
            with self._lock:
                mine = list(self._mine)
            for key in mine:
                with suppress(OSError):
                    io.touch(_path(self._folder, key))


@contextmanager
def released(leases: Leases, keys: list[str]) -> Iterator[None]:
    """Lets go of `keys` at the end, whatever happens."""
    try:
        yield
    finally:
        for key in keys:
            leases.release(key)


def holder(folder: Path, key: str, clock: Path | None = None) -> Holder | None:
    """Who works on `key` now; None where nobody does, or the holder is gone. Changes nothing."""
    path = _path(folder, key)
    found = _read(path)
    return found if found is not None and lives(found, path, clock) else None


def sweep(folder: Path) -> None:
    """Remove the leases of holders that are gone."""
    guard = folder / ".guard"
    with io.guarded(guard):
        for key in leased(folder):
            if holder(folder, key, guard) is None:
                io.remove_file(_path(folder, key))


def leased(folder: Path) -> set[str]:
    """The keys that somebody holds, or held."""
    return {name.removesuffix(".json") for name in io.names_in(folder) if name.endswith(".json")}


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _read(path: Path) -> Holder | None:
    try:
        record = json.loads(io.read(path))
        return Holder(**record)
    except (OSError, ValueError, TypeError):
        return None  # none there, or torn: nobody's


def lives(found: Holder, path: Path, clock: Path | None = None) -> bool:
    """Whether the holder's process runs: here by its number and start, elsewhere by its last sign of life."""
    if (found.host, found.boot) == (io.host(), io.boot()):
        return io.started(found.process) == found.started != ""
    return io.age(path, clock) < SILENT
