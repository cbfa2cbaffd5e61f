"""What exists, as a table: a copy of the manifests that can be thrown away, and digests of local files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from runtime.store.manifest import FileRecord, Manifest
from runtime.store.trouble import index_trouble

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  key TEXT PRIMARY KEY, op TEXT NOT NULL, label TEXT NOT NULL, preimage TEXT NOT NULL, files TEXT NOT NULL,
  made REAL NOT NULL, seconds REAL NOT NULL, provenance TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_label ON objects (op, label);
CREATE TABLE IF NOT EXISTS digests (
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
  sha256 TEXT NOT NULL);
"""


WAIT = 30.0  # seconds that another process may hold the file


class Record(Struct, frozen=True):
    """Who made an object, and how long it took."""

    op: str
    provenance: dict[str, Any]
    seconds: float


class Index:
    """The table. Opened for reading alone it writes nothing; without a file (`None`, or none there) it is empty."""

    def __init__(self, path: Path | None, *, write: bool) -> None:
        self._path = path or Path(":memory:")
        with index_trouble(self._path):
            self._database = _open(path, write=write)
        self.get("")  # an unreadable file shows here

    def is_empty(self) -> bool:
        """Whether no object is recorded."""
        return self._one("SELECT key FROM objects LIMIT 1", ()) is None

    def get(self, key: str) -> Manifest | None:
        """The recorded manifest."""
        row = self._one("SELECT * FROM objects WHERE key = ?", (key,))
        return _manifest(row) if row else None

    def files(self, keys: Iterable[str]) -> dict[str, dict[str, FileRecord]]:
        """The recorded files of those of `keys` that are there."""
        wanted = set(keys)
        rows = [row for row in self._some("key, files", wanted) if row[0] in wanted]
        records = json.loads(f"[{','.join(str(files) for _, files in rows)}]")  # at once: there may be thousands
        return {
            str(key): {
                name: FileRecord(f["size"], f["mtime_ns"], f["sha256"], f.get("ctime_ns", 0))
                for name, f in files.items()
            }
            for (key, _), files in zip(rows, records, strict=True)
        }

    def many(self, keys: Iterable[str]) -> dict[str, Manifest]:
        """The recorded manifests of those of `keys` that are there."""
        wanted = set(keys)
        return {str(row[0]): _manifest(row) for row in self._some("*", wanted) if row[0] in wanted}

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that are there."""
        wanted = set(keys)
        return wanted & {str(key) for (key,) in self._some("key", wanted)}

    def latest(self, op: str) -> dict[str, str]:
        """The key of the latest object of each label, among those of an op."""
        return dict(self._all("SELECT label, key FROM objects WHERE op = ? ORDER BY made", (op,)))  # type: ignore[arg-type]

    def provenance(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Who made those of `keys` that are there."""
        wanted = set(keys)
        return {str(key): json.loads(str(said)) for key, said in self._some("key, provenance", wanted) if key in wanted}

    def recent(self, count: int) -> list[Record]:
        """The latest objects of each op, so many at the most."""
        query = "SELECT op, provenance, seconds FROM objects WHERE op = ? ORDER BY made DESC LIMIT ?"
        ops = [str(op) for (op,) in self._all("SELECT DISTINCT op FROM objects", ())]
        rows = [row for op in ops for row in self._all(query, (op, count))]
        return [Record(str(op), json.loads(str(said)), float(str(seconds))) for op, said, seconds in rows]

    def of_op(self, op: str) -> list[Manifest]:
        """Every recorded object of an op, the latest first."""
        return [_manifest(r) for r in self._all("SELECT * FROM objects WHERE op = ? ORDER BY made DESC", (op,))]

    def add(self, manifests: Iterable[Manifest]) -> None:
        """Record objects; a known key is replaced."""
        rows = [_row(m) for m in manifests]
        self._change("INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?,?)", rows)

    def forget(self, key: str) -> None:
        """Take an object out of the table."""
        self._change("DELETE FROM objects WHERE key = ?", [(key,)])

    def digest(self, path: Path, stat: os.stat_result) -> str | None:
        """The digest of a local file, if it has not changed since it was recorded."""
        row = self._one(
            "SELECT sha256 FROM digests WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?",
            (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino),
        )
        return str(row[0]) if row else None

    def remember(self, digests: Iterable[tuple[Path, os.stat_result, str]]) -> None:
        """Record digests of local files."""
        rows: list[tuple[object, ...]] = [(str(p), s.st_size, s.st_mtime_ns, s.st_ino, d) for p, s, d in digests]
        self._change("INSERT OR REPLACE INTO digests VALUES (?,?,?,?,?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        rows = self._all(query, values)
        return rows[0] if rows else None

    def _some(self, columns: str, keys: set[str]) -> list[tuple[object, ...]]:
        """The rows of `keys`; where these are many, all there are."""
        if len(keys) > 500:  # noqa: PLR2004
            return self._all(f"SELECT {columns} FROM objects", ())  # noqa: S608  (columns are ours)
        marks = ",".join("?" * len(keys))
        return self._all(f"SELECT {columns} FROM objects WHERE key IN ({marks})", tuple(sorted(keys)))  # noqa: S608

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with index_trouble(self._path), closing(self._database.execute(query, values)) as cursor:
            return cursor.fetchall()

    def _change(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        """All rows or none."""
        with index_trouble(self._path), self._database:
            self._database.executemany(statement, rows)


def _open(path: Path | None, *, write: bool) -> sqlite3.Connection:
    if path is not None and path.is_file() and not write:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT)
    database = sqlite3.connect(path if path is not None and write else ":memory:", timeout=WAIT)
    database.executescript(_TABLES)
    return database


def _row(m: Manifest) -> tuple[object, ...]:
    files = json.dumps({n: asdict(f) for n, f in m.files.items()})
    return (m.key, m.op, m.label, json.dumps(m.preimage), files, m.made, m.seconds, json.dumps(m.provenance))


def _files(found: dict[str, dict[str, Any]]) -> dict[str, FileRecord]:
    """The records of an object's files; those of an older xfer have no `ctime_ns`."""
    return {name: FileRecord(f["size"], f["mtime_ns"], f["sha256"], f.get("ctime_ns", 0)) for name, f in found.items()}


def _manifest(row: tuple[object, ...]) -> Manifest:
    key, _op, label, preimage, files, made, seconds, provenance = row
    records = _files(json.loads(str(files)))
    return Manifest(
        str(key),
        str(label),
        json.loads(str(preimage)),
        records,
        float(str(made)),
        float(str(seconds)),
        json.loads(str(provenance)),
    )
