"""Settings: the nearest level wins, and every value knows the line that set it."""

from itertools import combinations

import pytest

from compiler.ops import Data, Predict, Train
from tests.compiling import CPU, GPU, INPUT, PRELUDE, found, nodes, plan_of, trainings

# The levels of lr, nearest first, each with where it stands.
LEVELS = {
    "stage": 1e-3,
    "chain": 2e-3,
    "defaults NAME": 3e-3,
    "defaults KIND": 4e-3,
    "defaults": 5e-3,
    "task": 6e-3,
    "model": 7e-3,
}


def spec(*levels):
    at = {level: f"lr: {LEVELS[level]}" if level in levels else "" for level in LEVELS}
    stage = f"({at['stage']})" if at["stage"] else ""
    chain = f"with ({at['chain']})" if at["chain"] else ""
    return f"""
model big : m {{ settings: {{ {at["model"]} }} }}
task mine : a {{ settings: {{ {at["task"]} }} }}
defaults {{ {at["defaults"]} }}
defaults mine {{ {at["defaults NAME"]} }}
defaults multiple-choice {{ {at["defaults KIND"]} }}
big -> mine{stage} @ x[de] {chain}
"""


@pytest.fixture
def plan(folder):
    return lambda text, device=CPU: plan_of(PRELUDE + text, folder, device)


@pytest.mark.parametrize(
    "levels", [*combinations(LEVELS, 2), *((level,) for level in LEVELS), tuple(LEVELS)], ids="+".join
)
def test_the_nearest_level_wins(plan, levels):
    (node,) = nodes(plan(spec(*levels)), Train)

    assert LEVELS[levels[0]] == node.op.lr
    assert str(LEVELS[levels[0]]) in node.places["lr"].text


def test_without_any_level_the_built_in_value_has_no_place(plan):
    (node,) = nodes(plan(spec()), Train)

    assert (1e-5, ("epochs", 3), 32, 0.1, "linear", 1) == (
        node.op.lr,
        node.op.length,
        node.op.batch,
        node.op.warmup,
        node.op.schedule,
        node.op.seed,
    )
    assert {} == node.places


def test_every_value_knows_its_line(plan):
    (node,) = nodes(plan("defaults { warmup: 5% }\nm -> c(batch: 8) @ x[de] with (seed: 4)"), Train)

    assert {"batch", "warmup", "seed", "epochs", "max-length"} == set(node.places)
    assert "m -> c(batch: 8)" in node.places["batch"].text
    assert "batch: 8" == marked(node.places["batch"])
    assert "task c : a" in node.places["epochs"].text


def test_what_data_and_predictions_hold_knows_its_line_too(plan):
    text = "m -> c(precision: bf16) @ x[de](limit: 5, split: dev, max-length: 32)"
    data = next(n for n in nodes(plan(text), Data) if n.op.scored)
    (prediction,) = nodes(plan(text), Predict)

    assert {"data", "input", "input.choices", "input.label", "limit", "split", "max-length"} == set(data.places)
    assert "limit: 5" == marked(data.places["limit"])
    assert "max-length: 32" == marked(data.places["max-length"])
    assert "precision: bf16" == marked(prediction.places["precision"])


def marked(place):
    return place.text[place.column - 1 :][: place.width]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("m -> c @ x[de]", ("epochs", 7)),
        ("m -> c(steps: 50) @ x[de]", ("steps", 50)),
        ("m -> c(epochs: 2) @ x[de] with (steps: 50)", ("epochs", 2)),
        ("m -> c @ x[de] with (steps: 50)", ("steps", 50)),
        ("defaults { steps: 9 }\nm -> c @ x[de]", ("steps", 9)),
        ("defaults { steps: 9 }\nm -> c @ x[de] with (epochs: 2)", ("epochs", 2)),
    ],
)
def test_epochs_and_steps_are_one_slot(plan, text, length):
    assert [length] == [op.length for op in trainings(plan(text))]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("m -> c(seed: 9) @ x[de] with (seeds: 3)", [9]),
        ("m -> c(seeds: 2) @ x[de] with (seed: 9)", [1, 2]),
        ("defaults { seeds: 2 }\nm -> c @ x[de]", [1, 2]),
        ("m -> c(seed: {3 | 8}) @ x[de]", [3, 8]),
    ],
)
def test_seed_and_seeds_are_one_slot(plan, text, seeds):
    assert seeds == [op.seed for op in trainings(plan(text))]


def test_a_task_inherits_settings_key_by_key(plan):
    (op,) = trainings(plan("task d : c { settings: { max-length: 32 } }\nm -> d @ x[de]"))

    assert ("epochs", 7) == op.length


