"""`under: …`: what it may say, and which nodes it makes."""

import pytest

from compiler.ops import Baseline, Data, Perturbation, Predict, Train
from tests.compiling import PRELUDE, found, nodes, plan_of


@pytest.fixture
def plan(folder):
    """The plan of the chains, behind the prelude."""
    return lambda text: plan_of(PRELUDE + text, folder)


def unders(plan):
    return [n.op.under for n in nodes(plan, Data) if n.op.scored]


@pytest.mark.parametrize(
    ("value", "under"),
    [
        ("clean", None),
        ("typos(rate: 10%)", Perturbation("typos", 0.1, 1)),
        ("typos(rate: 0.1, seed: 3)", Perturbation("typos", 0.1, 3)),
        ("casing", Perturbation("casing", 1.0, 1)),
        ("casing(rate: 50%)", Perturbation("casing", 0.5, 1)),
        ("word-drop(rate: 1)", Perturbation("word-drop", 1.0, 1)),
        ("typos(rate: 0)", None),
    ],
)
def test_the_scored_data_are_perturbed_as_it_says(plan, value, under):
    assert [under] == unders(plan(f"m -> c @ x[de](under: {value})"))


@pytest.mark.parametrize("value", ["clean", "typos(rate: 0)", "word-drop(rate: 0%)", "casing(rate: 0, seed: 7)"])
def test_what_changes_nothing_moves_no_key(plan, value):
    keys = [{n.key for n in plan(f"m -> c @ x[de]{said}").nodes} for said in ("", f"(under: {value})")]

    assert keys[0] == keys[1]


def test_a_perturbation_trains_nothing_and_each_is_scored_once(plan):
    clean, both = plan("m -> c @ x[de]"), plan("m -> c @ x[de](under: {clean | light: typos(rate: 10%)})")

    assert [n.key for n in nodes(clean, Train)] == [n.key for n in nodes(both, Train)]
    assert {n.key for n in clean.nodes} <= {n.key for n in both.nodes}
    assert [None, Perturbation("typos", 0.1, 1)] == unders(both)
    assert [(("model", "m"), ("under", "clean")), (("model", "m"), ("under", "light"))] == [c.axes for c in both.cells]


def test_said_for_the_whole_chain_it_is_of_targets_alone(plan):
    result = plan("m -> c @ x[de] with (under: casing)")

    assert [Perturbation("casing", 1.0, 1)] == [n.op.under for n in nodes(result, Data) if n.op.under]
    assert all(n.op.scored for n in nodes(result, Data) if n.op.under)


def test_one_perturbation_without_a_choice_stands_in_results_and_labels(plan):
    result = plan("m -> c @ x[de](under: typos(rate: 20%, seed: 2))")

    assert [(("model", "m"), ("under", "typos(rate: 20%, seed: 2)"))] == [c.axes for c in result.cells]
    assert ["predict m -> c @ x[de] under typos(rate: 20%, seed: 2) (seed 1)"] == [
        n.label for n in nodes(result, Predict)
    ]


def test_a_baseline_answers_the_perturbed_texts_too_and_learns_from_clean_ones(plan):
    result = plan("m -> c @ x[de](under: {clean | casing}, baselines: bag-of-words)")
    ops = {n.key: n.op for n in result.nodes}
    asked = [n.op for n in nodes(result, Baseline)]

    assert {None, Perturbation("casing", 1.0, 1)} == {ops[op.data].under for op in asked}
    assert 1 == len({op.train for op in asked})
    assert {(("under", "clean"),), (("under", "casing"),)} == {c.axes for c in result.cells if c.baseline}


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        ("typos", ("X0303", "typos")),
        ("typos()", ("X0303", "typos()")),
        ("word-drop(seed: 2)", ("X0303", "word-drop(seed: 2)")),
        ("typos(0.1)", ("X0302", "0.1")),
        ("typos(rate: 110%)", ("X0302", "110%")),
        ("typos(rate: -1)", ("X0302", "-1")),
        ('typos(rate: "a")', ("X0302", '"a"')),
        ("typos(rate: 10%, rat: 1)", ("X0301", "rat")),
        ("typos(rate: 10%, rate: 20%)", ("X0304", "rate: 20%")),
        ("clean(rate: 1)", ("X0302", "clean(rate: 1)")),
        ("typo(rate: 1)", ("X0302", "typo(rate: 1)")),
        ('"clean"', ("X0302", '"clean"')),
        ("0.1", ("X0302", "0.1")),
    ],
)
def test_one_mistake_is_one_finding(folder, value, finding):
    assert [finding] == found(f"{PRELUDE}m -> c @ x[de](under: {value})", folder)


def test_a_choice_at_one_target_is_no_axis_of_another(folder):
    plan = plan_of(PRELUDE + "m -> c @ x[de](under: {clean | hard: casing}), c[en](split: dev)", folder)

    assert [("x", "clean"), ("x", "hard"), ("c", None)] == sorted(
        ((c.benchmark, dict(c.axes).get("under")) for c in plan.cells), key=lambda pair: (pair[0] != "x", str(pair[1]))
    )
