"""Baselines of a target: once for all arms and seeds, from the data that the target's own stage trains on."""

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from compiler.ops import Baseline, Data, Predict, Score, Train, inputs
from compiler.schedule import groups
from tests.compiling import PRELUDE, nodes, plan_of
from tests.strategies import studies

BOTH = "baselines: [majority, bag-of-words]"


@pytest.fixture
def plan(folder):
    return lambda text: plan_of(PRELUDE + text, folder)


def methods(plan):
    return [n.op.method for n in nodes(plan, Baseline)]


def beside(plan):
    """(method, axes, language) of each cell of a baseline."""
    return [(c.baseline, c.axes, c.language) for c in plan.cells if c.baseline]


def test_arms_and_seeds_share_one_baseline(plan):
    found = plan(f"s: m -> {{skip | a}} -> c @ x[en, de]({BOTH}) with (seeds: 3)")

    assert ["majority", "bag-of-words"] * 2 == methods(found)
    assert 2 * 3 * 2 == len(nodes(found, Predict))
    assert 2 * 3 * 2 + 2 * 2 == len(nodes(found, Score)) == len(found.cells)
    own = [c for c in found.cells if c.baseline]
    assert {("s", (), "", ())} == {(c.experiment, c.axes, c.seed, c.skips) for c in own}
    assert [("en", False), ("de", True)] * 2 == [(c.language, c.zero_shot) for c in own]


def test_a_baseline_learns_from_the_part_that_answers(plan):
    found = plan(f"m -> a -> b[de] + c[en, sw] @ x[ta]({BOTH})")

    (learned,) = {n.op.train for n in nodes(found, Baseline)}
    labels = [n.label for n in nodes(found, Data) if n.key in learned]
    assert ["data c train[en]", "data c train[sw]"] == labels
    assert learned in [part.data for part in nodes(found, Train)[-1].op.parts]
    assert ["majority c[en, sw] @ x[ta]", "bag-of-words c[en, sw] @ x[ta]"] == [n.label for n in nodes(found, Baseline)]


def test_a_choice_of_the_data_that_teach_names_the_baselines(plan):
    found = plan("m -> {skip | a} -> c(limit: {10 | 20}) @ x[de](baselines: majority) with (seeds: 2)")

    assert [("majority", (("limit", "10"),), "de"), ("majority", (("limit", "20"),), "de")] == beside(found)
    assert ["majority c(limit: 10) @ x[de]", "majority c(limit: 20) @ x[de]"] == [
        n.label for n in nodes(found, Baseline)
    ]


def test_each_model_has_its_own_baseline_for_its_tokenizer(plan):
    found = plan("{m | n} -> {skip | a} -> c(lr: {1e-5 | 3e-5}) @ x[de](baselines: bag-of-words)")

    assert [("bag-of-words", (("model", m),), "de") for m in ("m", "n")] == beside(found)
    assert {"n"} == {n.label for n in found.nodes if n.key == nodes(found, Baseline)[1].op.model}


def test_arms_that_end_in_other_tasks_have_other_baselines(plan):
    found = plan("let last = {a | c}\nm -> b -> last @ x[de](baselines: majority)")

    assert [("majority", (("last", "a"),), "de"), ("majority", (("last", "c"),), "de")] == beside(found)


def test_a_target_in_other_data_is_another_question(plan):
    text = "suite both { few: @ x[de, sw](limit: 5, baselines: majority) | all: @ x[de](baselines: majority) }\n"
    found = plan(text + "m -> {skip | a} -> c -> both")

    few, all_ = (("both", "few"),), (("both", "all"),)
    assert {("majority", few, "de"), ("majority", few, "sw"), ("majority", all_, "de")} == set(beside(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m -> c @ x[de](baselines: majority)", ["majority"]),
        ("m -> c @ x[de](baselines: [bag-of-words, majority, majority])", ["bag-of-words", "majority"]),
        ("m -> c @ x[de](baselines: none)", []),
        ("m -> c @ x[de]", []),
        ("defaults { baselines: majority }\nm -> c @ x[de]", ["majority"]),
        ("defaults { baselines: majority }\nm -> c @ x[de](baselines: none)", []),
        ("defaults x { baselines: majority }\nm -> c @ x[de]", ["majority"]),
        ("m -> c @ x[de] with (baselines: majority)", ["majority"]),
        ("benchmark y : x { settings: { baselines: bag-of-words } }\nm -> c @ y[de]", ["bag-of-words"]),
        ("defaults { baselines: majority }\nm -> t -> c @ x[de], c[de](split: dev)", ["majority", "majority"]),
        ("defaults { baselines: majority }\nm -> c + t @ x[de], t(split: dev)", ["majority"]),
    ],
)
def test_the_key_is_one_of_targets_like_the_others(plan, text, expected):
    assert expected == methods(plan(text))


@given(studies())
@settings(max_examples=30, deadline=None)
def test_baselines_move_no_other_key_and_add_only_themselves(folder, study):
    target = replace(study.target, settings=tuple(s for s in study.target.settings if s[0] != "baselines"))
    beside = replace(target, settings=(*target.settings, tuple(BOTH.split(": "))))
    before, after = (plan_of(replace(study, target=t).text(), folder) for t in (target, beside))
    new = {n.key: n.op for n in after.nodes if n.key not in {m.key for m in before.nodes}}

    assert {n.key for n in before.nodes} <= {n.key for n in after.nodes}
    assert {Baseline, Score} == {type(op) for op in new.values()}
    assert before.cells == tuple(c for c in after.cells if not c.baseline)
    own = [c for c in after.cells if c.baseline]
    assert {c.score for c in own} == {key for key, op in new.items() if isinstance(op, Score)}
    assert len(own) == len({(c.baseline, c.axes, c.language) for c in own})


def test_what_learns_the_same_runs_together_and_last(plan):
    found = groups(plan(f"m -> {{skip | a}} -> c @ x[en, de]({BOTH})").nodes)

    sorts = [type(group[0].op) for group in found]
    together = [{n.op.method for n in group} for group in found if isinstance(group[0].op, Baseline)]
    assert [{"majority"}, {"bag-of-words"}] == together
    assert sorts.index(Baseline) > max(i for i, sort in enumerate(sorts) if sort is Predict)
    done = set()
    for group in found:
        assert all(key in done for n in group for key in inputs(n.op))
        done |= {n.key for n in group}


def test_the_tree_and_the_count_of_shared_work_have_them(plan):
    without, found = plan("m -> {skip | a} -> c @ x[de]"), plan(f"m -> {{skip | a}} -> c @ x[de]({BOTH})")

    assert (without.naive[0], without.naive[1] + 2 * 2) == found.naive
    assert [["m", "majority c"], ["m", "bag-of-words c"]] == [[s.title for s in r.steps] for r in found.routes[2:]]
    assert ["x", "x"] == [s.title for r in found.routes[2:] for s in r.targets]
