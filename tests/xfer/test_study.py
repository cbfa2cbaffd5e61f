"""A whole study at the command line: run, run again, edit, and only what the edit touches runs again."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xfer
from runtime import results, world
from runtime.errors import XferError
from tests.programs import environment
from tests.words import write_tokenizer
from xfer import exits
from xfer.cli import call

ROOT = Path(__file__).parents[2]

SPEC = """\
# A small study.
model babel { weights: embedded("babel-mini") }
let intermediate = { skip | w-stories(steps: 3, lr: 1e-3) }
small: babel -> intermediate -> w-causes(steps: 3, batch: 8) @ w-xcauses[qaa, qab](limit: 20) with (seeds: 2)
report "R" { rows: intermediate, columns: language }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    (tmp_path / "study.xfer").write_text(SPEC)
    return tmp_path


def planned(capsys):
    """The plan as the program prints it: labels to actions, and the changes."""
    capsys.readouterr()
    assert exits.OK == call(["plan", "study.xfer", "--json"])
    document = json.loads(capsys.readouterr().out)
    return {n["label"]: n["action"] for n in document["nodes"]}, document


def ran(capsys):
    """Labels of what a run did, by the store's records."""
    before = _made()
    code = call(["run", "study.xfer", "--jobs", "1"])
    assert exits.OK == code, capsys.readouterr().err
    return {label for key, label in _made().items() if key not in before}


def _made():
    study = xfer.compile("study.xfer")
    return {
        m.key: m.label for op in ("model", "data", "train", "predict", "score") for m in study.store().index.of_op(op)
    }


@pytest.mark.ml
def test_a_line_of_text_becomes_a_table_and_then_nothing_is_left_to_do(here, capsys):
    actions, document = planned(capsys)
    assert {"new"} == set(actions.values())
    assert document["totals"]["to_run"] == len(actions) == len(document["nodes"])

    made = ran(capsys)
    out = capsys.readouterr().out
    assert set(actions) == made
    assert "w-xcauses · accuracy · 2 seeds · 20 items a language" in out
    assert "gain over skip" in out and "chance 50.0 · baseline: skip" in out
    for word in ("qaa*", "qab", "zero-shot mean", "w-stories"):
        assert word in out

    assert set() == ran(capsys)
    assert "Nothing to run" in capsys.readouterr().err


@pytest.mark.ml
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# A small study.", "# Another comment, longer than before.\n"),
        ("small:", "renamed:"),
        ("{ skip |", "{ nothing: skip |"),
        ("columns: language", "columns: benchmark"),
        ("skip | w-stories(steps: 3, lr: 1e-3)", "skip | hard: w-stories(steps: 3, lr: 1e-3)"),
        ("qaa, qab", "qab, qaa"),
        ("skip | w-stories(steps: 3, lr: 1e-3)", "w-stories(lr: 0.001, steps: 3) | skip"),
        ("with (seeds: 2)", "with (seed: {1 | 2})"),
        ("let intermediate", "let   intermediate"),
        ("intermediate", "arm"),
    ],
)
def test_what_is_only_said_differently_runs_nothing(here, capsys, old, new):
    ran(capsys)
    (here / "study.xfer").write_text(
        SPEC.replace(old, new).replace("of: small", "of: renamed" if "renamed" in new else "of: small")
    )

    assert set() == ran(capsys)


@pytest.mark.ml
def test_an_edit_of_one_stage_runs_exactly_its_chain_and_the_plan_had_said_so(here, capsys):
    everything = ran(capsys)
    (here / "study.xfer").write_text(SPEC.replace("lr: 1e-3", "lr: 2e-3"))

    actions, document = planned(capsys)
    announced = {label for label, action in actions.items() if action != "cached"}
    (change,) = document["changes"]
    made = ran(capsys)

    assert announced == made == {label for label in everything if "-> w-stories" in label}
    assert ("lr", "0.001", "0.002") == (change["path"], change["before"], change["after"])
    assert (3, 49) == (change["span"]["line"], change["span"]["column"])
    assert len(made) == len(change["nodes"])


@pytest.mark.ml
def test_a_new_seed_and_a_new_language_run_only_themselves(here, capsys):
    ran(capsys)
    (here / "study.xfer").write_text(SPEC.replace("seeds: 2", "seeds: 3").replace("qaa, qab", "qaa, qab, qae"))

    made = ran(capsys)

    assert made
    assert all("(seed 3)" in label or "qae" in label for label in made)


