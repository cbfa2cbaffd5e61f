"""How much data there are: counted when encoded, else told by the sizes of files, else declared (docs/plan.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.cost import Amount
from compiler.embedded import WORLD_LOW_RESOURCE, WORLD_SIZES
from compiler.ops import Data, FileRows, WorldRows
from runtime.store.objects import MEASURED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from compiler.ops import Key, Rows
    from compiler.plan import Plan
    from runtime.store.objects import Store

# Bytes of text for a token of a multilingual vocabulary, with what a format puts around it; parquet packs it.
_BYTES_A_TOKEN = {"jsonl": 6.0, "json": 6.0, "csv": 5.0, "tsv": 5.0, "text": 4.5, "arrow": 5.0, "parquet": 2.5}
_LINED = frozenset({"jsonl", "csv", "tsv", "text"})  # a row is a line
_HEAD = 65_536  # bytes of a file that are looked at
_POOLED, _SENTENCE = "gold", 30.0  # the field of tasks whose rows are pools; tokens of a sentence of theirs
_MARKS = 3  # tokens that a sequence has beside its text


def amounts(plan: Plan, store: Store, keys: Iterable[Key]) -> dict[Key, Amount]:
    """The amounts of those data nodes of which they are known."""
    wanted = set(keys)
    nodes = [n for n in plan.nodes if isinstance(n.op, Data) and n.key in wanted]
    counted = store.index.provenance(n.key for n in nodes)
    guess = _Guess(plan)
    found = {
        n.key: _counted(counted.get(n.key, {})) or guess.amount(n.key, n.op) for n in nodes if isinstance(n.op, Data)
    }
    return {key: amount for key, amount in found.items() if amount is not None}


def _counted(provenance: Mapping[str, object]) -> Amount | None:
    found = provenance.get(MEASURED)
    if not isinstance(found, dict):
        return None
    numbers = [found.get(name) for name in ("examples", "sequences", "tokens")]
    known = [float(n) for n in numbers if isinstance(n, int | float)]
    return Amount(known[0], known[1], known[2], recorded=True) if len(known) == len(numbers) else None


class _Guess:
    """Amounts by the sizes of files, each file looked at once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._files: dict[tuple[str, str], tuple[float, float] | None] = {}

    def amount(self, key: Key, op: Data) -> Amount | None:
        """Of one node: as many examples as there are rows; a row is read once for each of its sequences."""
        found = self._seen(op) or self._declared(key)
        if found is None:
            return None
        rows, tokens = found
        if _POOLED in dict(op.fields):  # a row may hold a whole pool: its sentences are what is read
            rows, tokens = max(1.0, rows * tokens / _SENTENCE), _SENTENCE
        if op.limit is not None:
            rows = min(rows, op.limit.count)
        sequences = max((len(t) for _, t in op.fields if isinstance(t, tuple)), default=1)
        each = tokens * (1 + sequences) / (2 * sequences)  # half of a row's text is common to all, taken roughly
        return Amount(rows, rows * sequences, rows * sequences * min(op.max_length, each + _MARKS))

    def _seen(self, op: Data) -> tuple[float, float] | None:
        """Rows, and tokens of a row, by the files."""
        sizes = [self._rows(rows) for rows in op.rows]
        known = [s for s in sizes if s is not None]
        if not known or len(known) < len(sizes):
            return None
        rows = max(n for n, _ in known) if op.join is not None or len(op.sources) > 1 else sum(n for n, _ in known)
        return rows, sum(t for _, t in known) / max(1.0, rows)

    def _declared(self, key: Key) -> tuple[float, float] | None:
        """The same, as the declaration says."""
        found = self._plan.declared.get(key)
        return (float(found.rows), float(found.tokens)) if found is not None and found.tokens is not None else None

    def _rows(self, rows: Rows) -> tuple[float, float] | None:
        """Rows and tokens of a source."""
        if isinstance(rows, WorldRows):
            number, tokens = WORLD_SIZES[rows.task]
            share = (rows.low_resource or 1.0) if rows.split == "train" and rows.language in WORLD_LOW_RESOURCE else 1.0
            return number[rows.split] * share, number[rows.split] * share * tokens
        if not isinstance(rows, FileRows):
            return None
        found = [self._file(digest, rows.format) for digest in rows.files if digest is not None]
        known = [f for f in found if f is not None]
        return (sum(n for n, _ in known), sum(t for _, t in known)) if known and len(known) == len(found) else None

    def _file(self, digest: str, format_: str) -> tuple[float, float] | None:
        if (digest, format_) not in self._files:
            self._files[digest, format_] = self._look(digest, format_)
        return self._files[digest, format_]

    def _look(self, digest: str, format_: str) -> tuple[float, float] | None:
        a_token = _BYTES_A_TOKEN.get(format_)
        pinned, path = self._plan.hub.get(digest), self._plan.files.get(digest)
        if a_token is None:
            return None
        if pinned is not None and pinned.rows is not None:
            return pinned.rows, pinned.file.size / a_token
        return _lines(path, a_token) if path is not None and format_ in _LINED else None


def _lines(path: Path, a_token: float) -> tuple[float, float] | None:
    """Lines and tokens of a text file, by the lines at its beginning."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    lines = head.count(b"\n")
    return (lines * size / (head.rindex(b"\n") + 1), size / a_token) if lines else None
