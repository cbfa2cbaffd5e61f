"""Ctrl-C, SIGTERM, the death of a worker, the death of the driver: nothing is lost but the last interval."""

import json
import os
import signal

import pytest

from tests.programs import done, events, start, wait_for, workers
from xfer import exits

pytestmark = pytest.mark.ml

SPEC = """\
model babel { weights: embedded("babel-mini") }
long: babel -> w-causes(steps: 400, batch: 8, lr: 1e-4) @ w-xcauses[qaa, qab](limit: 20)
"""
SHORT = SPEC.replace("400", "3").replace("long", "short")


@pytest.fixture
def here(tmp_path):
    (tmp_path / "study.xfer").write_text(SPEC)
    return tmp_path


def steps_told(store):
    return [e["step"] for e in events(store) if e.get("event") == "progress"]


def in_training(here, process):
    wait_for(lambda: steps_told(here / "store"), process)


def scores(here, store=None):
    code, said = done(here, "results", "study.xfer", "--json", store=store)
    assert exits.OK == code, said
    return [(s["language"], s["value"]) for s in json.loads(said)["scores"]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The scores of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "study.xfer").write_text(SPEC)
    code, said = done(folder, "run", "study.xfer")
    assert exits.OK == code, said
    return scores(folder)


def resumed(here):
    return [e["first"] for e in events(here / "store") if e.get("event") == "progress" and e["first"]]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_finishes_the_step_and_saves(here, undisturbed, sign):
    process = start(here, "run", "study.xfer")
    in_training(here, process)
    process.send_signal(sign)
    said, _ = process.communicate()

    assert exits.INTERRUPTED == process.returncode
    assert "saved at step" in said and "The same command goes on" in said
    code, planned = done(here, "plan", "study.xfer")
    assert "1 resume" in planned and "from step" in planned
    code, said = done(here, "run", "study.xfer")
    assert exits.OK == code, said
    assert undisturbed == scores(here)
    assert resumed(here)
    assert [] == list((here / "store" / "work" / "states").iterdir())


def test_the_second_signal_stops_at_once(here):
    process = start(here, "run", "study.xfer")
    in_training(here, process)
    started = workers(process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate()

    assert exits.INTERRUPTED == process.returncode
    assert started and not [n for n in started if alive(n)]


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_costs_its_last_interval_and_the_run_goes_on(here, undisturbed):
    process = start(here, "run", "study.xfer", "--save-every", "0.1")
    states = here / "store" / "work" / "states"
    wait_for(lambda: states.is_dir() and any(states.glob("*/[0-9]*")), process)
    for number in workers(process):
        os.kill(number, signal.SIGKILL)
    said, _ = process.communicate()

    assert exits.OK == process.returncode, said
    assert undisturbed == scores(here)
    assert resumed(here)


def test_a_worker_that_dies_again_and_again_is_a_failure_with_a_hint(here):
    process = start(here, "run", "study.xfer", "--jobs", "1")
    for count in range(1, 4):
        wait_for(lambda n=count: begun(here) >= n, process)
        wait_for(lambda: workers(process), process)
        for number in workers(process):
            os.kill(number, signal.SIGKILL)
    said, _ = process.communicate()

    assert exits.ERROR == process.returncode
    assert "was killed by SIGKILL, 3 times" in said and "--jobs" in said


def begun(here):
    return len([e for e in events(here / "store") if e.get("event") == "started" and e["op"] == "train"])


def test_workers_of_a_driver_that_is_killed_save_and_end(here, undisturbed):
    process = start(here, "run", "study.xfer")
    in_training(here, process)
    started = workers(process)
    process.kill()
    process.communicate()

    code, said = done(here, "run", "study.xfer")

    assert exits.OK == code, said
    assert undisturbed == scores(here)
    assert started and not [n for n in started if alive(n)]
    assert ["gone", "done"] == states_of_runs(here)[::-1]


def states_of_runs(here):
    code, said = done(here, "runs", "--store", here / "store", "--json")
    assert exits.OK == code
    return [r["state"] for r in json.loads(said)["runs"]]


def test_a_run_can_be_listed_and_watched_from_elsewhere(here):
    (here / "study.xfer").write_text(SHORT)
    process = start(here, "run", "study.xfer")
    wait_for(lambda: events(here / "store"), process)
    code, watched = done(here, "watch", "--store", here / "store")
    process.communicate()

    assert exits.OK == code, watched
    assert "ran babel -> w-causes (seed 1)" in watched
    assert "done: 9 of 9 nodes ran, 0 failed" in watched
    code, listed = done(here, "runs", "study.xfer")
    assert "9/9" in listed and "done" in listed
    code, said = done(here, "watch", "nothing", "--store", here / "store")
    assert exits.USAGE == code and "no run `nothing`" in said


def test_encoding_hears_the_signal_too(here):
    """Rows that a function goes on yielding: nothing waits for its end."""
    rows = (
        'def rows(split, language):\n    for n in range(200_000):\n        yield {"a": f"x{n}", "b": "y", "label": 0}\n'
    )
    (here / "endless.py").write_text(rows)
    (here / "study.xfer").write_text(
        'model m { weights: embedded("babel-mini") }\n'
        'task t : multiple-choice { data: python("endless:rows")  source: qaa\n'
        '  input: { choices: ["{{ a }}", "{{ b }}"], label: "{{ label }}" } }\n'
        "m -> t(steps: 1, max-length: 32)\n"
    )
    process = start(here, "run", "study.xfer", "--allow-code")
    wait_for(lambda: any(e.get("event") == "publishing" and e["op"] == "data" for e in events(here / "store")), process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()

    assert exits.INTERRUPTED == process.returncode, said
    assert "halted" in [e["event"] for e in events(here / "store") if e.get("op") == "data"]


def test_what_libraries_print_goes_to_the_log_of_the_worker(here):
    (here / "study.xfer").write_text(SHORT)
    code, said = done(here, "run", "study.xfer", "--jobs", "1")

    assert exits.OK == code
    assert "Warning" not in said
    assert [p.name for p in (here / "store" / "runs").glob("*/worker-*.log")] == ["worker-0.log"]
