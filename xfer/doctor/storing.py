"""The store: where it is and why there, whether runs can write it, and what it holds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from runtime.errors import StoreError
from runtime.store import io, leases
from runtime.store.objects import Store
from xfer.doctor.finding import Finding, note, ok, trouble
from xfer.opening import NO_SPEC, Options, UsageError, located_store

FULL, SCARCE = 10**8, 5 * 10**9  # bytes; the second is about two checkpoints of a large model
_ELSEWHERE = "choose another place with `--store DIR` or XFER_STORE"


def examine(stated: Path | None) -> list[Finding]:
    """The place, the disk below it, and what lies in it."""
    try:
        root, rule = located_store(NO_SPEC, Options(store=stated))
    except UsageError as error:
        return [trouble("store", str(error), error.hint or "mend it, or name a store: `--store DIR`")]
    root = root.absolute()
    place = _place(root, rule)
    if place.hint is not None:
        return [place]
    return [place, _disk(root), *(_contents(root) if root.is_dir() else ())]


def _place(root: Path, rule: str) -> Finding:
    """Where the store is, and whether it can be written: a file without a name is made, and is gone again."""
    words = f"{root} ({rule})"
    there = _nearest(root)
    if not there.is_dir():
        what = "it" if there == root else f"`{there}`"
        return trouble("store", f"{words}: {what} is no folder", _ELSEWHERE)
    try:
        for folder in (there, *(f for f in (root / "objects", root / "work") if f.is_dir())):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        return trouble("store", f"{words} cannot be written: {(error.strerror or str(error)).lower()}", _ELSEWHERE)
    return ok("store", words if there == root else f"{words}; the first run makes it")


def _nearest(root: Path) -> Path:
    """The store itself, or what is there of the path to it."""
    return next((p for p in (root, *root.parents) if _exists(p)), root)


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:  # also: below a file, or in a folder that is not to be looked into
        return False
    return True


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(_nearest(root)).free
    words = f"{free / 1e9:,.1f} GB free"
    if free < FULL:
        return trouble("disk", words, f"make room; or {_ELSEWHERE}")
    return (
        note("disk", words, f"a large model takes 2.2 GB a checkpoint; {_ELSEWHERE}")
        if free < SCARCE
        else ok("disk", words)
    )


def _contents(root: Path) -> list[Finding]:
    """How many objects there are, and who works there now."""
    try:
        folder = Store(root).leases
    except StoreError as error:
        return [trouble("index", str(error), error.hint or _ELSEWHERE)]
    objects = sum(len(io.names_in(root / "objects" / first)) for first in io.names_in(root / "objects"))
    holders = [leases.holder(folder, key) for key in leases.leased(folder)]
    alive = sorted({holder.words() for holder in holders if holder is not None})
    return [ok("objects", f"{objects:,}"), ok("at work", "; ".join(alive) or "nobody")]
