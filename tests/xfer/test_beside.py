"""Baselines beside the scores of a study on the embedded world: computed once, and rows of the same table."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pytest

import xfer
from compiler.ops import Baseline
from runtime import columns, world
from xfer import exits
from xfer.cli import call

STUDY = """\
model babel { weights: embedded("babel-mini") }
let intermediate = { skip | w-stories(steps: 2) }
small: babel -> intermediate -> w-causes(steps: 2, batch: 8) @ w-xcauses[qaa, qab](limit: 40BASELINES) with (seeds: 2)
"""
BOTH = ", baselines: [majority, bag-of-words]"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))

    def write(text):
        (tmp_path / "study.xfer").write_text(text)

    write(STUDY.replace("BASELINES", BOTH))
    return write


def run():
    """What a run did: the labels."""
    before = _labels()
    assert exits.OK == call(["run", "study.xfer", "--jobs", "1", "--device", "cpu"])
    return sorted(label for key, label in _labels().items() if key not in before)


def _labels():
    store = xfer.compile("study.xfer").store()
    return {m.key: m.label for op in ("train", "predict", "baseline", "score") for m in store.index.of_op(op)}


@pytest.mark.ml
def test_a_study_that_is_there_gains_its_baselines_and_runs_nothing_else(here, capsys):
    here(STUDY.replace("BASELINES", ""))
    run()
    here(STUDY.replace("BASELINES", BOTH))

    names = [f"{m} w-causes @ w-xcauses[{c}]" for m in ("majority", "bag-of-words") for c in ("qaa", "qab")]
    assert sorted([*names, *(f"accuracy {name}" for name in names)]) == run()
    assert [] == run()


@pytest.mark.ml
def test_they_are_rows_below_the_arms(here, capsys):
    run()
    capsys.readouterr()
    assert exits.OK == call(["results", "study.xfer"])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    head = next(n for n, line in enumerate(lines) if "qaa*" in line)
    names = [line[0] if line[0] != "bag" else " ".join(line[:3]) for line in lines[head + 3 : head + 8]]
    assert ["skip", "w-stories", "gain", "majority", "bag of words"] == names
    assert "2 seeds" in " ".join(lines[head - 2])


@pytest.mark.ml
def test_records_say_which_baseline_a_score_is_of(here, capsys):
    run()
    capsys.readouterr()
    call(["results", "study.xfer", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    call(["results", "study.xfer", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert 8 + 4 == len(rows) == len(document["scores"])
    assert ["", "majority", "bag-of-words"] == list(dict.fromkeys(r["baseline"] for r in rows))
    assert {("", "", "")} == {(r["model"], r["intermediate"], r["seed"]) for r in rows if r["baseline"]}
    assert [None] * 8 == [s["baseline"] for s in document["scores"][:8]]
    table = xfer.table(xfer.compile("study.xfer"))
    assert (8, pa.string()) == (table["baseline"].null_count, table.schema.field("baseline").type)


@pytest.mark.ml
def test_the_majority_is_that_of_the_rows_of_the_world(here):
    run()
    study = xfer.compile("study.xfer")
    store, by_key = study.store(), {n.key: n for n in study.plan.nodes}
    labels = [int(r["label"]) for r in world.rows("causes", "train", "qaa")]
    most = int(np.bincount(labels).argmax())

    for row in (r for r in xfer.rows(study)[0] if r.cell.baseline == "majority"):
        table = columns.read_table(store.read(by_key[row.cell.score].op.predictions) / "predictions.arrow")
        assert {most} == set(table.column("prediction").to_pylist())
        assert row.value == table.column("label").to_pylist().count(most) / 40


@pytest.mark.ml
def test_text_classification_has_them_too(here, capsys):
    here(
        'model babel { weights: embedded("babel-mini") }\n'
        "babel -> w-entail(steps: 2) @ w-entail[qab](limit: 60, baselines: [majority, bag-of-words])\n"
    )
    run()
    study = xfer.compile("study.xfer")

    scores = {r.cell.baseline: (r.n, r.chance) for r in xfer.rows(study)[0]}
    assert {"", "majority", "bag-of-words"} == set(scores)
    assert {(60, scores[""][1])} == set(scores.values())
    assert {3} == {len(n.op.labels) for n in study.plan.nodes if isinstance(n.op, Baseline)}


@pytest.mark.ml
def test_why_tells_of_the_data_that_it_learned_from(here, capsys):
    run()
    here(STUDY.replace("BASELINES", BOTH).replace("w-causes(steps: 2", "w-causes(limit: 30, steps: 2"))
    capsys.readouterr()

    assert exits.OK == call(["why", "study.xfer", "majority w-causes @ w-xcauses[qab]"])
    out = " ".join(capsys.readouterr().out.split())
    assert "(baseline " in out and "its input `train` is another one" in out
    assert "`limit` was none and is now 30" in out
