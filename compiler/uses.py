"""`use "other.xfer"`: the files that a spec is made of, each read once."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import DEEPEST
from compiler.nearby import lying_near
from compiler.places import PlaceError, Places
from dsl.diagnostics import has_errors
from dsl.parse import parse
from dsl.source import Source
from dsl.syntax import Spec, String, Use

if TYPE_CHECKING:
    from compiler.bag import Bag


class File(Struct, frozen=True):
    """A spec, or a file that it uses; `uses` are the sources of those that stand in its own `use`."""

    spec: Spec
    folder: Path | None  # what its relative paths are relative to; None for the spec's own folder
    uses: tuple[tuple[String, Source], ...]


def load(spec: Spec, places: Places, bag: Bag) -> tuple[File, ...] | None:
    """The spec behind all files that it uses, however far; None when one cannot be read, with findings in the bag."""
    reader = _Reader(places, bag)
    name = PurePath(spec.source.name).name
    reader.read(spec, None, (_Open(Path(os.path.realpath(places.folder / name)), name),))
    return None if reader.failed else tuple(reader.files)


class _Open(Struct, frozen=True):
    """A file that is being read, and what messages call it."""

    path: Path
    name: str


class _Reader(Struct):
    places: Places
    bag: Bag
    files: list[File] = field(default_factory=list)
    known: dict[Path, Source] = field(default_factory=dict)
    failed: bool = False

    def read(self, spec: Spec, folder: Path | None, line: tuple[_Open, ...]) -> None:
        """Enter a file behind those that it uses; `line` are the files that led here, itself the last."""
        written = [path for use in spec.statements if isinstance(use, Use) for path in use.paths]
        uses = [(path, source) for path in written if (source := self._source(path, folder, line)) is not None]
        self.failed |= len(uses) < len(written)
        self.known[line[-1].path] = spec.source
        self.files.append(File(spec, folder, tuple(uses)))

    def _source(self, path: String, folder: Path | None, line: tuple[_Open, ...]) -> Source | None:
        """The source of a used file, read if it was not yet; None after a finding."""
        try:
            found = self.places.at(folder).path(path.value)
        except PlaceError as error:
            self.bag.error(codes.OUTSIDE if error.outside else codes.NO_FILE, path.span, str(error), error.hint)
            return None
        real = Path(os.path.realpath(found))
        if real in (file.path for file in line):
            self._report_loop(path, real, line)
            return None
        if len(line) >= DEEPEST:
            self.bag.error(codes.TOO_MANY, path.span, f"files use files more than {DEEPEST} deep")
            return None
        if real not in self.known and (spec := self._parsed(path, found)) is not None:
            self.read(spec, found.parent, (*line, _Open(real, path.value)))
        return self.known.get(real)

    def _report_loop(self, path: String, real: Path, line: tuple[_Open, ...]) -> None:
        start = next(i for i, file in enumerate(line) if file.path == real)
        loop = " -> ".join([*(file.name for file in line[start:]), line[start].name])
        message = f"`{line[start].name}` uses itself: {loop}"
        self.bag.error(codes.INHERITANCE_CYCLE, path.span, message, "put what both need in a third file")

    def _parsed(self, path: String, found: Path) -> Spec | None:
        text = self._text(path, found)
        if text is None:
            return None
        spec, findings = parse(Source(os.path.normpath(found), text))
        for finding in findings:
            self.bag.add(finding)
        return None if has_errors(findings) else spec

    def _text(self, path: String, found: Path) -> str | None:
        if not os.path.isfile(found):  # noqa: PTH113  (answers for every text)
            what = "is a folder, and a spec is a file" if os.path.isdir(found) else None  # noqa: PTH112
            message = f"`{path.value}` {what}" if what else f"there is no file `{path.value}`"
            self.bag.error(codes.NO_FILE, path.span, message, lying_near(found / "x" if what else found))
            return None
        try:
            return found.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"`{path.value}` is not UTF-8 text: byte 0x{error.object[error.start]:02x} at {error.start}"
            self.bag.error(
                codes.NOT_TEXT, path.span, message, "save it as UTF-8; if it is no spec at all, check the path"
            )
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self.bag.error(codes.NO_FILE, path.span, f"`{path.value}` cannot be read: {why}")
        return None
