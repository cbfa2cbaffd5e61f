"""Simulated runs: close to the best that any order could take, and never more on the disk than announced."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.study import write_study
from compiler.ops import Data, Model, Predict, Train
from compiler.pins import read
from compiler.pipeline import compile_text
from compiler.places import Places
from compiler.schedule import groups
from compiler.timeline import droppable, priorities, ranks, timeline
from dsl.source import Source
from runtime.executor import Manner
from runtime.preview import preview
from runtime.store.objects import Store
from tests import plans
from tests.compiling import CPU, PRELUDE, plan_of
from tests.strategies import studies

WORKERS = (1, 2, 3, 5, 8, 16, 32, 64)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """One model, ten intermediate tasks, a hundred trainings, 900 evaluations."""
    folder = tmp_path_factory.mktemp("study")
    path = write_study(folder, 900)
    places = Places(folder, pins=read((folder / "xfer.lock").read_text()))
    return compile_text(Source("study.xfer", path.read_text()), places, CPU).plan


def durations(plan, seed):
    """Trainings of minutes to hours, evaluations of seconds."""
    random = Random(seed)
    takes = {Train: lambda: 3600 * random.lognormvariate(0, 0.7), Predict: lambda: random.uniform(5, 20)}
    return {n.key: takes.get(type(n.op), lambda: random.uniform(0.1, 3))() for n in plan.nodes}


def least(nodes, seconds, workers):
    """Seconds that no order can go below: the longest chain, all the work, and what cannot start before or end after.

    Of any set of groups the work is shared by the workers, after the shortest way to one of them and before the
    shortest way from one; of groups of which each is at least so long, no worker does more than a whole number.
    """
    waiting = groups(nodes)
    home = {n.key: number for number, group in enumerate(waiting) for n in group}
    takes = [sum(seconds[n.key] for n in group) for group in waiting]
    head = [0.0] * len(waiting)
    for number, group in enumerate(waiting):
        before = {home[k] for n in group for k in n.inputs if k in home} - {number}
        head[number] = max((head[b] + takes[b] for b in before), default=0.0)
    tail = [rank - own for rank, own in zip(ranks(waiting, seconds), takes, strict=True)]
    best = max(h + own + t for h, own, t in zip(head, takes, tail, strict=True))
    for start in sorted(set(head)):
        inside = [n for n in range(len(waiting)) if head[n] >= start]
        best = max(best, start + sum(takes[n] for n in inside) / workers + min(tail[n] for n in inside))
        longest = sorted((takes[n] for n in inside), reverse=True)
        for number in range(workers, len(longest), workers):  # one worker has at least so many of the longest
            best = max(best, start + sum(longest[number : number + 1]) * (number // workers + 1))
    return best


@pytest.mark.parametrize("workers", WORKERS)
def test_a_run_takes_hardly_longer_than_any_order_could(study, workers):
    for seed in range(3):
        seconds = durations(study, seed)
        found = timeline(study.nodes, seconds, {}, workers)

        assert found.makespan >= max(found.critical, found.work / workers) - 1e-6
        assert found.makespan <= 1.10 * least(study.nodes, seconds, workers)


@pytest.mark.parametrize("workers", WORKERS[:5])
def test_where_there_is_work_for_all_the_longest_chain_or_the_whole_work_decides(study, workers):
    seconds = durations(study, 7)
    found = timeline(study.nodes, seconds, {}, workers)

    assert found.makespan <= 1.10 * max(found.critical, found.work / workers)


def test_more_workers_are_told_of_as_long_as_they_save_a_tenth(study):
    seconds = durations(study, 3)
    found = timeline(study.nodes, seconds, {}, 1, most=64)

    assert [4, 16, 64][: len(found.faster)] == [workers for workers, _ in found.faster] != []
    for workers, makespan in found.faster:
        assert makespan == timeline(study.nodes, seconds, {}, workers).makespan
    spans = [found.makespan, *(makespan for _, makespan in found.faster)]
    assert all(after <= 0.9 * before for before, after in pairwise(spans))
    alone = dict.fromkeys(seconds, 0.0) | {found.path[-1].key: 1.0}
    assert () == timeline(study.nodes, alone, {}, 1, most=64).faster
    assert [8, 32] == [workers for workers, _ in timeline(study.nodes, seconds, {}, 2, most=64).faster]
    assert () == timeline(study.nodes, seconds, {}, 2, most=7).faster


def test_one_worker_takes_all_the_work_and_the_path_is_a_chain(study):
    seconds = durations(study, 1)
    found = timeline(study.nodes, seconds, {}, 1)

    assert found.work == pytest.approx(found.makespan) == pytest.approx(sum(seconds.values()))
    assert found.critical == pytest.approx(sum(seconds[n.key] for n in found.path))
    assert all(before.key in after.inputs for before, after in zip(found.path, found.path[1:], strict=False))


def test_models_and_data_come_first_then_evaluations_then_the_longest_chain(folder):
    plan = plan_of(PRELUDE + "m -> {skip | two: a -> b} -> c @ x[de]", folder)
    seconds = {n.key: 1.0 for n in plan.nodes}
    waiting = groups(plan.nodes)
    found = dict(zip((g[0].label for g in waiting), priorities(waiting, seconds), strict=True))

    early = [found[n.label] for n in plan.nodes if isinstance(n.op, Model | Data)]
    trainings = {n.label: found[n.label] for n in plan.nodes if isinstance(n.op, Train)}
    others = [p for label, p in found.items() if label not in trainings and p not in early]
    assert min(early) > max(others) > min(others) > max(trainings.values())
    assert "m -> a (seed 1)" == max(trainings, key=trainings.get)


@given(studies(), st.integers(1, 64), st.integers(0, 10**6))
@settings(max_examples=60)
def test_what_lies_on_the_disk_is_never_more_than_announced(folder, study, workers, seed):
    """The run played again, event by event."""
    plan, random = plan_of(study.text(), folder), Random(seed)
    seconds = {n.key: random.choice((0.0, 1.0, random.uniform(0, 50))) for n in plan.nodes}
    sizes = {n.key: random.choice((1.0, 100.0)) for n in plan.nodes}

    found = timeline(plan.nodes, seconds, sizes, workers)

    assert found.kept == pytest.approx(sum(sizes.values()))
    assert found.dropped <= found.kept
    left = sum(size for key, size in sizes.items() if key not in droppable(plan.nodes))
    assert found.dropped >= left, "what nobody drops is there at the end"


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_drops_checkpoints_has_what_was_announced_and_the_same_scores(tmp_path, seed):
    """The real executor and store; what lies in the store is measured after every node."""
    plan = plans.study(seeds=range(1, 5), languages=("qaa", "qab", "qac"))
    kept = Store(tmp_path / "kept", write=True)
    plans.run(plan, kept, plans.LineBodies())
    sizes = {n.key: float(_size(kept, n.key)) for n in plan.nodes}
    seconds = {n.key: Random(f"{seed}/{n.key}").uniform(1, 9) for n in plan.nodes}
    announced = timeline(plan.nodes, seconds, sizes, 1)
    dropping, most = Store(tmp_path / "dropping", write=True), [0]

    def measure(_node, _event):
        most[0] = max(most[0], sum(_size(dropping, n.key) for n in plan.nodes))

    report = plans.run(plan, dropping, plans.LineBodies(), measure, manner=Manner(seconds, drop=True))

    assert len(plan.nodes) == len(report.ran)
    assert 0 < most[0] <= announced.dropped < announced.kept
    trainings = {n.key for n in plan.nodes if isinstance(n.op, Train)}
    assert not trainings & dropping.present(trainings)
    assert () == preview(plan, dropping).to_run, "nobody asks for what is gone"


def _size(store, key):
    folder = store.path(key)
    return sum(p.stat().st_size for p in folder.rglob("*") if p.name != "manifest.json") if folder.exists() else 0
