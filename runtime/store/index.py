"""What exists, as a table: a copy of the manifests that can be thrown away, and digests of local files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

from runtime.store.manifest import FileRecord, Manifest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  key TEXT PRIMARY KEY, op TEXT NOT NULL, label TEXT NOT NULL, preimage TEXT NOT NULL, files TEXT NOT NULL,
  made REAL NOT NULL, seconds REAL NOT NULL, provenance TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_label ON objects (op, label);
CREATE TABLE IF NOT EXISTS digests (
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
  sha256 TEXT NOT NULL);
"""


class Index:
    """The table. Opened for reading alone it writes nothing, and is empty where there is no file."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path = path
        if write:
            self._database = _open_for_writing(path)
        elif path.is_file():
            self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        else:
            self._database = _empty()

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def get(self, key: str) -> Manifest | None:
        """The recorded manifest."""
        row = self._one("SELECT * FROM objects WHERE key = ?", (key,))
        return _manifest(row) if row else None

    def many(self, keys: Iterable[str]) -> dict[str, Manifest]:
        """The recorded manifests of `keys`, those that are there."""
        wanted = set(keys)
        rows = self._all("SELECT * FROM objects", ()) if len(wanted) > 500 else self._some(sorted(wanted))  # noqa: PLR2004
        return {row[0]: _manifest(row) for row in rows if row[0] in wanted}

    def of_op(self, op: str) -> list[Manifest]:
        """Every recorded object of an op, the latest first."""
        return [_manifest(r) for r in self._all("SELECT * FROM objects WHERE op = ? ORDER BY made DESC", (op,))]

    def add(self, manifests: Iterable[Manifest]) -> None:
        """Record objects; a known key is replaced."""
        rows = [_row(m) for m in manifests]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?,?)", rows)

    def forget(self, key: str) -> None:
        """Take an object out of the table."""
        with self._database:
            self._database.execute("DELETE FROM objects WHERE key = ?", (key,))

    def digest(self, path: Path, stat: os.stat_result) -> str | None:
        """The digest of a local file, if it has not changed since it was recorded."""
        row = self._one(
            "SELECT sha256 FROM digests WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?",
            (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino),
        )
        return str(row[0]) if row else None

    def remember(self, digests: Iterable[tuple[Path, os.stat_result, str]]) -> None:
        """Record digests of local files."""
        rows = [(str(p), s.st_size, s.st_mtime_ns, s.st_ino, d) for p, s, d in digests]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO digests VALUES (?,?,?,?,?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        rows = self._all(query, values)
        return rows[0] if rows else None

    def _some(self, keys: list[str]) -> list[tuple[object, ...]]:
        marks = ",".join("?" * len(keys))
        return self._all(f"SELECT * FROM objects WHERE key IN ({marks})", tuple(keys))  # noqa: S608  (marks only)

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with closing(self._database.execute(query, values)) as cursor:
            return cursor.fetchall()


def _open_for_writing(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30)
    database.executescript(_TABLES)
    return database


def _empty() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(_TABLES)
    return database


def _row(m: Manifest) -> tuple[object, ...]:
    files = json.dumps({n: asdict(f) for n, f in m.files.items()})
    return (m.key, m.op, m.label, json.dumps(m.preimage), files, m.made, m.seconds, json.dumps(m.provenance))


def _manifest(row: tuple[object, ...]) -> Manifest:
    key, _op, label, preimage, files, made, seconds, provenance = row
    records = {n: FileRecord(**f) for n, f in json.loads(str(files)).items()}
    return Manifest(
        str(key),
        str(label),
        json.loads(str(preimage)),
        records,
        float(str(made)),
        float(str(seconds)),
        json.loads(str(provenance)),
    )
