"""What nodes cost: each figure against a small sum by hand."""

import json

import pytest
from msgspec.structs import replace

from compiler import cost, devices
from compiler.cost import Amount, works
from compiler.ops import Data, Mix, Model, Predict, Score, Select, Train
from compiler.plan import Device
from compiler.shapes import ModelShape
from tests.compiling import CPU, EMBEDDED, PRELUDE, nodes, plan_of

SHAPE = ModelShape(512, layers=2, width=10, feedforward=40, vocabulary=100, parameters=4000)
WEIGHTS = 2 * (4 * 10 * 10 + 2 * 10 * 40)  # 2400
TRAIN, TEST = Amount(100, 200, 2000), Amount(50, 100, 1500)


def of(text, folder, train=TRAIN, test=TEST, shape=SHAPE):
    """The plan of the text, and the work of its nodes."""
    plan = plan_of(PRELUDE + text, folder)
    plan = replace(plan, shapes=dict.fromkeys(plan.shapes, shape))
    data = {n.key: test if n.op.scored else train for n in nodes(plan, Data)}
    return plan, works(plan, {key: amount for key, amount in data.items() if amount is not None})


def only(plan, work, sort):
    (node,) = nodes(plan, sort)
    return work[node.key]


def test_the_weights_of_layers_count_and_embeddings_do_not():
    assert WEIGHTS == SHAPE.encoder
    assert 4000 == ModelShape(parameters=4000).encoder, "of a model of unknown layers all that is known"
    assert ModelShape().encoder is None


def test_the_encoder_of_xlmr_large_has_three_hundred_million_weights():
    """24 layers of width 1,024: 302 M of its 560 M (Conneau et al. 2020, table 1)."""
    large = ModelShape(512, 24, 1024, 4096, 250_002).counted()

    assert large.encoder == pytest.approx(302e6, rel=0.01)
    assert large.parameters == pytest.approx(559e6, rel=0.01)


def test_a_pass_takes_two_operations_a_weight_and_attention():
    assert 2 * WEIGHTS + 4 * 2 * 7 * 10 == cost.forward(SHAPE, 7)
    assert cost.forward(ModelShape(), 7) is None


def test_a_training_sees_all_tokens_each_epoch_three_passes_each(folder):
    plan, work = of("m -> a(epochs: 2, batch: 8)", folder)
    found = only(plan, work, Train)

    assert 2 * 13 == found.steps, "100 examples in batches of 8"
    assert 2 * 2000 == found.tokens
    assert 3 * 4000 * cost.forward(SHAPE, 10) == found.flops
    assert 4 * 4000 == found.size


def test_a_training_of_so_many_steps_sees_so_many_batches(folder):
    plan, work = of("m -> a(steps: 30, batch: 4)", folder)

    assert (30, 30 * 4 * 20) == (only(plan, work, Train).steps, only(plan, work, Train).tokens)


def test_heads_alone_take_one_pass(folder):
    whole, heads = (only(*of(f"m -> a(tune: {tune})", folder), Train).flops for tune in ("full", "head"))

    assert whole == 3 * heads


def test_candidates_are_judged_on_dev_data_and_kept_where_each_target_chooses(folder):
    last = only(*of("m -> a(steps: 30)", folder), Train)
    judged = only(*of("m -> a(steps: 30, select: best(accuracy, every: 10))", folder), Train)
    plan, work = of("m -> c(steps: 30, select: best(accuracy, every: 10, on: target)) @ x[de]", folder)

    one = 1500 * cost.forward(SHAPE, 15)
    assert 3 * one == judged.flops - last.flops
    assert 3 * 4 * 4000 == only(plan, work, Train).size
    assert 3 * one == only(plan, work, Select).flops


def test_an_evaluation_reads_its_data_once(folder):
    plan, work = of("m -> a @ x[de]", folder)

    assert 1500 * cost.forward(SHAPE, 15) == only(plan, work, Predict).flops
    assert 0 == only(plan, work, Score).flops


