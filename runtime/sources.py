"""Rows from where they lie: local files, the embedded world, a Python function that the user allowed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler.ops import AbsentRows, FileRows, HubRows, PythonRows, Rows, WorldRows
from runtime import world
from runtime.errors import BadInput, MissingInput
from runtime.files import checked
from runtime.formats import Row, file_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def read_rows(source: Rows, files: Mapping[str, Path], *, allow_code: bool) -> Iterator[Row]:
    """Each row of a source, as columns by name.

    Raises BadInput for files that are not what their format says, MissingInput for what cannot be reached.
    """
    match source:
        case FileRows():
            for digest in source.files:
                yield from file_rows(checked(digest, files, "data"), source.format, source.columns)
        case WorldRows(task=task, split=split, language=language):
            yield from world.rows(task, split, language, _world(source))
        case PythonRows():
            yield from _python_rows(source, files, allow_code=allow_code)
        case AbsentRows(pattern=pattern):
            raise MissingInput(f"`{pattern}` lies in a root that nobody named")
        case HubRows(repository=name):
            raise MissingInput(f"`{name}` cannot be reached: hub sources are not available yet")


def _world(source: WorldRows) -> world.World:
    plain = world.World(seed=source.seed, cognates=source.cognates)
    if source.mixed is None or source.low_resource is None:
        return plain
    return replace(plain, mixed=source.mixed, low_resource=source.low_resource)


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
