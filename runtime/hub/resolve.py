"""Names to content: which commit a repository is at, which files that means, and the digest of each."""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import chdir
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from compiler.locate import candidates
from compiler.pins import FILES, PinnedData, PinnedFile, PinnedModel, PinnedSplit
from compiler.places import matches
from compiler.saving import of_repository
from compiler.shapes import shape_of
from runtime.errors import BadInput, MissingInput
from runtime.hub.reach import refusals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huggingface_hub import RepoFile

_FORMATS = {"json": "jsonl", "csv": "csv", "parquet": "parquet", "text": "text", "arrow": "arrow"}
_WORDS = 300  # characters of a library's message
_PACKED = (".gz", ".zst", ".zip", ".bz2", ".xz", ".lz4", ".7z", ".tar")


def pin_model(repository: str, revision: str | None) -> PinnedModel:
    """The model at `revision`, or at its main branch's head.

    Raises MissingInput for what the hub refuses, BadInput for a repository without safetensors.
    """
    from huggingface_hub import HfApi, RepoFile

    api = HfApi()
    with refusals(repository, "model"):
        info = api.model_info(repository, revision=revision)
        commit = str(info.sha)
        listed = api.list_repo_tree(repository, revision=commit)
        tree = {f.path: f for f in listed if isinstance(f, RepoFile)}
        names = _wanted(repository, revision, list(tree))
        files = tuple(_pinned(tree[name], repository, "model", commit) for name in names)
        config = _config(repository, commit)
    weights = sum(f.size for f in files if f.name.endswith(".safetensors"))
    total = getattr(info.safetensors, "total", None) or weights // 4
    shape = shape_of(config)
    return PinnedModel(
        commit,
        files,
        shape.positions,
        shape.layers,
        total,
        shape.width,
        shape.feedforward,
        shape.vocabulary,
        shape.matrices,
    )


def _wanted(repository: str, revision: str | None, names: list[str]) -> list[str]:
    """The files that loading reads, in the order in which a local folder lists them."""
    found = [n for n in candidates(names) if n in names]
    for needed in ("config.json", "tokenizer.json"):
        if needed not in found:
            raise BadInput(f"`{repository}` has no `{needed}`", of_repository(repository, revision), "weights")
    if not any(n.endswith(".safetensors") for n in found):
        message = f"`{repository}` has no safetensors: other weights could run code when read"
        raise BadInput(message, of_repository(repository, revision), "weights")
    return found


def _pinned(found: RepoFile, repository: str, sort: str, commit: str) -> PinnedFile:
    """The file by content: large ones have a SHA-256 on the hub, small ones are fetched and hashed."""
    if found.lfs is not None:
        return PinnedFile(found.path, found.lfs.sha256, found.size)
    from huggingface_hub import hf_hub_download

    path = Path(hf_hub_download(repository, found.path, repo_type=sort, revision=commit))
    return PinnedFile(found.path, hashlib.sha256(path.read_bytes()).hexdigest(), found.size)


def _config(repository: str, commit: str) -> dict[str, Any]:
    from huggingface_hub import hf_hub_download

    try:
        found = json.loads(Path(hf_hub_download(repository, "config.json", revision=commit)).read_bytes())
    except ValueError as error:
        raise BadInput(f"the config.json of `{repository}` cannot be read: {error}", None, "weights") from error
    return found if isinstance(found, dict) else {}


# --- data


def pin_data(repository: str, config: str | None, revision: str | None) -> PinnedData:
    """All splits of one configuration at `revision`, or at the main branch's head.

    Which files a configuration and its splits are, `datasets` decides. Raises MissingInput for what the hub refuses,
    BadInput for files of a format that is not read here.
    """
    from huggingface_hub import HfApi

    with refusals(repository, "dataset"):
        HfApi().auth_check(repository, repo_type="dataset")  # `datasets` says less of a gated one
        commit = str(HfApi().dataset_info(repository, revision=revision).sha)
        builder = _builder(repository, config, commit)
        format_ = _format(builder, repository)
        urls = {split: [_path(url) for url in files] for split, files in builder.config.data_files.items()}
        pinned = _pinned_paths(repository, commit, {p for paths in urls.values() for p in paths})
    splits = {
        str(split): PinnedSplit(format_, tuple(pinned[p] for p in paths), _rows(builder, split), _columns(builder))
        for split, paths in urls.items()
    }
    return PinnedData(commit, {config or "": splits})


