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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_PIECE = 1 << 20  # bytes that are read at once


def _nothing(_what: str, _path: Path | str) -> None:
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
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-{host()}@{os.getpid()}-", dir=parent))


def remove_abandoned(parent: Path, older_than: float) -> None:
    """Remove the staging folders of processes of this host that are gone, `older_than` seconds ago or more."""
    for folder in parent.iterdir():
        owner = re.fullmatch(rf".*-{re.escape(host())}@(\d+)-[^-@]*", folder.name)
        if owner and not _is_alive(int(owner[1])) and age(folder) >= older_than:
            remove(folder)


def host() -> str:
    """This machine, and on it the container: a process number means nothing in another one."""
    name = re.sub(r"[^A-Za-z0-9.]", "_", platform.node())
    with suppress(OSError):
        return f"{name}.{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
    return name


def process() -> int:
    """The number of this process."""
    return os.getpid()


def boot() -> str:
    """What tells this start of this machine from every other; "" where the system does not say."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def started(process: int) -> str:
    """When a process of this host began, in clock ticks since its boot; "" where there is none.

    Two processes that had one number, one after the other, differ here. Where the system does not tell (no /proc), the
    number alone has to do.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "alive" if not Path("/proc/self/stat").exists() and _is_alive(process) else ""
    return "" if fields[0] in "ZX" else fields[19]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # somebody else's, or a name that is not ours
    return True


def age(path: Path, clock: Path | None = None) -> float:
    """Seconds since a file was written, or a folder's entries changed; 0 when it is gone.

    With `clock`, a file of the same file system that was touched just now, the clocks of two machines may differ.
    """
    try:
        return (clock.stat().st_mtime if clock else time.time()) - path.stat().st_mtime
    except OSError:
        return 0.0


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """One process at a time inside, as far as the file system can lock; where it cannot, everybody."""
    with path.open("a") as file:
        with suppress(OSError, ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        touch(path)
        yield


def touch(path: Path) -> None:
    """Set a file's time to now; nothing where it is gone."""
    os.utime(path)


def write_quick(path: Path, data: bytes) -> None:
    """Write a file in one move, without forcing it to the disk: for what a crash may lose."""
    at_point("write", path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def append_line(path: Path, line: str) -> None:
    """Add one line to a file that several may write to."""
    at_point("append", path)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def remove_file(path: Path) -> None:
    """Remove a file, if it is there."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


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


def digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes, read back from the file system."""
    at_point("read", path)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (quick for thousands of small files)
        found = hashlib.sha256()
        while piece := file.read(_PIECE):
            found.update(piece)
        return found.hexdigest()


def names_in(folder: Path) -> list[str]:
    """What lies in a folder; nothing where there is none."""
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def files_in(folder: Path) -> list[Path]:
    """Every file under a folder, in order."""
    return sorted(p for p in folder.rglob("*") if p.is_file())


def folders_in(folder: Path) -> list[Path]:
    """A folder and every folder under it, in order."""
    return [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]


def link(source: Path, target: Path) -> None:
    """Give a file that nobody changes any more a second name; where the file system knows none, a copy."""
    at_point("link", target)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_folder(source: Path, target: Path, without: tuple[str, ...] = ()) -> None:
    """Give every file under a folder a second name under another, but what is called like one of `without`."""
    for path in source.iterdir():
        if path.name in without:
            continue
        if path.is_dir():
            (target / path.name).mkdir(parents=True, exist_ok=True)
            link_folder(path, target / path.name)
        else:
            link(path, target / path.name)
