"""Choices to runs: what an axis is, what it is called, and which work is the same work."""

import pytest

from compiler.ops import Train
from tests.compiling import PRELUDE, axes, counts, found, nodes, plan_of, train_labels, trainings


@pytest.fixture
def plan(folder):
    """The plan of the chains, behind the prelude."""
    return lambda text, **more: plan_of(PRELUDE + text, folder, **more)


@pytest.fixture
def findings(folder):
    """(code, marked text) of what is found in the chains, behind the prelude."""
    return lambda text: found(PRELUDE + text, folder)


def test_one_line_is_a_whole_study(plan):
    result = plan("m -> a -> c @ x[*]")

    assert (1, 2 + 4, 2, 4, 4) == counts(result)
    assert ["a", "a -> c"] == train_labels(result)
    assert [("x", code, "accuracy") for code in ("en", "de", "sw", "ta")] == [
        (c.benchmark, c.language, c.metric) for c in result.cells
    ]
    assert [False, True, True, True] == [c.zero_shot for c in result.cells]
    assert {(("model", "m"),)} == {c.axes for c in result.cells}


def test_skip_compiles_to_no_node_and_meets_the_plain_chain(plan):
    choice = plan("m -> {skip | a} -> c @ x[*]\nm -> c @ x[*]")

    assert ["c", "a", "a -> c"] == train_labels(choice)
    assert {c.score for c in choice.cells if c.experiment == "#2"} == {
        c.score for c in choice.cells if ("stage-1", "skip") in c.axes
    }
    assert {n.key for n in plan("m -> skip -> c @ x[*]").nodes} == {n.key for n in plan("m -> c @ x[*]").nodes}


def test_a_let_used_twice_has_one_value(plan):
    result = plan("let i = {a | b}\nm -> i -> c -> i @ x[de]")

    assert [(("model", "m"), ("i", "a"), ("seed", "1")), (("model", "m"), ("i", "b"), ("seed", "1"))] == axes(result)
    assert ["a", "a -> c", "a -> c -> a", "b", "b -> c", "b -> c -> b"] == train_labels(result)


def test_two_places_multiply(plan):
    result = plan("m -> {a | b} -> {skip | c} @ x[de]")

    assert [("a", "skip"), ("a", "c"), ("b", "skip"), ("b", "c")] == [
        (dict(a)["stage-1"], dict(a)["stage-2"]) for a in axes(result)
    ]


def test_seeds_of_the_chain_vary_all_stages_together(plan):
    result = plan("m -> a -> c @ x[de] with (seeds: 5)")

    assert 10 == len(trainings(result))
    assert ["1", "2", "3", "4", "5"] == [c.seed for c in result.cells]
    seeds = {n.key: n.op.seed for n in nodes(result, Train)}
    assert all(seeds[op.parent] == op.seed for op in trainings(result) if op.parent in seeds)


def test_seeds_of_the_target_stage_go_on_from_one_checkpoint(plan):
    result = plan("m -> a -> c(seeds: 5) @ x[de]")

    assert 6 == len(trainings(result))
    assert 1 == len({op.parent for op in trainings(result)[1:]})


def test_a_stage_with_its_own_seed_is_trained_once(plan):
    assert 6 == len(trainings(plan("m -> a(seed: 3) -> c @ x[de] with (seeds: 5)")))


def test_two_axes_of_seeds_are_told_apart(plan):
    result = plan("m -> a(seeds: 2) -> c(seeds: 3) @ x[de]")

    assert (2 + 6, 6) == (len(trainings(result)), len(result.cells))
    assert ["1/1", "1/2", "1/3", "2/1", "2/2", "2/3"] == [c.seed for c in result.cells]


def test_a_choice_that_is_a_whole_alternative_flattens(plan):
    flat = plan("let i = {skip | {a | b}}\nm -> i -> c @ x[de]")

    assert ["skip", "a", "b"] == [dict(a)["i"] for a in axes(flat)]


def test_alternatives_are_called_by_their_labels(plan):
    result = plan("let i = {none-of-it: skip | a | two: a -> b | long: a(epochs: 9)}\nm -> i -> c @ x[de]")

    assert ["none-of-it", "a", "two", "long"] == [dict(a)["i"] for a in axes(result)]
    assert ["c", "a", "a -> c", "a -> b", "a -> b -> c", "a", "a -> c"] == train_labels(result)


def test_a_let_within_a_let_has_an_axis_of_its_own(plan):
    result = plan("let inner = {a | b}\nlet outer = {skip | inner}\nm -> outer -> c @ x[de]")

    assert [{"outer": "skip"}, {"outer": "inner", "inner": "a"}, {"outer": "inner", "inner": "b"}] == [
        {axis: value for axis, value in a if axis not in ("model", "seed")} for a in axes(result)
    ]


def test_an_axis_has_no_value_in_runs_that_do_not_reach_it(plan):
    result = plan("m -> {skip | a(lr: {1e-5 | 3e-5})} -> c @ x[de]")

    assert [None, "1e-5", "3e-5"] == [dict(a).get("lr") for a in axes(result)]


