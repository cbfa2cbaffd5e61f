"""What runs must not do, found before anything runs (docs/language.md, section 11)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler import codes
from compiler.heads import answering, called, kept
from compiler.ops import AbsentRows, FileRows, HubRows
from compiler.pairs import sides
from compiler.selection import SelectRule
from compiler.tags import plain
from dsl.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from compiler.bag import Bag
    from compiler.declare import TaskDecl
    from compiler.ops import Data
    from compiler.settle import Run, Settled, Stage
    from dsl.source import Span


def check_runs(runs: Iterable[Run], bag: Bag) -> tuple[Run, ...]:
    """The runs that can be lowered; faults and warnings are in the bag."""
    return tuple(r for r in runs if all([_is_complete(r, bag), _is_chosen_right(r, bag), *_kept_heads(r, bag)]))


def _is_complete(run: Run, bag: Bag) -> bool:
    """Whether every target has a head that answers it, and `@ previous` something to evaluate."""
    if run.previous_span is not None and not run.stages and not any(t.skip for t in run.axes.values()):
        message = "nothing is trained before `@ previous`, so there is nothing to evaluate again"
        bag.error(codes.NO_HEAD, run.previous_span, message, "train something before it: `-> TASK @ previous`")
        return False
    twice = _twice(run)
    if twice is not None and run.previous_span is not None:
        message = f"`@ previous` could be answered by two heads of `{twice.name}` of one stage"
        hint = "give one of them a second name: `task NAME : TASK { }`"
        bag.error(codes.NO_HEAD, run.previous_span, message, hint)
    return all([twice is None, *(_head_fits(run, t, bag) for t in run.targets)])


def _twice(run: Run) -> TaskDecl | None:
    """A task of which a stage has two parts in one language: `@ previous` would not know whose head is meant."""
    seen: set[tuple[object, ...]] = set()
    for earlier in run.previous:
        for language in earlier.target.languages:
            if (known := (earlier.stage, earlier.target.task.span, language)) in seen:
                return earlier.target.task
            seen.add(known)
    return None


def _is_chosen_right(run: Run, bag: Bag) -> bool:
    """Whether what is to choose its checkpoint for each target has targets that can choose."""
    setting = run.stages[-1].settings["select"] if run.stages else None
    if setting is None or not isinstance(setting.value, SelectRule) or not setting.value.on_target or not run.targets:
        return True
    headless = next((t for t in run.targets if not t.task.kind.trains), None)
    if headless is None and run.previous_span is None:
        return True
    place = setting.place or run.stages[-1].span
    what = f"`@ {headless.task.name}`, which has no head" if headless else "`@ previous`, which needs one checkpoint"
    label = Label(headless.span if headless else run.previous_span or place, "this target")
    message = f"`on: target` chooses a checkpoint for each target by its dev split, and one is {what}"
    bag.error(codes.WRONG_VALUE, place, message, "evaluate it in a chain of its own, with `on: source`", label)
    return False


def _kept_heads(run: Run, bag: Bag) -> Iterator[bool]:
    """For each part with `head: keep` whether one head of the stage before is clearly meant."""
    for before, stage in pairwise(run.stages):
        for part in stage.parts:
            found = kept(before.parts, part) if part["head"] == "keep" else before.parts[:1]
            if len(found) != 1:
                _report_unkept(before, part, found, bag)
            yield len(found) == 1


def _report_unkept(before: Stage, part: Settled, found: Sequence[Settled], bag: Bag) -> None:
    task = part.task
    label = Label(before.span, "the stage before")
    if found:
        message = f"`{task.name}` could keep the head of {called(found)} of the stage before"
        bag.error(codes.NO_HEAD, part.span, message, "keep one of the same task, or start with `head: new`", label)
        return
    heads = ", ".join(f"`{p.task.name}` has a {p.task.kind.name} one" for p in before.parts)
    message = f"`{task.name}` keeps a {task.kind.name} head, and the stage before has none like it: {heads}"
    bag.error(codes.NO_HEAD, part.span, message, f"start a new one: `{task.name}(head: new)`", label)


def _head_fits(run: Run, target: Settled, bag: Bag) -> bool:
    """A target uses the one head of the last stage that has its signature; some kinds need no head."""
    task = target.task
    if not task.kind.trains:
        _warn_trained(run, target, bag)
        return True
    if not run.stages:
        _report_untrained(run, target, bag)
        return False
    last = run.stages[-1]
    found = answering(last.parts, target.task)
    if len(found) != 1:
        _report_unanswered(last, target, found, bag)
        return False
    _warn_trained(run, target, bag)
    return True


def _report_untrained(run: Run, target: Settled, bag: Bag) -> None:
    task = target.task
    taken = next((t.value for t in run.axes.values() if t.skip), None)
    where = f" where the choice is `{taken}`" if taken else ""
    message = f"nothing is trained before `@ {task.name}`{where}, so there is no head to answer with"
    hint = f"train a {task.kind.name} task before it: `-> {_teacher(task)}`"
    bag.error(codes.NO_HEAD, target.span, message, hint)


def _report_unanswered(last: Stage, target: Settled, found: Sequence[Settled], bag: Bag) -> None:
    task, label = target.task, Label(last.span, "the last stage")
    if found:
        message = f"`{task.name}` could be answered by the heads of {called(found)} of the last stage"
        hint = "leave one, or let the benchmark inherit from the task that is meant"
        bag.error(codes.NO_HEAD, target.span, message, hint, label)
        return
    alike = [p for p in last.parts if p.task.kind is task.kind]
    if alike:
        heads = "; ".join(f"`{p.task.name}` has {', '.join(p.task.labels)}" for p in alike)
        message = f"`{task.name}` needs a head with its labels {', '.join(task.labels)}: {heads}"
        hint = "a head fits labels by name and in order; `recoded` in `input` maps those of the data"
        bag.error(codes.NO_HEAD, target.span, message, hint, label)
        return
    heads = " and ".join(f"`{p.task.name}` has a {p.task.kind.name} one" for p in last.parts)
    of = "the last stage" if len(last.parts) == 1 else "of the last stage"
    message = f"`{task.name}` needs a {task.kind.name} head, and {of} {heads}"
    bag.error(codes.NO_HEAD, target.span, message, f"train a {task.kind.name} task last", label)


def _teacher(task: TaskDecl) -> str:
    """The task that a benchmark inherits from, else itself."""
    return next((name for name in task.ancestry if name != task.name), task.name)


def trained_languages(run: Run, target: Settled) -> set[str]:
    """The languages that are not zero-shot for a target: those of stages with labels, or of its own kind."""
    parts = [p for stage in run.stages for p in stage.parts]
    read = (p for p in parts if p.task.kind.labelled or p.task.kind is target.task.kind)
    return {plain(side) for p in read for language in p.languages for side in sides(language)}


def is_trained(language: str, trained: Collection[str]) -> bool:
    """Whether a language, or of a pair both, is one that stages train on, however it is spelled."""
    return all(plain(side) in trained for side in sides(language))


def _warn_trained(run: Run, target: Settled, bag: Bag) -> None:
    """A language that a labelled stage reads is not zero-shot; of the source language nobody expects it."""
    trained = trained_languages(run, target)
    both = [c for c in target.languages if is_trained(c, trained) and c != target.task.source_language]
    if both:
        message = f"the chain trains on {', '.join(f'`{c}`' for c in both)}: not zero-shot in `{target.task.name}`"
        bag.warn(codes.TRAINED_LANGUAGE, target.span, message, None)


def check_contamination(
    part: Settled, read: Collection[object], target: Settled, scored: frozenset[object], split: str, bag: Bag
) -> None:
    """Report a target whose rows (`rows_of`), or rows that are declared to be the same, a labelled part trains on."""
    if not part.task.kind.labelled:
        return
    if not scored.isdisjoint(read):
        message = f"`{target.task.name}` is scored on rows that `{part.task.name}` trains on"
        label = Label(part.span, "trained here")
        hint = "score a split, or a file with other rows, that no stage trains on"
        if part.task.span == target.task.span:
            hint += "; how well a training fits its own rows, the losses in its `curve.jsonl` tell"
        bag.error(codes.CONTAMINATION, target.span, message, hint, label)
    elif (said := declared_same(part.task, target.task, split)) is not None:
        message = f"`{target.task.name}` is scored on rows that `{part.task.name}` trains on, in another form"
        labels = Label(part.span, "trained here"), Label(said, "they are declared to be the same here")
        hint = "score a split that no stage trains on, or take the declaration out if it is wrong"
        bag.error(codes.CONTAMINATION, target.span, message, hint, *labels)


def declared_same(trained: TaskDecl, scored: TaskDecl, split: str) -> Span | None:
    """Where it is said that a split that is scored and the training split of a task are the same rows."""
    ours, theirs = scored.shared.get(split, {}), trained.shared.get("train", {})
    if (trained.span, "train") in ours:
        return ours[trained.span, "train"]
    if (scored.span, split) in theirs:
        return theirs[scored.span, split]
    return next((said for rows, said in ours.items() if rows in theirs), None)


def rows_of(data: Data) -> frozenset[object]:
    """What data read, as far as it is known: two data with one of these in common have rows in common."""
    found: set[object] = set()
    for rows in data.rows:
        match rows:
            case FileRows(files=files):
                found.update(digest for digest in files if digest is not None)
            case HubRows():
                found.add(replace(rows, revision=None))
            case AbsentRows(are_labels=True):
                pass
            case _:
                found.add(rows)
    return frozenset(found)
