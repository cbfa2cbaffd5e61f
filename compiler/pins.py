"""What `xfer.lock` says: hub names by content, so that planning needs no network (docs/language.md, section 8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

FORMAT_VERSION = 1
NAME = "xfer.lock"
FILES = ""  # the split of files that a spec names by a pattern: the pattern is their configuration


class PinnedFile(Struct, frozen=True):
    """A file of a repository, by its bytes."""

    name: str
    sha256: str
    size: int  # bytes


class PinnedModel(Struct, frozen=True):
    """A model repository at one commit: the files that loading it reads, and what its configuration says."""

    revision: str
    files: tuple[PinnedFile, ...]
    positions: int | None = None  # longest sequence in tokens
    layers: int | None = None
    parameters: int | None = None
    width: int | None = None
    feedforward: int | None = None
    vocabulary: int | None = None
    matrices: int | None = None  # as in a ModelShape


class PinnedSplit(Struct, frozen=True):
    """The files of one split, in order."""

    format: str
    files: tuple[PinnedFile, ...]
    rows: int | None = None
    columns: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(f.size for f in self.files)


class PinnedData(Struct, frozen=True):
    """A data repository at one commit: the splits of each configuration that somebody asked for, "" the default one."""

    revision: str
    configs: Mapping[str, Mapping[str, PinnedSplit]]


class HubFile(Struct, frozen=True):
    """Where content lies on the hub."""

    repository: str
    sort: str  # "model" or "dataset"
    revision: str
    file: PinnedFile
    rows: float | None = None  # of data: what falls on this file of its split's, by its size


class Pins(Struct, frozen=True):
    """All that is pinned, by repository, or by `REPOSITORY@REVISION` where the spec names a revision."""

    models: Mapping[str, PinnedModel] = field(default_factory=dict)
    data: Mapping[str, PinnedData] = field(default_factory=dict)

    def model(self, repository: str, revision: str | None) -> PinnedModel | None:
        """The pinned model."""
        return self.models.get(asked(repository, revision))

    def splits(self, repository: str, config: str | None, revision: str | None) -> Mapping[str, PinnedSplit] | None:
        """The pinned splits of a configuration."""
        found = self.data.get(asked(repository, revision))
        return found.configs.get(config or "") if found is not None else None


def asked(repository: str, revision: str | None) -> str:
    """What a spec asks for, as the lock names it."""
    return f"{repository}@{revision}" if revision else repository


def read(text: str) -> Pins:
    """The pins of a lock file; raises ValueError, in words, for a text that is none."""
    record = json.loads(text)
    if not isinstance(record, dict) or not isinstance(version := record.get("format_version"), int):
        raise ValueError("it holds no `format_version`")  # noqa: TRY004  (bytes are at fault, not the call)
    if version > FORMAT_VERSION:
        raise ValueError(f"it was written by a newer xfer (format {version})")
    try:
        models = {name: _model(found) for name, found in record["models"].items()}
        data = {name: _data(found) for name, found in record["data"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a record of it is not whole: {error}") from error
    return Pins(models, data)


_FACTS = ("positions", "layers", "parameters", "width", "feedforward", "vocabulary", "matrices")  # of a model


def _model(record: Mapping[str, Any]) -> PinnedModel:
    return PinnedModel(str(record["revision"]), _files(record["files"]), *(record.get(fact) for fact in _FACTS))


def _data(record: Mapping[str, Any]) -> PinnedData:
    configs = {c: {s: _split(found) for s, found in splits.items()} for c, splits in record["configs"].items()}
    return PinnedData(str(record["revision"]), configs)


def _split(record: Mapping[str, Any]) -> PinnedSplit:
    columns = tuple(str(c) for c in record.get("columns", ()))
    return PinnedSplit(str(record["format"]), _files(record["files"]), record.get("rows"), columns)


def _files(record: Mapping[str, Any]) -> tuple[PinnedFile, ...]:
    return tuple(PinnedFile(name, str(found["sha256"]), int(found["size"])) for name, found in record.items())


def write(pins: Pins) -> str:
    """The text of a lock file: sorted, one line a fact, so that its changes can be read."""
    record = {
        "format_version": FORMAT_VERSION,
        "models": {name: _model_record(m) for name, m in sorted(pins.models.items())},
        "data": {name: _data_record(d) for name, d in sorted(pins.data.items())},
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _model_record(model: PinnedModel) -> dict[str, Any]:
    facts = {fact: found for fact in _FACTS if (found := getattr(model, fact)) is not None}
    return {"revision": model.revision, **facts, "files": _file_records(model.files)}


def _data_record(data: PinnedData) -> dict[str, Any]:
    configs = {c: {s: _split_record(p) for s, p in splits.items()} for c, splits in sorted(data.configs.items())}
    return {"revision": data.revision, "configs": configs}


def _split_record(split: PinnedSplit) -> dict[str, Any]:
    facts = {"format": split.format, "rows": split.rows, "bytes": split.size, "columns": list(split.columns)}
    return {**facts, "files": _file_records(split.files)}


def _file_records(files: tuple[PinnedFile, ...]) -> dict[str, Any]:
    return {f.name: {"sha256": f.sha256, "size": f.size} for f in files}


def merged(old: Pins, new: Pins) -> Pins:
    """Both; where a data repository is at one commit in both, the configurations of both."""
    data = dict(old.data)
    for name, found in new.data.items():
        before = data.get(name)
        same = before is not None and before.revision == found.revision
        data[name] = PinnedData(found.revision, {**before.configs, **found.configs}) if before and same else found
    return Pins({**old.models, **new.models}, data)


class Moved(Struct, frozen=True):
    """A repository that is pinned at another commit than before, and those of its files that differ."""

    name: str
    before: str
    after: str
    files: tuple[str, ...]


def moved(old: Pins, new: Pins) -> tuple[Moved, ...]:
    """The repositories of both that are at other commits."""
    before, after = _contents(old), _contents(new)
    return tuple(
        Moved(name, before[name][0], revision, _differing(before[name][1], files))
        for name, (revision, files) in after.items()
        if name in before and before[name][0] != revision
    )


def _contents(found: Pins) -> dict[str, tuple[str, dict[str, str]]]:
    """Of each repository the commit, and its files by name with their digests."""
    models = {n: (m.revision, {f.name: f.sha256 for f in m.files}) for n, m in found.models.items()}
    splits = {n: [s for config in d.configs.values() for s in config.values()] for n, d in found.data.items()}
    files = {n: {f.name: f.sha256 for split in several for f in split.files} for n, several in splits.items()}
    return models | {n: (d.revision, files[n]) for n, d in found.data.items()}


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n)))
