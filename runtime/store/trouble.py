"""Failures of a disk as a StoreError that names the store, the free space and the way out."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime.errors import StoreError, XferError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_NUMBER = re.compile(r"\b(?:os error|errno):? (\d+)", re.IGNORECASE)  # as Rust's and Arrow's messages end
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}  # the last: tables that are not ours
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class BrokenIndex(StoreError):  # noqa: N818  (a state of the world, not of a call)
    """The index is no database, or a damaged one."""


class HeldIndex(StoreError):  # noqa: N818
    """Another process holds the index, and did not let go of it in time."""


@contextmanager
def store_trouble(root: Path) -> Iterator[None]:
    """Every failure of the disk inside becomes a StoreError."""
    try:
        yield
    except OSError as error:
        raise _unusable(root, error.strerror or str(error)) from error


@contextmanager
def body_trouble(root: Path) -> Iterator[None]:
    """A disk that is full or broken becomes a StoreError; every other failure inside stays what it is."""
    try:
        yield
    except XferError:
        raise
    except Exception as error:
        number = _disk_error(error)
        if number is None:
            raise
        raise _unusable(root, os.strerror(number)) from error


@contextmanager
def index_trouble(path: Path) -> Iterator[None]:
    """Every failure of the database inside becomes a StoreError; which one, its class says."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a bug of ours
    except sqlite3.Error as error:
        raise _index_error(path, error) from error


def _index_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extended part
    if code in _HELD:
        return HeldIndex(f"{path} is held by another process: {error}", "run the same command when that is done")
    if code in _BROKEN:
        return BrokenIndex(f"{path} cannot be read: {error}", "remove it: the next run makes it again")
    return _unusable(path.parent, str(error))


def _disk_error(error: BaseException) -> int | None:
    """The number of the disk's failure behind an exception, by its errno, its text or what it was raised from."""
    numbers = [getattr(error, "errno", None), *map(int, _NUMBER.findall(str(error)))]
    if found := [n for n in numbers if n in DISK]:
        return found[0]
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return _disk_error(behind) if behind is not None else None


def _unusable(root: Path, words: str) -> StoreError:
    return StoreError(f"the store {root} cannot be used: {words.lower()}", _way_out(root))


def _way_out(root: Path) -> str:
    place = next((p for p in (root, *root.parents) if p.exists()), root)
    stat = os.statvfs(place)
    free = stat.f_bavail * stat.f_frsize / 1e9
    return f"{free:.1f} GB are free there; choose another place with `--store DIR` or XFER_STORE"
