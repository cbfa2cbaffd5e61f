"""One failure skips what depends on it and nothing else; what was announced is what runs."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.ops import Mix, Part
from compiler.plan import Cell
from compiler.schedule import groups, needed
from runtime import results
from runtime.errors import StoreError
from runtime.executor import Outcome
from runtime.preview import Mark, preview
from runtime.store import objects
from runtime.store.objects import Store
from tests.plans import Builder, LineBodies, data, model, run, study, train


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", write=True)


def labels(nodes):
    return {n.label for n in nodes}


def test_everything_runs_once_and_then_nothing(store):
    plan = study(seeds=(1, 2))

    first, second = run(plan, store, LineBodies()), run(plan, store, LineBodies())

    assert labels(plan.nodes) == labels(first.ran)
    assert ([], [], []) == (second.ran, second.failed, second.skipped)


def test_a_failure_skips_what_depends_on_it_and_nothing_else(store):
    plan = study(seeds=(1, 2), languages=("qaa",))
    events = []

    report = run(plan, store, LineBodies(fails=["train 1"]), lambda n, e: events.append((n.label, e)))

    assert ["train 1"] == [f.node.label for f in report.failed]
    assert {"predict 1 qaa", "score 1 qaa"} == labels(report.skipped)
    assert {"train 2", "predict 2 qaa", "score 2 qaa"} <= labels(report.ran)
    assert ("score 1 qaa", Outcome.SKIPPED) in events
    assert "told to fail" in str(report.failed[0])


class GroupBodies(LineBodies):
    """Fails for a whole group, as weights that cannot be loaded do."""

    def __call__(self, group, inputs, desk):
        if "predict" in group[0].label:
            raise ValueError("the weights cannot be loaded")
        return super().__call__(group, inputs, desk)


def test_a_group_that_fails_is_one_failure_of_all_its_nodes(store):
    plan = study(languages=("qaa", "qab", "qac"))
    events = []

    report = run(plan, store, GroupBodies(), lambda n, e: events.append((n.label, e)))

    (failure,) = report.failed
    predictions = ["predict 1 qaa", "predict 1 qab", "predict 1 qac"]
    assert "the weights cannot be loaded" in str(failure.__cause__)
    assert predictions == [n.label for n in report.failed_nodes]
    assert predictions[1:] == [n.label for n in report.others[failure.node.key]]
    assert predictions == [label for label, event in events if event is Outcome.FAILED]
    assert {"score 1 qaa", "score 1 qab", "score 1 qac"} == labels(report.skipped)


def test_a_node_of_a_group_that_cannot_be_written_takes_no_other_with_it(store):
    report = run(study(languages=("qaa", "qab", "qac")), store, LineBodies(fails=["predict 1 qaa", "predict 1 qac"]))

    assert ["predict 1 qaa", "predict 1 qac"] == [f.node.label for f in report.failed]
    assert {} == report.others
    assert {"predict 1 qab", "score 1 qab"} <= labels(report.ran)


def test_a_full_disk_while_a_node_is_written_stops_the_run(store):
    class Full(LineBodies):
        def __call__(self, group, inputs, desk):
            def write(_folder):
                raise RuntimeError("I/O error: No space left on device (os error 28)")

            return iter([write]) if group[0].label.startswith("train") else super().__call__(group, inputs, desk)

    events = []

    with pytest.raises(StoreError, match="no space left"):
        run(study(seeds=(1, 2)), store, Full(), lambda n, e: events.append((n.label, e)))

    assert ("train 1", Outcome.STARTED) in events and ("train 2", Outcome.STARTED) not in events


def _cells(plan):
    scores = [n for n in plan.nodes if n.label.startswith("score")]
    return tuple(Cell("#1", (), "1", "xcopa", n.label[-3:], "accuracy", True, n.key) for n in scores)


class ScoreBodies(LineBodies):
    def __call__(self, group, inputs, desk):
        def write(folder):
            (folder / results.SCORE).write_text('{"value": 0.5, "n": 20, "chance": 0.5}')

        return iter([write for _ in group])


def test_a_damaged_score_hides_no_other_and_the_next_run_mends_it(store):
    plan = study()
    plan = replace(plan, cells=_cells(plan))
    run(plan, store, ScoreBodies())
    victim = store.path(plan.cells[0].score) / results.SCORE
    was = victim.stat()
    victim.write_text(victim.read_text().replace("0.5", "0.9"))
    os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))

    rows, missing = results.read(plan, Store(store.root))

    assert (["qab"], 1) == ([r.cell.language for r in rows], missing)
    assert victim.is_file() and not (store.root / "work" / "damaged").exists()
    fresh = Store(store.root, write=True)
    assert (
        {"score 1 qaa"}
        == labels(preview(plan, Store(store.root)).to_run)
        == labels(run(plan, fresh, ScoreBodies()).ran)
    )
    assert (2, 0) == (len(results.read(plan, Store(store.root))[0]), results.read(plan, Store(store.root))[1])


def test_a_score_that_is_found_damaged_only_when_it_is_read_counts_as_missing(store, monkeypatch):
    plan = study()
    plan = replace(plan, cells=_cells(plan))
    run(plan, store, ScoreBodies())
    monkeypatch.setattr(objects, "SMALL", 0)
    victim = store.path(plan.cells[0].score) / results.SCORE
    was = victim.stat()
    victim.write_text(victim.read_text().replace("0.5", "0.9"))
    os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))

    rows, missing = results.read(plan, Store(store.root))

    assert (["qab"], 1) == ([r.cell.language for r in rows], missing)


def test_a_score_whose_bytes_are_right_counts_though_its_record_is_broken(store):
    plan = study()
    plan = replace(plan, cells=_cells(plan))
    run(plan, store, ScoreBodies())
    (store.path(plan.cells[0].score) / "manifest.json").write_text("{]")

    rows, missing = results.read(plan, Store(store.root))

    assert (["qaa", "qab"], 0) == ([r.cell.language for r in rows], missing)


def test_the_next_run_does_what_failed_and_no_more(store):
    plan = study(seeds=(1, 2), languages=("qaa",))
    run(plan, store, LineBodies(fails=["train 1"]))

    again = run(plan, store, LineBodies())

    assert {"train 1", "predict 1 qaa", "score 1 qaa"} == labels(again.ran)


def test_inputs_run_before_what_reads_them_and_languages_run_together(store):
    plan = study(seeds=(1, 2), languages=("qaa", "qab", "qac"))
    done = set()

    for group in groups(needed(plan, {})):
        for node in group:
            assert all(key in done for key in _inputs(node))
        done |= {n.key for n in group}

    assert [3, 3] == [len(g) for g in groups(needed(plan, {})) if "predict" in g[0].label]


def _inputs(node):
    from compiler.ops import inputs

    return inputs(node.op)


def test_a_missing_checkpoint_that_nobody_asks_for_is_not_made_again(store):
    plan = study()
    run(plan, store, LineBodies())
    weights = next(n for n in plan.nodes if n.label == "train 1")
    store.set_aside(weights.key)

    report = run(plan, store, LineBodies())

    assert [] == report.ran
    assert Mark.UNASKED is preview(plan, store).marks[weights.key]


def test_an_interrupt_keeps_what_was_finished(store):
    class Interrupted(LineBodies):
        def __call__(self, group, inputs, desk):
            if group[0].label == "train 2":
                raise KeyboardInterrupt
            return super().__call__(group, inputs, desk)

    plan = study(seeds=(1, 2), languages=("qaa",))
    with pytest.raises(KeyboardInterrupt):
        run(plan, store, Interrupted())

    assert {"train 2", "predict 2 qaa", "score 2 qaa"} <= labels(preview(plan, store).to_run)
    assert "train 1" not in labels(preview(plan, store).to_run)


def test_store_trouble_stops_the_run(store, monkeypatch):
    from runtime.store import io

    def full(what, _path):
        if what == "write":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(io, "at_point", full)

    with pytest.raises(StoreError, match="no space left"):
        run(study(), store, LineBodies())


def test_a_damaged_input_is_set_aside_and_made_again_in_the_same_run(store, monkeypatch):
    monkeypatch.setattr(objects, "SMALL", 0)
    plan = study(seeds=(1,), languages=("qaa",))
    run(plan, store, LineBodies())
    weights = next(n for n in plan.nodes if n.label == "train 1")
    score = next(n for n in plan.nodes if n.label == "predict 1 qaa")
    store.set_aside(score.key)
    store.set_aside(next(n for n in plan.nodes if n.label == "score 1 qaa").key)
    path = store.path(weights.key) / "line.txt"
    was = path.stat()
    path.write_text("Train 1")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))

    fresh = Store(store.root, write=True)
    report = run(plan, fresh, LineBodies())

    assert ([], []) == (report.failed, report.skipped)
    assert {"train 1", "predict 1 qaa", "score 1 qaa"} == labels(report.ran)
    (mended,) = report.mended
    assert weights.key[:12] in str(mended.__cause__) and "damaged" in str(mended.__cause__)
    assert 3 == len(list((store.root / "work" / "damaged").iterdir())), "two by the test, one by the run"


def test_an_edit_is_shown_at_its_root_with_what_it_re_runs(store):
    run(study(lr=1e-3), store, LineBodies())

    found = preview(study(lr=2e-3), store)

    (change,) = found.changes
    assert ("param_changed", "lr", "0.001", "0.002") == (
        change.reason.code,
        change.reason.path,
        change.reason.before,
        change.reason.after,
    )
    assert labels(found.to_run) == {n.label for n in study().nodes if n.key in change.nodes or n.label in _down()}
    assert {Mark.CHANGED} == {found.marks[n.key] for n in found.to_run}


def _trained(*parts, mix=None):
    """A plan of one training of these parts over one data node."""
    b = Builder()
    m = b.add(model(), "model")
    key = b.add(data(m), "data")
    b.add(train(m, parts=tuple(replace(p, data=(key,)) for p in parts), mix=mix), "train")
    return b.plan()


CHOICE, MASKED = Part("multiple-choice", (), (), "new", None), Part("masked-lm", (), (), "new", 0.15)
UNIFORM = Mix("uniform", None, None, ())


@pytest.mark.parametrize(
    ("parts", "mix", "changes"),
    [
        ((CHOICE, replace(MASKED, mask=0.3)), UNIFORM, [("mask", "0.15", "0.3")]),
        ((replace(MASKED, mask=0.3), CHOICE), UNIFORM, [("mask", "0.15", "0.3")]),
        ((replace(CHOICE, head=0), MASKED), UNIFORM, [("head", "new", "0")]),
        ((CHOICE,), UNIFORM, [("parts", "2", "1")]),
        ((CHOICE, MASKED), Mix("temperature", None, 2.0, ()), [("mix", "uniform", "temperature(2.0)")]),
        ((CHOICE, MASKED), Mix("proportional", 10, None, ()), [("mix", "uniform", "proportional(10)")]),
        ((CHOICE, MASKED), Mix("weights", None, None, (0.25, 0.75)), [("mix", "uniform", "weights(0.25, 0.75)")]),
    ],
)
def test_an_edit_of_a_mixture_is_shown_by_its_part(store, parts, mix, changes):
    run(_trained(CHOICE, MASKED, mix=UNIFORM), store, LineBodies())

    found = preview(_trained(*parts, mix=mix), store)

    assert changes == [(c.reason.path, c.reason.before, c.reason.after) for c in found.changes]
    assert {"param_changed"} == {c.reason.code for c in found.changes}


def _down():
    return {"train 1", "predict 1 qaa", "predict 1 qab", "score 1 qaa", "score 1 qab"}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), lrs=st.lists(st.sampled_from([1e-3, 2e-3, 5e-4]), min_size=1, max_size=4))
def test_what_the_plan_says_is_what_the_run_does(tmp_path_factory, seed, lrs):
    """Random edits, random losses: the nodes that run are the nodes that were announced."""
    store = Store(tmp_path_factory.mktemp("store"), write=True)
    random_ = random.Random(seed)
    for lr in lrs:
        plan = study(lr=lr, seeds=range(1, random_.randint(2, 4)), languages=("qaa", "qab")[: random_.randint(1, 2)])
        for key in random_.sample([n.key for n in plan.nodes], 2):
            store.set_aside(key)
        announced = labels(preview(plan, store).to_run)

        assert announced == labels(run(plan, store, LineBodies()).ran)
        assert () == preview(plan, store).to_run
