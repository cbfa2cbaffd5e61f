"""States of half-done nodes, to go on from after a stop: `work/states/KEY/STEP/`, whole or not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.store import io
from runtime.store.trouble import body_trouble, store_trouble

if TYPE_CHECKING:
    from pathlib import Path

TRY = 1_000_000_000  # steps by which a second try of a training is further than the first
DIGESTS = "digests.json"
_KEPT = "kept"


class States:
    """The states of one node."""

    def __init__(self, root: Path, key: str) -> None:
        self._root, self._key = root, key
        self._folder = root / "work" / "states" / key

    def latest(self) -> Path | None:
        """The folder of the furthest whole state; a damaged one counts as none, and an earlier one may do."""
        found = (self._folder / str(step) for step in sorted(steps(self._folder), reverse=True))
        return next((folder for folder in found if _is_whole(folder)), None)

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep the state after `step` steps, and let go of earlier ones. Raises StoreError for a full disk."""
        self._put(self._folder, step, write)
        for earlier in steps(self._folder):
            if earlier != step:
                io.remove(self._folder / str(earlier))

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep a candidate checkpoint, besides all others. Raises StoreError for a full disk."""
        self._put(self._folder / _KEPT, step, write)

    def kept(self, step: int) -> Path | None:
        """The folder of a candidate, if it is whole."""
        folder = self._folder / _KEPT / str(step)
        return folder if _is_whole(folder) else None

    def _put(self, shelf: Path, step: int, write: Callable[[Path], None]) -> None:
        """`shelf/STEP`, whole or not there."""
        with store_trouble(self._root):
            staging = io.make_staging(self._root / "work", f"state-{self._key[:12]}")
        try:
            with body_trouble(self._root):
                write(staging)
            with store_trouble(self._root):
                _place(staging, shelf, step)
        finally:
            io.remove(staging)

    def discard(self) -> None:
        """Forget all states: the node is published."""
        io.remove(self._folder)


def _place(staging: Path, shelf: Path, step: int) -> None:
    digests = {}
    for path in io.files_in(staging):
        io.sync_file(path)
        digests[str(path.relative_to(staging))] = io.digest(path)
    io.write_whole(staging / DIGESTS, json.dumps(digests).encode())
    for folder in io.folders_in(staging):
        io.sync_folder(folder)
    io.make_folder(shelf)
    final = shelf / str(step)
    io.remove(final)  # of the same step: damaged, or saved twice
    io.rename_folder(staging, final)
    io.sync_folder(shelf)


def steps(folder: Path) -> list[int]:
    """The steps of which there are states, whole or not."""
    return [int(name) for name in io.names_in(folder) if name.isdecimal()]


def saved_keys(root: Path) -> set[str]:
    """The keys of nodes of which there are states."""
    return set(io.names_in(root / "work" / "states"))


def saved_step(root: Path, key: str) -> int:
    """The furthest step of a node that a run would go on from, without looking inside; 0 where there is none."""
    return max(steps(root / "work" / "states" / key), default=0) % TRY


def _is_whole(folder: Path) -> bool:
    try:
        digests = json.loads(io.read(folder / DIGESTS))
        return all(io.digest(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False
