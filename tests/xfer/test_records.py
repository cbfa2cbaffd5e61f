"""Scores as CSV, Arrow and Parquet: the same columns and values, from objects in a store."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xfer
from compiler.ops import Score
from runtime.results import SCORE
from tests.compiling import PRELUDE, write_files
from xfer import exits, records
from xfer.cli import call

SPEC = PRELUDE + "let arm = { skip | a(limit: 9) }\nstudy: m -> arm -> c @ x[de, sw] with (seeds: 2)\n"
SHARED = [
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
]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study whose scores are there, each with a value of its own, but for the last."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    write_files(tmp_path)
    (tmp_path / "spec.xfer").write_text(SPEC)
    study = xfer.compile("spec.xfer", xfer.Options(device="cpu"))
    store = study.store(write=True)
    scores = [n for n in study.plan.nodes if isinstance(n.op, Score)]
    for number, node in enumerate(scores[:-1]):
        record = {"value": number / 7, "n": 20 + number, "chance": 0.5 if number else None}
        store.publish(node, lambda folder, record=record: (folder / SCORE).write_text(json.dumps(record)), {})
    return study


def test_the_table_holds_what_the_rows_hold(study):
    rows, missing = xfer.rows(study)
    table = xfer.table(study)

    assert (7, 1) == (table.num_rows, missing)
    assert ["experiment", "model", "arm", *SHARED] == table.column_names
    for row, record in zip(rows, table.to_pylist(), strict=True):
        assert (row.value, row.n, row.chance) == (record["value"], record["n"], record["chance"])
        assert (row.cell.score, row.cell.seed, row.cell.zero_shot) == (
            record["score"], record["seed"], record["zero_shot"],
        )  # fmt: skip
        assert ("multiple-choice", 1, None) == (record["kind"], record["metric_version"], record["threshold"])
        assert dict(row.cell.axes) == {name: record[name] for name in ("model", "arm")}
    assert {"study"} == set(table["experiment"].to_pylist()) and {"1", "2"} == set(table["seed"].to_pylist())
    assert None in table["chance"].to_pylist() and {True} == set(table["zero_shot"].to_pylist())


def test_the_table_and_the_csv_have_the_same_columns_in_the_same_order(study, capsys):
    assert exits.OK == call(["results", "spec.xfer", "--csv", "--device", "cpu"])
    read = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    table = xfer.table(study)

    assert read[0] == table.column_names
    assert read[1:] == [["" if v is None else str(v) for v in record.values()] for record in table.to_pylist()]


def test_an_arm_that_does_not_have_an_axis_is_null_in_it(study):
    rows, _ = xfer.rows(study)
    from msgspec.structs import replace

    other = replace(rows[0], cell=replace(rows[0].cell, axes=(("value", "skip"),)))
    table = records.as_table([rows[0], other])

    assert [None, "skip"] == table["axis:value"].to_pylist()
    assert [dict(rows[0].cell.axes)["arm"], None] == table["arm"].to_pylist()


def test_a_study_without_scores_is_a_table_with_typed_columns(study, tmp_path):
    empty = xfer.compile("spec.xfer", xfer.Options(store=tmp_path / "none", device="cpu"))
    table = xfer.table(empty)

    assert 0 == table.num_rows and ["experiment", *SHARED] == table.column_names
    assert pa.float64() == table.schema.field("value").type and pa.bool_() == table.schema.field("zero_shot").type


def test_pandas_takes_it(study):
    frame = xfer.table(study).to_pandas()

    assert (7, 17) == frame.shape and 0.5 == frame["chance"].max()
    assert pytest.approx(6 / 7) == frame["value"].max()


def test_a_parquet_file_holds_the_table_and_nothing_else_is_left(study, tmp_path, capsys):
    before = {p.name for p in tmp_path.iterdir()}

    assert exits.OK == call(["results", "spec.xfer", "--parquet", "scores.parquet", "--device", "cpu"])

    said = capsys.readouterr()
    assert "" == said.out and "7 scores in scores.parquet, 1 missing" in said.err
    assert xfer.table(study).equals(pq.read_table("scores.parquet"))
    assert {"scores.parquet"} == {p.name for p in tmp_path.iterdir()} - before
    assert exits.OK == call(["results", "spec.xfer", "--parquet", "scores.parquet", "--device", "cpu"]), "replaced"


@pytest.mark.parametrize("name", ["a", "nowhere/scores.parquet", "spec.xfer/scores.parquet", "x" * 300, "\x00"])
def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(study, tmp_path, capsys, name):
    before = {p.name for p in tmp_path.iterdir()}

    assert exits.USAGE == call(["results", "spec.xfer", "--parquet", name, "--device", "cpu"])

    said = capsys.readouterr().err
    assert "error:" in said and "bug" not in said
    assert before == {p.name for p in tmp_path.iterdir()}


def test_one_form_at_a_time(study, capsys):
    assert exits.USAGE == call(["results", "spec.xfer", "--csv", "--parquet", "scores.parquet"])
    assert "two forms of one thing" in capsys.readouterr().err
