"""Suites: one chain that ends in several ways."""

import pytest

from tests.compiling import PRELUDE, axes, plan_of, train_labels


@pytest.fixture
def plan(folder):
    """The plan of the chains, behind the prelude."""
    return lambda text: plan_of(PRELUDE + text, folder)


def keys(plan):
    return {n.key for n in plan.nodes}


def test_each_tail_goes_on_from_the_shared_prefix(plan):
    suite = plan("suite s { -> c @ x[de] | -> t @ t(split: dev) | @ a[sw](split: dev) }\nm -> a -> s with (seeds: 2)")
    chains = plan(
        "m -> a -> c @ x[de] with (seeds: 2)\nm -> a -> t @ t(split: dev) with (seeds: 2)\n"
        "m -> a @ a[sw](split: dev) with (seeds: 2)"
    )

    assert keys(chains) == keys(suite)
    assert ["a", "a -> c", "a", "a -> c", "a -> t", "a -> t"] == train_labels(suite)
    assert ["x", "x", "t", "t", "a", "a"] == [c.benchmark for c in suite.cells]
    assert {"#1"} == {c.experiment for c in suite.cells}
    assert {(("model", "m"),)} == {c.axes for c in suite.cells}


def test_labels_of_tails_are_values_of_the_axis_of_the_suite(plan):
    result = plan(
        "suite s { short: -> c(epochs: 1) @ x[de] | long: -> c @ x[de] | @ a[sw](split: dev) }\n"
        "m -> {skip | b} -> a -> s"
    )

    assert [("skip", "short"), ("skip", "long"), ("skip", None), ("b", "short"), ("b", "long"), ("b", None)] == [
        (dict(a)["stage-1"], dict(a).get("s")) for a in axes(result)
    ]


def test_a_suite_in_a_suite_flattens(plan):
    nested = plan(
        "suite inner { -> t @ t(split: dev) | one: @ x[de] }\nsuite s { inner | two: -> c @ x[de] }\nm -> a -> s"
    )
    flat = plan("suite s { -> t @ t(split: dev) | one: @ x[de] | two: -> c @ x[de] }\nm -> a -> s")

    assert keys(flat) == keys(nested)
    assert [{}, {"inner": "one"}, {"s": "two"}] == [
        {axis: value for axis, value in a if axis not in ("model", "seed")} for a in axes(nested)
    ]


def test_a_suite_may_be_all_of_a_chain_and_hold_choices(plan):
    result = plan("suite s { -> {a | b} @ x[de] | -> c -> {skip | a} -> t @ t(split: dev) }\nm -> s")

    assert ["a", "b", "c", "c -> t", "c -> a", "c -> a -> t"] == train_labels(result)
    assert [{"stage-1": "a"}, {"stage-1": "b"}, {"stage-2": "skip"}, {"stage-2": "a"}] == [
        {axis: value for axis, value in a if axis not in ("model", "seed")} for a in axes(result)
    ]


def test_one_suite_serves_many_chains(plan):
    result = plan(
        "suite s { -> c @ x[de] | @ a[sw](split: dev) }\none: m -> a -> s\ntwo: n -> a -> s\nthree: m -> a -> c @ x[de]"
    )

    assert {"one": 2, "two": 2, "three": 1} == {
        name: sum(c.experiment == name for c in result.cells) for name in ("one", "two", "three")
    }
    assert ["a", "a -> c", "a", "a -> c"] == train_labels(result)
