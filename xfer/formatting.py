"""`xfer fmt`: specs into their canonical form, in place, and each file whole or not at all."""

from __future__ import annotations

import difflib
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dsl.format import format_source
from dsl.source import Source
from xfer.opening import UsageError, decoded, read_source
from xfer.replacing import replacing

if TYPE_CHECKING:
    from dsl.diagnostics import Diagnostic

STDIN = Path("-")
_NO_LINE_END = "\\ No newline at end of file"


class Formatted(Struct, frozen=True):
    """A spec and its canonical text, or what is wrong with it."""

    path: Path
    source: Source
    text: str | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def changed(self) -> bool:
        """Whether the canonical text is another than the file's."""
        return self.text is not None and self.text != self.source.text


def read(path: Path) -> Formatted:
    """The spec at `path`, or on standard input, in canonical form.

    Raises UsageError where it cannot be read, NotTextError for bytes that are not UTF-8.
    """
    source = _standard_input() if path == STDIN else read_source(path)
    return Formatted(path, source, *format_source(source))


def _standard_input() -> Source:
    try:
        data = sys.stdin.buffer.read()
    except (OSError, AttributeError) as error:  # without a standard input `sys.stdin` is None
        raise UsageError("standard input cannot be read", "`xfer fmt - < SPEC`") from error
    return decoded(Path("<stdin>"), data)


def write(formatted: Formatted) -> None:
    """Put the canonical text in the file's place, with the file's mode; a link stays one, and its target changes.

    Raises UsageError where the file cannot be written.
    """
    path = formatted.path.resolve()
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"`{formatted.path}` is no ordinary file", "`xfer fmt -` formats standard input")
        if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise UsageError(f"`{formatted.path}` is read-only", "make it writable: `chmod u+w`")
        with replacing(path) as half:
            half.write_bytes((formatted.text or "").encode())
            half.chmod(stat.S_IMODE(mode))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"`{formatted.path}` cannot be written: {reason}") from error


def diff(formatted: Formatted) -> str:
    """What formatting changes, as a unified diff; empty where it changes nothing."""
    name = formatted.source.name
    lines = difflib.unified_diff(
        _lines(formatted.source.text), _lines(formatted.text or ""), name, name + " (formatted)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_LINE_END}\n" for line in lines)


def _lines(text: str) -> list[str]:
    """The lines with their ends; a carriage return ends none."""
    *lines, rest = text.split("\n")
    return [line + "\n" for line in lines] + ([rest] if rest else [])
