"""Two tasks of two kinds in one training: both heads learn, `mix` is kept, an interrupted run ends with equal bits."""

import json
import signal
from collections import Counter
from math import sqrt

import pytest

from tests.programs import done, events, start, wait_for
from xfer import exits

pytestmark = pytest.mark.ml

STEPS = 240
SHARES = {"multiple-choice": 1 / 3, "classification": 2 / 3}  # by their numbers of examples it would be 4 / 7 and 3 / 7
SPEC = f"""\
model babel {{ weights: embedded("babel-mini") }}
both: babel -> (w-stories + w-entail(limit: 1500))(
  mix: weights(w-stories: 1, w-entail: 2), steps: {STEPS}, batch: 128, lr: 2e-3
) @ w-stories[qaa](split: dev), w-entail[qaa](split: dev)
"""


def scores(here):
    code, said = done(here, "results", "study.xfer", "--json")
    assert exits.OK == code, said
    return {s["benchmark"]: s for s in json.loads(said)["scores"]}


def training(here):
    """The folder of the one trained node, and the kinds of its parts in the order of the key."""
    for path in (here / "store" / "objects").glob("*/*/manifest.json"):
        preimage = json.loads(path.read_text())["preimage"]
        if preimage["op"] == "train":
            return path.parent, [part["kind"] for part in preimage["fields"]["parts"]]
    pytest.fail("nothing was trained")


def made(here):
    """The bytes of all that the training made: weights of the encoder and both heads, tokenizer, curve."""
    folder, _ = training(here)
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "study.xfer").write_text(SPEC)
    code, said = done(folder, "run", "study.xfer", "--jobs", "1")
    assert exits.OK == code, said
    return folder


def test_each_head_beats_chance(undisturbed):
    """By three standard errors of guessing."""
    found = scores(undisturbed)

    assert {"w-stories": 0.25, "w-entail": pytest.approx(1 / 3)} == {task: s["chance"] for task, s in found.items()}
    for task, score in found.items():
        guessing = sqrt(score["chance"] * (1 - score["chance"]) / score["n"])
        assert score["value"] > score["chance"] + 3 * guessing, task


def test_the_parts_are_drawn_as_mix_says(undisturbed):
    folder, kinds = training(undisturbed)
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    drawn = Counter(kinds[point["part"]] for point in curve)

    assert STEPS == len(curve)
    assert set(SHARES) == set(drawn)
    for kind, share in SHARES.items():
        assert share * STEPS == pytest.approx(drawn[kind], abs=3 * sqrt(STEPS * share * (1 - share)))


def test_an_interrupted_training_goes_on_to_equal_bits(undisturbed, tmp_path):
    def progress():
        return [e for e in events(tmp_path / "store") if e.get("event") == "progress"]

    (tmp_path / "study.xfer").write_text(SPEC)
    process = start(tmp_path, "run", "study.xfer", "--jobs", "1")
    wait_for(progress, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    assert exits.INTERRUPTED == process.returncode
    assert "saved at step" in said
    code, said = done(tmp_path, "run", "study.xfer", "--jobs", "1")
    assert exits.OK == code, said

    assert [e for e in progress() if e["first"]]  # it went on from a step, and did not begin anew
    assert made(undisturbed) == made(tmp_path)
    assert scores(undisturbed) == scores(tmp_path)
