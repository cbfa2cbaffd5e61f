"""Content to local files: from the hub's cache, else from the hub; a file whose bytes are others is never used."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.errors import MissingInput
from runtime.hub.reach import check_reachable, refusals

if TYPE_CHECKING:
    from compiler.pins import HubFile

Say = Callable[["HubFile"], None]


def fetch(wanted: Mapping[str, HubFile], say: Say) -> dict[str, Path]:
    """Where each content lies now, by its digest. `say` hears of each file before it is downloaded.

    Raises MissingInput when the hub is needed and gives no answer or refuses, or gives other bytes than were pinned.
    """
    found = {digest: path for digest, file in wanted.items() if (path := _cached(file)) is not None}
    missing = [file for digest, file in wanted.items() if digest not in found]
    if missing:
        check_reachable()
    for file in missing:
        say(file)
        found[file.file.sha256] = _downloaded(file)
    return found


def _cached(file: HubFile) -> Path | None:
    """The file in the hub's cache, if it has the pinned bytes."""
    path = _in_cache(file)
    return path if path is not None and _has_bytes(path, file) else None


def _in_cache(file: HubFile) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(file.repository, file.file.name, revision=file.revision, repo_type=file.sort)
    return Path(path) if isinstance(path, str) and Path(path).is_file() else None


def _downloaded(file: HubFile) -> Path:
    """The file from the hub; what an earlier attempt left half done is gone on with, what is damaged replaced."""
    from huggingface_hub import hf_hub_download, logging
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    if not sys.stderr.isatty():
        disable_progress_bars()
    damaged = _in_cache(file) is not None
    with refusals(file.repository, file.sort):
        found = hf_hub_download(
            file.repository, file.file.name, repo_type=file.sort, revision=file.revision, force_download=damaged
        )
    if not _has_bytes(path := Path(found), file):
        message = f"`{file.file.name}` of `{file.repository}` has other bytes than `xfer.lock` says"
        raise MissingInput(message, f"remove {path.resolve()} and run again; if it stays so, `xfer lock --update`")
    return path


def _has_bytes(path: Path, file: HubFile) -> bool:
    if path.stat().st_size != file.file.size:
        return False
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.file.sha256
