"""The fixtures of `tests/library` as the hub would have them: files in its cache, and the lock that pins them.

A fixture is a file of own rows in the columns of a published one; its `source` says where these were seen.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compiler import pins
from compiler.locate import candidates

FIXTURES = Path(__file__).parent / "library" / "fixtures"
COMMIT = "f" * 40  # of repositories whose revision no entry says


def fixture(name):
    """The record of one fixture."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def names():
    """Of all fixtures."""
    return sorted(p.stem for p in FIXTURES.glob("*.json"))


def arrow_type(written):
    """`["string"]` is a list of strings, `{"text": …}` a record, a word a type of its own."""
    match written:
        case str():
            return pa.type_for_alias(written)
        case [item]:
            return pa.list_(arrow_type(item))
        case dict():
            return pa.struct([(name, arrow_type(inner)) for name, inner in written.items()])


def renamed(found, column):
    """The fixture with one of its columns called otherwise."""
    columns = {(f"{name}_" if name == column else name): sort for name, sort in found["columns"].items()}
    return {**found, "columns": columns}


def publish(cache, lock, found, models=None):
    """Put the fixtures' files into the hub's cache, and what pins them and these models into a lock file."""
    data = {}
    for record in found:
        name = pins.asked(record["repository"], record.get("revision"))
        revision = record.get("revision", COMMIT)
        configs = {}
        for config, splits in record["configs"].items():
            for split, rows in splits.items():
                path, key, called = _named(record, config, split)
                folder = cache / f"datasets--{record['repository'].replace('/', '--')}" / "snapshots" / revision
                file = _write(folder, path, record, rows)
                format_ = "" if called == pins.FILES else record["format"]
                pinned = pins.PinnedSplit(format_, (file,), None, tuple(record["columns"]))
                configs.setdefault(key, {})[called] = pinned
        before = data.get(name)
        data[name] = pins.PinnedData(revision, {**(before.configs if before else {}), **configs})
    lock.write_text(pins.write(pins.Pins(models or {}, data)), encoding="utf-8")


def publish_model(cache, repository, folder):
    """Put the files of a model's folder into the hub's cache; what pins them."""
    to = cache / f"models--{repository.replace('/', '--')}" / "snapshots" / COMMIT
    shutil.copytree(folder, to)
    wanted = [name for name in candidates(p.name for p in to.iterdir()) if (to / name).is_file()]
    files = tuple(pins.PinnedFile(n, _digest(to / n), (to / n).stat().st_size) for n in wanted)
    return pins.PinnedModel(COMMIT, files)


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _named(record, config, split):
    """Where a split's file lies, and what the lock calls its configuration and itself."""
    for pattern, path in record.get("files", {}).items():
        values = {"config": config, "split": split}
        return path.format(**values), pattern.format(**values), pins.FILES
    return f"{config or 'data'}/{split}.{record['format']}", config, split


def _write(folder, path, record, rows):
    to = folder / path
    to.parent.mkdir(parents=True, exist_ok=True)
    called = [dict(zip(record["columns"], row, strict=True)) for row in rows]
    if record["format"] == "parquet":
        schema = pa.schema([(name, arrow_type(sort)) for name, sort in record["columns"].items()])
        pq.write_table(pa.Table.from_pylist(called, schema=schema), to)
    else:
        to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in called), encoding="utf-8")
    return pins.PinnedFile(path, _digest(to), to.stat().st_size)
