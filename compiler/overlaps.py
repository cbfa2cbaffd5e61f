"""`derived-from:` and `overlaps:`: data that count as the same rows, in whatever file or language they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.catalog import SPLITS
from compiler.suggest import did_you_mean
from dsl.syntax import Declaration, ListValue, Name, Record, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from compiler.bag import Bag
    from compiler.resolve import Merged, Names
    from dsl.source import Span
    from dsl.syntax import Pair, Value

KEYS = ("derived-from", "overlaps")
Rows = tuple["Span", str]  # the place of a task's name, and a split of it


class Reference(Struct, frozen=True):
    """`TASK.SPLIT`, as somebody wrote it of the splits `of`."""

    task: Declaration
    split: str
    of: tuple[str, ...]
    span: Span


def read_overlaps(merged: Merged, names: Names, bag: Bag) -> tuple[Reference, ...]:
    """What the task says of its own rows, or inherits: of all splits, or of some: `{ train: mnli.train }`."""
    pairs = [pair for key in KEYS if (pair := merged.nearest(key)) is not None]
    return tuple(reference for pair in pairs for reference in _of_pair(pair, names, bag))


def _of_pair(pair: Pair, names: Names, bag: Bag) -> Iterator[Reference]:
    if not isinstance(pair.value, Record):
        yield from _references(pair.key.text, pair.value, SPLITS, names, bag)
        return
    for inner in pair.value.pairs:
        if inner.key.text in SPLITS:
            yield from _references(pair.key.text, inner.value, (inner.key.text,), names, bag)
        else:
            message = f"there is no split `{inner.key.text}`"
            bag.error(codes.UNKNOWN_KEY, inner.key.span, message, did_you_mean(inner.key.text, SPLITS))


def _references(key: str, value: Value, of: tuple[str, ...], names: Names, bag: Bag) -> Iterator[Reference]:
    if isinstance(value, Word) and value.text == "none":
        return
    for item in value.items if isinstance(value, ListValue) else (value,):
        name, dot, split = item.text.rpartition(".") if isinstance(item, Word) else ("", "", "")
        if not dot or split not in SPLITS:
            message = f"`{key}` is `{item.span.text}` but must be a task and a split of it"
            bag.error(codes.WRONG_VALUE, item.span, message, f"for example `{key}: hellaswag.dev`")
        elif (task := _task(Name(name, item.span), names, bag)) is not None:
            yield Reference(task, split, of, item.span)


def _task(name: Name, names: Names, bag: Bag) -> Declaration | None:
    found = names.get(name)
    if isinstance(found, Declaration) and not names.is_model(name):
        return found
    if not names.is_refused(name):
        hint = did_you_mean(name.text, names.tasks(name))
        bag.error(codes.UNKNOWN_NAME, name.span, f"there is no task or benchmark `{name.text}`", hint)
    return None


def closed(
    references: Iterable[Reference], shared: Callable[[Declaration], Mapping[str, Mapping[Rows, Span]]]
) -> Mapping[str, Mapping[Rows, Span]]:
    """Of each split all rows that are the same, through any number of tasks; `shared` tells it of another task."""
    found: dict[str, dict[Rows, Span]] = {split: {} for split in SPLITS}
    for reference in references:
        further = dict.fromkeys(shared(reference.task).get(reference.split, {}), reference.span)
        for split in reference.of:
            found[split] |= {(reference.task.name.span, reference.split): reference.span, **further}
    return found
