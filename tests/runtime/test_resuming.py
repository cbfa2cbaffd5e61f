"""A training that stopped and went on is the training that did not: the same bits, the same curve."""

import json

import pytest
import torch
from msgspec.structs import replace

from compiler.ops import Judge, Keep, Limit, Mix, Part
from runtime import columns, encoding, machine, models, resuming, training
from runtime.errors import Stopped, StoreError
from runtime.feed import Feed
from runtime.resuming import Keeper, read
from runtime.selecting import Chooser, best_of
from runtime.store import io
from runtime.store.states import States, saved_step, steps
from tests.plans import data, model, train

pytestmark = pytest.mark.ml

CAUSES = (
    ("context", "{{ premise }}"),
    ("question", "{{ ask }}"),
    ("choices", ("{{ choice0 }}", "{{ choice1 }}")),
    ("label", "{{ label }}"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    from pathlib import Path

    folder = tmp_path_factory.mktemp("base")
    embedded = Path(models.__file__).parent / "world" / "babel-mini"
    digest = io.digest(embedded / "tokenizer.json")
    op = model()
    source = type(op.source)("xlm-roberta", 2, 32, 2, 64, 64, 0.1, 1, (("tokenizer.json", digest),))
    models.make(type(op)(source), {digest: embedded / "tokenizer.json"}, folder)
    return folder


def encoded(base, folder, split, **changes):
    op = replace(data("0" * 64, split), **{"fields": CAUSES, "limit": Limit(30, "own"), **changes})
    folder.mkdir(exist_ok=True)
    encoding.encode(op, base, {}, folder, allow_code=False)
    return columns.read(folder)


@pytest.fixture(scope="module", params=["multiple-choice", "masked-lm", "a mixture"])
def recipe(request, base, tmp_path_factory):
    """An op, and for each part the examples of its languages."""
    folder = tmp_path_factory.mktemp("data")
    settings = {"dropout": 0.1, "length": ("epochs", 3), "batch": 7}
    choices = [encoded(base, folder / "choices", "train")]
    text = {"kind": "masked-lm", "fields": (("text", "{{ premise }} {{ choice0 }}"),)}
    texts = [encoded(base, folder / "texts", "train", **text), encoded(base, folder / "more", "dev", **text)]
    if request.param == "multiple-choice":
        return train("0" * 64, "1" * 64, **settings), [choices]
    if request.param == "masked-lm":
        return train("0" * 64, "1" * 64, "2" * 64, kind="masked-lm", mask=0.2, **settings), [texts]
    parts = (Part("multiple-choice", (), ("1" * 64,), "new", None), Part("masked-lm", (), ("2" * 64,) * 2, "new", 0.2))
    mix = Mix("temperature", None, 2.0, ())
    return train("0" * 64, **settings, parts=parts, mix=mix), [choices, texts]


def trained(base, recipe, keeper=None, chooser=None):
    op, data_ = recipe
    network = training.start(op, base, {})
    feed = Feed(op, data_, models.read_special(base, network.encoder.config))
    seen = []
    curve = training.train(op, network, feed, device="cpu", on_step=seen.append, keeper=keeper, chooser=chooser)
    return network, curve, seen


class StopAfter:
    """Asks to stop once so many steps were looked at."""

    def __init__(self, steps):
        self.left = steps

    def __call__(self):
        self.left -= 1
        return self.left <= 0


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_stopped_after_any_step_it_ends_in_the_same_bits(base, recipe, tmp_path):
    whole, curve, _ = trained(base, recipe)

    for stop in range(1, len(curve)):
        states = States(tmp_path, f"{stop:064d}")
        with pytest.raises(Stopped) as stopped:
            trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(stop)))
        resumed, again, seen = trained(base, recipe, Keeper(states, every=1e9))

        assert stop == stopped.value.step
        assert stop + 1 == seen[0].step and stop == seen[0].first
        assert torch.equal(flat(whole), flat(resumed))
        assert curve == again


