"""`select: best(…)`, `best {…}` and `@ previous` on the world: each does what it says, by what stands in the store."""

import json
from pathlib import Path

import pytest

import xfer
from compiler.ops import Data, Predict, Select, Train
from runtime import columns, metrics, selecting
from tests.compiling import nodes

pytestmark = pytest.mark.ml

SPEC = """\
defaults { batch: 16, warmup: 30%, lr: 6e-4 }
early: babel-mini -> w-causes(epochs: 4, lr: 4e-3, select: best(every: 10, patience: 2)) @ w-causes[qaa](split: dev)
zs: babel-mini -> w-causes(epochs: 4, select: {last | source: best(accuracy) | own: best(accuracy, on: target)})
    @ w-xcauses[qab, qai, qal]
tuned: babel-mini -> w-causes(epochs: 3, lr: best {1e-7 | 6e-4}) @ w-xcauses[qab]
both: babel-mini -> w-causes(epochs: 3, lr: best {1e-7 | 6e-4}, select: best(on: target)) @ w-xcauses[qab]
after: babel-mini -> w-stories(steps: 60, lr: 2e-3, batch: 32) -> w-causes(epochs: 2) @ previous
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study after its run."""
    folder = tmp_path_factory.mktemp("choosing")
    (folder / "study.xfer").write_text(SPEC)
    options = xfer.Options(store=folder / "store")
    done = xfer.compile(folder / "study.xfer", options)
    report = xfer.run(done)
    assert not report.failed
    return done


def folder_of(study, key):
    return study.store.path(key)


def chosen(study, key):
    """What a choice recorded, and of that the chosen one."""
    records = json.loads((folder_of(study, key) / selecting.SELECTED).read_text())
    return records, next(r for r in records if r["chosen"])


def scores(study, experiment):
    rows = [r for r in xfer.results(study).rows if r.cell.experiment == experiment]
    return {(dict(r.cell.axes).get("select"), r.cell.benchmark, r.cell.language): r.value for r in rows}


def test_early_stopping_keeps_the_best_candidate_and_what_it_scored(study):
    training = next(n for n in nodes(study.plan, Train) if n.op.keep and n.op.keep.patience)
    lines = [json.loads(x) for x in (folder_of(study, training.key) / selecting.DEV).read_text().splitlines()]
    best = next(x for x in lines if x["chosen"])

    assert best["score"] == max(x["score"] for x in lines)
    assert best["score"] > max([x["score"] for x in lines if x["step"] < best["step"]], default=0)  # the earliest
    assert len(lines) - 1 - lines.index(best) == 2 or lines[-1]["step"] == 100  # patience, or the end
    assert [10 * (n + 1) for n in range(len(lines))] == [x["step"] for x in lines]
    # the dev split in the source is the very one that chose: the weights that were kept give that score again
    assert scores(study, "early") == {(None, "w-causes", "qaa"): best["score"]}
