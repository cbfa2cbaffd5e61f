"""`select: best(…)`, `best {…}` and `@ previous`: what they make of a plan."""

import pytest

from compiler.ops import Data, Predict, Select, Train
from tests.compiling import PRELUDE, compiled, found, nodes, plan_of, train_labels, trainings


def planned(text, folder):
    return plan_of(PRELUDE + text, folder)


def read_by(plan, keys):
    """(label, split) of data nodes."""
    return [(plan_node(plan, k).label, plan_node(plan, k).op.split) for k in keys]


def plan_node(plan, key):
    return next(n for n in plan.nodes if n.key == key)


def judged(plan, judges):
    return [read_by(plan, judge.data) for judge in judges]


def test_the_last_checkpoint_is_what_a_key_has_always_meant(folder):
    plain, said = planned("m -> a", folder), planned("m -> a(select: last)", folder)

    assert [n.key for n in plain.nodes] == [n.key for n in said.nodes]
    assert "keep" not in nodes(plain, Train)[0].preimage["fields"]


def test_best_is_judged_on_dev_data_in_the_languages_of_training(folder):
    plan = planned("m -> a[en, de](select: best(every: 50, patience: 3, limit: 7)) @ x[*]", folder)
    (op,) = trainings(plan)

    assert (50, 3) == (op.keep.every, op.keep.patience)
    assert [[("data a dev[en]", "dev"), ("data a dev[de]", "dev")]] == judged(plan, op.keep.judges)
    assert {7} == {plan_node(plan, k).op.limit.count for j in op.keep.judges for k in j.data}
    assert [("accuracy", "multiple-choice")] == [(j.metric, j.kind) for j in op.keep.judges]


def test_the_limit_of_training_is_none_of_the_choice(folder):
    plan = planned("m -> a(limit: 5, select: best)", folder)
    (op,) = trainings(plan)

    assert [None] == [plan_node(plan, k).op.limit for k in op.keep.judges[0].data]


def test_a_mixture_is_judged_by_each_of_its_parts_by_the_head_that_the_part_trains(folder):
    plan = planned("m -> (t + a)(select: best)", folder)
    (op,) = trainings(plan)

    assert [op.parts[j.head].kind for j in op.keep.judges] == [j.kind for j in op.keep.judges]
    assert {"masked-lm", "multiple-choice"} == {j.kind for j in op.keep.judges}


def test_a_target_chooses_by_its_own_dev_split_whatever_is_perturbed(folder):
    text = "m -> c(select: best(on: target)) @ x[de, ta](under: {clean | casing}, limit: 3)"
    plan = planned(text, folder)
    (op,) = trainings(plan)
    chosen = nodes(plan, Select)

    assert () == op.keep.judges
    assert [[[("data x dev[de]", "dev")]], [[("data x dev[ta]", "dev")]]] == [judged(plan, n.op.judges) for n in chosen]
    assert {n.key for n in chosen} == {n.op.weights for n in nodes(plan, Predict)}
    assert {"target dev"} == {c.selected for c in plan.cells}
    assert {True} == {c.zero_shot for c in plan.cells}


def test_another_target_language_trains_nothing_anew(folder):
    text = "m -> c(select: best(on: target)) @ x[{}]"
    few, more = planned(text.format("de"), folder), planned(text.format("de, ta"), folder)

    assert [n.key for n in nodes(few, Train)] == [n.key for n in nodes(more, Train)]
    assert {n.key for n in nodes(few, Select)} < {n.key for n in nodes(more, Select)}


def test_on_target_is_of_the_last_stage_and_an_earlier_one_chooses_by_its_own_dev_split(folder):
    both = planned("m -> a -> c @ x[de] with (select: {zs: best(accuracy) | tlv: best(accuracy, on: target)})", folder)
    early = [n for n in nodes(both, Train) if n.label.count("->") == 1]

    assert 1 == len(early)  # the two arms share it
    assert ["", "target dev"] == [c.selected for c in both.cells]


def test_a_chain_without_a_target_keeps_what_is_best_on_the_source(folder):
    (op,) = trainings(planned("m -> a(select: best(on: target))", folder))

    assert op.keep.judges != ()


def test_best_tries_all_and_goes_on_from_the_choice(folder):
    plan = planned("m -> a(lr: best {1e-5 | 3e-5}, batch: best {8 | 16}) -> c(lr: {1e-5 | 2e-5}) @ x[de]", folder)
    (choice,) = nodes(plan, Select)
    tried = [n for n in nodes(plan, Train) if n.key in choice.op.candidates]

    assert 4 == len(tried)
    assert {(1e-5, 8), (1e-5, 16), (3e-5, 8), (3e-5, 16)} == {(n.op.lr, n.op.batch) for n in tried}
    assert [[("data a dev[en]", "dev")]] == judged(plan, choice.op.judges)
    assert {choice.key} == {n.op.parent for n in nodes(plan, Train) if n.key not in choice.op.candidates}
    assert ["1e-5", "2e-5"] == [dict(c.axes)["lr"] for c in plan.cells]  # no axis of what is chosen
    assert "a(batch: 8, lr: 1e-5)" == train_labels(plan)[0]