@pytest.mark.ml
def test_results_say_the_same_in_every_form(here, capsys):
    ran(capsys)
    capsys.readouterr()

    call(["results", "study.xfer", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    call(["results", "study.xfer", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert 8 == len(rows) == len(document["scores"])
    assert 0 == document["missing"]
    for row, score in zip(rows, document["scores"], strict=True):
        assert (row["intermediate"], row["language"], row["seed"]) == (
            score["axes"]["intermediate"],
            score["language"],
            score["seed"],
        )
        assert float(row["value"]) == score["value"] and 0 <= score["value"] <= 1
        assert (20, 0.5, "small") == (score["n"], score["chance"], score["experiment"])
        assert (score["language"] != "qaa") == score["zero_shot"]


@pytest.mark.ml
def test_a_score_is_what_the_stored_predictions_say(here, capsys):
    from runtime import columns

    ran(capsys)
    study = xfer.compile("study.xfer")
    store = study.store()
    for row in xfer.rows(study)[0]:
        node = next(n for n in study.plan.nodes if n.key == row.cell.score)
        table = columns.read_table(store.read(node.op.predictions) / "predictions.arrow")
        right = [
            p == y
            for p, y in zip(table.column("prediction").to_pylist(), table.column("label").to_pylist(), strict=True)
        ]
        assert row.value == sum(right) / len(right)
        assert 20 == len(right) == row.n


def test_results_before_a_run_say_what_is_missing(here, capsys):
    assert exits.OK == call(["results", "study.xfer"])

    assert "8 of 8 scores are missing" in capsys.readouterr().out


def test_planning_writes_nothing(here, capsys):
    before = sorted(here.rglob("*"))

    assert exits.OK == call(["plan", "study.xfer"])
    assert exits.OK == call(["check", "study.xfer"])
    assert exits.WORK == call(["plan", "study.xfer", "--detailed-exitcode"])

    assert before == sorted(here.rglob("*"))


def test_the_plan_shows_shared_work_once(here, capsys):
    call(["plan", "study.xfer"])

    out = capsys.readouterr().out
    assert out.startswith("Plan: ") and "0 cached" in out
    assert "@ w-xcauses  2 × 2 seeds = 4: new" in out
    assert "w-stories  2 seeds: new" in out


HEAVY = {"torch", "transformers", "datasets", "accelerate", "tokenizers", "pyarrow", "numpy", "scipy", "sklearn"}


LOOKING = ["check study.xfer", "plan study.xfer", "results study.xfer", "why study.xfer babel", "explain X0301"]
LOOKING += ["show w-causes study.xfer", "list settings", "list tasks study.xfer"]


@pytest.mark.parametrize("command", LOOKING)
def test_looking_loads_no_ml_library(here, command):
    code = f"""
import sys
from xfer.cli import call
code = call({command.split()!r})
print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=_environment())

    assert 0 == done.returncode, done.stderr
    assert "[]" == done.stderr.strip().splitlines()[-1]


def _environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.mark.parametrize(
    "more", [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"}, {"LC_ALL": "tr_TR.UTF-8"}, {"TZ": "Asia/Tokyo"}]
)
def test_keys_do_not_depend_on_the_process(here, capsys, more):
    command = [sys.executable, "-c", "from xfer.cli import entry; entry()", "plan", "study.xfer", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment(**more))

    assert [n["key"] for n in planned(capsys)[1]["nodes"]] == [n["key"] for n in json.loads(done.stdout)["nodes"]]


def test_the_python_interface_compiles_and_runs_a_plan(here):
    study = xfer.compile("study.xfer")

    assert study.plan.nodes
    assert 8 == xfer.rows(study)[1]


def test_hub_sources_are_told_before_any_work(here, capsys):
    code = call(["run", str(ROOT / "specs" / "xcopa.xfer")])

    text = capsys.readouterr().err
    assert exits.ERROR == code
    assert "FacebookAI/xlm-roberta-large" in text and "hub" in text
    assert "dir(…)" in text and "std/models.xfer" in text
    assert not (here / "store").exists()


def test_a_file_edited_between_plan_and_run_is_never_taken_for_the_planned_one(tmp_path, monkeypatch):
    """The digest that is remembered belongs to the bytes that were hashed."""
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    write_tokenizer(tmp_path / "tokenizer")
    rows = [json.dumps(r) + "\n" for r in world.rows("causes", "train", "qaa")[:8]]
    data = tmp_path / "train.jsonl"
    data.write_text("".join(rows))
    os.utime(data, ns=(10**18, 10**18))
    (tmp_path / "s.xfer").write_text(
        'model m { weights: scratch(layers: 1, width: 8, heads: 2, tokenizer: dir("tokenizer")) }\n'
        'task t : multiple-choice { data: files({train: "train.jsonl"})  source: qaa\n'
        'input: { choices: ["{{ choice0 }}", "{{ choice1 }}"], label: "{{ label }}" } }\n'
        "m -> t(steps: 1, max-length: 32)\n"
    )
    study = xfer.compile(tmp_path / "s.xfer")
    data.write_text("".join(reversed(rows)))
    assert xfer.run(study).failed
    again = xfer.compile(tmp_path / "s.xfer")

    assert [n.key for n in study.plan.nodes][1:] != [n.key for n in again.plan.nodes][1:]
    assert [] == xfer.run(again).failed


def test_axes_called_like_columns_stay_apart(here, capsys, monkeypatch):
    from msgspec.structs import replace

    from xfer import records

    study = xfer.compile("study.xfer")
    cell = replace(study.plan.cells[0], axes=(("value", "skip"), ("arm", "x")))
    row = results.Row(cell, 0.5, 20, 0.5)

    (record,) = csv.DictReader(io.StringIO(records.as_csv([row])))

    assert ("skip", "x", "0.5") == (record["axis:value"], record["arm"], record["value"])
    assert {"value": "skip", "arm": "x"} == records.records([row])[0]["axes"]


def test_a_driver_without_a_cuda_torch_is_told_before_any_work(here, capsys, monkeypatch):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this torch has CUDA")
    tool = here / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'NVIDIA A100-SXM4-80GB, 8.0'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    assert exits.OK == call(["plan", "study.xfer"])
    assert "on NVIDIA A100-SXM4-80GB, bf16" in capsys.readouterr().out
    assert exits.USAGE == call(["run", "study.xfer"])
    assert "--device cpu" in capsys.readouterr().err
    assert not (here / "store").exists()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert exits.OK == call(["plan", "study.xfer"])
    assert "on cpu" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("redirect", "code"), [("| head -1", 0), ("> /dev/full", 1), ("2>&1 | cat", 0)], ids=["head", "full", "cat"]
)
def test_output_that_cannot_be_written_is_no_bug(here, redirect, code):
    program = f"{sys.executable} -c 'from xfer.cli import entry; entry()'"
    script = f"set -o pipefail; {program} plan study.xfer {redirect}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, env=_environment(PYTHONIOENCODING="ascii")
    )

    assert code == done.returncode, done.stderr
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.ml
def test_the_baseline_may_have_a_name_of_its_own(here, capsys):
    (here / "study.xfer").write_text(SPEC.replace("{ skip |", "{ nothing: skip |"))

    assert exits.OK == call(["run", "study.xfer"])
    out = capsys.readouterr().out
    assert "gain over nothing" in out
    assert "baseline: nothing" in out


def test_a_script_that_runs_a_study_at_its_top_level_needs_no_guard(here):
    """Workers are new processes; they must not import the script, which would run the study once more in each."""
    script = here / "script.py"
    script.write_text(
        "import xfer\n"
        "print('began')\n"
        "study = xfer.compile('study.xfer')\n"
        "report = xfer.run(study)\n"
        "print(len(report.failed), len(xfer.rows(study)[0]))\n"
    )
    ran = subprocess.run(
        [sys.executable, script], cwd=here, env=environment(here / "store"), capture_output=True, text=True, check=True
    )
    assert "began\n0 8\n" == ran.stdout  # skip and w-stories, two seeds, two languages


def test_one_experiment_of_a_spec_is_addressed_by_its_label(here, capsys):
    (here / "study.xfer").write_text(
        SPEC + "other: babel -> w-causes(steps: 3, batch: 8) @ w-xcauses[qal](limit: 20)\n"
    )

    assert exits.OK == call(["plan", "study.xfer::other", "--json"])
    scored = {n["label"] for n in json.loads(capsys.readouterr().out)["nodes"] if n["op"] == "score"}
    assert {"accuracy babel -> w-causes @ w-xcauses[qal] (seed 1)"} == scored

    assert exits.USAGE == call(["plan", "study.xfer::othr"])
    assert "its experiments: small, other" in capsys.readouterr().err
    assert len(xfer.compile("study.xfer").plan.cells) == len(xfer.compile("study.xfer::small").plan.cells) + 1


def test_a_file_with_colons_in_its_name_is_a_spec(here):
    (here / "a::b.xfer").write_text(SPEC)

    assert xfer.compile("a::b.xfer").plan.cells == xfer.compile("study.xfer").plan.cells


def test_settings_from_outside_reach_the_api_and_the_command_line(here, capsys):
    options = xfer.Options(settings=("seeds=1", "w-stories.steps=2"))
    keys = {node.key for node in xfer.compile("study.xfer", options).plan.nodes}

    assert exits.OK == call(["plan", "study.xfer", "--set", "seeds=1", "--set", "w-stories.steps=2", "--json"])
    assert keys == {node["key"] for node in json.loads(capsys.readouterr().out)["nodes"]}
    assert keys.isdisjoint(n.key for n in xfer.compile("study.xfer").plan.nodes if n.label.endswith("(seed 2)"))
    with pytest.raises(XferError, match="`lr` is no setting"):
        xfer.Options(settings=("lr",))


def test_what_this_version_cannot_run_is_planned_and_refused(here, capsys):
    (here / "study.xfer").write_text("babel-mini -> w-causes(tune: lora(r: 8)) @ w-xcauses[qab]")

    assert exits.USAGE == call(["plan", "study.xfer"])
    said = capsys.readouterr()
    assert "error[X0401]: `tune: lora` is not available yet" in said.err
    assert "What it will be once this version can run it:\nPlan: 6 nodes: 0 cached, 6 to run" in said.out
    assert exits.USAGE == call(["run", "study.xfer"])
    assert [] == list((here / "store").glob("objects/*/*"))