@pytest.mark.parametrize(
    ("mix", "shares"),
    [
        (Mix("proportional", None, None, ()), (0.8, 0.2)),
        (Mix("proportional", 100, None, ()), (0.5, 0.5)),
        (Mix("uniform", None, None, ()), (0.5, 0.5)),
        (Mix("temperature", None, 2.0, ()), (2 / 3, 1 / 3)),
        (Mix("temperature", None, 0.001, ()), (1, 0)),
        (Mix("weights", None, None, (0.9, 0.1)), (0.9, 0.1)),
    ],
)
def test_parts_of_a_mixture_count_as_often_as_they_are_drawn(mix, shares):
    assert shares == pytest.approx(cost._shares(mix, [Amount(400, 1, 1), Amount(100, 1, 1)]))


def test_a_cap_shortens_the_epoch(folder):
    capped, whole = (
        only(*of(f"m -> (a + b)(mix: proportional(cap: {cap}), epochs: 1, batch: 10)", folder), Train)
        for cap in (30, "10k")
    )

    assert (6, 20) == (capped.steps, whole.steps)


@pytest.mark.parametrize("more", [{"train": None}, {"shape": ModelShape()}])
def test_what_is_not_known_stays_unknown_and_so_does_what_needs_it(folder, more):
    plan, work = of("m -> a @ x[de]", folder, **more)

    assert only(plan, work, Train).flops is None
    assert (only(plan, work, Predict).flops is None) == ("shape" in more)
    assert work[nodes(plan, Score)[0].key].flops == 0


def test_a_model_of_a_folder_stays_where_it_is_and_one_from_scratch_is_made(folder):
    sizes = "layers: 2, width: 64, heads: 4, feedforward: 256, positions: 96"
    scratch = f'scratch({sizes}, tokenizer: embedded("babel-mini"), seed: 1)'
    plan = plan_of(f"model n {{ weights: {scratch} }}\nn -> w-causes", folder)
    made = only(plan, works(plan, {}), Model)
    there = only(*of("m -> a", folder), Model)

    assert 0 == there.size
    vocabulary = len(json.loads((EMBEDDED / "babel-mini" / "tokenizer.json").read_text())["model"]["vocab"])
    assert 4 * (2 * (4 * 64**2 + 2 * 64 * 256) + (vocabulary + 96) * 64) == pytest.approx(made.size, rel=0.3)


def test_the_shape_of_a_local_model_is_that_of_its_configuration():
    plan = plan_of('model n { weights: embedded("babel-mini") }\nn -> w-causes')
    (shape,) = plan.shapes.values()

    assert (2, 64, 256) == (shape.layers, shape.width, shape.feedforward)
    assert (EMBEDDED / "babel-mini" / "model.safetensors").stat().st_size // 4 == shape.parameters


def test_every_device_of_the_table_is_found_by_the_name_that_its_driver_gives():
    names = {"NVIDIA H100 80GB HBM3": "H100", "NVIDIA H100 PCIe": "H100 PCIe", "Tesla T4": "T4", "NVIDIA L40S": "L40S"}

    found = {name: devices.peak_of(Device("cuda", name, bf16=True)).name for name in names}
    assert names == found
    assert devices.peak_of(CPU) is None and devices.peak_of(Device("cuda", "some other", bf16=True)) is None
    assert all(p == devices.peak_of(Device("cuda", f"NVIDIA {p.name}", bf16=True)) for p in devices.PEAKS)
    assert all(p.source and p.fp32 > 0 for p in devices.PEAKS)


def test_a_rate_is_a_share_of_the_peak_at_a_precision_that_the_device_has():
    h100, v100 = (Device("cuda", name, bf16=False) for name in ("NVIDIA H100", "V100"))

    assert 989.5e12 * devices.USED["bf16"] == devices.rate(h100, "bf16")
    assert devices.rate(v100, "bf16") is None and 15.7e12 * devices.USED["fp32"] == devices.rate(v100, "fp32")
