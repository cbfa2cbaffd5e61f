"""What there is to say of one data set before anything trains on it: what `xfer data` shows.

Rows go the way that a run takes them (`runtime.encoding`): filter, templates, tokens. What is wrong with a row stops
nothing here; it is counted, with the first of its kind.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from runtime.clusters import CLUSTER
from runtime.encoding import prefixed, valued
from runtime.errors import BadInput
from runtime.kinds import kinds
from runtime.kinds.kind import Coding
from runtime.kinds.texts import unknown_token

if TYPE_CHECKING:
    from pathlib import Path

    from compiler.ops import Data
    from runtime.kinds.kind import Encoded

ANSWERS = ("label", "tags", "value", "answers", "gold")  # fields that say what is right
_NEVER = 8  # labels of a message
_ROOM = 1_000_000  # tokens: more than any row has
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\[.*\]|\{.*\}|\d+", re.DOTALL)  # values in a message
_REPLACED = "\N{REPLACEMENT CHARACTER}"  # stands where bytes were no text


class Lost(Struct, frozen=True):
    """What a sequence had to lose to fit."""

    sequence: int
    behind: int  # as many of its tokens stand before it
    tokens: tuple[str, ...]


class Seen(Struct, frozen=True):
    """A row as the model sees it."""

    row: int  # index in the source
    values: Mapping[str, Any]  # of each field
    sequences: tuple[tuple[str, ...], ...]  # tokens
    cut: bool
    lost: tuple[Lost, ...] = ()  # where something was cut off; nothing of a row that goes on in another window


class Survey(Struct):
    """What was counted of one data set."""

    task: str
    language: str
    split: str
    kind: str
    max_length: int
    rows: int = 0
    kept: int = 0  # by the filter
    looked: int = 0  # of those
    unlabelled: int = 0  # or with an answer that does not stand where it says
    cut: int = 0
    lengths: list[int] = field(default_factory=list)  # tokens of each sequence
    unknown: int = 0  # tokens that stand for what the tokenizer does not know
    unreadable: int = 0  # rows that a run would stop at
    names: tuple[str, ...] = ()  # of the labels that are declared
    labels: Counter[str] = field(default_factory=Counter)
    numbers: list[float] = field(default_factory=list)  # of a kind whose labels are numbers
    wrong: dict[str, list[int]] = field(default_factory=dict)  # what is wrong, in words -> the rows
    values: list[Mapping[str, Any]] = field(default_factory=list)  # of the rows that were looked at
    indices: list[int] = field(default_factory=list)  # of those rows
    seen: list[Seen] = field(default_factory=list)
    clusters: set[int] = field(default_factory=set)  # the first row of each, where rows have any
    clustered_by: str = ""  # the template of which they are the same

    @property
    def are_rows(self) -> bool:
        """Whether its values are those of rows, and not of two pools."""
        return len({frozenset(values) for values in self.values}) == 1

    @property
    def name(self) -> str:
        """As labels of nodes have it."""
        return f"{self.task} {self.split}[{self.language}]"


def survey(
    task: str,
    op: Data,
    tokenizer: Any,  # noqa: ANN401
    files: Mapping[str, Path],
    *,
    most: int,
    shown: int,
    allow_code: bool = False,
) -> Survey:
    """What there is to say of at most `most` rows of a data set, with the first `shown` of them as examples.

    Raises BadInput for files that cannot be read, and a filter that fails.
    """
    values, facts = valued(op, files, allow_code=allow_code)
    found = Survey(task, op.language, op.split, op.kind, op.max_length, facts.rows, facts.kept, names=op.labels)
    coding = Coding(tokenizer, op.max_length, op.labels, scored=False, own=dict(op.own or ()))
    found.clustered_by = op.cluster if isinstance(op.cluster, str) else ""
    for index, given in islice(values, most):
        row = dict(given)
        if CLUSTER in row:
            found.clusters.add(row.pop(CLUSTER))
        _take(found, index, prefixed(row, kinds()[op.kind], op.prefix), coding, shown)
    for text, numbers in _oddities(found):
        found.wrong[text] = numbers
    return found


def _take(found: Survey, index: int, values: Mapping[str, Any], coding: Coding, shown: int) -> None:
    found.looked += 1
    found.values.append(values)
    found.indices.append(index)
    try:
        encoded = kinds()[found.kind].encode(values, coding)
    except BadInput as error:
        found.unreadable += 1
        _wrong(found, f"{error}{f' ({error.hint})' if error.hint else ''}", index)
        return
    found.lengths += [len(ids) for ids in encoded.sequences]
    found.unknown += _unknown(encoded, coding)
    found.cut += encoded.cut
    _count(found, index, values, encoded, coding.labels)
    first_cut = encoded.cut and not any(seen.cut for seen in found.seen)
    if len(found.seen) < shown or (shown and first_cut):
        lost = tuple(_lost(found.kind, values, encoded, coding)) if encoded.cut else ()
        found.seen.append(
            Seen(index, values, tuple(_tokens(ids, coding) for ids in encoded.sequences), encoded.cut, lost)
        )


def _wrong(found: Survey, text: str, index: int) -> None:
    """Enter what is wrong with a row: below the first that differs in what it quotes alone."""
    alike = _QUOTED.sub("…", text)
    known = next((said for said in found.wrong if _QUOTED.sub("…", said) == alike), text)
    found.wrong.setdefault(known, []).append(index)


def _unknown(encoded: Encoded, coding: Coding) -> int:
    """How many tokens stand for what the tokenizer does not know."""
    token = unknown_token(coding.tokenizer)
    if token is None:
        return 0
    number = coding.tokenizer.token_to_id(token)
    return sum(ids.count(number) for ids in encoded.sequences)


def _tokens(ids: Iterable[int], coding: Coding) -> tuple[str, ...]:
    return tuple(coding.tokenizer.id_to_token(number) for number in ids)


def _lost(kind: str, values: Mapping[str, Any], encoded: Encoded, coding: Coding) -> Iterable[Lost]:
    """What each sequence lacks of what it would be if it had room, from the first token that it lacks to the last."""
    whole = kinds()[kind].encode(values, replace(coding, max_length=_ROOM))
    if len(whole.sequences) != len(encoded.sequences):
        return
    for number, (all_of_it, kept) in enumerate(zip(whole.sequences, encoded.sequences, strict=True)):
        behind = next((n for n, (a, b) in enumerate(zip(all_of_it, kept, strict=False)) if a != b), len(kept))
        ending = zip(reversed(all_of_it), reversed(kept[behind:]), strict=False)
        after = next((n for n, (a, b) in enumerate(ending) if a != b), len(kept) - behind)
        if len(all_of_it) > len(kept):
            yield Lost(number, behind, _tokens(all_of_it[behind : len(all_of_it) - after], coding))


def _count(found: Survey, index: int, values: Mapping[str, Any], encoded: Encoded, labels: Sequence[str]) -> None:
    """What is right in a row, for the balance of labels."""
    name = next((n for n in ANSWERS if n in values), None)
    if name == "answers":
        answered = bool(encoded.kept and encoded.kept["answers"])
        found.labels["answered" if answered else "no answer"] += 1
        if encoded.label is None:
            found.wrong.setdefault("an answer does not stand where `answer_start` says", []).append(index)
    elif encoded.label is None:
        found.unlabelled += 1
    elif name == "gold":
        found.labels["queries" if "query" in values else "documents"] += 1
        found.labels["pairs"] += len(values["gold"])
    elif name == "tags":
        found.labels.update(str(labels[tag]) for part in encoded.targets or () for tag in part if tag >= 0)
    elif name == "value":
        found.numbers.append(float(encoded.label))
    elif name == "label":
        number = int(encoded.label)
        found.labels[labels[number] if number < len(labels) else str(number)] += 1


# --- what is odd in a data set by itself


def _oddities(found: Survey) -> Iterable[tuple[str, list[int]]]:
    """What is odd, in words, and the rows in which it is."""
    for name in _texts(found):
        if empty := [n for n, value in _column(found, name) if isinstance(value, str) and not value.strip()]:
            yield f"`{name}` is empty", empty
    if found.names and (never := [n for n in found.names if n not in found.labels]) and not found.unreadable:
        more = " …" if len(never) > _NEVER else ""
        yield f"no row has the label {', '.join(f'`{n}`' for n in never[:_NEVER])}{more}", []
    for name in ("query", "document"):
        if again := _again(_column(found, name)):
            yield f"`{name}` is that of an earlier row", again
    if odd := _rows(found, lambda v: any(_REPLACED in text for text in _strings(v))):
        yield "there is the character that stands for bytes that are no text (U+FFFD)", odd
    if same := _rows(found, lambda v: isinstance(c := v.get("choices"), list) and len({*map(str, c)}) < len(c)):
        yield "two choices are the same", same
    yield from _duplicates(found)


def _texts(found: Survey) -> list[str]:
    return [n for n in dict.fromkeys(name for values in found.values for name in values) if n not in ANSWERS]


def _column(found: Survey, name: str) -> list[tuple[int, object]]:
    """The values of a field, where there are any, each with its row."""
    return [(n, values[name]) for n, values in zip(found.indices, found.values, strict=True) if name in values]


def _again(column: list[tuple[int, object]]) -> list[int]:
    """The rows whose value an earlier one has."""
    first: dict[str, int] = {}
    return [n for n, value in column if first.setdefault(written(value), n) != n]


def _rows(found: Survey, is_odd: Callable[[Mapping[str, Any]], bool]) -> list[int]:
    return [index for index, values in zip(found.indices, found.values, strict=True) if is_odd(values)]


def _strings(values: Mapping[str, Any]) -> Iterable[str]:
    for value in values.values():
        yield from (v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str))


def asked(values: Mapping[str, Any]) -> str:
    """What a row asks, without what is right: equal for rows that ask the same."""
    return written({name: value for name, value in values.items() if name not in ANSWERS})


def written(value: object) -> str:
    """A value as text: equal for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _duplicates(found: Survey) -> Iterable[tuple[str, list[int]]]:
    """Rows that an earlier one says already, and those that contradict it."""
    first: dict[str, str] = {}
    same: list[int] = []
    other: list[int] = []
    for index, values in zip(found.indices, found.values, strict=True):
        right = written([values.get(name) for name in ANSWERS])
        before = first.setdefault(asked(values), right)
        if before is not right:
            (same if before == right else other).append(index)
    if same:
        yield "an earlier row says the same", same
    if other:
        yield "an earlier row asks the same and has another answer", other
