"""Encoded columns: what a data node holds, as one Arrow file read without copying.

Letters of shapes, everywhere in the runtime: B examples, N sequences (B times the choices), T tokens, C choices,
H width, V vocabulary.

Beside them may lie what a kind keeps of its rows for its predictions, a row each, and the network does not see.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

NAME, KEPT = "columns.arrow", "kept.arrow"
_SAID = "common"


class Example(Struct, frozen=True):
    """One encoded example."""

    row: int  # index in the source
    sequences: tuple[list[int], ...]  # token ids; one for each choice
    segments: tuple[list[int], ...]  # segment ids, parallel to `sequences`
    label: int | float
    targets: tuple[list[int], ...] | None = None  # parallel to `sequences`: what the kind says of each token
    kept: Mapping[str, Any] | None = None
    cluster: int | None = None  # the first row that is of one draw with it


class Columns(Struct, frozen=True):
    """All examples of one data node, flat."""

    tokens: NDArray[np.int32]  # every sequence of every example, one after the other
    segments: NDArray[np.int8]  # parallel to `tokens`
    sequence_starts: NDArray[np.int32]  # (N + 1,) into `tokens`
    example_starts: NDArray[np.int32]  # (B + 1,) into the sequences
    rows: NDArray[np.int64]  # (B,)
    labels: NDArray[np.int32] | NDArray[np.float64]  # (B,)
    targets: NDArray[np.int32] | None = None  # parallel to `tokens`
    kept: Any = None  # the Arrow table of what was kept, one row an example; None where nothing was, and of a part
    clusters: NDArray[np.int64] | None = None  # (B,) of a target: the first row that is of one draw with each

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """(B,) tokens of each example's longest sequence."""
        by_sequence = np.diff(self.sequence_starts)
        if len(self) == 0:
            return by_sequence
        return np.maximum.reduceat(by_sequence, self.example_starts[:-1])

    @property
    def choices(self) -> NDArray[np.int32]:
        """(B,) sequences of each example."""
        return np.diff(self.example_starts)

    def counts(self) -> dict[str, int]:
        """How many examples, sequences and tokens."""
        return {"examples": len(self), "sequences": len(self.sequence_starts) - 1, "tokens": len(self.tokens)}

    def take(self, examples: NDArray[np.int64]) -> Columns:
        """These examples, in this order."""
        sequences = _ranges(self.example_starts[examples], self.choices[examples])
        lengths = np.diff(self.sequence_starts)[sequences]
        flat = _ranges(self.sequence_starts[sequences], lengths)
        return Columns(
            tokens=self.tokens[flat],
            segments=self.segments[flat],
            sequence_starts=_starts(lengths),
            example_starts=_starts(self.choices[examples]),
            rows=self.rows[examples],
            labels=self.labels[examples],
            targets=None if self.targets is None else self.targets[flat],
            clusters=None if self.clusters is None else self.clusters[examples],
        )


def _starts(lengths: NDArray[np.int32]) -> NDArray[np.int32]:
    """Offsets of pieces of these lengths, laid one after the other."""
    starts = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=starts[1:])
    return starts


def _ranges(starts: NDArray[np.int32], lengths: NDArray[np.int32]) -> NDArray[np.int64]:
    """The indices `start … start + length - 1` of each piece, one piece after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    shifts = np.repeat((starts - (ends - lengths)).astype(np.int64), lengths)
    return np.arange(total, dtype=np.int64) + shifts


def write(folder: Path, examples: Iterable[Example], said: Mapping[str, Any] | None = None) -> None:
    """Write the columns of a data node, and what is said of all its rows in common beside what is kept of each."""
    found = list(examples)
    labels = [e.label for e in found]
    table = {
        "row": pa.array([e.row for e in found], pa.int64()),
        "tokens": _nested([e.sequences for e in found], pa.int32()),
        "segments": _nested([e.segments for e in found], pa.int8()),
        "label": pa.array(labels, pa.float64() if any(isinstance(v, float) for v in labels) else pa.int32()),
    }
    if found and found[0].targets is not None:
        table["targets"] = _nested([e.targets or () for e in found], pa.int32())
    if found and found[0].cluster is not None:
        table["cluster"] = pa.array([e.cluster for e in found], pa.int64())
    write_table(folder / NAME, pa.table(table))
    if found and found[0].kept is not None:
        kept = pa.Table.from_pylist([dict(e.kept or {}) for e in found])
        write_table(folder / KEPT, kept.replace_schema_metadata({_SAID: json.dumps(said or {})}))


def common(kept: Any) -> dict[str, Any]:  # noqa: ANN401
    """What is said of all rows of a table of what was kept."""
    found: dict[str, Any] = json.loads(kept.schema.metadata[_SAID.encode()])
    return found


def _nested(values: list[tuple[list[int], ...]], sort: Any) -> Any:  # noqa: ANN401
    return pa.array([list(v) for v in values], pa.list_(pa.list_(sort)))


def write_table(path: Path, table: Any) -> None:  # noqa: ANN401  (pyarrow has no types)
    """An Arrow table as one file."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_table(path: Path) -> Any:  # noqa: ANN401
    """The Arrow table of a file, mapped into memory."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all().combine_chunks()


def read(folder: Path) -> Columns:
    """The columns of a data node."""
    table = read_table(folder / NAME)
    tokens, segments = _flat(table.column("tokens")), _flat(table.column("segments"))
    return Columns(
        tokens=tokens[2],
        segments=segments[2],
        sequence_starts=tokens[1],
        example_starts=tokens[0],
        rows=table.column("row").to_numpy(),
        labels=table.column("label").to_numpy(),
        targets=_flat(table.column("targets"))[2] if "targets" in table.column_names else None,
        kept=read_table(folder / KEPT) if (folder / KEPT).is_file() else None,
        clusters=table.column("cluster").to_numpy() if "cluster" in table.column_names else None,
    )


def _flat(column: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:  # noqa: ANN401
    """A list<list<int>> column as (outer offsets, inner offsets, values)."""
    outer = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    inner = outer.values
    values = inner.values
    return outer.offsets.to_numpy(), inner.offsets.to_numpy(), values.to_numpy()


def concatenate(parts: list[Columns]) -> Columns:
    """Several data nodes as one, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Columns(
        tokens=np.concatenate([p.tokens for p in parts]),
        segments=np.concatenate([p.segments for p in parts]),
        sequence_starts=_joined([p.sequence_starts for p in parts]),
        example_starts=_joined([p.example_starts for p in parts]),
        rows=np.concatenate([p.rows for p in parts]),
        labels=np.concatenate([p.labels for p in parts]),
        targets=_targets([p.targets for p in parts]),
    )


def _targets(parts: list[NDArray[np.int32] | None]) -> NDArray[np.int32] | None:
    found = [p for p in parts if p is not None]
    return np.concatenate(found) if found else None


def _joined(starts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    total, joined = 0, [np.zeros(1, dtype=np.int32)]
    for offsets in starts:
        joined.append(offsets[1:] + total)
        total += int(offsets[-1])
    return np.concatenate(joined)
