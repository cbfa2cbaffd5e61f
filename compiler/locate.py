"""Sources as a spec writes them to sources by content: what `rows` and weights a node reads, and where they lie.

`os.path.isfile` and its like are asked, not `Path`: they answer for every text, however long or strange.
"""
# ruff: noqa: PTH112, PTH113

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler import codes, saving
from compiler.catalog import SPLITS
from compiler.embedded import WORLD_TASKS, WORLD_VERSION
from compiler.nearby import lying_near, names_in
from compiler.ops import AbsentRows, FileRows, Folder, HubModel, HubRows, PythonRows, Rows, Scratch, WorldRows
from compiler.pairs import are_pairs, spelled
from compiler.pins import FILES, HubFile, PinnedFile, asked
from compiler.places import PlaceError, Places, fill
from compiler.shapes import ModelShape, read_shape
from compiler.sources import (
    DataSource,
    FilesData,
    FolderModel,
    HubData,
    ModelSource,
    PythonData,
    Repository,
    ScratchModel,
    WorldData,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from compiler.bag import Bag
    from dsl.source import Span

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
MODEL_FILES = ("config.json", "model.safetensors", "model.safetensors.index.json", *_TOKENIZER_FILES)
_SINGLE = re.compile(r"(?<!\{)\{ *(?:split|language|code|first|second) *\}(?!\})")  # one brace where two are meant
_BYTES_A_TOKEN = 30  # of a `tokenizer.json`, as far as its vocabulary can be told by its size
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")


def candidates(listed: Iterable[str]) -> tuple[str, ...]:
    """What loading a model may read of a folder or a repository that lists these names, in the order that keys have."""
    return (*MODEL_FILES, *sorted(n for n in listed if n.startswith("model-") and n.endswith(".safetensors")))


class Locator:
    """Finds files and their digests; `files` remembers where each digest lies."""

    def __init__(self, places: Places, bag: Bag) -> None:
        self.places, self.bag = places, bag
        self.files: dict[str, Path] = {}
        self.hub: dict[str, HubFile] = {}
        self.obtain: dict[AbsentRows, str] = {}  # how to get what lies in a root that nobody named
        self._missing: set[tuple[Span, str]] = set()
        self._shapes: dict[Folder, ModelShape] = {}
        self._declared: dict[HubModel, ModelShape] = {}

    def _beside(self, span: Span) -> Places:
        """The places as the file sees them in which `span` stands."""
        return self.places.of(span.source.name)

    # --- models

    def model(self, source: ModelSource, size: ModelShape) -> Folder | Scratch | HubModel | None:
        """The model's source by content, or None after a finding; `size` as its declaration says it."""
        match source:
            case Repository():
                return self._repository(source, size)
            case FolderModel():
                files = self._folder(source, MODEL_FILES)
                return Folder(files) if files is not None else None
            case ScratchModel():
                tokenizer = self._folder(source.tokenizer, _TOKENIZER_FILES)
                if tokenizer is None:
                    return None
                return Scratch(
                    source.architecture,
                    source.layers,
                    source.width,
                    source.heads,
                    source.feedforward,
                    source.positions,
                    source.dropout,
                    source.seed,
                    tokenizer,
                )

    def _repository(self, source: Repository, size: ModelShape) -> Folder | HubModel:
        """A pinned repository is the folder of its files, whoever has them; one that is not keeps its name."""
        pinned = self.places.pins.model(source.name, source.revision)
        if pinned is None:
            unpinned = HubModel(source.name, source.revision)
            self._declared[unpinned] = size
            return unpinned
        self._on_hub(source.name, "model", pinned.revision, pinned.files, None)
        folder = Folder(tuple((f.name, f.sha256) for f in pinned.files))
        self._shapes[folder] = ModelShape(
            pinned.positions,
            pinned.layers,
            pinned.width,
            pinned.feedforward,
            pinned.vocabulary,
            pinned.parameters,
            pinned.matrices,
        )
        return folder

    def _on_hub(
        self, repository: str, sort: str, revision: str, files: tuple[PinnedFile, ...], rows: int | None
    ) -> None:
        size = sum(f.size for f in files)
        for f in files:
            part = rows * f.size / size if rows is not None and size else None
            self.hub[f.sha256] = HubFile(repository, sort, revision, f, part)

    def _folder(self, source: FolderModel, wanted: tuple[str, ...]) -> tuple[tuple[str, str | None], ...] | None:
        folder = self._folder_path(source)
        if folder is None:
            return None
        if os.path.isfile(folder):
            hint = f'name its folder: `dir("{PurePosixPath(source.path).parent}")`'
            self.bag.error(codes.NO_FILE, source.span, f"`{source.path}` is a file, not a folder", hint)
            return None
        if not os.path.isdir(folder):
            hint = _embedded_hint(self.places.embedded) if source.embedded else lying_near(folder)
            self.bag.error(codes.NO_FILE, source.span, f"there is no folder `{source.path}`", hint)
            return None
        names = [
            n for n in (candidates(names_in(folder)) if wanted is MODEL_FILES else wanted) if os.path.isfile(folder / n)
        ]
        weightless = "config.json" in wanted and not any(n.endswith(".safetensors") for n in names)
        if weightless and self._pickled(source, folder):
            return None
        needed = [n for n in ("config.json", "tokenizer.json") if n in wanted and n not in names]
        if missing := [*needed, *(("model.safetensors",) if weightless else ())]:
            message = f"the folder `{source.path}` has no `{missing[0]}`"
            hint = saving.of_missing(missing[0], _called(source, folder), names_in(folder))
            self.bag.error(codes.NO_FILE, source.span, message, hint)
            return None
        try:
            return tuple((n, self._digest(self.places.inside(folder / n))) for n in names)
        except PlaceError as error:
            self._report(error, source.span)
            return None

    def _folder_path(self, source: FolderModel) -> Path | None:
        if source.embedded and (source.path in ("..", ".") or "/" in source.path):
            hint = _embedded_hint(self.places.embedded)
            self.bag.error(codes.NO_FILE, source.span, f"there is no embedded model `{source.path}`", hint)
            return None
        try:
            return (
                self.places.inside(self.places.embedded / source.path)
                if source.embedded
                else self._beside(source.span).path(source.path)
            )
        except PlaceError as error:
            self._report(error, source.span)
            return None

    def _pickled(self, source: FolderModel, folder: Path) -> bool:
        """Whether the folder's weights are pickled, after a finding."""
        pickled = [n for n in names_in(folder) if n.endswith(_PICKLED)]
        if pickled:
            message = f"`{source.path}` has its weights in `{pickled[0]}`, which could run code when it is read"
            hint = saving.of_pickled(source.path, _called(source, folder))
            self.bag.error(codes.UNSAFE_WEIGHTS, source.span, message, hint)
        return bool(pickled)

    def shape(self, source: Folder | Scratch | HubModel) -> ModelShape:
        """The model's sizes, as far as they are known before anything is loaded."""
        match source:
            case Scratch(positions=positions, layers=layers):
                tokens = self._size(dict(source.tokenizer).get("tokenizer.json")) // _BYTES_A_TOKEN
                return ModelShape(positions, layers, source.width, source.feedforward, tokens).counted()
            case Folder(files=files):
                if source not in self._shapes:
                    self._shapes[source] = self._local_shape(dict(files))
                return self._shapes[source]
            case HubModel():
                return self._declared.get(source, ModelShape())

    def _local_shape(self, files: Mapping[str, str | None]) -> ModelShape:
        """What its configuration says, and its weights by the size of their files."""
        path = self.files.get(files.get("config.json") or "")
        found = read_shape(path) if path is not None else ModelShape()
        weights = sum(self._size(digest) for name, digest in files.items() if name.endswith(".safetensors"))
        return replace(found, parameters=weights // 4) if weights else found.counted()

    def _size(self, digest: str | None) -> int:
        """Bytes of a local file; 0 where it is gone, or is none."""
        path = self.files.get(digest or "")
        try:
            return path.stat().st_size if path is not None else 0
        except OSError:
            return 0

    # --- rows

    def rows(self, source: DataSource, split: str, language: str, code: str, obtain: str | None = None) -> Rows | None:
        """The rows of one split and language, which the data call `code`; None after a finding.

        With `obtain`, how one gets the data, files in a root that nobody named are absent, and that is no finding.
        """
        values = spelled(language, code, split)
        match source:
            case WorldData():
                return self._world_rows(source, split, language)
            case HubData():
                return self._hub_rows(source, split, values)
            case FilesData():
                return self._file_rows(source, values, obtain)
            case PythonData():
                return self._python_rows(source, split, language)

    def _world_rows(self, source: WorldData, split: str, language: str) -> WorldRows | None:
        if not self._has_side(source, language):
            return None
        language = source.of(language)
        if language not in WORLD_TASKS[source.task].get(split, ()):
            message = f"the world's `{source.task}` has no {split} split in `{language}`"
            self.bag.error(codes.NO_SPLIT, source.span, message)
            return None
        return WorldRows(
            source.task,
            split,
            language,
            WORLD_VERSION,
            source.seed,
            source.cognates,
            source.mixed,
            source.low_resource,
        )

    def _has_side(self, source: WorldData, language: str) -> bool:
        """Whether a source says which side of a pair it is in, and no other does."""
        if (source.side is not None) == are_pairs((language,)):
            return True
        if source.side is None:
            message = "the world has no rows in a pair of languages"
            hint = f"say which side this source is in: `world({source.task}, language: first)`"
        else:
            message = f"`language: {source.side}` is a side of a pair, and the language is none"
            hint = "take it out, or declare `languages: pairs(…)`"
        self.bag.error(codes.WRONG_VALUE, source.span, message, hint)
        return False

    def _hub_rows(self, source: HubData, split: str, values: dict[str, str]) -> FileRows | HubRows:
        """Pinned rows are the rows of their files, whoever has them; what is not pinned keeps its name."""
        config, named = self._on_hub_as(source, split, values)
        splits = self.places.pins.splits(source.name, config, source.revision)
        pinned = (splits or {}).get(named)
        if pinned is None:
            return HubRows(source.name, config, named, source.revision)
        revision = self.places.pins.data[asked(source.name, source.revision)].revision
        self._on_hub(source.name, "dataset", revision, pinned.files, pinned.rows)
        return FileRows(source.format or pinned.format, tuple(f.sha256 for f in pinned.files), source.columns)

    def _on_hub_as(self, source: HubData, split: str, values: dict[str, str]) -> tuple[str | None, str]:
        """What the lock calls a configuration and its split; of files by name their pattern and `FILES`."""
        if (pattern := source.pattern(split)) is not None:
            return self._filled(pattern, values, source.span), FILES
        return (self._filled(source.config, values, source.span) if source.config else None), source.splits[split]

    def _hub_has(self, source: HubData, split: str, language: str, code: str) -> bool:
        """Whether a repository has the split, as far as it is pinned; else it is taken to have what it is asked for."""
        config, named = self._on_hub_as(source, split, spelled(language, code, split))
        pinned = self.places.pins.splits(source.name, config, source.revision)
        return pinned is None or named in pinned

    def _file_rows(self, source: FilesData, values: dict[str, str], obtain: str | None) -> FileRows | AbsentRows | None:
        pattern = source.patterns.get("", source.patterns.get(values["split"], ""))
        filled = self._filled(pattern, values, source.span)
        if filled is None:
            return None
        try:
            digests = tuple(self._digest(p) for p in self._beside(source.span).matching(filled))
        except PlaceError as error:
            if error.root is not None and obtain is not None:
                absent = AbsentRows(error.root, filled)
                self.obtain[absent] = obtain
                return absent
            self._report(error, source.span)
            return None
        if not digests:
            if (source.span, pattern) not in self._missing:  # one message for all its languages
                self._missing.add((source.span, pattern))
                near = self.nearby(filled, source.span)
                self.bag.error(codes.NO_FILE, source.span, f"there is no file `{filled}`", near)
            return None
        return FileRows(source.format, digests, source.columns)

    def _python_rows(self, source: PythonData, split: str, language: str) -> PythonRows | None:
        name = source.module.replace(".", "/") + ".py"
        try:
            path = self._beside(source.span).path(name)
            if os.path.isfile(path):
                return PythonRows(self._digest(path), source.function, source.version, split, language)
        except PlaceError as error:
            self._report(error, source.span)
            return None
        message = f"there is no module `{source.module}` beside the spec"
        self.bag.error(codes.NO_FILE, source.span, message, f"it would be the file `{name}`")
        return None

    def _filled(self, pattern: str, values: dict[str, str], span: Span) -> str | None:
        try:
            return fill(pattern, values)
        except PlaceError as error:
            self.bag.error(codes.BAD_TEMPLATE, span, str(error), error.hint)
            return None

    def expected(self, sources: tuple[DataSource, ...], split: str, language: str, code: str) -> str | None:
        """The first file that a split would have to be, with what lies near; None where nothing is missing."""
        values = spelled(language, code, split)
        for source in sources:
            pattern = source.patterns.get("") if isinstance(source, FilesData) else None
            if pattern is not None and not self._file_exists(pattern, values, source.span):
                filled = fill(pattern, values)
                if (single := _SINGLE.search(pattern)) is not None:
                    return f"names stand in two braces: `{{{single[0]}}}`"
                return f"there is no file `{filled}`; {self.nearby(filled, source.span)}"
        return None

    def nearby(self, name: str, span: Span) -> str:
        """What lies where the file `name` should be, for hints."""
        path = self._beside(span).path(name)
        if os.path.isdir(path):
            return f"`{name}` is a folder: name the files in it, `{name.rstrip('/')}/*.jsonl`"
        return lying_near(path)

    def splits(self, sources: tuple[DataSource, ...], language: str, code: str) -> tuple[str, ...]:
        """The splits that every one of the sources has in `language`, as far as can be seen without reading."""
        return tuple(s for s in SPLITS if all(self._has_split(source, s, language, code) for source in sources))

    def _has_split(self, source: DataSource, split: str, language: str, code: str) -> bool:
        match source:
            case WorldData(task=task):
                if (source.side is not None) != are_pairs((language,)):
                    return True  # reported when the rows are read
                return source.of(language) in WORLD_TASKS[task].get(split, ())
            case HubData():
                there = source.pattern(split) is not None if source.files else split in source.splits
                return there and self._hub_has(source, split, language, code)
            case PythonData():
                return True
            case FilesData(patterns=patterns, span=span):
                if "" not in patterns:
                    return split in patterns
                return self._file_exists(patterns[""], spelled(language, code, split), span)

    def _file_exists(self, pattern: str, values: dict[str, str], span: Span) -> bool:
        try:
            return bool(self._beside(span).matching(fill(pattern, values)))
        except PlaceError:
            return True  # reported when the rows are read

    def _digest(self, path: Path) -> str | None:
        digest = self.places.digest(path)
        if digest is not None:
            self.files[digest] = path
        return digest

    def _report(self, error: PlaceError, span: Span) -> None:
        self.bag.error(codes.OUTSIDE if error.outside else codes.NO_FILE, span, str(error), error.hint)


def _called(source: FolderModel, folder: Path) -> str:
    """What a shell beside the spec calls the folder."""
    return str(folder) if source.path.startswith("@") else source.path


def _embedded_hint(folder: Path) -> str:
    names = [n for n in names_in(folder) if os.path.isfile(folder / n / "config.json")]
    return "embedded models: " + ", ".join(f"`{n}`" for n in names)
