"""Kinds of task: one file each, with fields, encoding, head, loss, prediction and metrics.

A row of `compiler.catalog.KINDS` names a kind, and the file of that name has it: no kind registers itself.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from compiler.catalog import KINDS

if TYPE_CHECKING:
    from runtime.kinds.kind import Kind


@cache
def kinds() -> dict[str, Kind]:
    """Every kind, by name. Loads torch."""
    return {name: import_module(f"runtime.kinds.{name.replace('-', '_')}").KIND for name in KINDS}
