"""Kinds of task: one file each, with fields, encoding, head, loss, prediction and metrics.

The table is explicit: no kind registers itself. A test holds it equal to `compiler.catalog.KINDS`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.kinds.kind import Kind


@cache
def kinds() -> dict[str, Kind]:
    """Every kind that can run, by name. Loads torch."""
    from runtime.kinds import classification, masked_lm, multiple_choice, retrieval

    return {k.name: k for k in (classification.KIND, multiple_choice.KIND, masked_lm.KIND, retrieval.KIND)}
