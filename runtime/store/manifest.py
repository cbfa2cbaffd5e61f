"""What lies beside every object: its files, its recipe and who made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of an object."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The truth about an object; the index is only a copy."""

    key: str
    label: str
    preimage: Mapping[str, Any]
    files: Mapping[str, FileRecord]
    made: float  # seconds since 1970
    seconds: float  # wall time of the node's body
    provenance: Mapping[str, Any]  # who made it; never part of a key
    format: int = FORMAT

    @property
    def op(self) -> str:
        """`train`, `data`, …"""
        return str(self.preimage["op"])

    def to_json(self) -> bytes:
        """Canonical bytes of the record."""
        return json.dumps(asdict(self), sort_keys=True, indent=1, ensure_ascii=False).encode("utf-8")

    @staticmethod
    def from_json(data: bytes) -> Manifest:
        """The record; raises ValueError for bytes that are none."""
        try:
            record = json.loads(data)
            files = {name: FileRecord(**f) for name, f in record.pop("files").items()}
            manifest = Manifest(files=files, **record)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no manifest: {error}") from error
        if manifest.format > FORMAT:
            raise ValueError(f"written by a newer xfer (manifest format {manifest.format})")
        return manifest
