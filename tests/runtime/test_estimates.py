"""Estimates: amounts from files and records, times from records and the table of devices, unknown where neither is."""

import json

import pytest
from msgspec.structs import replace

from compiler import devices
from compiler.cost import works
from compiler.ops import Data, Predict, Train
from compiler.pins import PinnedData, PinnedFile, PinnedModel, PinnedSplit, Pins
from compiler.plan import Device
from compiler.shapes import ModelShape
from runtime.amounts import amounts
from runtime.estimates import RECORDS, TABLE, estimate
from runtime.store.objects import Store
from runtime.world import rows as world_rows
from tests.compiling import CPU, INPUT, PRELUDE, nodes, plan_of, write_files

H100 = Device("cuda", "H100", bf16=True)
SHAPE = ModelShape(512, 2, 10, 40, 100, 4000)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", write=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specs")
    write_files(folder)
    return folder


def local(text=""):
    """A spec over `train.jsonl`."""
    task = f'task d : multiple-choice {{ data: files("{{{{ split }}}}.jsonl") {INPUT} settings: {{ max-length: 64 }} }}'
    return f'model m {{ weights: embedded("babel-mini") }}\n{task}\nm -> d{text}'


def counted(examples, sequences, tokens, **more):
    """What a node's body counts."""
    return {"examples": examples, "sequences": sequences, "tokens": tokens, **more}


def publish(store, node, found, device="cpu", seconds=1.0):
    """The node's object, with what was counted."""
    manifest_of = store.publish(node, lambda folder: (folder / "x").write_text("x") and found, {"device": device})
    manifest = store.index.get(node.key)
    store.index.add([replace(manifest, seconds=seconds)])
    return manifest_of


def data_of(plan):
    return [n.key for n in nodes(plan, Data)]


def test_lines_of_a_file_are_told_by_its_beginning(folder, tmp_path, store):
    lines = [json.dumps({"one": "a" * 40, "two": "b" * 40, "label": 0}) for _ in range(2000)]
    (tmp_path / "train.jsonl").write_text("\n".join(lines) + "\n")
    plan = plan_of(local(), tmp_path)

    (found,) = amounts(plan, store, data_of(plan)).values()

    assert 2000 == pytest.approx(found.examples, rel=0.01) and not found.recorded
    assert found.sequences == 2 * found.examples
    assert 10 < found.length < 30, "a hundred letters in two sequences"


@pytest.mark.parametrize(("limit", "examples"), [("limit: 100", 100), ("limit: 10k", 2000)])
def test_a_limit_is_no_more_than_there_is(tmp_path, store, limit, examples):
    (tmp_path / "train.jsonl").write_text('{"one": "a", "two": "b", "label": 0}\n' * 2000)
    plan = plan_of(local(f"({limit})"), tmp_path)

    (found,) = amounts(plan, store, data_of(plan)).values()

    assert examples == pytest.approx(found.examples)


def test_rows_of_a_repository_are_those_that_its_lock_counts(tmp_path, store):
    split = PinnedSplit("parquet", (PinnedFile("a", "a" * 64, 300_000), PinnedFile("b", "b" * 64, 100_000)), 4000)
    model = PinnedModel(
        "c" * 40, (PinnedFile("config.json", "d" * 64, 1), PinnedFile("model.safetensors", "e" * 64, 1))
    )
    pins = Pins({"o/m": model}, {"o/d": PinnedData("f" * 40, {"": {"train": split}})})
    text = f'model m {{ weights: hf("o/m") }}\ntask d : multiple-choice {{ data: hf("o/d") {INPUT} }}\nm -> d'
    plan = plan_of(text, tmp_path, pins=pins)

    (found,) = amounts(plan, store, data_of(plan)).values()

    assert 4000 == pytest.approx(found.examples)


WORLD = [("causes", "qaa", "train"), ("stories", "qaa", "dev"), ("words", "qaa", "train"), ("entail", "qaa", "test")]
WORLD += [("text", "qab", "train"), ("text", "qad", "train"), ("mining", "qac", "test")]