def test_best_is_settled_in_each_stage_and_for_each_run(folder):
    plan = planned("m -> a -> c @ x[de] with (lr: best {1e-5 | 3e-5}, seeds: 2)", folder)

    assert 4 == len(nodes(plan, Select))
    assert 8 == len(trainings(plan))
    assert {2} == {len(n.op.candidates) for n in nodes(plan, Select)}


def test_the_order_of_what_best_tries_is_in_no_key(folder):
    one = planned("m -> a(lr: best {1e-5 | 3e-5}) -> c", folder)
    other = planned("m -> a(lr: best {3e-5 | 1e-5}) -> c", folder)

    assert {n.key for n in one.nodes} == {n.key for n in other.nodes}


def test_another_candidate_keeps_the_trainings_of_the_others(folder):
    one = planned("m -> a(lr: best {1e-5 | 3e-5}) -> c", folder)
    more = planned("m -> a(lr: best {1e-5 | 3e-5 | 5e-5}) -> c", folder)

    tried = {k for n in nodes(one, Select) for k in n.op.candidates}
    assert tried < {k for n in nodes(more, Select) for k in n.op.candidates}


def test_a_target_may_choose_among_all_checkpoints_of_all_that_best_tries(folder):
    plan = planned("m -> c(lr: best {1e-5 | 3e-5}, select: best(on: target)) @ x[de, ta]", folder)

    assert [2, 2] == [len(n.op.candidates) for n in nodes(plan, Select)]
    assert {()} == {op.keep.judges for op in trainings(plan)}


def test_test_data_choose_nothing(folder):
    text = "m -> a(lr: best {1e-5 | 2e-5}) -> c(select: {best | best(on: target)}) @ x[*](split: test)"
    plan = planned(text, folder)
    chosen = [j for n in nodes(plan, Select) for j in n.op.judges]
    chosen += [j for op in trainings(plan) if op.keep for j in op.keep.judges]

    assert len(chosen) > 4
    assert {"dev"} == {plan_node(plan, k).op.split for j in chosen for k in j.data}
    assert {"test"} == {plan_node(plan, n.op.data).op.split for n in nodes(plan, Predict)}


# --- @ previous


def cells(plan):
    return [(c.benchmark, c.language, dict(c.axes)["after"], c.zero_shot) for c in plan.cells]


def test_previous_scores_each_part_after_its_stage_and_after_the_last(folder):
    plan = planned("m -> a[en, de] -> c @ previous", folder)

    assert [
        ("a", "en", "a[en, de]", False),
        ("a", "de", "a[en, de]", False),
        ("a", "en", "c", False),
        ("a", "de", "c", False),
        ("c", "en", "c", False),
    ] == cells(plan)
    assert {"dev"} == {n.op.split for n in nodes(plan, Data) if n.op.scored}


def test_after_the_last_stage_the_old_head_answers_with_the_new_encoder(folder):
    plan = planned("m -> a -> c @ previous", folder)
    first, last = [n.key for n in nodes(plan, Train)]

    assert [(first, None), (last, first), (last, None)] == [(n.op.weights, n.op.head_of) for n in nodes(plan, Predict)]


def test_of_a_task_that_is_trained_twice_the_latest_head_answers(folder):
    plan = planned("m -> a -> c -> a @ previous", folder)

    assert [("a", "a"), ("a", "a (2)"), ("c", "c"), ("c", "a (2)")] == [
        (c.benchmark, dict(c.axes)["after"]) for c in plan.cells
    ]


def test_a_language_that_an_earlier_stage_trained_is_scored_after_the_last_by_the_latest_head(folder):
    plan = planned("m -> a[en] -> a[de] @ previous", folder)
    last = nodes(plan, Train)[-1].key

    assert [("en", "a"), ("de", "a[de]"), ("en", "a[de]")] == [(c.language, dict(c.axes)["after"]) for c in plan.cells]
    assert [last, last] == [n.op.weights for n in nodes(plan, Predict)][1:]


def test_what_is_scored_after_an_earlier_stage_knows_no_seed_of_a_later_one(folder):
    plan = planned("m -> a -> c(seeds: 3) @ previous", folder)
    seeds = {}
    for cell in plan.cells:
        seeds.setdefault((cell.benchmark, dict(cell.axes)["after"]), []).append(cell.seed)

    assert {("a", "a"): ["1"], ("a", "c"): ["1", "2", "3"], ("c", "c"): ["1", "2", "3"]} == seeds


def test_baselines_stand_beside_what_previous_evaluates(folder):
    plan = planned("m -> a -> c @ previous with (baselines: majority)", folder)

    assert ["a", "c"] == [c.benchmark for c in plan.cells if c.baseline]


@pytest.mark.parametrize(
    "mix", ["uniform | temperature(2)", "temperature(2) | uniform", "weights(a: 2, b: 1) | uniform"]
)
def test_best_may_choose_how_a_mixture_draws(mix, folder):
    plan = planned(f"m -> (a + b)(mix: best {{{mix}}}) -> c", folder)
    (choice,) = nodes(plan, Select)
    drawn = {n.op.mix.rule for n in nodes(plan, Train) if n.key in choice.op.candidates}

    assert set(mix.replace("(2)", "").replace("(a: 2, b: 1)", "").split(" | ")) == drawn


