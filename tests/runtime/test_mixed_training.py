"""Mixtures of the world's tasks trained for real: who is drawn, what moves, what is kept."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import asdict, replace

from compiler.ops import Folder, Mix, Model, Part, Predict, Score, Train, WorldRows
from runtime import columns, encoding, evaluation, machine, models, training, world
from runtime.batches import micro_batches
from runtime.bodies import TorchBodies
from runtime.feed import Feed
from runtime.kinds import kinds
from runtime.mixing import draw
from runtime.store.objects import Store
from tests import plans
from tests.plans import Builder, model, run, train
from tests.words import write_tokenizer

pytestmark = pytest.mark.ml

UNIFORM = Mix("uniform", None, None, ())
TEXT = (("text", "{{ text }}"),)
CAUSES = (
    ("context", "{{ premise }}"),
    ("question", "{{ ask }}"),
    ("choices", ("{{ choice0 }}", "{{ choice1 }}")),
    ("label", "{{ label }}"),
)
STORIES = (
    ("context", "{{ context }}"),
    ("choices", ("{{ ending0 }}", "{{ ending1 }}", "{{ ending2 }}", "{{ ending3 }}")),
    ("label", "{{ label }}"),
)
FIELDS = {"text": TEXT, "causes": CAUSES, "stories": STORIES}
KIND = {"text": "masked-lm", "causes": "multiple-choice", "stories": "multiple-choice"}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of the world's tokenizer, by digest."""
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in folder.iterdir()}


@pytest.fixture(scope="module")
def scratch(files):
    """A model of random weights, as an op."""
    op = model()
    return replace(op, source=replace(op.source, layers=2, width=32, tokenizer=named(files)))


def named(files):
    return tuple(sorted((p.name, digest) for digest, p in files.items()))


@pytest.fixture(scope="module")
def base(tmp_path_factory, files, scratch):
    """Its weights node."""
    made = tmp_path_factory.mktemp("model")
    models.make(scratch, files, made)
    return made


def data_op(task, split="train", language="qaa", limit=None, scored=False, model="0" * 64):
    rows = (WorldRows(task, split, language, 1, 1, 1.0, None, None),)
    changes = {"kind": KIND[task], "sources": (("", rows),), "fields": FIELDS[task]}
    return replace(plans.data(model, split, language, limit, scored), **changes)


@pytest.fixture(scope="module")
def encoded(base, tmp_path_factory):
    """Columns of a task of the world, encoded once."""
    known = {}

    def get(task, split="train", language="qaa"):
        if (task, split, language) not in known:
            folder = tmp_path_factory.mktemp("data")
            encoding.encode(data_op(task, split, language), base, {}, folder, allow_code=False)
            known[task, split, language] = columns.read(folder)
        return known[task, split, language]

    return get


def part(task, head="new", languages=1):
    return Part(KIND[task], (), ("1" * 64,) * languages, head, 0.2 if task == "text" else None)


def op_of(*parts, mix=UNIFORM, **changes):
    settings = {"length": ("steps", 12), "batch": 8, **changes}
    return train("0" * 64, **settings, parts=tuple(parts), mix=mix)


def trained(base, op, data, files=()):
    network = training.start(op, base, dict(files))
    feed = Feed(op, data, models.read_special(base, network.encoder.config))
    return network, training.train(op, network, feed, device="cpu", on_step=lambda *_: None)


def flat(module):
    return torch.cat([p.detach().flatten().cpu() for p in module.parameters()])


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """The weights node of the model that comes with xfer."""
    folder = Path(world.__file__).parent / "babel-mini"
    files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in folder.iterdir()}
    made = tmp_path_factory.mktemp("babel")
    models.make(Model(Folder(named(files))), files, made)
    return made, files


@pytest.mark.parametrize("tasks", [("causes", "text"), ("causes", "stories")])
def test_every_head_of_a_mixture_learns(pretrained, encoded, tasks):
    op = op_of(*map(part, tasks), length=("steps", 300), batch=16, lr=1e-3)
    made, files = pretrained
    network, curve = trained(made, op, [[encoded(t)] for t in tasks], files)

    assert [KIND[t] for t in tasks] == network.kinds
    for index, task in enumerate(tasks):
        losses = [p.loss for p in curve if p.part == index]
        assert {"causes": np.log(2), "stories": np.log(4), "text": losses[0]}[task] == pytest.approx(losses[0], abs=0.1)
        assert np.mean(losses[-20:]) < 0.9 * losses[0], task


def test_the_curve_says_which_part_each_step_drew(base, encoded):
    op = op_of(
        part("causes"), part("text", languages=2), mix=Mix("weights", None, None, (0.25, 0.75)), length=("steps", 40)
    )
    data = [[encoded("causes")], [encoded("text"), encoded("text", language="qab")]]
    feed = Feed(op, data, models.read_special(base, None))
    _, curve = trained(base, op, data)

    assert [feed.at(step).part for step in range(40)] == [p.part for p in curve]
    assert 30 == pytest.approx(Counter(p.part for p in curve)[1], abs=5 * (40 * 0.25 * 0.75) ** 0.5)
    assert {"step", "lr", "loss", "norm", "part"} == set(asdict(curve[0]))


