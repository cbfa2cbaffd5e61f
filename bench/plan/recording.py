"""Record all of a study in a store, as if it had been run, by the real executor and store; its bodies take no time.

    python -m bench.plan.recording SPEC STORE

Predictions have more bytes than objects that are read at each look, as real ones do; all else has a few. Nothing is
forced to the disk here, neither files nor the index: with that 100,000 evaluations took an hour.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from compiler.ops import Predict, Score
from runtime.results import SCORE
from runtime.store.objects import SMALL, Store
from tests.plans import run
from xfer import api
from xfer.opening import Options

if TYPE_CHECKING:
    from compiler.plan import Node
    from runtime.engine.messages import Group
    from runtime.engine.work import Desk, Inputs, Write

_ROWS = SMALL * 2  # bytes of predictions


class Instant:
    """Bodies that write at once what is as large as a result may be."""

    def provenance(self) -> Mapping[str, Any]:
        """Nothing that could be mistaken for a result."""
        return {"device": "none"}

    def __call__(self, group: Group, _inputs: Inputs, _desk: Desk) -> Iterator[Write]:
        """The writer of each node."""
        return (partial(_write, node) for node in group)


def _write(node: Node, folder: Path) -> None:
    match node.op:
        case Score():
            (folder / SCORE).write_text(json.dumps({"value": 0.5, "n": 100, "chance": 0.5}), encoding="utf-8")
        case Predict():
            (folder / "predictions.arrow").write_bytes(node.key.encode() * (_ROWS // len(node.key)))
        case _:
            (folder / "made.txt").write_text(node.label, encoding="utf-8")


def record(spec: Path, store: Path) -> None:
    """Make every object of a study's plan. Raises RuntimeError where one could not be made."""
    plan = api.compile(spec, Options(store=store)).plan
    opened = Store(store, write=True)
    opened.index._database.execute("PRAGMA synchronous = OFF")  # noqa: SLF001
    with patch.object(os, "fsync", lambda _: None):
        report = run(plan, opened, Instant())
    if report.failed:
        raise RuntimeError(str(report.failed[0]))


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[2]))
