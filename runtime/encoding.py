"""Rows to encoded columns: the body of a data node."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from compiler.pairs import spelled
from runtime import columns, pooled
from runtime.clusters import CLUSTER, first_of
from runtime.errors import BadInput, Stopped
from runtime.joining import rows_of
from runtime.kinds import kinds
from runtime.kinds.kind import Coding
from runtime.lacking import Named
from runtime.models import check_length, load_tokenizer
from runtime.perturbing import perturbed
from runtime.templates import FILTER, Templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from compiler.ops import Data, Limit
    from runtime.formats import Row
    from runtime.kinds.kind import Encoded, Kind

FACTS = "facts.json"
_BRACED = re.compile(r"(?<!\{)\{\s*(\w+(?:\.\w+)?)\s*\}(?!\})")  # one brace where two are meant
_Valued = tuple[int, "Mapping[str, Any]"]  # a row's index, and the value of each field
_ORDER_SEED = 20_200_526  # of the one order that `limit: N` takes the first rows of


class Facts(Struct):
    """What was counted on the way from rows to examples."""

    rows: int
    kept: int  # by the filter
    examples: int = 0
    unlabelled: int = 0  # dropped for want of a label
    cut: int = 0  # to fit


def encode(
    op: Data,
    model: Path,
    files: Mapping[str, Path],
    folder: Path,
    *,
    allow_code: bool,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Write the columns of `op` into `folder`, and what was counted on the way; how many there are of what.

    Raises Stopped between two rows.
    """
    tokenizer = load_tokenizer(model)
    check_length(model, tokenizer, op.max_length)
    values, facts = valued(op, files, allow_code=allow_code)
    examples = _until(stopping, _examples(op, values, tokenizer, facts))
    columns.write(folder, examples, {"labels": op.labels, "language": op.language})
    (folder / FACTS).write_text(json.dumps(asdict(facts)), encoding="utf-8")
    return columns.read(folder).counts()


def _until(stopping: Callable[[], bool], examples: Iterable[columns.Example]) -> Iterator[columns.Example]:
    for example in examples:
        if stopping():
            raise Stopped
        yield example


def _check_written(op: Data, row: Row) -> None:
    """Raise BadInput for a template that was meant to be a column and is a text."""
    known = set(row) if "" in dict(op.sources) else {f"{name}.{column}" for name in row for column in row[name]}
    for name, template in op.fields:
        for text in template if isinstance(template, tuple) else (template,):
            meant = text if text in known else next((c for c in _BRACED.findall(text) if c in known), None)
            if meant is not None:
                message = f"the template `{text}` of `{name}` is the same text for every row, and `{meant}` is a column"
                raise BadInput(message, f"a column stands in two braces: `{{{{ {meant} }}}}`", f"input.{name}")


def _given(op: Data) -> Mapping[str, str]:
    """What templates know besides the columns."""
    return spelled(op.language, op.code, op.split)


def _kept(op: Data, rows: Sequence[Row]) -> list[int]:
    """Indices of the rows of which the filter is true."""
    if op.filter is None:
        return list(range(len(rows)))
    template = Templates(((FILTER, op.filter),))
    kept = []
    for index, row in enumerate(rows):
        with _telling(op, index):
            value = template.values(row, _given(op))[FILTER]
        if not isinstance(value, bool):
            message = f"{_where(op, index)}: `filter` gives {value!r:.40}, which is neither true nor false"
            raise BadInput(message, "compare with something: `{{ lang == 'de' }}`", FILTER)
        if value:
            kept.append(index)
    if not kept:
        raise BadInput(f"the filter keeps none of {len(rows):,} rows", None, FILTER)
    return kept


def _where(op: Data, index: int) -> str:
    return f"row {index + 1} of {op.split}[{op.language}]"


def valued(op: Data, files: Mapping[str, Path], *, allow_code: bool) -> tuple[Iterable[_Valued], Facts]:
    """The values of the fields of each row that is taken, with its index; of pools of each of their items."""
    pools = kinds()[op.kind].pools
    if pools is not None and pools.field in dict(op.fields):
        sources = pooled.sources(op, files, allow_code=allow_code)
        first = {name: Named(rows[0]) for name, rows in sources.items()}
        _check_written(op, first.get("", first))
        count = sum(map(len, sources.values()))
        return enumerate(pools.rows(pooled.values(op, sources, _given(op)))), Facts(count, count)
    rows = rows_of(op, files, allow_code=allow_code)
    _check_written(op, rows[0])
    kept = _kept(op, rows)
    return _of_rows(op, rows, limited(kept, op.limit)), Facts(len(rows), len(kept))