def test_an_epoch_of_a_mixture_is_that_of_its_parts_up_to_the_cap(base, encoded):
    data = [[encoded("causes")], [encoded("text")]]
    causes, text = len(data[0][0]), len(data[1][0])

    def steps(mix, **changes):
        return Feed(op_of(part("causes"), part("text"), mix=mix, **changes), data, None).steps

    assert 2 * -(-(causes + text) // 8) == steps(UNIFORM, length=("epochs", 2))
    assert 2 * -(-(min(causes, 100) + 100) // 8) == steps(Mix("proportional", 100, None, ()), length=("epochs", 2))
    assert 7 == steps(UNIFORM, length=("steps", 7))


def test_a_training_that_starts_at_a_step_sees_the_same_examples(base, encoded):
    op = op_of(part("causes", languages=2), part("text"), length=("steps", 30))
    data = [[encoded("causes"), encoded("causes", language="qab")], [encoded("text")]]
    special = models.read_special(base, None)
    whole = [Feed(op, data, special).at(step) for step in range(30)]
    later = Feed(op, data, special)

    for step in (17, 29, 3, 17):
        drawn = later.at(step)
        assert (whole[step].part, whole[step].units) == (drawn.part, drawn.units)
        assert np.array_equal(whole[step].columns.tokens, drawn.columns.tokens)
        assert np.array_equal(whole[step].columns.rows, drawn.columns.rows)
        assert (drawn.columns.targets is None) == (op.parts[drawn.part].mask is None)
        assert drawn.columns.targets is None or np.array_equal(whole[step].columns.targets, drawn.columns.targets)


def test_a_step_leaves_the_heads_of_other_parts_alone(base, encoded):
    """Neither decay nor momentum moves them, and their gradient is none."""
    op = op_of(part("causes"), part("stories"), mix=Mix("weights", None, None, (1.0, 1e-12)), weight_decay=0.5, lr=1e-2)
    fresh = training.start(op, base, {})
    network, curve = trained(base, op, [[encoded("causes")], [encoded("stories")]])

    assert {0} == {p.part for p in curve}
    assert torch.equal(flat(fresh.heads[1]), flat(network.heads[1]))
    assert not torch.equal(flat(fresh.heads[0]), flat(network.heads[0]))
    assert all(p.grad is None for p in network.parameters())


def test_momentum_does_not_move_a_head_that_was_drawn_before(base, encoded):
    """Of two steps the second draws the other part: the first head stays as the first step left it."""
    ops = (op_of(part("causes"), part("stories"), length=("steps", 2), seed=seed) for seed in range(50))
    op = next(op for op in ops if drawn_by(op) == [0, 1])
    data = [[encoded("causes")], [encoded("stories")]]
    constant = {"schedule": "constant", "warmup": 0}
    one, _ = trained(base, replace(op, length=("steps", 1), **constant), data)
    two, _ = trained(base, replace(op, **constant), data)

    assert torch.equal(flat(one.heads[0]), flat(two.heads[0]))
    assert not torch.equal(flat(one.heads[1]), flat(two.heads[1]))


def drawn_by(op):
    schedule = draw(op.mix, ((400,), (1000,)), steps=2, batch=op.batch, seed=op.seed)
    return [schedule.at(step).part for step in range(2)]


@pytest.mark.parametrize("task", ["causes", "text"])
def test_one_part_in_one_language_trains_as_the_plain_stage_does(base, encoded, task):
    """A mixture draws another order, and nothing else of the loop differs: the same first head, the same steps."""
    plain = training.start(op_of(part(task), mix=None), base, {})
    mixed = training.start(op_of(part(task)), base, {})

    assert torch.equal(flat(plain), flat(mixed))
    feeds = [
        Feed(op_of(part(task), mix=m), [[encoded(task)]], models.read_special(base, None)) for m in (None, UNIFORM)
    ]
    assert [12, 12] == [f.steps for f in feeds]
    assert [8, 8] == [len(f.at(0).columns) for f in feeds]


def test_heads_are_seeded_by_their_place(base):
    two = training.start(op_of(part("causes"), part("stories")), base, {})
    one = training.start(op_of(part("causes"), mix=None), base, {})

    assert torch.equal(flat(one.heads[0]), flat(two.heads[0]))
    assert not torch.equal(flat(two.heads[0]), flat(two.heads[1]))


def test_a_kept_head_is_that_of_the_parent(base, encoded, tmp_path):
    op = op_of(part("causes"), part("text"))
    network, _ = trained(base, op, [[encoded("causes")], [encoded("text")]])
    models.save(network, base, tmp_path)

    kept = training.start(op_of(part("text", head=1), part("causes", head=0), part("causes")), tmp_path, {})

    assert ["0.safetensors", "1.safetensors"] == sorted(p.name for p in (tmp_path / "heads").iterdir())
    assert torch.equal(flat(network.heads[1]), flat(kept.heads[0]))
    assert torch.equal(flat(network.heads[0]), flat(kept.heads[1]))
    assert not torch.equal(flat(network.heads[0]), flat(kept.heads[2]))
    assert torch.equal(flat(network.encoder), flat(kept.encoder))


def test_a_saved_head_answers_as_it_did(base, encoded, tmp_path):
    tasks = ("causes", "text", "stories")
    op = op_of(*map(part, tasks), length=("steps", 20), lr=1e-3)
    network, _ = trained(base, op, [[encoded(t)] for t in tasks])
    models.save(network, base, tmp_path)
    special = models.read_special(base, network.encoder.config)

    for index, task in enumerate(tasks):
        again = models.load_network(tmp_path, {}, KIND[task], index)
        alone = models.Network(network.encoder, KIND[task])
        alone.heads[0] = network.heads[index]
        one, other = (
            evaluation.predict(n, encoded(task, "dev"), special, device="cpu", precision="fp32", mask=0.2)
            for n in (alone, again)
        )
        assert one.to_pylist() == other.to_pylist()


def test_cutting_a_step_into_micro_batches_changes_only_rounding(base, encoded, monkeypatch):
    op = op_of(part("causes"), part("text"), lr=1e-3)
    data = [[encoded("causes")], [encoded("text")]]
    _, whole = trained(base, op, data)
    monkeypatch.setattr(machine, "_TOKENS_CPU", 60)
    _, cut = trained(base, op, data)

    assert [p.loss for p in whole] == pytest.approx([p.loss for p in cut], rel=1e-4)
    assert [p.norm for p in whole] == pytest.approx([p.norm for p in cut], rel=1e-3)


def test_the_norm_is_that_of_the_encoder_and_the_head_that_was_drawn(base, encoded):
    op = op_of(part("causes"), part("stories"), length=("steps", 1))
    data = [[encoded("causes")], [encoded("stories")]]
    _, (point,) = trained(base, op, data)

    network = training.start(op, base, {})
    special = models.read_special(base, network.encoder.config)
    drawn = Feed(op, data, special).at(0)
    (_, batch), *rest = micro_batches(drawn.columns, 10**6, special.pad, torch.device("cpu"))
    hidden = network(batch.tokens, batch.attention, batch.segments)
    (kinds()["multiple-choice"].loss(network.heads[drawn.part], hidden, batch) / 8).backward()

    moved = [*network.encoder.parameters(), *network.heads[drawn.part].parameters()]
    assert [] == rest
    assert point.norm == pytest.approx(float(torch.cat([p.grad.flatten() for p in moved]).norm()), rel=1e-4)
    assert all(p.grad is None for p in network.heads[1 - drawn.part].parameters())


def test_a_mixture_runs_from_data_to_scores(files, scratch, tmp_path):
    """Through the executor and the store: two heads, each answering its own targets."""
    b = Builder()
    m = b.add(scratch, "model")
    causes, stories = (b.add(data_op(t, model=m), t) for t in ("causes", "stories"))
    op = Train(
        **{
            **{f: getattr(op_of(part("causes")), f) for f in Train.__slots__},
            "parent": m,
            "parts": (replace(part("causes"), data=(causes,)), replace(part("stories"), data=(stories,))),
        }
    )
    weights = b.add(op, "train")
    after = b.add(replace(op, parent=weights, parts=(replace(op.parts[1], head=1),), mix=None), "after")
    for name, key, head, task in (
        ("1", weights, 0, "causes"),
        ("2", weights, 1, "stories"),
        ("3", after, 0, "stories"),
    ):
        dev = b.add(data_op(task, "dev", scored=True, model=m), f"dev {task}")
        predict = b.add(Predict(key, dev, KIND[task], head, "fp32", None, None), f"predict {name}")
        b.add(Score(predict, "accuracy", 1), f"score {name}")
    plan = replace(b.plan(), files=files)
    predicted = {n.key: n.op.kind for n in plan.nodes if isinstance(n.op, Predict)}
    store = Store(tmp_path, write=True)
    report = run(plan, store, TorchBodies(files, "cpu", predicted))

    assert [] == [str(f) for f in report.failed]
    assert ["0.safetensors", "1.safetensors"] == sorted(p.name for p in (store.path(weights) / "heads").iterdir())
    assert ["0.safetensors"] == sorted(p.name for p in (store.path(after) / "heads").iterdir())
    assert {"predict 1": 2, "predict 2": 4, "predict 3": 4} == {
        n.label: columns.read_table(store.path(n.key) / "predictions.arrow").column("choices").to_pylist()[0]
        for n in plan.nodes
        if isinstance(n.op, Predict)
    }


def test_a_network_hides_tokens_if_one_of_its_parts_does(base):
    assert training.start(op_of(part("causes"), part("text")), base, {}).masks
    assert not training.start(op_of(part("causes"), part("stories")), base, {}).masks
