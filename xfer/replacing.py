"""Replacing a file of the user's whole: written beside it, then put in its place in one move."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`: it moves there at the end, and an error leaves nothing behind."""
    half = path.with_name(f".xfer-{os.getpid()}")
    try:
        yield half
        half.replace(path)
    finally:
        with suppress(OSError, ValueError):  # a name that holds a null byte is a ValueError
            half.unlink(missing_ok=True)
