"""What runs must not do, found before anything runs (docs/language.md, section 11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from compiler import codes
from compiler.ops import FileRows, HubRows
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from compiler.bag import Bag
    from compiler.declare import TaskDecl
    from compiler.ops import Data
    from compiler.settle import Run, Settled


def check_runs(runs: Iterable[Run], bag: Bag) -> tuple[Run, ...]:
    """The runs that can be lowered; faults and warnings are in the bag."""
    return tuple(r for r in runs if sum(_head_fits(r, t, bag) for t in r.targets) == len(r.targets))


def _head_fits(run: Run, target: Settled, bag: Bag) -> bool:
    """A target uses the head of the last stage, which must be of its kind and labels; some kinds need no head."""
    task = target.task
    if not task.kind.trains:
        _warn_trained(run, target, bag)
        return True
    if not run.stages:
        taken = next((t.value for t in run.axes.values() if t.skip), None)
        where = f" where the choice is `{taken}`" if taken else ""
        message = f"nothing is trained before `@ {task.name}`{where}, so there is no head to answer with"
        bag.error(
            codes.NO_HEAD, target.span, message, f"train a {task.kind.name} task before it: `-> {_teacher(task)}`"
        )
        return False
    last = run.stages[-1].task
    if last.kind is not task.kind or last.labels != task.labels:
        message = (
            f"`{task.name}` needs a {task.kind.name} head, and the last stage `{last.name}` has a {last.kind.name} one"
        )
        label = Label(run.stages[-1].span, "the last stage")
        bag.error(codes.NO_HEAD, target.span, message, f"train a {task.kind.name} task last", label)
        return False
    _warn_trained(run, target, bag)
    return True


def _teacher(task: TaskDecl) -> str:
    """The task that a benchmark inherits from, else itself."""
    return task.ancestry[min(1, len(task.ancestry) - 1)]


def trained_languages(run: Run, target: Settled) -> set[str]:
    """The languages that are not zero-shot for a target: those of stages with labels, or of its own kind."""
    return {c for s in run.stages if s.task.kind.labelled or s.task.kind is target.task.kind for c in s.languages}


def _warn_trained(run: Run, target: Settled, bag: Bag) -> None:
    """A language that a labelled stage reads is not zero-shot; of the source language nobody expects it."""
    trained = trained_languages(run, target)
    both = [c for c in target.languages if c in trained and c != target.task.source]
    if both:
        message = f"the chain trains on {', '.join(f'`{c}`' for c in both)}: not zero-shot in `{target.task.name}`"
        bag.warn(codes.TRAINED_LANGUAGE, target.span, message, None)


def check_contamination(stage: Settled, read: Collection[object], target: Settled, scored: Data, bag: Bag) -> None:
    """Report a target whose rows (`rows_of`) a labelled stage trains on."""
    if stage.task.kind.labelled and not rows_of(scored).isdisjoint(read):
        message = f"`{target.task.name}` is scored on rows that `{stage.task.name}` trains on"
        label = Label(stage.span, "trained here")
        hint = "score a split, or a file with other rows, that no stage trains on"
        bag.error(codes.CONTAMINATION, target.span, message, hint, label)


def rows_of(data: Data) -> frozenset[object]:
    """What data read, as far as it is known: two data with one of these in common have rows in common."""
    found: set[object] = set()
    for rows in data.rows:
        match rows:
            case FileRows(files=files):
                found.update(digest for digest in files if digest is not None)
            case HubRows():
                found.add(replace(rows, revision=None))
            case _:
                found.add(rows)
    return frozenset(found)