def test_a_choice_of_models_is_the_axis_model(plan):
    result = plan("{m | second: n} -> c @ x[de]")

    assert ["m", "second"] == [dict(a)["model"] for a in axes(result)]
    assert (2, 4, 2, 2, 2) == counts(result)


def test_an_axis_is_called_by_its_key(plan):
    result = plan("m -> a -> c(steps: {10 | many: 20}) @ x[de]")

    assert ["10", "many"] == [dict(a)["steps"] for a in axes(result)]
    assert [("epochs", 3), ("steps", 10), ("steps", 20)] == [op.length for op in trainings(result)]


def test_two_places_of_one_key_are_called_by_their_parts(plan):
    result = plan("m -> a(lr: {1e-5 | 2e-5}) -> c(lr: {3e-5 | 4e-5}) @ x[de]")

    assert [("1e-5", "3e-5"), ("1e-5", "4e-5"), ("2e-5", "3e-5"), ("2e-5", "4e-5")] == [
        (dict(a)["a.lr"], dict(a)["c.lr"]) for a in axes(result)
    ]


def test_one_key_in_two_alternatives_stays_one_axis(plan):
    result = plan("m -> {a(epochs: {1 | 2}) | b(epochs: {1 | 2})} -> c(lr: 1e-5) @ x[de]")

    assert {"1", "2"} == {dict(a)["epochs"] for a in axes(result)}


def test_a_choice_in_with_is_one_axis_over_all_stages(plan):
    result = plan("m -> a -> c @ x[de] with (lr: {1e-5 | 3e-5})")

    assert [1e-5, 1e-5, 3e-5, 3e-5] == [op.lr for op in trainings(result)]
    assert ["1e-5", "3e-5"] == [dict(a)["lr"] for a in axes(result)]


def test_a_choice_at_a_target_trains_once(plan):
    result = plan("m -> c @ x[de](limit: {10 | all: 1k})")

    assert (1, 2, 2) == counts(result)[2:]
    assert ["10", "all"] == [dict(a)["limit"] for a in axes(result)]


@pytest.mark.parametrize("arms", ["(seeds: 3)", "(lr: {1e-5 | 2e-5})", "(limit: {5 | 7})"])
def test_two_axes_of_one_name_are_an_error(findings, arms):
    assert ["X0316"] == [code for code, _ in findings(f"m -> c{arms} -> c{arms} @ x[de]")]


def test_settings_behind_parentheses_reach_every_alternative(plan):
    result = plan("m -> ({a | b})(epochs: 9) -> c @ x[de]\nm -> {a | b} -> c @ x[de]")

    assert {9: 2, 3: 2} == {n: sum(op.length == ("epochs", n) for op in trainings(result)) for n in (9, 3)}


def test_equal_work_is_one_node_in_many_experiments(plan):
    result = plan("one: m -> a -> c @ x[de, sw]\ntwo: m -> {skip | a} -> c @ x[sw, en](split: test)")

    assert ["a", "a -> c", "c"] == train_labels(result)
    assert 7 > len({c.score for c in result.cells})
    assert sum(result.naive) > len(trainings(result)) + 6


def test_a_chain_without_a_target_only_trains(plan):
    assert (1, 1, 1, 0, 0) == counts(plan("m -> a"))


def test_declarations_in_any_order_are_the_same_plan(plan, folder):
    chain = "study: m -> i -> c @ x[*]\n"

    assert [n.key for n in plan(chain + "let i = {skip | a}").nodes] == [
        n.key for n in plan_of(chain + "let i = {skip | a}\n" + PRELUDE, folder).nodes
    ]


def test_long_chains_and_deep_lets_are_no_trouble(plan, findings):
    deep = "\n".join(f"let i{n} = i{n + 1}" for n in range(200)) + "\nlet i200 = a\n"

    assert 2000 == len(trainings(plan("m -> " + " -> ".join(["a"] * 2000))))
    assert ["X0319"] == [code for code, _ in findings(deep + "m -> i0 -> c")]
    assert ["X0319"] == [code for code, _ in findings("m" + " -> {skip | a}" * 40)]


def test_many_groups_within_groups_are_no_trouble(findings):
    wide = "\n".join(f"group g{n} = [g{n + 1}, g{n + 1}]" for n in range(14)) + "\ngroup g14 = [sw]\n"
    deep = "\n".join(f"group g{n} = [g{n + 1}]" for n in range(200)) + "\ngroup g200 = [sw]\n"

    assert [] == findings(wide + "m -> c @ x[g0]")
    assert {"X0319"} == {code for code, _ in findings(deep + "m -> c @ x[g0]")}


def test_a_mixture_of_more_parts_than_anybody_means_is_refused_at_the_first_too_many(folder):
    text = PRELUDE + "m -> " + " + ".join(["a"] * 1001)

    assert [("X0319", "a")] == found(text, folder)
    assert [] == found(PRELUDE + "m -> " + " + ".join(["a"] * 1000), folder)


def test_a_line_of_ancestors_that_is_too_long_is_told_once_and_not_of_each(folder):
    line = "\n".join(f"task n{n} : n{n + 1} {{ }}" for n in range(100)) + "\ntask n100 : a { }\n"

    assert [("X0319", "n64")] == found(f"{PRELUDE}{line}m -> a", folder)
