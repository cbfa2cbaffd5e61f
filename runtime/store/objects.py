"""Publishing and reading objects (docs/store.md). What stands under its key is whole, or it is not there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from runtime.errors import DamagedObject, StoreError
from runtime.store import io
from runtime.store.index import Index
from runtime.store.leases import sweep
from runtime.store.manifest import NAME, FileRecord, Manifest
from runtime.store.states import States, saved_keys
from runtime.store.trouble import BrokenIndex, HeldIndex, body_trouble, store_trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.plan import Node

Write = Callable[[Path], object]

MEASURED = "measured"  # in the provenance: what the node's body counted
SMALL = 4096  # bytes: objects up to this size (scores) are read where anything of them changed since
MANY = 2000  # keys that are looked for by reading folders, of which there are 256
ABANDONED = 60.0  # seconds after which a staging folder without a process is rubbish


class Store:
    """One directory of objects. Opened for reading alone (`write=False`) it changes nothing, and need not exist."""

    def __init__(self, root: Path, *, write: bool = False) -> None:
        self.root = root
        self._write = write
        self._verified: set[str] = set()
        self._seen: dict[str, Mapping[str, FileRecord]] = {}  # with present times, where the index has others
        self._recorded: Mapping[str, Mapping[str, FileRecord]] = {}  # of the objects that were looked for last
        self._objects = f"{root}/objects"
        with store_trouble(root):
            if write:
                _prepare(root)
            self.index = self._open_index()

    def _open_index(self) -> Index:
        """The index; for writing, one that is broken, gone or empty is made again from the objects."""
        path = self.root / "index.sqlite"
        if not self._write:
            return _index_for_reading(path)
        index = _index_for_writing(path)
        if index.is_empty():
            index.add(self._manifests())
        for key in saved_keys(self.root):  # of nodes that were published and no more
            if index.get(key) is not None:
                States(self.root, key).discard()
        return index

    def _manifests(self) -> Iterator[Manifest]:
        for path in sorted((self.root / "objects").glob(f"*/*/{NAME}")):
            manifest = self._manifest_on_disk(path.parent.name)
            if manifest is not None:
                yield manifest

    @property
    def leases(self) -> Path:
        """The folder of the leases."""
        return self.root / "work" / "leases"

    # --- reading

    def path(self, key: str) -> Path:
        """Where the object lies, or would."""
        return Path(self._folder(key))

    def _manifest_on_disk(self, key: str) -> Manifest | None:
        try:
            manifest = Manifest.from_json(io.read(self.path(key) / NAME))
        except (OSError, ValueError):
            return None
        return manifest if manifest.key == key else None

    def present(self, keys: Iterable[str]) -> set[str]:
        """Those keys whose objects are there and whole.

        Sizes and times of files decide. Where they are not the recorded ones, as in a copied store, the bytes do; a
        store opened for writing then records the times, so that they are read once.
        """
        wanted = list(keys)
        recorded = self._recorded = self.index.files(wanted) | self._seen
        found = {key for key in wanted if self._is_as_recorded(key, recorded.get(key))}
        learned: list[Manifest] = []
        try:
            others = self.lying([key for key in wanted if key not in found])
            learned.extend(m for key in others if (m := self._verify(key)) is not None)
        finally:  # an interrupt keeps what was verified
            self._record(learned)
        return found | {manifest.key for manifest in learned}

    def manifest(self, key: str) -> Manifest | None:
        """The record of an object that is there and whole."""
        return self._manifest_on_disk(key) if self.present([key]) else None

    def lying(self, keys: Collection[str]) -> set[str]:
        """Those keys under which something lies, whole or not."""
        if len(keys) < MANY:
            return {key for key in keys if os.path.exists(self._folder(key))}  # noqa: PTH110
        shelves = {key[:2] for key in keys}
        return {name for shelf in shelves for name in io.names_in(self.root / "objects" / shelf)}.intersection(keys)

    def _folder(self, key: str) -> str:
        return f"{self._objects}/{key[:2]}/{key}"

    def _is_as_recorded(self, key: str, files: Mapping[str, FileRecord] | None) -> bool:
        """Whether an object's files have their sizes and times; those of a small one down to the last change of all.

        What writes into a file can set its time back, but not the time of its last change (`st_ctime`).
        """
        if files is None:
            return False
        folder = self._folder(key)
        small = key not in self._verified and sum(f.size for f in files.values()) <= SMALL
        try:
            os.stat(f"{folder}/{NAME}")  # noqa: PTH116
            for name, record in files.items():
                stat = os.stat(f"{folder}/{name}")  # noqa: PTH116
                if stat.st_size != record.size or stat.st_mtime_ns != record.mtime_ns:
                    return False
                if small and stat.st_ctime_ns != record.ctime_ns:
                    return False
        except OSError:
            return False
        return True

    def _with_times(self, manifest: Manifest) -> Manifest | None:
        """The manifest with the present times of its files; None if one is gone or has another size."""
        folder, files = self.path(manifest.key), {}
        for name, record in manifest.files.items():
            try:
                stat = os.stat(folder / name)  # noqa: PTH116  (quick for thousands)
            except OSError:
                return None
            if stat.st_size != record.size:
                return None
            files[name] = replace(record, mtime_ns=stat.st_mtime_ns, ctime_ns=stat.st_ctime_ns)
        return replace(manifest, files=files)

    def _verify(self, key: str) -> Manifest | None:
        """The object's own manifest with the present times of its files, if every byte is right."""
        manifest = self._manifest_on_disk(key)
        present = self._with_times(manifest) if manifest is not None else None
        if present is None or not self._has_its_bytes(present):
            return None
        self._verified.add(key)
        return present

    def _has_its_bytes(self, manifest: Manifest) -> bool:
        folder = self.path(manifest.key)
        try:
            return all(io.digest(folder / name) == f.sha256 for name, f in manifest.files.items())
        except OSError:
            return False

    def faults(self, key: str) -> dict[str, str]:
        """What is wrong with an object, in words by the name of its file; nothing where all is right."""
        manifest = self._manifest_on_disk(key)
        if manifest is None:
            gone = not (self.path(key) / NAME).exists()
            return {NAME: "is gone" if gone else "cannot be read as the record of this object"}
        found = {name: _fault(self.path(key) / name, record) for name, record in manifest.files.items()}
        return {name: fault for name, fault in found.items() if fault}

    def _record(self, manifests: list[Manifest]) -> None:
        self._seen |= {m.key: m.files for m in manifests}
        if self._write and manifests:
            self.index.add(manifests)

    def read(self, key: str) -> Path:
        """The object's folder; its bytes are verified at the first read in a process.

        Raises DamagedObject; a store opened for writing first sets the object aside, so that it is planned again.
        """
        if key not in self._verified and self._verify(key) is None:
            if not self._write:
                raise DamagedObject(f"the object {key[:12]} in {self.root} is damaged", "`xfer run` makes it again")
            self.set_aside(key)
            raise DamagedObject(
                f"the object {key[:12]} in {self.root} was damaged and is set aside", "run the same command again"
            )
        return self.path(key)

    def read_file(self, key: str, name: str) -> bytes:
        """The bytes of one file of an object, which are the right ones. Raises DamagedObject as `read` does."""
        record = self._recorded.get(key, {}).get(name)
        if record is not None and key not in self._verified:
            with suppress(OSError):
                data = io.read(Path(self._folder(key), name))
                if sha256(data).hexdigest() == record.sha256:
                    return data
        return io.read(self.read(key) / name)

    def set_aside(self, key: str) -> None:
        """Move a damaged object out of the way; it is kept for whoever wants to look."""
        self._verified.discard(key)
        self._seen.pop(key, None)
        if not self.path(key).exists():
            return
        with store_trouble(self.root):
            aside = io.make_staging(self.root / "work" / "damaged", key[:12])
            io.rename_folder(self.path(key), aside / key)
            self.index.forget(key)

    def drop(self, key: str) -> None:
        """Let go of an object; what would read it makes it again."""
        self._verified.discard(key)
        self._seen.pop(key, None)
        with store_trouble(self.root):
            self.index.forget(key)  # first: what is recorded is there
            gone = io.make_staging(self.root / "work", f"dropped-{key[:12]}")
            if self.path(key).exists():
                io.rename_folder(self.path(key), gone / key)
        io.remove(gone)

    def put_aside(self) -> dict[str, Path]:
        """The damaged objects that lie aside, by key."""
        return {path.name: path for path in sorted((self.root / "work" / "damaged").glob("*/*"))}

    # --- publishing

    def publish(self, node: Node, write: Write, provenance: Mapping[str, Any], began: float | None = None) -> Path:
        """Run `write` in an empty folder, then publish that folder under the node's key; its work `began` then.

        Written, synced, read back, renamed, recorded, in this order. When another run published the key first, its
        object stays; other bytes under the same key are noted in `work/divergences.jsonl`. A dict that `write` gives
        back is what it counted, for later estimates. Raises StoreError for a full or broken disk, also inside `write`;
        everything else that `write` raises passes through.
        """
        started = time.time() if began is None else began
        with store_trouble(self.root):
            staging = io.make_staging(self.root / "work", node.key[:12])
        try:
            with body_trouble(self.root):
                counted = write(staging)
            said = {**provenance, MEASURED: counted} if isinstance(counted, dict) else provenance
            with store_trouble(self.root):
                return self._publish(node, staging, started, said)
        finally:
            io.remove(staging)

    def _publish(self, node: Node, staging: Path, started: float, provenance: Mapping[str, Any]) -> Path:
        files = {str(p.relative_to(staging)): _record(p) for p in io.files_in(staging)}
        now = time.time()
        manifest = Manifest(node.key, node.label, node.preimage, files, now, now - started, provenance)
        io.write_whole(staging / NAME, manifest.to_json())
        for folder in io.folders_in(staging):
            io.sync_folder(folder)
        final = self.path(node.key)
        io.make_folder(final.parent)
        if not io.rename_folder(staging, final):
            return self._second(node.key, manifest, final, staging)
        io.sync_folder(final.parent)
        self._record([manifest])
        self._verified.add(node.key)
        return final

    def _second(self, key: str, manifest: Manifest, final: Path, staging: Path) -> Path:
        """Somebody else published the key: the first stays, unless it is damaged."""
        first = self._verify(key)
        if first is None:
            self.set_aside(key)
            if not io.rename_folder(staging, final):
                raise StoreError(f"{final} cannot be replaced", "remove it by hand")
            first = manifest
        elif {n: f.sha256 for n, f in first.files.items()} != {n: f.sha256 for n, f in manifest.files.items()}:
            io.append_line(self.root / "work" / "divergences.jsonl", f'{{"key": "{key}", "at": {manifest.made}}}')
        io.sync_folder(final.parent)
        self._record([first])
        self._verified.add(key)
        return final


