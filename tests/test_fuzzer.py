"""`make fuzz`, small: what it tries, what it records, and that what is planted is found and written down."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.fuzz import inputs, trial
from bench.fuzz.__main__ import SPAN, main, tasks
from bench.fuzz.record import left_by
from bench.fuzz.trial import Breach, Task
from tests.compiling import PRELUDE, compiled
from tests.fuzzing import MOST_MEMORY, SORTS

ROOT = Path(__file__).parents[1]
guided = pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed (`make fuzz`)")


# --- from bytes to texts


def test_bytes_are_a_text_or_the_number_of_one():
    assert ("text", "m -> a") == inputs.read(b"\x00m -> a")
    assert ("with prelude", PRELUDE + "m -> a") == inputs.read(b"\x03m -> a")
    assert ("valid", SORTS["valid"](258)) == inputs.read(b"\x05\x02\x01\x00\x00")
    assert ("hostile", SORTS["hostile"](7)) == inputs.read(b"\xff\x07\x00\x00\x00")


def test_bytes_behind_a_number_edit_the_text():
    base = SORTS["mutated"](7)
    cut, put = (inputs.read(b"\x07\x07\x00\x00\x00" + edit) for edit in (b"\x02\x00\x05\x00\x00\x00", b"\0\0\0\1\0\0"))

    assert ("mutated, edited", base[:2] + base[7:]) == cut
    assert inputs.WORDS[0] + base == put[1]


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x05", b"\x00\xff\xfe", bytes(range(256)) * 3])
def test_any_bytes_are_an_input(data):
    assert inputs.read(data) == inputs.read(data)


def test_the_fuzzer_begins_with_all_sorts_and_knows_the_words_of_the_language():
    sorts = {inputs.read(data)[0] for data in inputs.seeds()}

    assert {"text", "valid", "grammatical", "mutated", "hostile"} == sorts
    assert {"xlmr-large", "multiple-choice", "warmup", "defaults", "->"} <= set(inputs.WORDS)
    assert f'"{"".join(f"{chr(92)}x{ord(c):02x}" for c in "warmup")}"' in inputs.dictionary().splitlines()


def test_a_quarter_is_valid_shared_out_and_tried_once(tmp_path):
    made = tasks(1003, 4, 2, tmp_path, "")
    valid = [t for t in made if t.sort == "valid"]

    assert 1003 == sum(t.count for t in made)
    assert 1003 // 4 == sum(t.count for t in valid)
    assert [2 * SPAN, 2 * SPAN + 63, 2 * SPAN + 126, 2 * SPAN + 188] == [t.seed for t in valid]
    assert len(made) == len({(t.sort, t.seed) for t in made})


# --- what is written down


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """Trials of the planted compiler, which does what a text says."""
    monkeypatch.setattr(trial, "HUNG", 0.2)
    (tmp_path / "guided-3.log").touch()
    return trial.begin(Task("guided", 3, 1, 10, str(tmp_path), "tests.planted:told"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("raise", "text: raised KeyError"),
        ("hang", "text: took more than 0.2 s of CPU"),
        ("slow", "text: took 1.50 s of CPU"),
        ("large", "text: took 300 MiB"),
    ],
)
def test_a_breach_is_written_down_with_what_it_did(trials, tmp_path, text, what):
    trials.one("text", "quiet")
    with pytest.raises(Breach, match=what):
        trials.one("text", text)
    trials.write()
    left = left_by(trials.task, 1)

    assert text == (tmp_path / "breach-guided-3.xfer").read_text()
    assert what == (tmp_path / "breach-guided-3.txt").read_text().splitlines()[0]
    assert f"{tmp_path / 'breach-guided-3.xfer'}: {what}" == left.breach


def test_a_fault_in_what_is_valid_by_construction_is_a_breach(trials):
    trials.one("text", "fault")
    with pytest.raises(Breach, match="is valid by construction, and gives X0301"):
        trials.one("valid", "fault")


def test_a_process_that_dies_of_its_input_leaves_it(tmp_path):
    code = "import sys; from bench.fuzz import trial; out = sys.argv[1]\n"
    code += "task = trial.Task('guided', 0, 1, 10, out, 'tests.planted:told')\n"
    code += "trial.begin(task).one('text', 'die')"
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    (tmp_path / "guided-0.log").touch()
    left = left_by(Task("guided", 0, 1, 10, str(tmp_path), ""), ended.returncode)

    assert "breach-guided-0.xfer: the process ended with 9; see guided-0.log" in left.breach
    assert "die" == (tmp_path / "breach-guided-0.xfer").read_text()


def test_an_input_can_be_tried_again_alone(tmp_path):
    path = tmp_path / "breach.xfer"
    path.write_text("m -> a\nlet a = nothing")
    said = subprocess.run(
        [sys.executable, "-m", "bench.fuzz.again", path], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert {"X0201"} == set(json.loads(said.stdout)["codes"])
    assert 0 <= json.loads(said.stdout)["grown"] < MOST_MEMORY


# --- whole runs


def test_without_atheris_it_says_so(capsys, monkeypatch):
    monkeypatch.setattr("bench.fuzz.__main__.find_spec", lambda _name: None)

    assert 2 == main(["--inputs", "8"])
    assert 1 == capsys.readouterr().err.count("\n")


@guided
def test_two_hundred_inputs_are_tried_and_recorded(tmp_path, capsys):
    code = main(["--inputs", "200", "--jobs", "2", "--out", str(tmp_path / "out")])
    record = json.loads((tmp_path / "out" / "record.json").read_text())

    assert (0, []) == (code, record["breaches"])
    assert record == json.loads(capsys.readouterr().out)
    assert 200 == record["tried"] == sum(record["inputs"].values())
    assert 50 <= record["inputs"]["valid"]
    assert 2 == len(record["coverage"]) and all(c["counters"] > 500 for c in record["coverage"])
    assert 0 < record["slowest"]["cpu_seconds"] < 1
    assert {"seconds", "processes", "grown", "seed", "commit", "machine", "python", "atheris"} <= set(record)


@guided
def test_a_planted_bug_is_found_and_named(tmp_path, capsys):
    code = main(["--inputs", "400", "--jobs", "1", "--out", str(tmp_path), "--trier", "tests.planted:tried"])
    text = (tmp_path / "breach-guided-0.xfer").read_text()

    assert "X0103" in {d.code for d in compiled(text).diagnostics}
    assert 1 == code
    assert "breach-guided-0.xfer: " in capsys.readouterr().err
    assert "RecursionError: planted" in (tmp_path / "breach-guided-0.txt").read_text()
