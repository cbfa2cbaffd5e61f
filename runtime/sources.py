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
        row = _json(line, f"{path}:{number}")
        if not isinstance(row, dict):
            raise BadInput(f"{path}:{number} is no JSON object", 'each line is one row: `{"column": value, …}`', "data")
        yield row


def _json(line: str, where: str) -> Any:  # noqa: ANN401
    """The value of one line, in which every text is Unicode."""
    try:
        value = json.loads(line)
        if "\\u" in line:  # only an escape can make half of a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise BadInput(f"{where} is nested too deep", None, "data") from error
    except UnicodeEncodeError as error:
        half = f"`\\u{ord(error.object[error.start]):04x}`"
        raise BadInput(
            f"{where} has {half}, half of a surrogate pair", "both halves make a character", "data"
        ) from error
    except ValueError as error:
        raise BadInput(f"{where} is no JSON: {error}", None, "data") from error
    return value


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8: {error.reason} at byte {error.start}", None, "data") from error


def _table(path: Path, columns: tuple[str, ...], *, delimiter: str, quoting: int) -> Iterator[Row]:
    """Rows of text columns; the first line names them unless `columns` does."""
    records = _records(path, delimiter, quoting)
    _, names = (0, list(columns)) if columns else next(records, (0, []))
    if doubled := sorted({n for n in names if names.count(n) > 1}):
        hint = "each column needs a name of its own; `columns: […]` names those of a file without a first line of names"
        raise BadInput(f"{path} has two columns called `{doubled[0]}`", hint, "data")
    for number, cells in records:
        if not cells:
            continue
        if len(cells) != len(names):
            message = f"{path}:{number} has {len(cells)} columns, and there are {len(names)} names"
            raise BadInput(message, f"the names are: {', '.join(names)}", "data")
        yield dict(zip(names, cells, strict=True))


def _records(path: Path, delimiter: str, quoting: int) -> Iterator[tuple[int, list[str]]]:
    """The last line and the cells of each record."""
    reader = csv.reader(_lines(path), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        quoted = "a quote that is never closed makes one long field of all that follows"
        hint = None if quoting == csv.QUOTE_NONE else quoted
        raise BadInput(f"{path}:{reader.line_num} cannot be read: {error}", hint, "data") from error


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
