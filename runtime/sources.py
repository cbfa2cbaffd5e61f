"""Rows from where they lie: local files, the embedded world, a Python function that the user allowed."""

from __future__ import annotations

import csv
import importlib.util
import json
from typing import TYPE_CHECKING, Any

from compiler.ops import FileRows, HubRows, PythonRows, Rows, WorldRows
from runtime import world
from runtime.errors import BadInput, MissingInput
from runtime.files import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Row = dict[str, Any]


def read_rows(source: Rows, files: Mapping[str, Path], *, allow_code: bool) -> Iterator[Row]:
    """Each row of a source, as columns by name.

    Raises BadInput for files that are not what their format says, MissingInput for what cannot be reached.
    """
    match source:
        case FileRows():
            for digest in source.files:
                yield from _file_rows(checked(digest, files, "data"), source)
        case WorldRows(task=task, split=split, language=language):
            yield from world.rows(task, split, language)
        case PythonRows():
            yield from _python_rows(source, files, allow_code=allow_code)
        case HubRows(repository=name):
            raise MissingInput(f"`{name}` cannot be reached: hub sources are not available yet")


def _file_rows(path: Path, source: FileRows) -> Iterator[Row]:
    match source.format:
        case "jsonl":
            yield from _jsonl(path)
        case "csv":
            yield from _table(path, source.columns, delimiter=",", quoting=csv.QUOTE_MINIMAL)
        case "tsv":
            yield from _table(path, source.columns, delimiter="\t", quoting=csv.QUOTE_NONE)
        case "parquet":
            yield from _parquet(path)
        case other:
            raise AssertionError(f"the compiler let the format {other!r} through")


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path}:{number} is no JSON: {error}", None, "data") from error
        if not isinstance(row, dict):
            raise BadInput(f"{path}:{number} is no JSON object", 'each line is one row: `{"column": value, …}`', "data")
        yield row


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8: {error.reason} at byte {error.start}", None, "data") from error


def _table(path: Path, columns: tuple[str, ...], *, delimiter: str, quoting: int) -> Iterator[Row]:
    """Rows of text columns; the first line names them unless `columns` does."""
    reader = csv.reader(_lines(path), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    names = list(columns) or next(reader, [])
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(names):
            message = f"{path}:{reader.line_num} has {len(cells)} columns, and there are {len(names)} names"
            raise BadInput(message, f"the names are: {', '.join(names)}", "data")
        yield dict(zip(names, cells, strict=True))


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is no parquet file: {error}", None, "data") from error


def _python_rows(source: PythonRows, files: Mapping[str, Path], *, allow_code: bool) -> Iterator[Row]:
    path = checked(source.module, files, "data")
    if not allow_code:
        raise BadInput(f"`python(…)` would run the code of {path}", "allow it with `--allow-code`", "data")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise BadInput(f"{path} cannot be imported", None, "data")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, source.function, None)
    if not callable(function):
        raise BadInput(f"{path} has no function `{source.function}`", None, "data")
    for row in function(split=source.split, language=source.language):
        yield dict(row)
