"""What lies beside every object: its files, its recipe and who made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

FORMAT = 1
NAME = "manifest.json"

Shape = Mapping[str, type | tuple[type, ...]]
_RECORD: Shape = {
    "key": str,
    "label": str,
    "preimage": dict,
    "files": dict,
    "made": (int, float),
    "seconds": (int, float),
    "provenance": dict,
}
_PREIMAGE: Shape = {"op": str, "version": int, "fields": dict}
_FILE: Shape = {"size": int, "mtime_ns": int, "sha256": str}


class FileRecord(Struct, frozen=True):
    """One file of an object."""

    size: int
    mtime_ns: int
    sha256: str
    ctime_ns: int = 0  # when its bytes or its times last changed, on this host: in the index alone; 0 is unknown


class Manifest(Struct, frozen=True):
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
        record = asdict(self) | {"files": {name: asdict(file) for name, file in self.files.items()}}
        for file in record["files"].values():
            del file["ctime_ns"]  # a manifest travels
        return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False).encode("utf-8")

    @staticmethod
    def from_json(data: bytes) -> Manifest:
        """The record; raises ValueError for bytes that are none."""
        record = _shaped(json.loads(data, parse_constant=_refuse), {"format": int}, "the record")
        if record["format"] > FORMAT:
            raise ValueError(f"written by a newer xfer (manifest format {record['format']})")
        _shaped(record, _RECORD, "the record")
        _shaped(record["preimage"], _PREIMAGE, "the pre-image")
        try:
            files = {name: FileRecord(**_shaped(f, _FILE, f"`{name}`")) for name, f in record.pop("files").items()}
            return Manifest(files=files, **record)
        except TypeError as error:  # fields that are not ours
            raise ValueError(f"no manifest: {error}") from error


def _shaped(record: Any, shape: Shape, where: str) -> dict[str, Any]:  # noqa: ANN401  (whatever JSON holds)
    """The record, which has these fields with these types."""
    if not isinstance(record, dict):
        raise ValueError(f"no manifest: {where} holds no fields")  # noqa: TRY004  (bytes are at fault, not the call)
    for name, wanted in shape.items():
        if not isinstance(record.get(name), wanted):
            raise ValueError(f"no manifest: `{name}` of {where} is {type(record.get(name)).__name__}")  # noqa: TRY004
    return record


def _refuse(constant: str) -> None:
    raise ValueError(f"no manifest: {constant} is no number")
