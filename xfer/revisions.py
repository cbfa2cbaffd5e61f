"""Specs as they were: `REVISION:PATH` of a git repository."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from compiler import pins
from xfer.opening import CONFIGURATION, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = (pins.NAME, CONFIGURATION)


@contextmanager
def opened(address: str) -> Iterator[tuple[Path, Path | None]]:
    """The path of a spec; for `REVISION:PATH` in a copy of its repository, whose folder is given beside it.

    In the copy all specs, lock files and configurations are those of the revision; everything else is a link to what
    lies there now. Raises UsageError where git knows no such file.
    """
    revision, colon, name = address.partition(":")
    path = Path(address)
    if path.exists() or not colon or not revision or not name or name.startswith(":"):
        yield path, None
        return
    top = Path(_git(Path(name).absolute().parent, "rev-parse", "--show-toplevel").strip())
    inside = Path(name).absolute().relative_to(top)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / top.name
        _copy(top, revision, copy)
        if not (copy / inside).is_file():
            raise UsageError(f"`{name}` is not in revision `{revision}`", f"`git log -- {name}` lists where it is")
        yield copy / inside, copy


def _copy(top: Path, revision: str, copy: Path) -> None:
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", revision).split("\0")
    for name in listed:
        if name.endswith(".xfer") or Path(name).name in _OURS:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(_git(top, "show", f"{revision}:{name}"), encoding="utf-8")
    for folder in [copy, *(p for p in copy.rglob("*") if p.is_dir())]:
        _link(top / folder.relative_to(copy), folder)


def _link(there: Path, here: Path) -> None:
    """Link what lies in a folder now, but for what is of the revision."""
    for path in there.iterdir() if there.is_dir() else ():
        ours = path.suffix == ".xfer" or path.name in _OURS
        if not ours and path.name != ".git" and not (here / path.name).exists():
            (here / path.name).symlink_to(path)


def _git(folder: Path, *words: str) -> str:
    try:
        answer = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise UsageError(f"there is no folder `{folder}`, or no `git` here") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or ["it failed"])[0]
        raise UsageError(f"git says: {said}", "name a revision of the spec as `HEAD~1:study.xfer`") from error
    return answer.stdout
