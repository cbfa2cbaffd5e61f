"""Keys: which work is the same work (docs/keys.md)."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

from compiler.ops import (
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

# Raised with the metric's own code; part of the key of `Score` alone.
METRIC_VERSION = {"accuracy": 1}


def metric_version(metric: str) -> int:
    """The version of a metric; 0 of one that cannot be computed yet, which no plan that runs asks for."""
    return METRIC_VERSION.get(metric, 0)


def preimage(op: Op) -> dict[str, Any]:
    """The readable record whose canonical bytes are hashed; stored beside the node's output."""
    return {
        "schema": SCHEMA,
        "op": type(op).__name__.lower(),
        "version": VERSION[type(op)],
        "fields": canonical(op, type(op).__name__),
    }


def key_of(record: dict[str, Any]) -> Key:
    """SHA-256 over the canonical JSON of a pre-image: sorted keys, no space, shortest round-trip floats, UTF-8."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def node_key(op: Op) -> Key:
    """The key of the node that does `op`."""
    return key_of(preimage(op))


def is_pinned(op: Op) -> bool:
    """Whether the op's own sources are at known revisions; its inputs are not looked at."""
    match op:
        case Model(source=source):
            return _is_known(source)
        case Data(rows=rows):
            return all(_are_pinned(r) for r in rows)
        case Train() | Select() | Predict() | Baseline() | Score():
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
        case HubRows():
            return False  # `xfer.lock` makes FileRows of them
        case PythonRows(module=module):
            return module is not None
        case WorldRows():
            return True


def canonical(value: object, where: str) -> Any:  # noqa: ANN401  (JSON)
    """`value` as JSON of one form only; a type without such a form is refused."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case tuple():
            return [canonical(item, where) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            held = [f for f in fields(value) if not (f.metadata.get("later") and getattr(value, f.name) is None)]
            body = {f.name: canonical(getattr(value, f.name), f"{where}.{f.name}") for f in held}
            return body if isinstance(value, Op) else {"type": type(value).__name__, **body}
    raise TypeError(f"`{where}` holds a {type(value).__name__}, which has no canonical form")
