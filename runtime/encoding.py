"""Rows to encoded columns: the body of a data node."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime import columns
from runtime.errors import BadInput
from runtime.kinds import kinds
from runtime.models import check_length, load_tokenizer
from runtime.sources import read_rows
from runtime.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from compiler.ops import Data, Limit
    from runtime.sources import Row

FACTS = "facts.json"
_BRACED = re.compile(r"(?<!\{)\{\s*(\w+)\s*\}(?!\})")  # one brace where two are meant
_ORDER_SEED = 20_200_526  # of the one order that `limit: N` takes the first rows of


def encode(op: Data, model: Path, files: Mapping[str, Path], folder: Path, *, allow_code: bool) -> None:
    """Write the columns of `op` into `folder`, and what was counted on the way."""
    tokenizer = load_tokenizer(model)
    check_length(model, tokenizer, op.max_length)
    rows = list(chain.from_iterable(read_rows(r, files, allow_code=allow_code) for r in op.rows))
    if not rows:
        raise BadInput("the source has no rows", None, "data")
    chosen = limited(len(rows), op.limit)
    _check_written(op, rows[0])
    templates = Templates(op.fields)
    extra = {"language": op.language, "code": op.language, "split": op.split}
    examples, cut = [], 0
    for index in chosen:
        example, was_cut = _example(op, rows[index], index, templates, tokenizer, extra)
        examples.append(example)
        cut += was_cut
    columns.write(folder, examples)
    facts = {"rows": len(rows), "examples": len(examples), "cut": cut}
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def _check_written(op: Data, row: Row) -> None:
    """Raise BadInput for a template that was meant to be a column and is a text."""
    for name, template in op.fields:
        for text in template if isinstance(template, tuple) else (template,):
            meant = text if text in row else next((c for c in _BRACED.findall(text) if c in row), None)
            if meant is not None:
                message = f"the template `{text}` of `{name}` is the same text for every row, and `{meant}` is a column"
                raise BadInput(message, f"a column stands in two braces: `{{{{ {meant} }}}}`", f"input.{name}")


def _example(
    op: Data,
    row: Row,
    index: int,
    templates: Templates,
    tokenizer: Any,  # noqa: ANN401
    extra: Mapping[str, Any],
) -> tuple[columns.Example, bool]:
    try:
        values = templates.values(row, extra)
        encoded = kinds()[op.kind].encode(values, tokenizer, op.max_length, op.labels)
    except BadInput as error:
        where = f"row {index + 1} of {op.split}[{op.language}]: {error}"
        raise BadInput(where, error.hint, error.field) from error
    return columns.Example(index, encoded.sequences, encoded.segments, encoded.label), encoded.cut


def limited(rows: int, limit: Limit | None) -> list[int]:
    """Indices of the rows that a limit keeps, in the order of the data.

    The fixed order depends on the row's index alone: parallel languages keep the same items, and a smaller limit
    keeps a subset of a larger one's.
    """
    if limit is None or limit.count >= rows:
        return list(range(rows))
    if limit.order == "own":
        return list(range(limit.count))
    indices = np.arange(rows, dtype=np.uint64)
    return sorted(int(i) for i in np.argsort(_scatter(indices), kind="stable")[: limit.count])


def _scatter(indices: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """A number for each index that looks random (the finalizer of splitmix64, Steele et al. 2014)."""
    z = indices + np.uint64(_ORDER_SEED)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
