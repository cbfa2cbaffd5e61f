"""What a plan announces is what a run does: random edits of random studies, in stores in random states."""

import os
import shutil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import xfer
from runtime.preview import Mark, preview
from runtime.store.objects import Store
from tests.compiling import plan_of, write_files
from tests.plans import LineBodies, run
from tests.strategies import studies
from xfer import exits
from xfer.cli import call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specs")
    write_files(folder)
    return folder


EDITS = {
    "another seed": lambda old, new: replace(old, seeds=old.seeds % 3 + 1),
    "other languages": lambda old, new: replace(old, target=replace(old.target, languages=new.target.languages)),
    "another target": lambda old, new: replace(old, target=new.target),
    "another first stage": lambda old, new: replace(old, stages=(new.stages[0], *old.stages[1:])),
    "one more stage": lambda old, new: replace(old, stages=(*old.stages[:2], new.stages[-1])),
    "other arms": lambda old, new: replace(old, arms=new.arms),
    "a label": lambda old, new: replace(old, label="other", comments=not old.comments),
    "another study": lambda old, new: new,
}


def take(store, key):
    """Its folder is gone."""
    shutil.rmtree(store.path(key))


def cut(store, key):
    """A file of it has another size."""
    path = store.path(key) / "line.txt"
    path.write_text(path.read_text()[:-1])


def flip(store, key):
    """A file of it has other bytes, with the same size and time."""
    path = store.path(key) / "line.txt"
    was = path.stat()
    path.write_text(path.read_text().swapcase() + "")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def forget(store, key):
    """The index lost it."""
    store.index.forget(key)


def put_aside(store, key):
    """A reader found it damaged."""
    store.set_aside(key)


STATES = (take, cut, flip, forget, put_aside)


def labels(nodes):
    return sorted(n.label for n in nodes)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(EDITS)), studies()), min_size=1, max_size=3),
    studies(),
    st.integers(0, 10**6),
)
@settings(max_examples=30)
def test_what_is_announced_is_what_runs(folder, tmp_path_factory, edits, study, seed):
    root, random = tmp_path_factory.mktemp("store"), Random(seed)
    for edit, other in (("a label", study), *edits):
        study = EDITS[edit](study, other)
        plan = plan_of(study.text(), folder)
        store = Store(root, write=True)
        there = sorted(store.present(n.key for n in plan.nodes))
        for key in random.sample(there, min(len(there), random.choice((0, 1, 3)))):
            random.choice(STATES)(store, key)
        fails = random.sample(labels(plan.nodes), random.choice((0, 0, 1, 2)))

        found = preview(plan, Store(root))
        report = run(plan, Store(root, write=True), LineBodies(fails))

        done = [*report.ran, *report.failed_nodes, *report.skipped]
        assert labels(found.to_run) == labels(done)
        assert {n.key for n in plan.nodes} - {n.key for n in done} == {
            k for k, mark in found.marks.items() if mark in (Mark.CACHED, Mark.UNASKED)
        }
        after = preview(plan, Store(root))
        assert labels([*report.failed_nodes, *report.skipped]) == labels(after.to_run)


WORLD = """\
model babel { weights: embedded("babel-mini") }
let intermediate = { skip | w-stories(steps: 2, lr: 1e-3) }
small: babel -> intermediate -> w-causes(steps: 2, batch: 8) @ w-xcauses[qaa, qab](limit: 20) with (seeds: 2)
"""
WORLD_EDITS = {
    "a stage": lambda text: text.replace("w-stories(steps: 2", "w-stories(steps: 3"),
    "the target": lambda text: text.replace("batch: 8", "batch: 4"),
    "languages and seeds": lambda text: text.replace("[qaa, qab]", "[qaa, qac]").replace("seeds: 2", "seeds: 3"),
}


@pytest.mark.ml
@pytest.mark.slow
@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("edit", sorted(WORLD_EDITS))
def test_what_is_announced_is_what_runs_in_the_world(tmp_path, monkeypatch, capsys, edit, damaged):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    path = tmp_path / "study.xfer"
    path.write_text(WORLD)
    assert exits.OK == call(["run", "study.xfer", "--device", "cpu"])
    options = xfer.Options(device="cpu")
    if damaged:
        study = xfer.compile(path, options)
        first = next(n for n in study.plan.nodes if n.sort == "train")
        shutil.rmtree(study.store().path(first.key))
        (study.store().path(study.plan.cells[0].score) / "score.json").write_text("{}")
    path.write_text(WORLD_EDITS[edit](WORLD))
    study = xfer.compile(path, options)
    announced = {n.key for n in study.preview().to_run}
    before = {p: p.stat().st_ino for p in (tmp_path / "store" / "objects").glob("*/*")}

    assert exits.OK == call(["run", "study.xfer", "--device", "cpu"])

    after = {p: p.stat().st_ino for p in (tmp_path / "store" / "objects").glob("*/*")}
    assert announced and announced == {p.name for p, inode in after.items() if before.get(p) != inode}
    assert () == xfer.compile(path, options).preview().to_run