def _record(path: Path) -> FileRecord:
    """A written file's record, from what the disk gives back."""
    io.sync_file(path)
    stat = path.stat()
    return FileRecord(stat.st_size, stat.st_mtime_ns, io.digest(path), stat.st_ctime_ns)


def _fault(path: Path, record: FileRecord) -> str:
    """What is wrong with a file of an object; empty where it has its bytes."""
    try:
        size = path.stat().st_size
        if size != record.size:
            return f"has {size:,} bytes, and {record.size:,} were recorded"
        found = io.digest(path)
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    return "" if found == record.sha256 else f"has other bytes: {record.sha256[:12]} → {found[:12]}"


def _prepare(root: Path) -> None:
    """Make the folders, clear what killed runs left, and see that the store can be written."""
    for folder in ("objects", "work", "work/leases", "runs"):
        io.make_folder(root / folder)
    io.remove_abandoned(root / "work", ABANDONED)
    sweep(root / "work" / "leases")
    io.remove(io.make_staging(root / "work", "probe"))


def _index_for_reading(path: Path) -> Index:
    """The index, or an empty one where it cannot be read: the manifests are the truth."""
    try:
        return Index(path, write=False)
    except HeldIndex:
        raise
    except StoreError:
        return Index(None, write=False)


def _index_for_writing(path: Path) -> Index:
    """The index; a broken one is moved out of the way, one that another run holds never is."""
    try:
        return Index(path, write=True)
    except BrokenIndex:
        path.rename(path.with_suffix(f".broken-{time.time_ns()}"))
        return Index(path, write=True)
