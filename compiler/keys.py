"""Keys: which work is the same work (docs/node-keys.md)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import NoneType
from typing import Any

from msgspec import Struct

from compiler.ops import (
    AbsentRows,
    Baseline,
    Data,
    FileRows,
    Folder,
    HubModel,
    HubRows,
    Key,
    Model,
    Op,
    Predict,
    PythonRows,
    Rows,
    Score,
    Scratch,
    Select,
    Train,
    WorldRows,
)

SCHEMA = 1  # of the pre-image itself

# Raised whenever the results of an op would change. `tests/test_versions.py` fails when its code changed and this did
# not.
VERSION: dict[type[Op], int] = {Model: 1, Data: 2, Train: 2, Select: 1, Predict: 2, Baseline: 1, Score: 1}

SORTS = {sort: sort.__name__.lower() for sort in VERSION}  # what ops are called: `train`, `data`, …


def text_of(op: Op) -> str:
    """The canonical JSON of the op's pre-image: sorted keys, no space, shortest round-trip floats, UTF-8."""
    sort = type(op)
    return f'{{"fields":{canonical(op)},"op":"{SORTS[sort]}","schema":{SCHEMA},"version":{VERSION[sort]}}}'


def preimage(op: Op) -> dict[str, Any]:
    """The readable record whose canonical bytes are hashed; stored beside the node's output."""
    found: dict[str, Any] = json.loads(text_of(op))
    return found


def key_of(record: Mapping[str, Any]) -> Key:
    """SHA-256 over the canonical JSON of a pre-image."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _hashed(text)


def node_key(op: Op) -> Key:
    """The key of the node that does `op`."""
    return _hashed(text_of(op))


HOLE: Key = "\0"  # stands for the key of an input in the op of a `Pattern`


class Pattern:
    """Keys of many ops that differ in the keys of inputs alone: those that are HOLE in the op that it is made of."""

    def __init__(self, op: Op) -> None:
        self._pieces = text_of(op).split(canonical(HOLE))

    def key(self, *inputs: Key) -> Key:
        """The key with these inputs, in the order of the names of their fields."""
        first, *rest = self._pieces
        return _hashed(first + "".join([f'"{key}"{piece}' for key, piece in zip(inputs, rest, strict=True)]))


def _hashed(text: str) -> Key:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def is_pinned(op: Op) -> bool:
    """Whether the op's own sources are at known revisions; its inputs are not looked at."""
    match op:
        case Data(rows=rows):
            return all(_are_pinned(r) for r in rows)
        case Model(source=source):
            return _is_known(source)
        case _:
            return True


def _is_known(source: Folder | Scratch | HubModel) -> bool:
    match source:
        case HubModel():
            return False  # `xfer.lock` makes a Folder of it
        case Folder(files=files) | Scratch(tokenizer=files):
            return all(digest is not None for _, digest in files)


def _are_pinned(rows: Rows) -> bool:
    match rows:
        case FileRows(files=files):
            return None not in files
        case HubRows() | AbsentRows():
            return False  # `xfer.lock` makes FileRows of the former, a root of the latter
        case PythonRows(module=module):
            return module is not None
        case WorldRows():
            return True


def canonical(value: object) -> str:
    """`value` as JSON of one form only; a type without such a form is refused."""
    sort = type(value)
    write = _WRITE.get(sort)
    if write is None:
        write = _WRITE[sort] = _writer(sort)
    return write(value)


def _writer(sort: type) -> Callable[[Any], str]:
    """What writes a record: its fields by name; what is no op with its type, since several may stand at one place."""
    if not issubclass(sort, Struct):
        raise TypeError(f"a {sort.__name__} has no canonical form")
    found = [(name, name, name in later(sort)) for name in sort.__struct_fields__]
    found += [("type", "__class__.__name__", False)] if not issubclass(sort, Op) else []
    heads = [(f"{_quoted(name)}:", later) for name, _, later in sorted(found)]
    held = attrgetter(*(path for _, path, _ in sorted(found)), "__class__")  # of a single name it gives no tuple

    def write(value: object) -> str:
        said = zip(heads, held(value), strict=False)
        return f"{{{','.join([head + canonical(v) for (head, later), v in said if v is not None or not later])}}}"

    return write


def later(sort: type[Struct]) -> tuple[str, ...]:
    """The fields of a record that came after results were stored: those with a default, the last."""
    return sort.__struct_fields__[len(sort.__struct_fields__) - len(sort.__struct_defaults__) :]


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise TypeError(f"{value} has no canonical form")
    return repr(value)


_quoted = json.encoder.encode_basestring
_WRITE: dict[type, Callable[[Any], str]] = {  # and of each record that was met
    str: _quoted,
    tuple: lambda value: f"[{','.join(map(canonical, value))}]",
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: repr,
    float: _number,
}