def test_stopped_after_every_step_it_ends_in_the_same_bits(base, recipe, tmp_path):
    whole, curve, _ = trained(base, recipe)
    states = States(tmp_path, "a" * 64)

    for _ in range(len(curve) - 1):
        with pytest.raises(Stopped):
            trained(base, recipe, Keeper(states, every=1e9, stopping=lambda: True))
    last, again, _ = trained(base, recipe, Keeper(states, every=1e9, stopping=lambda: True))

    assert torch.equal(flat(whole), flat(last))
    assert curve == again


def judged(scores, **keep):
    """A chooser whose candidates are worth what the list says, one after the other."""
    judge = Judge("multiple-choice", 0, ("3" * 64,), "accuracy", 1, None)
    worth = iter(scores)
    return Chooser(Keep(**{"every": 2, "judges": (judge,), "patience": None, **keep}), 4, lambda _: next(worth))


def test_of_equal_candidates_the_earliest_is_kept_and_the_training_ends_when_patience_does(base, recipe):
    scores = [0.2, 0.5, 0.5, 0.4, 0.9, 0.9]
    chooser = judged(scores, patience=2)
    network, curve, _ = trained(base, recipe, chooser=chooser)
    four, _, _ = trained(base, recipe, chooser=(four_only := judged([0.1, 0.3, *[0.0] * 20])))

    assert [(2, 0.2), (4, 0.5), (6, 0.5), (8, 0.4)] == [(c.step, c.score) for c in chooser.found]
    assert 8 == len(curve)
    assert 1 == best_of(chooser.found) == best_of(four_only.found)
    assert torch.equal(flat(network), flat(four))  # the weights after four steps


def test_judging_changes_no_step(base, recipe):
    """Without a better candidate before the last, a training that judges is the one that does not."""
    whole, curve, _ = trained(base, recipe)
    scores = [n / 100 for n in range(1, 50)]

    def look(network):
        network.eval()
        torch.set_num_threads(1)
        torch.rand(7)  # what judges draws as it likes
        return scores.pop(0)

    chooser = replace(judged([]), score=look)
    network, again, _ = trained(base, recipe, chooser=chooser)

    assert curve == again
    assert torch.equal(flat(whole), flat(network))
    assert len(curve) == chooser.found[-1].step


def test_a_stopped_training_remembers_what_its_candidates_were_worth(base, recipe, tmp_path):
    scores = [0.1, 0.6, 0.3, 0.6, 0.2, *[0.0] * 30]
    whole, curve, _ = trained(base, recipe, chooser=(all_at_once := judged(scores)))

    for stop in range(1, len(curve)):
        states = States(tmp_path, f"{stop:064d}")
        with pytest.raises(Stopped):
            trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(stop)), judged(scores))
        rest = judged(scores[stop // 2 :])
        resumed, again, _ = trained(base, recipe, Keeper(states, every=1e9), rest)

        assert all_at_once.found == rest.found
        assert torch.equal(flat(whole), flat(resumed))
        assert curve == again


def shelved(base, states):
    """A chooser that puts every candidate on the shelf."""
    keep = Keep(every=2, judges=(), patience=None)
    return Chooser(keep, 4, lambda _: 0.0, states, lambda network, folder: models.save(network, base, folder))


def test_candidates_that_are_all_kept_survive_a_stop(base, recipe, tmp_path):
    whole = States(tmp_path / "whole", "a" * 64)
    network, curve, _ = trained(base, recipe, Keeper(whole), at_once := shelved(base, whole))
    states = States(tmp_path / "parts", "a" * 64)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(5)), shelved(base, states))
    resumed, _, _ = trained(base, recipe, Keeper(states, every=1e9), rest := shelved(base, states))

    assert at_once.found == rest.found and len(at_once.found) == -(-len(curve) // 2)
    assert torch.equal(flat(network), flat(resumed))
    for candidate in at_once.found:
        one, other = whole.kept(candidate.step), states.kept(candidate.step)
        assert io.digest(one / "encoder" / "model.safetensors") == io.digest(other / "encoder" / "model.safetensors")


def test_a_state_whose_candidates_are_damaged_is_not_gone_on_from(base, recipe, tmp_path):
    states = States(tmp_path, "a" * 64)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(5)), shelved(base, states))
    with (states.kept(2) / "encoder" / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x01\x02\x03\x04")
    _, curve, seen = trained(base, recipe, Keeper(states, every=1e9), chooser := shelved(base, states))

    assert 0 == seen[0].first
    assert all(states.kept(c.step) for c in chooser.found)
    assert len(curve) == chooser.found[-1].step


def test_a_resumed_training_keeps_the_layout_of_its_state(base, recipe, tmp_path, monkeypatch):
    """Other micro-batches would round differently: the state knows those it was made with."""
    states = States(tmp_path, "a" * 64)
    monkeypatch.setattr(machine, "_TOKENS_CPU", 60)
    whole, curve, _ = trained(base, recipe)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(4)))
    monkeypatch.undo()

    resumed, again, _ = trained(base, recipe, Keeper(states, every=1e9))

    assert torch.equal(flat(whole), flat(resumed))
    assert curve == again