@pytest.mark.parametrize(("task", "language", "split"), WORLD)
def test_the_world_has_the_rows_that_estimates_take_it_to_have(store, task, language, split):
    target = {"mining": f"@ w-mining[{language}]", "text": f"-> w-text[{language}]"}.get(task, f"-> w-{task}")
    scored = f" @ w-{task}[{language}](split: {split})" if split != "train" and task != "mining" else ""
    plan = plan_of(f'model m {{ weights: embedded("babel-mini") }}\nm {target}{scored}')
    (node,) = [n for n in nodes(plan, Data) if n.op.split == split]

    found = amounts(plan, store, [node.key])[node.key]

    rows = len(world_rows(task, split, language))
    assert rows == pytest.approx(found.examples)
    assert 5 < found.length < 40


def test_what_was_counted_is_taken_before_what_is_guessed(folder, store):
    plan = plan_of(PRELUDE + "m -> a", folder)
    (data,) = nodes(plan, Data)
    assert {} == amounts(plan, store, [data.key]), "the files of the prelude have no lines"

    publish(store, data, counted(7, 14, 140))

    found = amounts(plan, store, [data.key])[data.key]
    assert (7, 14, 140, True) == (found.examples, found.sequences, found.tokens, found.recorded)


def made(folder, store, text, device=CPU, **more):
    """A plan of which all data are counted, and its estimate."""
    plan = plan_of(PRELUDE + text, folder, device)
    plan = replace(plan, shapes=dict.fromkeys(plan.shapes, SHAPE))
    for node in nodes(plan, Data):
        publish(store, node, counted(100, 200, 2000), device=device.name)
    return plan, estimate(plan, store, [n for n in plan.nodes if not isinstance(n.op, Data)], **more)


def test_without_a_record_the_time_on_a_cpu_is_unknown(folder, store):
    plan, found = made(folder, store, "m -> a @ x[de]")

    assert {type(n.op) for n in found.unknown} == {Train, Predict}
    assert not any(n.key in found.seconds for n in found.unknown)
    assert found.flops == sum(works(plan, amounts(plan, store, data_of(plan)))[n.key].flops for n in found.unknown)


def test_on_a_gpu_of_the_table_it_is_a_share_of_its_peak_and_no_step_is_free(folder, store):
    plan, found = made(folder, store, "m -> a(precision: fp32, steps: 50) @ x[de]", H100)
    (train,), (predict,) = nodes(plan, Train), nodes(plan, Predict)

    assert () == found.unknown
    assert 50 * devices.STEP == found.seconds[train.key]
    assert found.works[predict.key].flops / devices.rate(H100, "fp32") == found.seconds[predict.key]
    assert {TABLE: 2} == dict(found.sources)


def test_records_of_the_device_and_of_alike_models_come_first(folder, store):
    old = plan_of(PRELUDE + "m -> b @ x[de]", folder)
    weights = SHAPE.encoder
    (train,), (predict,) = nodes(old, Train), nodes(old, Predict)
    publish(store, train, counted(0, 0, 6000, weights=weights), seconds=12.0)
    publish(store, predict, counted(1, 2, 500, weights=weights), seconds=2.0)
    publish(store, nodes(plan_of(PRELUDE + "m -> a(seed: 9)", folder), Train)[0], counted(0, 0, 10**9, weights=10**9))
    other = nodes(plan_of(PRELUDE + "m -> a(seed: 8)", folder), Train)[0]
    publish(store, other, counted(0, 0, 10**9, weights=weights), device="NVIDIA H100")

    plan, found = made(folder, store, "m -> a(epochs: 3) @ x[de]")
    (train,), (predict,) = nodes(plan, Train), nodes(plan, Predict)

    rate = 2 * weights * 6000 * 3 / 12
    assert found.works[train.key].flops / rate == pytest.approx(found.seconds[train.key])
    assert found.works[predict.key].flops / (2 * weights * 500 / 2) == pytest.approx(found.seconds[predict.key])
    assert {RECORDS} == set(found.sources)


def test_sharing_saves_the_operations_of_trainings_that_would_be_done_twice(folder, store):
    plan, found = made(folder, store, "m -> a(epochs: 1) -> {c(epochs: 1, batch: 4) | b(epochs: 1)}")
    a, *_ = (found.works[n.key].flops for n in nodes(plan, Train))

    assert found.saved == pytest.approx(1 / 4), "one of four trainings of equal size"
    assert a


def test_what_has_no_size_is_told_apart_from_the_sum(folder, store):
    plan = plan_of(PRELUDE + "m -> a @ x[de]", folder)

    found = estimate(plan, store, plan.nodes)

    assert found.unsized > 0 and found.timeline.kept > 0