def _of_rows(op: Data, rows: Sequence[Row], chosen: Iterable[int]) -> Iterator[_Valued]:
    templates = Templates(op.fields if op.cluster is None else (*op.fields, (CLUSTER, op.cluster)))
    first = _first(op, rows) if op.filter is not None else {}
    for index in chosen:
        with _telling(op, index):
            values = templates.values(rows[index], _given(op))
        if op.cluster is not None:
            values = {**values, CLUSTER: first_of(values[CLUSTER], index, first)}
        yield index, values


def _first(op: Data, rows: Sequence[Row]) -> dict[str, int]:
    """The first row of each cluster, whether the filter keeps it or not: it is the same in parallel languages then."""
    first: dict[str, int] = {}
    if op.cluster is None:
        return first
    templates = Templates(((CLUSTER, op.cluster),))
    for index, row in enumerate(rows):
        with suppress(BadInput):  # rows that are filtered out may be of another form
            first_of(templates.values(row, _given(op))[CLUSTER], index, first)
    return first


def _examples(
    op: Data,
    values: Iterable[_Valued],
    tokenizer: Any,  # noqa: ANN401
    facts: Facts,
) -> list[columns.Example]:
    """The rows as examples. One without a label is dropped where it would be trained on, and no target may have one."""
    coding = Coding(tokenizer, op.max_length, op.labels, op.scored, dict(op.own or ()))
    examples: list[columns.Example] = []
    for index, row in values:
        encoded = _encoded(op, row, index, coding)
        if encoded.label is None:
            facts.unlabelled += 1
            continue
        examples += _as_examples(op, index, encoded, encoded.label, row.get(CLUSTER))
        facts.cut += encoded.cut
    if not examples:
        message = f"none of {facts.unlabelled:,} rows has a label"
        raise BadInput(message, "-1 and null are no labels", "input.label")
    facts.examples = len(examples)
    return examples


def _as_examples(op: Data, row: int, encoded: Encoded, label: float, cluster: int | None) -> Iterator[columns.Example]:
    """The row as one example, or where it is trained on and its kind says so each of its sequences as one."""
    targets, sequences = encoded.targets, list(zip(encoded.sequences, encoded.segments, strict=True))
    if op.scored or not kinds()[op.kind].apart:
        yield columns.Example(row, encoded.sequences, encoded.segments, label, targets, encoded.kept, cluster)
        return
    for number, (tokens, segments) in enumerate(sequences):
        own = None if targets is None else (targets[number],)
        yield columns.Example(row, (tokens,), (segments,), label, own)


def _encoded(op: Data, values: Mapping[str, Any], index: int, coding: Coding) -> Encoded:
    kind = kinds()[op.kind]
    with _telling(op, index):
        if op.under is not None:
            values = perturbed(values, kind.texts, op.under, index)
        encoded = kind.encode(prefixed(values, kind, op.prefix), coding)
    if encoded.label is None and op.scored:
        hint = "a target needs a label in every row; `filter:` keeps those that have one"
        raise BadInput(f"{_where(op, index)} has no label (-1 or null)", hint, "input.label")
    return encoded


def prefixed(values: Mapping[str, Any], kind: Kind, prefix: str) -> Mapping[str, Any]:
    """The values, with the prefix before each text that the kind must have."""
    if not prefix:
        return values
    return {
        name: f"{prefix}{value}" if name in kind.required and isinstance(value, str | int | float) else value
        for name, value in values.items()
    }


@contextmanager
def _telling(op: Data, index: int) -> Iterator[None]:
    """What is wrong with a row is told with where it is."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{_where(op, index)}: {error}", error.hint, error.field) from error


def limited(kept: Sequence[int], limit: Limit | None) -> list[int]:
    """Those of the indices `kept` that a limit takes, in the order of the data.

    The fixed order depends on a row's index in the source alone: parallel languages keep the same items, and a
    smaller limit keeps a subset of a larger one's.
    """
    if limit is None or limit.count >= len(kept):
        return list(kept)
    if limit.order == "own":
        return list(kept[: limit.count])
    indices = np.asarray(kept, dtype=np.uint64)
    return sorted(int(i) for i in indices[np.argsort(_scatter(indices), kind="stable")[: limit.count]])


def _scatter(indices: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """A number for each index that looks random (the finalizer of splitmix64, Steele et al. 2014)."""
    z = indices + np.uint64(_ORDER_SEED)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
