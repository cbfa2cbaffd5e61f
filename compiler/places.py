"""Where local files lie, and what a spec may read."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from compiler.pins import Pins

_SETTLED = 2 * 10**9  # nanoseconds; a file written just now may change again within one tick of its clock
BIG = 256 * 10**6  # bytes; a larger file is hashed by `run` only

# A file's digest as remembered from an earlier run, if its size, mtime and inode are still the same.
Remembered = Callable[[Path, os.stat_result], str | None]


def nothing_remembered(_path: Path, _stat: os.stat_result) -> str | None:
    """No memory of digests."""
    return None


class PlaceError(Exception):
    """A path that cannot be read; `.outside` when reading it is not allowed. `.hint` mends it.

    `.root` is the name of the root that the path lies in, where nobody said what folder that is.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, outside: bool = False, root: str | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.outside = outside
        self.root = root


class Places(Struct, frozen=True, dict=True):
    """The folders that a spec may read, and how digests of files are found."""

    folder: Path  # the spec's own
    roots: Mapping[str, Path] = field(default_factory=dict)  # `@NAME/…`
    allowed: tuple[Path, ...] = ()  # `--allow-path`
    remembered: Remembered = nothing_remembered
    hash_big: bool = False  # hash files over BIG that nothing is remembered of
    embedded: Path = Path()  # the package's own models
    pins: Pins = field(default_factory=Pins)  # what `xfer.lock` says of hub names
    beside: Path | None = None  # what relative paths are relative to, where it is not the spec's own folder
    folders: Mapping[str, Path] = field(default_factory=dict)  # of the files that the spec uses, by their names
    digests: dict[Path, str | None] = field(default_factory=dict)  # found so far
    hashed: dict[Path, tuple[os.stat_result, str]] = field(default_factory=dict)  # what may be remembered

    def at(self, folder: Path | None) -> Places:
        """The same places, with relative paths relative to `folder`: those of a file that the spec uses."""
        return self if folder == self.beside else replace(self, beside=folder)

    def of(self, file: str) -> Places:
        """The places as a file sees them, the spec or one that it uses."""
        return self.at(self.folders.get(file))

    def path(self, text: str) -> Path:
        """The file or folder that a spec calls `text`; existing or not, but allowed."""
        base, rest = self._split(text)
        return self.inside(base / rest)

    def _split(self, text: str) -> tuple[Path, str]:
        if (match := re.match(r"@([^/]+)/?(.*)", text, re.DOTALL)) is None:
            return self.beside or self.folder, text
        if match[1] not in self.roots:
            raise PlaceError(f"there is no root `@{match[1]}`", self._roots_hint(match[1]), root=match[1])
        return self.roots[match[1]], match[2]

    def _roots_hint(self, name: str) -> str:
        known = ", ".join(f"`@{n}`" for n in sorted(self.roots))
        also = f"; known roots: {known}" if known else ""
        return f'name its folder: `--root {name}=DIR`, or `[root] {name} = "DIR"` in xfer.toml{also}'

    def inside(self, path: Path) -> Path:
        """`path`, which with its links followed lies in an allowed folder. Raises PlaceError where it does not."""
        try:
            real = Path(os.path.realpath(path))
        except ValueError as error:  # a NUL
            raise PlaceError(f"`{path!r}` is no path: {error}") from error
        if any(real.is_relative_to(f) for f in self._real_folders):
            return path
        raise PlaceError(
            f"`{path}` lies outside the spec's folder and the named roots",
            f"allow it with `--allow-path {real.parent}`, or name a root",
            outside=True,
        )

    @cached_property
    def _real_folders(self) -> tuple[str, ...]:
        folders = [self.folder, *self.roots.values(), *self.allowed, self.embedded]
        return tuple(os.path.realpath(f) for f in folders)

    def matching(self, pattern: str) -> tuple[Path, ...]:
        """The files that a pattern with `*` and `?` names, in order of their names."""
        base, rest = self._split(pattern)
        self.inside(base / rest)
        names = [rest]
        if re.search(r"[*?\[]", rest):
            names = sorted(glob.glob(rest, root_dir=base))  # noqa: PTH207  (Path.glob follows no `..`)
        return tuple(self.inside(base / f) for f in names if os.path.isfile(base / f))  # noqa: PTH113  (raises never)

    def digest(self, path: Path) -> str | None:
        """SHA-256 of a file's bytes; None for a big file that nothing is remembered of. Raises PlaceError."""
        if path not in self.digests:
            try:
                self.digests[path] = self._digest(path)
            except OSError as error:
                raise PlaceError(f"`{path}` cannot be read: {error.strerror}") from error
        return self.digests[path]

    def _digest(self, path: Path) -> str | None:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if (known := self.remembered(path, stat)) is not None:
                return known
            if stat.st_size > BIG and not self.hash_big:
                return None
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
        if _same(stat, after) and time.time_ns() - stat.st_mtime_ns > _SETTLED:
            self.hashed[path] = (stat, digest)
        return digest


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file was left alone between two looks."""
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern names a file as `Places.matching` has it: `*` and `?` cross no `/` and begin no `.x`."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, want) and (not part.startswith(".") or want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """`pattern` with its `{{ name }}` replaced; the only expressions that paths and configurations know.

    Raises PlaceError for a name that is not in `values`.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name not in values:
            known = ", ".join(f"`{{{{ {n} }}}}`" for n in values)
            raise PlaceError(f"`{match[0]}` stands in a path, which knows {known}")
        return values[name]

    return re.sub(r"\{\{(.*?)\}\}", value, pattern)
