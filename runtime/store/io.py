"""All input and output of the store, so that every fault of a disk can be caused here in a test.

Each function that changes something first passes a numbered point; a test replaces `at_point` to fail or to record.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path


def _nothing(_what: str, _path: Path) -> None:
    """The point that does nothing."""


at_point = _nothing


def make_folder(path: Path) -> None:
    """Make a folder and its parents."""
    at_point("mkdir", path)
    path.mkdir(parents=True, exist_ok=True)


def make_staging(parent: Path, prefix: str) -> Path:
    """A new empty folder under `parent` that no other process uses; its name tells whose it is."""
    make_folder(parent)
    at_point("mkdir", parent)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-{_host()}@{os.getpid()}-", dir=parent))


def remove_abandoned(parent: Path, older_than: float) -> None:
    """Remove the staging folders of processes of this host that are gone, `older_than` seconds ago or more."""
    for folder in parent.iterdir():
        owner = re.fullmatch(rf".*-{re.escape(_host())}@(\d+)-[^-@]*", folder.name)
        if owner and not _is_alive(int(owner[1])) and _age(folder) >= older_than:
            remove(folder)


def _host() -> str:
    """This machine, and on it the container: a process number means nothing in another one."""
    name = re.sub(r"[^A-Za-z0-9.]", "_", platform.node())
    with suppress(OSError):
        return f"{name}.{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
    return name


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # somebody else's, or a name that is not ours
    return True


def _age(folder: Path) -> float:
    """Seconds since the folder's entries last changed; 0 when it is gone."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def write_whole(path: Path, data: bytes) -> None:
    """Write a file and force it to the disk."""
    at_point("write", path)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        at_point("fsync", path)
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Force a file that somebody else wrote to the disk."""
    at_point("fsync", path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Force a folder's entries to the disk."""
    sync_file(path)


def rename_folder(old: Path, new: Path) -> bool:
    """Move a folder to a place that must be free; False when somebody else was there first."""
    at_point("rename", new)
    try:
        old.rename(new)
    except OSError:
        if new.is_dir():
            return False
        raise
    return True


def remove(path: Path) -> None:
    """Remove a folder and all in it, if it can be; what stays is rubbish that nobody reads."""
    shutil.rmtree(path, ignore_errors=True)


def read(path: Path) -> bytes:
    """A file's bytes."""
    at_point("read", path)
    return path.read_bytes()


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, read back from the file system."""
    at_point("read", path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_in(folder: Path) -> list[Path]:
    """Every file under a folder, in order."""
    return sorted(p for p in folder.rglob("*") if p.is_file())
