"""SIGKILL at random moments, and two runs at once: nothing is lost, nothing is done twice, the digits are the same."""

import json
import os
import random
import time
from collections import Counter

import pytest
from msgspec.structs import replace

from runtime.store import io
from runtime.store.leases import myself
from tests.programs import done, events, kill_all, start, wait_for
from xfer import exits

pytestmark = [pytest.mark.ml, pytest.mark.slow]

STUDY = """\
model babel { weights: embedded("babel-mini") }
let intermediate = { skip | w-stories(steps: 40, lr: 1e-3) }
killed: babel -> intermediate -> w-causes(steps: 40) @ w-xcauses[*] with (seeds: 2)
"""
KILLS = 30
PHASES = ("training", "evaluation", "publishing")


def scores(here, store, spec="study.xfer"):
    code, said = done(here, "results", spec, "--csv", store=store)
    assert exits.OK == code, said
    return said


def phases(store, run):
    """What the workers of a run are doing now, or were doing when it was killed."""
    ops = {e["key"]: e["op"] for e in events(store) if "op" in e}
    staged = {name.split("-")[0] for name in io.names_in(store / "work")}
    found = set()
    for name in io.names_in(store / "work" / "leases"):
        key = name.removesuffix(".json")
        try:
            holder = json.loads((store / "work" / "leases" / name).read_text())
        except (OSError, ValueError):
            continue
        if run is None or holder["run"] == run:
            op = ops.get(key)
            if key[:12] in staged:
                found.add("publishing")
            elif op in ("train", "predict"):
                found.add({"train": "training", "predict": "evaluation"}[op])
    return found


def runs_of(store):
    return sorted(p.name for p in (store / "runs").iterdir()) if (store / "runs").is_dir() else []


def test_a_study_killed_thirty_times_ends_as_the_one_that_was_not(tmp_path):
    chance = random.Random(20261123)
    (tmp_path / "study.xfer").write_text(STUDY)
    code, said = done(tmp_path, "run", "study.xfer", store=tmp_path / "calm")
    assert exits.OK == code, said
    calm = scores(tmp_path, tmp_path / "calm")
    hit, finished, store = Counter(), 0, tmp_path / "store0"

    while hit.total() < KILLS or not finished:
        before = len(runs_of(store))
        process = start(tmp_path, "run", "study.xfer", "--save-every", "0.2", store=store)
        if killed := _kill(process, store, before, chance, wanted=chance.choice(PHASES)):
            hit.update(killed)
            continue
        said, _ = process.communicate()
        assert exits.OK == process.returncode, said
        assert calm == scores(tmp_path, store)
        _assert_clean(store)
        finished += 1
        store = tmp_path / f"store{finished}"
    code, said = done(tmp_path, "run", "study.xfer", store=store)

    assert exits.OK == code, said
    assert calm == scores(tmp_path, store)
    assert all(hit[phase] for phase in PHASES), hit


def _kill(process, store, before, chance, wanted):
    """Kill a run, a moment after one of its workers is in the wanted phase; which phases it fell in, or none."""
    later = chance.random() * 0.02 if wanted == "publishing" else chance.random() * 1.5
    while process.poll() is None:
        names = runs_of(store)[before:]
        if names and wanted in phases(store, names[-1]):
            time.sleep(later)
            if process.poll() is not None:
                return None
            kill_all(process)
            return phases(store, names[-1]) or {"between"}
        time.sleep(0.001)
    return None


def _assert_clean(store):
    """Nothing half done is left where nothing is to do."""
    assert [] == list(io.names_in(store / "work" / "states"))
    assert not (store / "work" / "damaged").exists()


PAIR = """\
model babel {{ weights: embedded("babel-mini") }}
{name}: babel -> w-causes(steps: 4) @ w-xcauses[{languages}](limit: 20) with (seeds: {seeds})
"""


def test_two_runs_at_once_do_every_node_once_and_both_end_right(tmp_path):
    (tmp_path / "one.xfer").write_text(PAIR.format(name="one", languages="qaa, qab, qac", seeds=2))
    (tmp_path / "two.xfer").write_text(PAIR.format(name="two", languages="qab, qac, qad", seeds=3))
    calm = tmp_path / "calm"
    for spec in ("one.xfer", "two.xfer"):
        assert exits.OK == done(tmp_path, "run", spec, store=calm)[0]
    right = [scores(tmp_path, calm, spec) for spec in ("one.xfer", "two.xfer")]
    waited = 0

    for number in range(20):
        store = tmp_path / f"store{number}"
        _left_by_the_dead(store, number)
        both = [start(tmp_path, "run", spec, "--jobs", "1", store=store) for spec in ("one.xfer", "two.xfer")]
        for process in both:
            said, _ = process.communicate()
            assert exits.OK == process.returncode, said
        assert right == [scores(tmp_path, store, spec) for spec in ("one.xfer", "two.xfer")]
        made = Counter(e["key"] for e in events(store) if e.get("event") == "ran")
        assert {1} == set(made.values()), "a node was computed twice"
        assert not (store / "work" / "divergences.jsonl").exists()
        waited += sum(e.get("event") in ("waiting", "found") for e in events(store))

    assert waited, "the runs never met"


def _left_by_the_dead(store, number):
    """Leases of processes that are gone, on half of the stores: one of a number that lives again, one of none."""
    if number % 2:
        folder = store / "work" / "leases"
        folder.mkdir(parents=True)
        for key in _keys(store.parent / "calm")[number % 5 :: 5]:
            dead = replace(myself("dead"), process=os.getpid() if number % 4 == 1 else 2**22 + 1, started="1")
            (folder / f"{key}.json").write_text(json.dumps({f: getattr(dead, f) for f in dead.__slots__}))


def _keys(store):
    return sorted(p.name for p in (store / "objects").glob("*/*"))


def test_a_run_waits_for_what_another_one_trains_and_uses_it(tmp_path):
    long = PAIR.replace("steps: 4", "steps: 300").format(name="long", languages="qaa", seeds=1)
    (tmp_path / "one.xfer").write_text(long)
    (tmp_path / "two.xfer").write_text(long.replace("long:", "other:"))
    store = tmp_path / "store"
    first = start(tmp_path, "run", "one.xfer", store=store)
    wait_for(lambda: any(e.get("event") == "progress" for e in events(store)), first)

    code, planned = done(tmp_path, "plan", "two.xfer", store=store)
    assert exits.OK == code and "held by another run" in planned and f"run {runs_of(store)[0]}" in planned
    code, said = done(tmp_path, "run", "two.xfer", store=store)
    first.communicate()

    assert exits.OK == code == first.returncode, said
    assert "its results will be used" in said and "used from another run" in said
    assert 1 == sum(e.get("event") == "started" and e["op"] == "train" for e in events(store))