def pin_files(repository: str, pattern: str, revision: str | None) -> PinnedData:
    """The files of a repository that a pattern names, at `revision` or at the main branch's head.

    Raises MissingInput for what the hub refuses, BadInput where there are none.
    """
    from huggingface_hub import HfApi

    with refusals(repository, "dataset"):
        commit = str(HfApi().dataset_info(repository, revision=revision).sha)
        names = HfApi().list_repo_files(repository, repo_type="dataset", revision=commit)
        found = sorted(n for n in names if matches(n, pattern))
        if not found:
            near = get_close_matches(pattern, names, 3, 0.3) or sorted(names)[:8]
            hint = f"it has {', '.join(f'`{n}`' for n in near)}" if near else "it is empty"
            raise BadInput(f"`{repository}` has no file `{pattern}`", hint, "data")
        pinned = _pinned_paths(repository, commit, map(_unpacked, found))
    files = tuple(pinned[name] for name in found)
    return PinnedData(commit, {pattern: {FILES: PinnedSplit("", files)}})


def _builder(repository: str, config: str | None, commit: str) -> Any:  # noqa: ANN401  (datasets has no types)
    """The builder of a configuration; made in an empty folder, where no local one has the repository's name."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as empty, chdir(empty):
        try:
            return datasets.load_dataset_builder(repository, name=config, revision=commit)
        except (ValueError, RuntimeError) as error:
            words = " ".join(str(error).split())[:_WORDS]  # it names the configurations that there are
            raise BadInput(
                f"`{repository}` cannot be read: {words}", "see `config:` in docs/language.md", "data"
            ) from error
        except datasets.exceptions.DatasetsError as error:
            raise MissingInput(f"`{repository}` cannot be read: {str(error).splitlines()[0]}") from error


def _format(builder: Any, repository: str) -> str:  # noqa: ANN401
    modules = [c.__module__.split(".") for c in type(builder).__mro__]
    name = next((m[2] for m in modules if m[:2] == ["datasets", "packaged_modules"]), "?")
    if name == "csv" and "\t" in (getattr(builder.config, "sep", None), getattr(builder.config, "delimiter", None)):
        return "tsv"
    if name not in _FORMATS:
        hint = f"read here: {', '.join(_FORMATS)}; save its rows as one of them and use `files(…)`"
        raise BadInput(f"`{repository}` holds files of the format `{name}`", hint, "data")
    return _FORMATS[name]


def _path(url: str) -> str:
    """`data/train.parquet` of `hf://datasets/ORG/NAME@COMMIT/data/train.parquet`."""
    return _unpacked(url.split("@", 1)[1].split("/", 1)[1])


def _unpacked(path: str) -> str:
    """The path of a file that can be read as it is."""
    if PurePosixPath(path).suffix in _PACKED:
        raise BadInput(
            f"`{path}` is packed, and packed files are not read here", "unpack it and use `files(…)`", "data"
        )
    return path


def _pinned_paths(repository: str, commit: str, paths: Iterable[str]) -> dict[str, PinnedFile]:
    from huggingface_hub import HfApi, RepoFile

    infos = HfApi().get_paths_info(repository, sorted(paths), revision=commit, repo_type="dataset")
    return {f.path: _pinned(f, repository, "dataset", commit) for f in infos if isinstance(f, RepoFile)}


def _rows(builder: Any, split: Any) -> int | None:  # noqa: ANN401
    found = (builder.info.splits or {}).get(str(split))
    return getattr(found, "num_examples", None) or None


def _columns(builder: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(builder.info.features or ())
