"""Contents by name: what people call the bytes behind a digest, now and when an object was made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from compiler.ops import Data, PythonRows, digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.ops import Op
    from compiler.plan import Plan

Names = dict[str, "Content"]  # by SHA-256


class Content(Struct, frozen=True):
    """A file as a spec means it: of a repository at a commit, or a local one."""

    file: str  # local: relative to the spec's folder, or its last two parts where it lies outside
    repository: str = ""
    revision: str = ""

    @property
    def name(self) -> str:
        """The file with its repository, without its commit: what stays when its bytes change."""
        return f"{self.repository}:{self.file}" if self.repository else self.file


def names(plan: Plan) -> Names:
    """What the plan's sources are called."""
    folder = Path(os.path.abspath(plan.spec)).parent  # noqa: PTH100  (links stay as written)
    local = {digest: Content(_local(path, folder)) for digest, path in plan.files.items()}
    return local | {d: Content(f.file.name, f.repository, f.revision) for d, f in plan.hub.items()}


def _local(path: Path, folder: Path) -> str:
    """No folder of this machine: a manifest travels."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100
    inside = absolute.is_relative_to(folder)
    return str(absolute.relative_to(folder) if inside else Path(*absolute.parts[-2:]))


def recorded(op: Op, known: Mapping[str, Content]) -> dict[str, dict[str, str]]:
    """The names of what `op` reads from files, for the manifest of its result; never for its key."""
    modules = [r.module for r in op.rows if isinstance(r, PythonRows)] if isinstance(op, Data) else []
    read = (*digests(op), *(m for m in modules if m is not None))
    return {digest: asdict(known[digest]) for digest in read if digest in known}


def names_of(provenance: Mapping[str, Any]) -> Names:
    """What the sources of an object were called when it was made; nothing for one made by an older version."""
    found = provenance.get("sources")
    records = found.items() if isinstance(found, dict) else ()
    return {
        digest: Content(*(str(record.get(field, "")) for field in ("file", "repository", "revision")))
        for digest, record in records
        if isinstance(record, dict)
    }