def test_states_are_saved_at_intervals_and_only_the_last_is_kept(base, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(resuming, "_SHARE", 0)
    states = States(tmp_path, "a" * 64)

    _, curve, _ = trained(base, recipe, Keeper(states, every=0.0))

    assert [len(curve) - 1] == steps(tmp_path / "work" / "states" / ("a" * 64))
    assert len(curve) - 1 == saved_step(tmp_path, "a" * 64)
    states.discard()
    assert (None, 0) == (states.latest(), saved_step(tmp_path, "a" * 64))


def test_saving_often_slows_itself_down(tmp_path):
    keeper = Keeper(States(tmp_path, "a" * 64), every=0.0)
    assert keeper.due()

    keeper._took = 1e6

    assert not keeper.due()
    assert not Keeper(None, every=0.0).due()


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "no digests", "torn digests"])
def test_a_damaged_state_is_never_used(base, recipe, tmp_path, damage):
    whole, _, _ = trained(base, recipe)
    states = States(tmp_path, "a" * 64)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(5)))
    tensors = states.latest() / "state.safetensors"
    bytes_ = bytearray(tensors.read_bytes())
    match damage:
        case "flip":
            bytes_[-5] ^= 1
            tensors.write_bytes(bytes_)
        case "cut":
            tensors.write_bytes(bytes_[:-100])
        case "gone":
            tensors.unlink()
        case "no digests":
            (tensors.parent / "digests.json").unlink()
        case "torn digests":
            (tensors.parent / "digests.json").write_text("{")

    again, _, seen = trained(base, recipe, Keeper(states, every=1e9))

    assert 1 == seen[0].step
    assert torch.equal(flat(whole), flat(again))


def test_a_state_of_something_else_is_left_alone(base, recipe, tmp_path):
    op, _ = recipe
    states = States(tmp_path, "a" * 64)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(2)))
    kinds = [p.kind for p in op.parts]
    other = models.Network(models.load_encoder(base, {}, None), *kinds, "multiple-choice")
    optimizer = torch.optim.AdamW(training.parameter_groups(other, 0.01))
    before = flat(other).clone()

    assert read(states.latest(), other, optimizer, "cpu") is None
    assert read(states.latest(), training.start(op, base, {}), optimizer, "cuda") is None

    facts = states.latest() / "state.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"format": 99}))
    assert read(states.latest() or facts.parent, other, optimizer, "cpu") is None
    assert torch.equal(before, flat(other))


def test_a_full_disk_while_saving_is_trouble_of_the_store_and_keeps_the_last_state(base, recipe, tmp_path, monkeypatch):
    states = States(tmp_path, "a" * 64)
    with pytest.raises(Stopped):
        trained(base, recipe, Keeper(states, every=1e9, stopping=StopAfter(3)))

    def full(what, path):
        if what in ("fsync", "write"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(io, "at_point", full)
    with pytest.raises(StoreError, match="no space left"):
        trained(base, recipe, Keeper(states, stopping=lambda: True))
    monkeypatch.undo()

    assert "3" == states.latest().name
    assert ["states"] == [p.name for p in (tmp_path / "work").iterdir()]
