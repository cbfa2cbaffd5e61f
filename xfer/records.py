"""Scores for programs: one flat record a score, with the same columns in CSV, Arrow and Parquet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.catalog import KINDS
from compiler.pairs import SIDES, sides
from xfer.opening import UsageError
from xfer.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from compiler.plan import Cell
    from runtime.results import Row

_SPEC = "spec"  # the first column, where there are several
_COLUMNS = (
    "baseline",
    "benchmark",
    "language",
    "kind",
    "metric",
    "metric_version",
    "seed",
    "value",
    "n",
    "chance",
    "threshold",
    "zero_shot",
    "selected",
    "score",
)


def records(rows: Sequence[Row]) -> list[dict[str, object]]:
    """One record a score, its axes in a record of their own; proportions are fractions, not points."""
    return [
        {
            "experiment": r.cell.experiment,
            "axes": dict(_with_sides(r.cell)),
            "baseline": r.cell.baseline or None,
            "benchmark": r.cell.benchmark,
            "language": r.cell.language,
            "kind": r.kind,
            "metric": r.cell.metric,
            "metric_version": KINDS[r.kind].metrics[r.cell.metric].version if r.kind else None,
            "seed": r.cell.seed,
            "value": r.value,
            "n": r.n,
            "chance": r.chance,
            "threshold": r.threshold,
            "zero_shot": r.cell.zero_shot,
            "selected": r.cell.selected or None,
            "score": r.cell.score,
        }
        for r in rows
    ]


def _with_sides(cell: Cell) -> tuple[tuple[str, str], ...]:
    """The axes of a cell; of a pair of languages also which is `first` and which `second`."""
    both = sides(cell.language)
    return (*cell.axes, *zip(SIDES, both, strict=True)) if len(both) == len(SIDES) else cell.axes


def _axes(rows: Sequence[Row]) -> dict[str, str]:
    """The column of each axis: one called like another column is `axis:NAME`."""
    axes = dict.fromkeys(axis for r in rows for axis, _ in _with_sides(r.cell))
    return {axis: f"axis:{axis}" if axis in (_SPEC, "experiment", *_COLUMNS) else axis for axis in axes}


def columns(rows: Sequence[Row]) -> list[str]:
    """The columns of a flat record, in order."""
    return ["experiment", *_axes(rows).values(), *_COLUMNS]


def flat(rows: Sequence[Row]) -> list[dict[str, object]]:
    """One record a score with a column for each axis; an axis that a run does not reach is not in its record."""
    named, found = _axes(rows), records(rows)
    for row, record in zip(rows, found, strict=True):
        del record["axes"]
        record |= {named[axis]: value for axis, value in _with_sides(row.cell)}
    return found


def as_csv(rows: Sequence[Row], specs: Sequence[str] = ()) -> str:
    """The flat records as CSV; what a record has not is empty. `specs`: whose each row is, where there are several."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_of_spec(specs), *columns(rows)], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_with_specs(flat(rows), specs))
    return text.getvalue()


def _of_spec(specs: Sequence[str]) -> tuple[str, ...]:
    return (_SPEC,) if specs else ()


def _with_specs(found: list[dict[str, object]], specs: Sequence[str]) -> list[dict[str, object]]:
    return [{_SPEC: spec, **record} for spec, record in zip(specs, found, strict=True)] if specs else found


def as_json(rows: Sequence[Row], missing: int, specs: Sequence[str] = ()) -> str:
    """The records as one JSON document."""
    found = _with_specs(records(rows), specs)
    return json.dumps({"format_version": "1.3", "missing": missing, "scores": found}, indent=1)


def as_table(rows: Sequence[Row], specs: Sequence[str] = ()) -> pa.Table:
    """The flat records as an Arrow table; what a record has not is null. Every column has its type, also without rows.

    The seed is text: it is empty where nothing is trained, and `1/2` where stages have seeds of their own.
    """
    import pyarrow as pa

    sorts = {"n": pa.int64(), "metric_version": pa.int64(), "zero_shot": pa.bool_()}
    sorts |= dict.fromkeys(("value", "chance", "threshold"), pa.float64())
    names = [*_of_spec(specs), *columns(rows)]
    schema = pa.schema([(name, sorts.get(name, pa.string())) for name in names])
    return pa.Table.from_pylist(_with_specs(flat(rows), specs), schema=schema)


def write_parquet(rows: Sequence[Row], path: Path, specs: Sequence[str] = ()) -> None:
    """The Arrow table as a Parquet file, whole or not there; one that is there is replaced.

    Raises UsageError where the file cannot be written.
    """
    import pyarrow.parquet as pq

    try:
        if path.is_dir():
            raise UsageError(
                f"`{path}` is a folder, and the table is one file", f"name a file: `{path / 'scores.parquet'}`"
            )
        with replacing(path) as half:
            pq.write_table(as_table(rows, specs), half)
    except (OSError, ValueError) as error:  # a name that holds a null byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"`{path}` cannot be written: {reason.lower()}") from error
