"""Local files that a plan names by digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from runtime.errors import BadInput, MissingInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def checked(digest: str | None, files: Mapping[str, Path], field: str) -> Path:
    """The file with this content; its bytes are those that were planned.

    Raises MissingInput when it is gone, BadInput when it was edited since the plan was made.
    """
    path = files.get(digest or "")
    if path is None or not path.is_file():
        name = f"`{path}`" if path else "a local file"
        raise MissingInput(f"{name} is gone since the plan was made", "put it back, or plan again")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise BadInput(f"`{path}` changed after the plan was made", "run the same command again", field)
    return path
