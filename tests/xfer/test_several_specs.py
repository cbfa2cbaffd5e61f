"""Results and reports of several specs together; published scores; runs that are left out."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call

SPEC = """\
{label}: babel-mini -> {{ skip | w-stories(steps: 3) }} -> w-causes(steps: 3{more})
  @ {benchmark}[qaa, qab, qac](limit: 50) with (seeds: 4)
report "{label}" {{ rows: stage-1, columns: language, baseline: skip }}
"""
PUBLISHED = """\
benchmark mine : w-xcauses {
  published: [
    { system: "Known", accuracy: { mean: 70.5, qab: 71.0 }, source: "Somebody 2020, Table 1" },
    { system: "On dev", accuracy: 99, split: dev, source: "the same" }
  ]
}
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A spec with planted scores."""
    monkeypatch.chdir(tmp_path)

    def make(label, right, more="", benchmark="w-xcauses", head=""):
        path = tmp_path / f"{label}.xfer"
        path.write_text(head + SPEC.format(label=label, more=more, benchmark=benchmark))
        study = xfer.compile(path, xfer.Options(store=tmp_path / "store"))
        plant(study, right)
        return path.name

    return make


def fair(cell):
    return first(40, 50)


def collapsed(cell):
    """The second seed answers at random."""
    if cell.seed != "2":
        return first(40 + int(cell.seed), 50)
    return list(np.random.default_rng(3).random(50) < 0.5)


def out(capsys, *arguments):
    assert exits.OK == call([*arguments, "--store", "store"])
    return capsys.readouterr().out


def test_scores_of_several_specs_stand_in_one_table_with_their_spec_first(made, capsys):
    names = [made("a", fair), made("b", fair, more=", batch: 8")]
    rows = list(csv.DictReader(io.StringIO(out(capsys, "results", *names, "--csv"))))

    assert {"a.xfer": 24, "b.xfer": 24} == {name: sum(r["spec"] == name for r in rows) for name in names}
    assert "spec" == next(iter(rows[0]))
    document = json.loads(out(capsys, "results", *names, "--json"))
    assert names == list(dict.fromkeys(s["spec"] for s in document["scores"]))
    assert "spec" not in json.loads(out(capsys, "results", names[0], "--json"))["scores"][0]
    out(capsys, "results", *names, "--parquet", "all.parquet")
    assert 48 == len(pq.read_table("all.parquet")) and "spec" == pq.read_table("all.parquet").column_names[0]
    shown = out(capsys, "results", *names)
    assert shown.index("a.xfer") < shown.index("b.xfer")


def test_reports_of_several_specs_are_drawn_one_after_the_other(made, capsys):
    names = [made("a", fair), made("b", fair, more=", batch: 8")]

    assert ["a", "b"] == [r["title"] for r in json.loads(out(capsys, "report", *names, "--json"))["reports"]]


def test_published_scores_stand_beside_where_the_column_says_what_they_are_of(made, capsys):
    name = made("a", fair, benchmark="mine", head=PUBLISHED)
    (report,) = json.loads(out(capsys, "report", name, "--json"))["reports"]

    assert [{"system": "Known", "source": "Somebody 2020, Table 1", "points": [None, 71.0, None, 70.5]}] == report[
        "published"
    ]
    shown = out(capsys, "report", name)
    assert "Known [1]" in shown and "[1] Somebody 2020, Table 1" in shown and "99" not in shown


@pytest.mark.parametrize(("policy", "seeds", "words"), [("report", 4, "holds"), ("exclude", 3, "was made without")])
def test_degenerate_runs_are_marked_and_counted_and_left_out_if_asked(made, capsys, policy, seeds, words):
    name = made("a", collapsed, more=f", degenerate: {policy}")
    rows = list(csv.DictReader(io.StringIO(out(capsys, "report", name, "--csv"))))
    wrong = 50 - sum(collapsed(type("Cell", (), {"seed": "2"})))
    kept = [41, 43, 44] + ([50 - wrong] if policy == "report" else [])

    assert {str(seeds)} == {r["seeds"] for r in rows}
    assert {("1", "4")} == {(r["degenerate"], r["runs"]) for r in rows}
    assert {f"{np.mean(kept) / 50:.6f}"} == {f"{float(r['value']):.6f}" for r in rows}
    shown = out(capsys, "report", name)
    assert "‡" in shown and f"‡ {words} degenerate runs" in shown and "up to 1 of 4" in shown
    address = ("trace", name, "a", "stage-1=skip", "language=qab")
    scores = {s["seed"]: s["left_out"] for s in json.loads(out(capsys, *address, "--json"))["scores"]}
    why = "its run is degenerate" if policy == "exclude" else None
    assert {"1": None, "2": why, "3": None, "4": None} == scores
    assert ("4 scores, 1 of them left out" in out(capsys, *address)) == (policy == "exclude")


def test_the_parts_of_a_variance_are_shares_of_one(made, capsys):
    name = made("a", collapsed)
    rows = list(csv.DictReader(io.StringIO(out(capsys, "report", name, "--csv"))))

    for row in rows:
        seeds, items = float(row["variance_seeds"]), float(row["variance_items"])
        assert 0 <= seeds <= 1 and 0 <= items <= 1 and seeds + items <= 1 + 1e-12
    assert "of its variance seeds" in out(capsys, "trace", name, "a", "stage-1=skip", "language=qab")
