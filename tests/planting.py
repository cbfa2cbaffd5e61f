"""Stores with predictions that nobody made: exact scores without any training."""

import pyarrow as pa

from compiler.ops import Score
from runtime import columns, metrics
from runtime.store import io
from runtime.store.manifest import NAME, FileRecord, Manifest

LABELS = 2


def table(right):
    """Predictions of multiple choice: items 0, 1, … with labels 0, 1, 0, …, each right or not."""
    number = len(right)
    labels = [n % LABELS for n in range(number)]
    predictions = [label if good else 1 - label for label, good in zip(labels, right, strict=True)]
    return pa.table(
        {
            "row": pa.array(range(number), pa.int64()),
            "label": pa.array(labels, pa.int32()),
            "prediction": pa.array(predictions, pa.int32()),
            "choices": pa.array([LABELS] * number, pa.int32()),
            "scores": pa.array([[float(p == n) for n in range(LABELS)] for p in predictions]),
        }
    )


def first(number, items):
    """The first so many items right."""
    return [n < number for n in range(items)]


def plant(study, right, make=table):
    """Put predictions and scores into the study's store.

    `right(cell)` says of each item whether it is right, or None; `make` makes the predictions of it.
    """
    store = study.store(write=True)
    nodes = {node.key: node for node in study.plan.nodes}
    made = {}
    for cell in study.plan.cells:
        node = nodes[cell.score]
        answers = right(cell) if isinstance(node.op, Score) and not cell.baseline else None
        if answers is not None:
            predictions = nodes[node.op.predictions]
            made[predictions.key] = _put(store, predictions, _writing(make(answers)))
            made[node.key] = _put(store, node, _scoring(predictions, node, store))
    store.index.add(made.values())
    store.index.close()


def _put(store, node, write):
    """An object as `publish` leaves it, without waiting for the disk; its record."""
    folder = store.path(node.key)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    files = {}
    for path in folder.iterdir():
        if path.name != NAME:
            stat = path.stat()
            files[path.name] = FileRecord(stat.st_size, stat.st_mtime_ns, io.digest(path), stat.st_ctime_ns)
    record = Manifest(node.key, node.label, node.preimage, files, 0.0, 0.0, {})
    (folder / NAME).write_bytes(record.to_json())
    return record


def _writing(predictions):
    return lambda folder: columns.write_table(folder / metrics.PREDICTIONS, predictions)


def _scoring(predictions, score, store):
    found = metrics.score(predictions.op.kind, score.op.metric, store.path(predictions.key))
    return lambda folder: metrics.write(folder, found)
