"""Heads: which one answers a target, and which one a stage goes on from (docs/language.md, section 4)."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from compiler.suggest import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.declare import TaskDecl
    from compiler.settle import Settled
    from dsl.source import Span


def has_signature_of(task: TaskDecl, other: TaskDecl) -> bool:
    """Whether heads of the two tasks are alike: the kind, and where it needs labels these, by name and in order."""
    return task.kind is other.kind and (task.labels == other.labels or not task.kind.needs_labels)


def answering(parts: Sequence[Settled], task: TaskDecl) -> tuple[Settled, ...]:
    """The parts whose head could answer for `task`: one if it is clear, none, or several that are as good.

    That of the only part with its signature, else that of the task it is or inherits from, the nearest first.
    """
    fitting = tuple(p for p in parts if has_signature_of(p.task, task))
    if len(fitting) < 2:  # noqa: PLR2004
        return fitting
    for ancestor in task.lineage:
        if same := tuple(p for p in fitting if p.task.span == ancestor or ancestor in _namesakes(p.task)):
            return same
    return fitting


def _namesakes(task: TaskDecl) -> list[Span]:
    """The places of the declarations of its own name that a task inherits from: it stands for those."""
    same = takewhile(lambda found: found[0] == task.name, zip(task.ancestry, task.lineage, strict=True))
    return [span for _, span in same]


def kept(parts: Sequence[Settled], part: Settled) -> tuple[Settled, ...]:
    """The parts of the stage before whose head `part` could go on from: one if it is clear, none, or several."""
    fitting = tuple(p for p in parts if has_signature_of(p.task, part.task))
    if len(fitting) < 2:  # noqa: PLR2004
        return fitting
    return tuple(p for p in fitting if p.task.span == part.task.span) or fitting


def called(parts: Sequence[Settled]) -> str:
    """The tasks of some parts, for messages."""
    return listing(dict.fromkeys(p.task.name for p in parts))
