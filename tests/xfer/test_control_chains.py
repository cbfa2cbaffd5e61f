"""Runs without an intermediate task that nobody wrote: planned, said, compared with."""

import csv
import io
import json

import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call

CHOICE = """\
study: babel-mini -> {w-stories(steps: 3) | w-words(steps: 3)} -> w-causes(steps: 3) @ w-xcauses[qaa, qab](limit: 20)
  with (seeds: 3)
"""
ALONE = """\
study: babel-mini -> w-stories(steps: 3) -> w-causes(steps: 3) @ w-xcauses[qaa, qab](limit: 20) with (seeds: 3)
"""
NAMED = """\
let arm = {w-stories(steps: 3) | w-words(steps: 3)}
study: babel-mini -> arm -> w-causes(steps: 3) @ w-xcauses[qaa, qab](limit: 20) with (seeds: 3)
"""
REPORT = 'report "R" {{ rows: {axis}, columns: language, baseline: skip }}\n'
RIGHT = {"skip": 10, "w-stories": 14, "w-words": 8}


def right(cell):
    (arm,) = [value for axis, value in cell.axes if axis in {"arm", "stage-1"}] or ["w-stories"]
    return first(RIGHT[arm] + int(cell.seed.split("/")[0]) - 2, 20)


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "300")

    def say(text, *command, code=exits.OK):
        (tmp_path / "study.xfer").write_text(text)
        capsys.readouterr()
        verb, *options = command
        found = call([verb, "study.xfer", *options])
        out = capsys.readouterr()
        assert code == found, out.err
        return out.out

    return say


def planted(text, folder):
    (folder / "study.xfer").write_text(text)
    study = xfer.compile(folder / "study.xfer")
    plant(study, right)
    return study


def arms(study):
    return {value for cell in study.plan.cells for axis, value in cell.axes if axis in {"arm", "stage-1"}}


@pytest.mark.parametrize(
    ("text", "axis"), [(CHOICE, "stage-1"), (NAMED, "arm"), (ALONE, "stage-1")], ids=["choice", "let", "alone"]
)
def test_a_report_with_a_baseline_that_nobody_wrote_has_it(said, tmp_path, text, axis):
    whole = text + REPORT.format(axis=axis)
    shown = said(whole, "plan")
    study = planted(whole, tmp_path)

    assert f"Control: `{axis}: skip` of `study` was added, since study.xfer:" in shown
    assert "skip" in arms(study)
    found = list(csv.DictReader(io.StringIO(said(whole, "report", "--csv"))))
    differences = {row[axis]: row["difference"] for row in found if row["language"] == "qab"}
    assert "" == differences.pop("skip")
    assert {arm: pytest.approx((RIGHT[arm] - 10) / 20) for arm in arms(study) - {"skip"}} == {
        arm: float(value) for arm, value in differences.items()
    }


def test_without_a_question_there_is_no_control(said):
    assert "Control" not in said(CHOICE, "plan")
    assert "Control" not in said(CHOICE + 'report "R" { rows: stage-1, columns: language }\n', "plan")
    assert "Control" not in said(CHOICE + 'report "R" { rows: stage-1, baseline: w-words }\n', "plan")
    with_skip = CHOICE.replace("{w-stories", "{skip | w-stories")
    assert "Control" not in said(with_skip + REPORT.format(axis="stage-1"), "plan")


@pytest.mark.parametrize("text", [CHOICE, ALONE], ids=["choice", "alone"])
def test_a_gain_without_a_skip_is_over_one_that_is_added(said, tmp_path, text):
    whole = text + 'claim "C": gain(study[stage-1: w-stories]) > -90\n'
    study = planted(whole, tmp_path)
    (control,) = study.plan.controls

    assert ("study", "stage-1") == (control.experiment, control.axis)
    assert "claim" in control.place.text
    (found,) = json.loads(said(whole, "verify", "--json"))["claims"]
    assert pytest.approx(0.2) == found["comparisons"][0]["estimate"]
    assert ("supported", 0) == (found["verdict"], found["missing"])


def test_a_control_adds_nothing_to_the_runs_that_were_written(said, tmp_path):
    (tmp_path / "study.xfer").write_text(CHOICE)
    before = {node.key for node in xfer.compile(tmp_path / "study.xfer").plan.nodes}
    (tmp_path / "study.xfer").write_text(CHOICE + REPORT.format(axis="stage-1"))
    after = {node.key for node in xfer.compile(tmp_path / "study.xfer").plan.nodes}

    assert before < after
    assert 3 * (1 + 2 + 2) == len(after - before)  # of each seed: w-causes alone, and in both languages


def test_a_control_is_that_of_a_skip_that_is_written(tmp_path):
    keys = []
    for text in (CHOICE, CHOICE.replace("{w-stories", "{skip | w-stories")):
        (tmp_path / "study.xfer").write_text(text + REPORT.format(axis="stage-1"))
        keys.append({node.key for node in xfer.compile(tmp_path / "study.xfer").plan.nodes})

    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("stages", "axis", "arms"),
    [
        ("{ both: w-entail -> w-stories | w-words }", "stage-1", ["skip", "both", "w-words"]),
        (
            "{ w-entail | w-stories } -> { both: w-words -> w-stories | w-words }",
            "stage-2",
            ["skip", "both", "w-words"],
        ),
        ("w-entail -> w-stories", "stage-1", ["skip", "w-entail"]),
        ("arm -> w-entail", "arm", ["skip", "w-stories", "w-words"]),
        ("{ both: w-entail -> arm | w-entail }", "arm", ["skip", "w-stories", "w-words"]),
    ],
)
def test_every_way_has_its_control_and_each_axis_once(tmp_path, stages, axis, arms):
    text = f"let arm = {{ w-stories | w-words }}\nstudy: babel-mini -> {stages} -> w-causes @ w-xcauses[qab]\n"
    rows = "[stage-1, stage-2]" if axis == "stage-2" else axis
    report = f'report "R" {{ rows: {rows}, baseline: {{ {axis}: skip }} }}\n'
    (tmp_path / "study.xfer").write_text(text + report)
    found = xfer.compile(tmp_path / "study.xfer")
    cells = [cell.axes for cell in found.plan.cells]
    others = {tuple(pair for pair in axes if pair[0] != axis) for axes in cells if axis in dict(axes)}

    assert [axis] == [control.axis for control in found.plan.controls]
    assert all(len(axes) == len(dict(axes)) for axes in cells)
    assert sorted(set(cells)) == sorted(cells)
    assert {(*rest, arm) for rest in others for arm in arms} == {
        (*(pair for pair in axes if pair[0] != axis), dict(axes)[axis]) for axes in cells if axis in dict(axes)
    }
