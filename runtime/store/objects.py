"""Publishing and reading objects (docs/store.md). What stands under its key is whole, or it is not there."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.errors import DamagedObject, StoreError
from runtime.store import io
from runtime.store.index import Index
from runtime.store.manifest import NAME, FileRecord, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.plan import Node

Write = Callable[[Path], None]


class Store:
    """One directory of objects. Opened for reading alone (`write=False`) it changes nothing, and need not exist."""

    def __init__(self, root: Path, *, write: bool = False) -> None:
        self.root = root
        self._verified: set[str] = set()
        with _store_trouble(root):
            if write:
                for folder in ("objects", "work"):
                    io.make_folder(root / folder)
                _check_writable(root)
            self.index = self._open_index(write=write)

    def _open_index(self, *, write: bool) -> Index:
        """The index; one that cannot be read, or is gone, is made again from the objects."""
        path = self.root / "index.sqlite"
        known = path.is_file()
        try:
            index = Index(path, write=write)
            index.get("")
        except sqlite3.DatabaseError:
            if not write:
                index = Index(Path(os.devnull) / "none", write=False)
            else:
                path.rename(path.with_suffix(f".broken-{time.time_ns()}"))
                index, known = Index(path, write=True), False
        if write and not known:
            index.add(self._manifests())
        return index

    def _manifests(self) -> Iterator[Manifest]:
        for path in sorted((self.root / "objects").glob(f"*/*/{NAME}")):
            try:
                yield Manifest.from_json(io.read(path))
            except (OSError, ValueError):
                continue  # `state` will call it damaged

    # --- reading

    def path(self, key: str) -> Path:
        """Where the object lies, or would."""
        return self.root / "objects" / key[:2] / key

    def manifest(self, key: str) -> Manifest | None:
        """The object's manifest, if it can be read."""
        return self.index.get(key) or self._manifest_on_disk(key)

    def _manifest_on_disk(self, key: str) -> Manifest | None:
        try:
            return Manifest.from_json(io.read(self.path(key) / NAME))
        except (OSError, ValueError):
            return None

    def present(self, keys: Iterable[str]) -> dict[str, Manifest]:
        """The manifests of those objects that are there and whole, by sizes and times of their files."""
        wanted = list(keys)
        recorded = self.index.many(wanted)
        found: dict[str, Manifest] = {}
        for key in wanted:
            manifest = recorded.get(key) or self._manifest_on_disk(key)
            if manifest is not None and self._looks_whole(manifest):
                found[key] = manifest
        return found

    def has(self, key: str) -> bool:
        """Whether the object is there and whole, by sizes and times of its files."""
        return key in self.present([key])

    def _looks_whole(self, manifest: Manifest) -> bool:
        folder = self.path(manifest.key)
        try:
            stats = {name: os.stat(folder / name) for name in manifest.files}  # noqa: PTH116  (quick for thousands)
            os.stat(folder / NAME)  # noqa: PTH116
        except OSError:
            return False
        return all(
            (s.st_size, s.st_mtime_ns) == (manifest.files[n].size, manifest.files[n].mtime_ns) for n, s in stats.items()
        )

    def read(self, key: str) -> Path:
        """The object's folder; its bytes are verified at the first read in a process.

        Raises DamagedObject after setting a damaged object aside, so that it is planned again.
        """
        if key not in self._verified:
            manifest = self._manifest_on_disk(key)
            if manifest is None or not self._is_whole(manifest):
                with suppress(StoreError):  # a store that is only read keeps it
                    self.set_aside(key)
                raise DamagedObject(
                    f"the object {key[:12]} in {self.root} was damaged and is set aside", "run the same command again"
                )
            self._verified.add(key)
        return self.path(key)

    def _is_whole(self, manifest: Manifest) -> bool:
        folder = self.path(manifest.key)
        try:
            return all(io.digest(folder / name) == f.sha256 for name, f in manifest.files.items())
        except OSError:
            return False

    def set_aside(self, key: str) -> None:
        """Move a damaged object out of the way; it is kept for whoever wants to look."""
        if not self.path(key).exists():
            return
        with _store_trouble(self.root):
            aside = io.make_staging(self.root / "work" / "damaged", f"{key[:12]}-")
            io.rename_folder(self.path(key), aside / key)
            self.index.forget(key)

    # --- publishing

    def publish(self, node: Node, write: Write, provenance: Mapping[str, Any]) -> Path:
        """Run `write` in an empty folder, then publish that folder under the node's key.

        Written, synced, read back, renamed, recorded, in this order. When another run published the key first, its
        object stays; other bytes under the same key are noted in `work/divergences.jsonl`.
        """
        started = time.time()
        with _store_trouble(self.root):
            staging = io.make_staging(self.root / "work", f"{node.key[:12]}-")
        try:
            write(staging)
            with _store_trouble(self.root):
                return self._publish(node, staging, started, provenance)
        finally:
            io.remove(staging)

    def _publish(self, node: Node, staging: Path, started: float, provenance: Mapping[str, Any]) -> Path:
        files = {str(p.relative_to(staging)): _record(p) for p in io.files_in(staging)}
        now = time.time()
        manifest = Manifest(node.key, node.label, node.preimage, files, now, now - started, provenance)
        io.write_whole(staging / NAME, manifest.to_json())
        for folder in {p.parent for p in io.files_in(staging)}:
            io.sync_folder(folder)
        final = self.path(node.key)
        io.make_folder(final.parent)
        if not io.rename_folder(staging, final):
            return self._second(node.key, manifest, final, staging)
        io.sync_folder(final.parent)
        self.index.add([manifest])
        self._verified.add(node.key)
        return final

    def _second(self, key: str, manifest: Manifest, final: Path, staging: Path) -> Path:
        """Somebody else published the key: the first stays, unless it is damaged."""
        first = self._manifest_on_disk(key)
        if first is None or not self._is_whole(first):
            self.set_aside(key)
            if not io.rename_folder(staging, final):
                raise StoreError(f"{final} cannot be replaced", "remove it by hand")
            first = manifest
        elif {n: f.sha256 for n, f in first.files.items()} != {n: f.sha256 for n, f in manifest.files.items()}:
            line = f'{{"key": "{key}", "at": {manifest.made}}}\n'
            with (self.root / "work" / "divergences.jsonl").open("a", encoding="utf-8") as file:
                file.write(line)
        io.sync_folder(final.parent)
        self.index.add([first])
        return final


def _record(path: Path) -> FileRecord:
    """A written file's record, from what the disk gives back."""
    io.sync_file(path)
    stat = path.stat()
    return FileRecord(stat.st_size, stat.st_mtime_ns, io.digest(path))


def _check_writable(root: Path) -> None:
    probe = io.make_staging(root / "work", "probe-")
    io.remove(probe)


@contextmanager
def _store_trouble(root: Path) -> Iterator[None]:
    """Failures of the disk as a StoreError that names the store, the free space and the way out."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the store {root} cannot be used: {_words(error)}", _way_out(root)) from error


def _words(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _way_out(root: Path) -> str:
    place = next((p for p in (root, *root.parents) if p.exists()), root)
    stat = os.statvfs(place)
    free = stat.f_bavail * stat.f_frsize / 1e9
    return f"{free:.1f} GB are free there; choose another place with `--store DIR` or XFER_STORE"