def lengths(plan):
    return [(n.op.scored, n.op.max_length) for n in nodes(plan, Data)]


@pytest.mark.parametrize(
    ("text", "stage", "target"),
    [
        ("m -> c @ x[de]", 64, 64),
        ("m -> a @ x[de]", 256, 256),
        ("m -> a(max-length: 99) @ x[de]", 99, 99),
        ("m -> a @ x[de] with (max-length: 99)", 99, 99),
        ("m -> c(max-length: 99) @ x[de](max-length: 48)", 99, 48),
        ("defaults x { max-length: 48 }\nm -> c @ x[de]", 64, 48),
        ("defaults { max-length: 48 }\nm -> a(max-length: 99) @ x[de]", 99, 99),
        ("benchmark y : x { settings: { max-length: 48 } }\nm -> c @ y[de]", 64, 48),
    ],
)
def test_a_target_reads_max_length_from_its_stage_unless_it_sets_its_own(plan, text, stage, target):
    assert [(False, stage), (True, target)] == lengths(plan(text))


def test_a_target_reads_precision_from_its_stage_unless_it_sets_its_own(plan):
    assert ["bf16"] == [n.op.precision for n in nodes(plan("m -> c(precision: bf16) @ x[de]"), Predict)]
    assert ["fp32"] == [
        n.op.precision for n in nodes(plan("m -> c(precision: bf16) @ x[de](precision: fp32)"), Predict)
    ]


@pytest.mark.parametrize(("device", "precision"), [(CPU, "fp32"), (GPU, "bf16")])
def test_automatic_precision_is_the_devices(plan, device, precision):
    assert [precision] == [op.precision for op in trainings(plan("m -> c(precision: auto) @ x[de]", device))]


def test_limit_stands_at_a_stage_a_target_or_a_task(plan):
    result = plan("task d : c { settings: { limit: first(9) } }\nm -> a(limit: 5) -> d @ x[de](limit: 1k)")

    assert [("fixed", 5), ("own", 9), ("fixed", 1000)] == [
        (n.op.limit.order, n.op.limit.count) for n in nodes(result, Data)
    ]


def test_a_limit_at_a_stage_leaves_the_target_whole(plan):
    assert [5, None] == [n.op.limit and n.op.limit.count for n in nodes(plan("m -> c(limit: 5) @ x[de]"), Data)]


def test_the_split_of_a_target_is_test_else_dev_unless_it_is_said(plan):
    def splits(text):
        return [n.op.split for n in nodes(plan(text), Data) if n.op.scored]

    assert ["test"] == splits("m -> c @ x[de]")
    assert ["dev"] == splits("m -> c @ c[de]")
    assert ["dev"] == splits("m -> c @ x[de](split: dev)")
    assert ["dev"] == splits("benchmark y : x { split: dev }\nm -> c @ y[de]")
    assert ["dev"] == splits("defaults { split: dev }\nm -> c @ x[de]")


def test_defaults_of_a_kind_reach_no_other(plan):
    result = plan("defaults masked-lm { lr: 1e-3 }\nm -> t -> c @ x[de]")

    assert [1e-3, 1e-5] == [op.lr for op in trainings(result)]


def test_what_defaults_hide_is_noted_once(folder):
    notes = found(PRELUDE + "defaults { epochs: 3 }\nm -> {skip | a} -> c @ x[de] with (seeds: 3)", folder)

    assert [("X0318", "epochs: 3")] == notes


def test_a_spec_of_declarations_may_have_defaults(folder):
    assert ["X0315"] == [code for code, _ in found(PRELUDE + "defaults { lr: 1e-3 }", folder)]


def test_mask_is_masked_language_modelling_alone(plan):
    assert [0.3, None] == [op.parts[0].mask for op in trainings(plan("m -> t -> c @ x[de] with (mask: 30%)"))]


def test_names_resolve_where_they_are_written(folder):
    """A spec's `copa` does not change the library's `xcopa`."""
    mine = f'task copa : multiple-choice {{ data: hf("my/copa") source: de {INPUT} settings: {{ max-length: 16 }} }}\n'
    chain = "xlmr-large -> hellaswag @ xcopa[sw](limit: 5)"

    assert [n.key for n in plan_of(chain, folder).nodes] == [n.key for n in plan_of(mine + chain, folder).nodes]
    assert ["my/copa"] == [
        n.op.rows[0].repository
        for n in plan_of(mine + "benchmark y : copa { }\nxlmr-large -> y @ xcopa[sw]", folder).nodes
        if isinstance(n.op, Data) and n.op.split == "train"
    ]
