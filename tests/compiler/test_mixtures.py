"""Mixtures: which settings are whose, which order of parts is none, and which head answers or goes on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ops import Data, Mix, Predict, Train, inputs
from compiler.plan import verify
from compiler.schedule import groups
from tests.compiling import PRELUDE, axes, found, nodes, plan_of, train_labels, trainings

MORE = """
task u : t { data: files("t/{{ split }}.jsonl") input: { text: "{{ text }} u" } }
benchmark y : a { data: files("x/{{ language }}/{{ split }}.jsonl") languages: [en, de] }
"""


@pytest.fixture
def plan(folder):
    """The plan of the chains, behind the prelude."""
    return lambda text, **more: plan_of(PRELUDE + MORE + text, folder, **more)


def keys(plan):
    return {n.key for n in plan.nodes}


def only(plan):
    (op,) = trainings(plan)
    return op


def parts_of(plan, op):
    """(kind, languages of its data) of each part."""
    by_key = {n.key: n.op for n in plan.nodes}
    return sorted((p.kind, tuple(by_key[k].language for k in p.data)) for p in op.parts)


def test_a_mixture_is_one_training_with_a_part_for_each_task(plan):
    result = plan("m -> a + b[de, sw] + t")

    assert ["a + b[de, sw] + t"] == train_labels(result)
    assert [("masked-lm", ("en",)), ("multiple-choice", ("de", "sw")), ("multiple-choice", ("en",))] == parts_of(
        result, only(result)
    )
    assert Mix("proportional", 131_072, None, ()) == only(result).mix
    assert [] == verify(result)


PARTS = ("a", "b[de, sw]", "c(limit: 5)", "t(mask: 30%)", "u", "a[de]", "b(max-length: 40)")
MIXES = ("", "mix: uniform", "mix: temperature(2)", "mix: proportional(cap: 10)", "epochs: 2, lr: 1e-4")


@given(st.permutations(PARTS), st.integers(2, 5), st.sampled_from(MIXES), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_parts_moves_no_key(folder, chosen, size, mix, random):
    some = list(chosen[:size])
    other = random.sample(some, size)

    def all_keys(parts):
        whole = f"({' + '.join(parts)})({mix})" if mix else " + ".join(parts)
        return {n.key for n in plan_of(f"{PRELUDE}{MORE}m -> {whole} -> c(head: new) @ x[de]", folder).nodes}

    assert all_keys(some) == all_keys(other)


@pytest.mark.parametrize("part", ["a", "c", "c[de, sw](limit: 5)", "t"])
@pytest.mark.parametrize("whole", ["skip + {0}", "{0} + skip + skip", "{0} + {0}", "i + {0}", "({0} + i)(seed: 1)"])
def test_a_mixture_of_one_part_is_the_plain_stage(plan, part, whole):
    text = f"let i = {{skip | none-of-it: skip}}\nm -> {whole.format(part)}"

    assert keys(plan(f"m -> {part}")) == keys(plan(text))


def test_run_settings_of_a_mixture_are_those_of_no_part(plan):
    result = plan(
        "defaults multiple-choice { batch: 8 }\ndefaults c { warmup: 7, max-length: 72 }\nm -> a + c @ x[de]\nm -> c"
    )
    mixed, plain = trainings(result)

    assert (("epochs", 3), 8, 0.1) == (mixed.length, mixed.batch, mixed.warmup)
    assert (("epochs", 7), 8, 7) == (plain.length, plain.batch, plain.warmup)
    assert {72, 256} == {n.op.max_length for n in nodes(result, Data) if not n.op.scored and n.key in mixed_data(mixed)}


def mixed_data(op):
    return {key for part in op.parts for key in part.data}


def test_defaults_of_a_kind_reach_a_mixture_of_that_kind_alone(plan):
    defaults = "defaults multiple-choice { batch: 8 }\n"

    assert 8 == only(plan(defaults + "m -> a + b")).batch
    assert [32, 8] == [op.batch for op in trainings(plan(defaults + "m -> a + t -> c"))]


def test_nearer_settings_of_a_run_win(plan):
    text = "defaults { batch: 4, lr: 1e-3, eps: 1e-4 }\nm -> (a + b)(batch: 16) with (batch: 8, lr: 2e-3)"

    assert (16, 2e-3, 1e-4) == tuple(getattr(only(plan(text)), key) for key in ("batch", "lr", "eps"))


def test_settings_of_parts_behind_the_whole_reach_every_part(plan):
    result = plan("m -> (a + b(max-length: 40))(max-length: 48, limit: 9)")

    assert {(40, 9), (48, 9)} == {(n.op.max_length, n.op.limit.count) for n in nodes(result, Data)}


def test_a_choice_among_parts_is_an_axis(plan):
    result = plan("let i = {skip | a | b}\nm -> i + t -> c @ x[de]")

    assert ["skip", "a", "b"] == [dict(a)["i"] for a in axes(result)]
    assert ["t", "t -> c", "a + t", "a + t -> c", "b + t", "b + t -> c"] == train_labels(result)
    assert [("i",), (), ()] == [c.skips for c in result.cells]


def test_a_let_that_is_a_mixture_stands_for_its_parts(plan):
    assert keys(plan("let ab = a + b\nm -> ab + t")) == keys(
        plan("m -> a + (b)(max-length: 256) + t".replace("(b)", "b"))
    )
    assert keys(plan("let ab = (a + b)(lr: 1e-4)\nm -> ab")) == keys(plan("m -> (a + b)(lr: 1e-4)"))


def test_nothing_left_of_a_mixture_is_skip(plan):
    assert keys(plan("let i = {skip | a}\nlet j = {skip | b}\nm -> i + j -> c @ x[de]")) >= keys(plan("m -> c @ x[de]"))
    assert keys(plan("m -> skip + skip -> c @ x[de]")) == keys(plan("m -> c @ x[de]"))


def test_two_choices_of_one_mixture_multiply(plan):
    result = plan("let i = {skip | a}\nlet j = {skip | b}\nm -> i + j -> c @ x[de]")

    assert ["c", "b", "b -> c", "a", "a -> c", "a + b", "a + b -> c"] == train_labels(result)


def test_choices_of_values_in_mixtures_are_axes(plan):
    result = plan(
        "m -> (a(limit: {5 | 9}) + b)(mix: {uniform | temperature(2)}, lr: {1e-4 | 2e-4}) -> c(lr: 3e-4) @ x[de]"
    )

    assert 8 * 2 == len(trainings(result))
    assert {"limit", "mix", "lr", "model", "seed"} == {axis for a in axes(result) for axis, _ in a}
    assert {"uniform", "temperature(2)"} == {dict(a)["mix"] for a in axes(result)}


def test_two_mixtures_of_one_key_are_called_by_their_parts(plan):
    result = plan("m -> (a + b)(lr: {1e-4 | 2e-4}) -> c(lr: {1e-4 | 3e-4}) @ x[de]")

    assert {"a-b.lr", "c.lr"} == {axis for a in axes(result) for axis, _ in a if axis.endswith("lr")}


# --- mix in keys


def mixes(plan, *rules, stage="a + b"):
    return [only(plan(f"m -> ({stage})(mix: {rule})")).mix for rule in rules]


def test_rules_say_the_same_in_several_ways(plan):
    default, stated, capped = mixes(plan, "proportional", "proportional(cap: 131072)", "proportional(cap: 10k)")

    assert default == stated == only(plan("m -> a + b")).mix
    assert 10_000 == capped.cap
    assert [Mix("uniform", None, None, ()), Mix("temperature", None, 2.0, ())] == mixes(
        plan, "uniform", "temperature(2)"
    )


def test_weights_follow_their_parts(plan):
    one, same, other, swapped = (
        only(plan(f"m -> ({stage})(mix: weights({w}))"))
        for stage, w in (
            ("a + b", "a: 2, b: 1"),
            ("b + a", "b: 2, a: 4"),
            ("a + b", "a: 1, b: 1"),
            ("a + b", "a: 1, b: 2"),
        )
    )

    assert one == same != other
    assert one.mix.weights == swapped.mix.weights[::-1]
    assert pytest.approx(1) == sum(one.mix.weights)


def test_every_rule_moves_the_training_and_no_data(plan):
    rules = (
        "proportional",
        "proportional(cap: 5)",
        "uniform",
        "temperature(2)",
        "temperature(3)",
        "weights(a: 2, b: 1)",
    )
    plans = [plan(f"m -> (a + b)(mix: {rule})") for rule in rules]

    assert len(rules) == len({only(p) for p in plans})
    assert 1 == len({tuple(n.key for n in nodes(p, Data)) for p in plans})


def test_mix_draws_the_languages_of_a_single_part(plan):
    assert [None, None] == [only(plan(f"m -> {stage}")).mix for stage in ("a[de, sw]", "a(mix: uniform)")]
    assert Mix("uniform", None, None, ()) == only(plan("m -> a[de, sw](mix: uniform)")).mix
    assert Mix("weights", None, None, (1.0,)) == only(plan("m -> a[de, sw](mix: weights(a: 7))")).mix
    assert Mix("proportional", 5, None, ()) == only(plan("m -> a(mix: proportional(cap: 5))")).mix


def test_equal_work_under_two_names_counts_once(plan):
    twin = "task d : a { }\n"

    assert keys(plan("m -> a")) == keys(plan(twin + "m -> a + d"))
    assert (0.75, 0.25) == tuple(
        sorted(only(plan(twin + "m -> (a + d + b)(mix: weights(a: 1, d: 2, b: 1))")).mix.weights, reverse=True)
    )


# --- heads


def heads(plan):
    return [tuple(part.head for part in op.parts) for op in trainings(plan)]


def test_a_target_is_answered_by_the_head_that_fits(plan):
    result = plan("m -> a + c + t @ x[de], y[de], t(split: dev)")
    op = only(result)
    labels = [n.label for n in nodes(result, Predict)]
    by_label = {
        label.split("@ ")[1][0]: op.parts[p.op.head] for label, p in zip(labels, nodes(result, Predict), strict=True)
    }
    rows = {task: only(plan(f"m -> {task}")).parts[0].data for task in ("a", "c", "t")}
    assert {"x": rows["c"], "y": rows["a"], "t": rows["t"]} == {name: part.data for name, part in by_label.items()}


def test_a_target_reads_its_length_from_the_part_that_answers(plan):
    result = plan("m -> a(max-length: 40) + t(max-length: 24) @ x[de], t(split: dev)")

    assert {("multiple-choice", 40), ("masked-lm", 24)} == {
        (n.op.kind, n.op.max_length) for n in nodes(result, Data) if n.op.scored
    }


def test_predictions_of_two_heads_are_two_passes(plan):
    result = plan("m -> a + c + t @ x[de, sw], y[de]")
    passes = [{n.op.head for n in group} for group in groups(result.nodes) if isinstance(group[0].op, Predict)]

    assert [1, 1] == [len(p) for p in passes]
    assert all(key in {n.key for n in result.nodes} for n in result.nodes for key in inputs(n.op))


def test_a_kept_head_is_that_of_the_stage_before(plan):
    assert [("new",), (0,)] == heads(plan("m -> a -> c(head: keep) @ x[de]"))
    assert [("new",), (0,)] == heads(plan("m -> a -> skip -> c(head: keep) @ x[de]"))
    assert [("new",)] == heads(plan("m -> c(head: keep) @ x[de]"))
    assert keys(plan("m -> c(head: keep) @ x[de]")) == keys(plan("m -> c @ x[de]"))


def test_of_several_heads_the_same_task_goes_on(plan):
    result = plan("m -> a + c -> c(head: keep) -> a @ x[de]")
    mixed, kept, _ = trainings(result)

    assert kept.parts[0].data == mixed.parts[kept.parts[0].head].data


def test_heads_are_kept_part_by_part_whatever_their_order(plan):
    one = plan("m -> a + t -> a(head: keep) + t")
    other = plan("m -> t + a -> t + a(head: keep)")
    before, after = trainings(one)

    assert keys(one) == keys(other)
    kept = {part.kind: part.head for part in after.parts}
    assert "new" == kept["masked-lm"]
    assert "multiple-choice" == before.parts[kept["multiple-choice"]].kind


def test_head_moves_the_training_and_all_after_it(plan):
    new, kept = plan("m -> a -> b -> c @ x[de]"), plan("m -> a -> b(head: keep) -> c @ x[de]")
    old, moved = ([n.key for n in nodes(p, Train)] for p in (new, kept))

    assert old[0] == moved[0]
    assert set(old[1:]).isdisjoint(moved[1:])


def test_a_language_that_any_part_reads_is_trained_on(folder):
    text = PRELUDE + "m -> t + a[de] -> c @ x[de, sw]"

    assert ["X0311"] == [code for code, _ in found(text, folder)]
    assert [False, True] == [c.zero_shot for c in plan_of(text, folder).cells]


def test_rows_that_any_part_reads_are_contaminated(folder):
    assert [("X0310", "a(split: train)")] == found(PRELUDE + "m -> t + a -> c @ a(split: train)", folder)


def test_two_keys_of_one_slot_behind_a_part_and_around_it_are_no_clash(folder):
    text = "let m2 = ({a(steps: 3) | b} + t)(epochs: 2)\nm -> m2 + c -> c"

    assert {"X0322"} == {code for code, _ in found(PRELUDE + text, folder)}
