"""Trainings that collapsed begin anew: when, with which seeds, and as if they had never been stopped."""

import json

import numpy as np
import pytest

from runtime.restarting import constant_loss, has_collapsed, seed_of
from runtime.resuming import Point
from runtime.store.objects import MEASURED
from tests.compiling import compiled


class Labels:
    """Of encoded columns what the loss of a constant answer needs."""

    def __init__(self, labels=(), choices=()):
        self.labels, self.choices = np.array(labels), np.array(choices)


def curve(losses, part=0):
    return [Point(step, 1e-3, loss, 1.0, part) for step, loss in enumerate(losses, 1)]


def test_the_best_constant_answer_costs_the_entropy_of_the_labels():
    assert pytest.approx(np.log(2)) == constant_loss("classification", [Labels([0, 1, 0]), Labels([1])])
    assert pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))) == constant_loss(
        "classification", [Labels([2, 2, 2, 0])]
    )
    assert pytest.approx((np.log(2) + np.log(4)) / 2) == constant_loss("multiple-choice", [Labels(choices=[2, 4])])


@pytest.mark.parametrize("kind", ["span-qa", "tagging", "regression", "masked-lm"])
def test_other_kinds_have_no_constant_answer_to_fall_to(kind):
    assert constant_loss(kind, [Labels([1, 2])]) is None


def test_a_training_has_collapsed_if_its_last_tenth_is_no_better_than_a_constant_answer():
    down, flat = [0.7] * 90 + [0.6] * 10, [0.2] * 90 + [0.69] * 10

    assert not has_collapsed(curve(down), [np.log(2)])
    assert has_collapsed(curve(flat), [np.log(2)])
    assert not has_collapsed(curve(flat), [None])


def test_of_a_mixture_one_collapsed_part_is_enough():
    mixed = curve([0.1] * 50) + curve([1.1] * 50, part=1)

    assert has_collapsed(mixed, [np.log(2), np.log(3)])
    assert not has_collapsed(mixed, [np.log(2), None])


def test_the_first_try_has_the_seed_that_was_asked_for_and_others_have_one_of_nobody():
    assert [7, 1_000_010, 2_000_013] == [seed_of(7, attempt) for attempt in range(3)]
    assert 0 <= seed_of(2**32 - 1, 5) < 2**32


SPEC = """
m: babel-mini -> w-causes(limit: 32, steps: {steps}, batch: 8, lr: {lr}, warmup: 0, degenerate: {policy})
  @ w-xcauses[qab](limit: 8)
"""


def keys(policy, folder):
    plan = compiled(SPEC.format(lr="1e-3", steps=6, policy=policy), folder).plan
    return {n.sort: n.key for n in plan.nodes if n.sort in ("train", "score")}


def test_only_a_restart_is_another_training(tmp_path):
    folder = tmp_path

    assert keys("report", folder) == keys("exclude", folder)
    assert keys("report", folder)["train"] != keys("restart", folder)["train"]
    assert keys("restart", folder) == keys("restart(tries: 3)", folder) != keys("restart(tries: 2)", folder)


@pytest.fixture
def ran(tmp_path):
    """Runs a policy; the training's curve, and how often it began anew."""
    import xfer

    def run(lr, steps, policy):
        spec = tmp_path / "s.xfer"
        spec.write_text(SPEC.format(lr=lr, steps=steps, policy=policy))
        study = xfer.compile(spec, xfer.Options(store=tmp_path / "store"))
        assert not xfer.run(study).failed
        (key,) = [n.key for n in study.plan.nodes if n.sort == "train"]
        store = study.store()
        lines = (store.read(key) / "curve.jsonl").read_text().splitlines()
        measured = store.index.provenance([key])[key][MEASURED]
        return [json.loads(line)["loss"] for line in lines], measured.get("restarts")

    return run


def test_a_training_that_learns_nothing_begins_anew_as_often_as_it_may(ran):
    once, none = ran("1e-9", 6, "report")
    last, tries = ran("1e-9", 6, "restart(tries: 2)")

    assert none is None and tries == 2
    assert len(once) == len(last) == 6
    assert once != last  # another seed


def test_a_training_that_learns_is_what_it_is_without_restarts(ran):
    plain, _ = ran("1e-3", 60, "report")
    spared, tries = ran("1e-3", 60, "restart(tries: 1)")

    assert 0 == tries
    assert plain == spared
    assert plain[-1] < 0.5