def test_another_order_of_mixes_to_choose_from_is_in_no_key(folder):
    one, other = (
        planned(f"m -> (a + b)(mix: best {{{mix}}}) -> c", folder)
        for mix in ("uniform | temperature(2)", "temperature(2) | uniform")
    )

    assert {n.key for n in one.nodes} == {n.key for n in other.nodes}


def test_a_mixture_leaves_a_head_of_each_part_behind(folder):
    plan = planned("m -> t + a -> c @ previous, x[ta]", folder)

    assert ["x", "a", "a", "t", "t", "c"] == sorted((c.benchmark for c in plan.cells), key="xatc".index)


def test_what_is_set_for_every_target_is_set_for_previous(folder):
    plan = planned("m -> a @ previous with (under: {clean | casing})", folder)

    assert ["clean", "casing"] == [dict(c.axes)["under"] for c in plan.cells]


def test_where_a_choice_skips_all_there_is_nothing_to_evaluate_again(folder):
    plan = planned("m -> {skip | a} @ previous", folder)

    assert 1 == len(plan.cells)


# --- findings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m -> a(lr: best {1e-5 | 3e-5}) @ a[en](split: dev)", [("X0321", "a[en](split: dev)")]),
        ("m -> a(select: best) @ a[de](split: dev)", []),
        ("m -> c(select: best(on: target)) @ x[de](split: dev)", [("X0321", "x[de](split: dev)")]),
        ("m -> a(select: best) @ previous", [("X0321", "previous")]),
        ("m -> a @ previous", []),
    ],
)
def test_scores_of_rows_that_chose_the_checkpoint_are_told(text, expected, folder):
    assert expected == found(PRELUDE + text, folder)


def test_rows_that_are_trained_on_choose_no_checkpoint(folder):
    task = 'task own : a { data: files({ train: "a/en/train.jsonl", dev: "a/en/train.jsonl" }) languages: [en] }\n'

    assert [("X0320", "select: best")] == found(f"{PRELUDE}{task}m -> own(select: best)", folder)
    assert [("X0320", "select: best")] == found(f"{PRELUDE}{task}m -> a -> own(select: best)", folder)
    assert [("X0320", "lr: best {1e-5 | 2e-5}")] == found(f"{PRELUDE}{task}m -> own(lr: best {{1e-5 | 2e-5}})", folder)


def test_what_an_earlier_stage_trained_on_chooses_no_checkpoint_of_a_target(folder):
    task = 'benchmark seen : c { data: files({ dev: "a/de/train.jsonl", test: "x/de/test.jsonl" }) languages: [de] }\n'

    faults = found(f"{PRELUDE}{task}m -> a[de] -> c(select: best(on: target)) @ seen", folder)

    assert [("X0320", "select: best(on: target)"), ("X0311", "seen")] == faults


def test_rows_that_are_declared_to_be_trained_on_choose_no_checkpoint(folder):
    task = "task same : a { derived-from: { dev: a.train } }\n"

    assert [("X0320", "select: best")] == found(f"{PRELUDE}{task}m -> a -> same(select: best)", folder)
    assert [] == found(f"{PRELUDE}{task}m -> b -> same(select: best)", folder)


def test_a_benchmark_without_dev_data_is_told_once(folder):
    task = 'benchmark tested : c { data: files({ test: "x/{{ language }}/test.jsonl" }) }\n'
    chain = "m -> c(select: best(on: target)) @ tested[de, sw]"

    assert [("X0306", "tested")] == found(f"{PRELUDE}{task}{chain}", folder)


def test_two_heads_of_one_task_leave_previous_unclear(folder):
    assert [("X0307", "previous")] == found(PRELUDE + "m -> a(limit: 3) + a(limit: 5) @ previous", folder)
    assert [] == found(PRELUDE + "m -> a[en](limit: 3) + a[de](limit: 5) @ previous", folder)


def test_a_task_without_a_dev_split_chooses_nothing(folder):
    task = 'task no-dev : a { data: files({ train: "a/en/train.jsonl" }) languages: [en] }\n'

    for chosen in ("(select: best)", "(lr: best {1e-5 | 3e-5})"):
        assert [("X0306", "no-dev")] == found(f"{PRELUDE}{task}m -> no-dev{chosen}", folder)
    assert [("X0306", "previous")] == found(f"{PRELUDE}{task}m -> no-dev @ previous", folder)


def test_a_chain_that_tries_beyond_all_measure_is_refused(folder):
    values = " | ".join(f"{n}e-6" for n in range(1, 40))
    text = f"m -> a(lr: best {{{values}}}, batch: best {{{values.replace('e-6', '')}}}, seeds: 20)"

    assert ["X0319"] == [d.code for d in compiled(PRELUDE + text, folder).diagnostics if d.code != "X0207"]
