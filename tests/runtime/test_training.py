"""Training and evaluation on a two-layer XLM-R with random weights and the world's own tokenizer."""

import json
import shutil

import numpy as np
import pytest
import torch

from compiler.ops import Folder
from runtime import columns, encoding, evaluation, machine, models, training
from runtime.errors import BadInput
from runtime.feed import Feed
from runtime.kinds import kinds
from runtime.kinds.kind import Coding
from tests.bases import weights_node
from tests.plans import data, train
from tests.words import WORDS

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A weights node: a random encoder with the world's tokenizer."""
    return weights_node(tmp_path_factory, layers=2)


def encoded(base, folder, split="train", language="qaa", **changes):
    folder.mkdir(exist_ok=True)
    from msgspec.structs import replace

    op = replace(data("0" * 64, split, language), fields=CAUSES, **changes)
    encoding.encode(op, base, {}, folder, allow_code=False)
    return columns.read(folder)


CAUSES = (
    ("context", "{{ premise }}"),
    ("question", "{{ ask }}"),
    ("choices", ("{{ choice0 }}", "{{ choice1 }}")),
    ("label", "{{ label }}"),
)


def trained(base, data_, seed=1, **changes):
    op = train("0" * 64, "1" * 64, seed=seed, **changes)
    torch.manual_seed(99)
    network = training.start(op, base, {})
    feed = Feed(op, [[data_]], models.read_special(base, network.encoder.config))
    curve = training.train(op, network, feed, device="cpu", on_step=lambda *_: None)
    return network, curve


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_the_same_recipe_gives_the_same_bits(base, tmp_path):
    examples = encoded(base, tmp_path / "train")

    one, _ = trained(base, examples, dropout=0.1)
    same, _ = trained(base, examples, dropout=0.1)
    other, _ = trained(base, examples, dropout=0.1, seed=2)

    assert torch.equal(flat(one), flat(same))
    assert not torch.equal(flat(one), flat(other))


@pytest.mark.parametrize("kind", ["multiple-choice", "masked-lm"])
def test_cutting_a_step_into_micro_batches_changes_only_rounding(base, tmp_path, monkeypatch, kind):
    if kind == "masked-lm":
        from msgspec.structs import replace

        op = replace(data("0" * 64), kind=kind, fields=(("text", "{{ premise }} {{ choice0 }}"),))
        encoding.encode(op, base, {}, tmp_path, allow_code=False)
        examples = columns.read(tmp_path)
    else:
        examples = encoded(base, tmp_path / "train")
    settings = {"kind": kind, "mask": 0.2 if kind == "masked-lm" else None, "batch": 16, "length": ("steps", 3)}

    whole, curve = trained(base, examples, **settings)
    monkeypatch.setattr(machine, "_TOKENS_CPU", 60)
    cut, curve_cut = trained(base, examples, **settings)

    assert [p.loss for p in curve] == pytest.approx([p.loss for p in curve_cut], rel=1e-5)
    assert [p.norm for p in curve] == pytest.approx([p.norm for p in curve_cut], rel=1e-4, abs=1e-8)
    assert torch.allclose(flat(whole), flat(cut), atol=2e-4)


def test_training_learns_what_can_be_learned(base, tmp_path):
    """The label is told by one word: a few steps must find it."""
    rows = [{"premise": "a", "ask": "b", "choice0": WORDS[i % 7], "choice1": "?", "label": 0} for i in range(64)]
    path = tmp_path / "rows.jsonl"
    for i, row in enumerate(rows):
        if i % 2:
            row["choice0"], row["choice1"], row["label"] = row["choice1"], row["choice0"], 1
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    import hashlib

    from compiler.ops import FileRows

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    from msgspec.structs import replace

    op = replace(data("0" * 64), fields=CAUSES, sources=(("", (FileRows("jsonl", (digest,), ()),)),))
    (tmp_path / "d").mkdir()
    encoding.encode(op, base, {digest: path}, tmp_path / "d", allow_code=False)

    _, curve = trained(base, columns.read(tmp_path / "d"), batch=16, length=("steps", 40), lr=5e-3)

    assert curve[0].loss == pytest.approx(np.log(2), abs=0.1)
    assert curve[-1].loss < 0.1


def test_a_loss_that_is_no_number_stops_the_training_with_a_hint(base, tmp_path):
    with pytest.raises(BadInput, match="the loss is nan") as caught:
        trained(base, encoded(base, tmp_path / "train"), lr=1e20, clip=1e9, length=("steps", 20))

    assert "smaller `lr`" in caught.value.hint


def test_the_learning_rate_warms_up_and_decays():
    op = train("0" * 64, lr=1.0, warmup=0.1, length=("steps", 100))

    rates = [training.learning_rate(op, step, 100) for step in range(100)]

    assert [0.1, 0.2, 1.0] == pytest.approx([rates[0], rates[1], rates[9]])
    assert [1.0, 0.5, 1 / 90] == pytest.approx([rates[10], rates[55], rates[99]])
    assert training.learning_rate(train("0" * 64, lr=1.0, warmup=0, schedule="constant"), 99, 100) == 1.0
    cosine = train("0" * 64, lr=1.0, warmup=0, schedule="cosine")
    assert [1.0, 0.5] == pytest.approx([training.learning_rate(cosine, s, 100) for s in (0, 50)])
    assert training.learning_rate(train("0" * 64, lr=1.0, warmup=4), 1, 100) == pytest.approx(0.5)


def test_weight_decay_spares_biases_and_norms(base):
    network = models.Network(models.load_encoder(base, {}, None), "multiple-choice")

    decaying, spared = training.parameter_groups(network, 0.01)

    names = {id(p): n for n, p in network.named_parameters()}
    assert all("bias" in names[id(p)] or "Norm" in names[id(p)] for p in spared["params"])
    assert not any("bias" in names[id(p)] or "Norm" in names[id(p)] for p in decaying["params"])
    assert (0.01, 0.0) == (decaying["weight_decay"], spared["weight_decay"])


def test_epochs_count_the_last_smaller_batch():
    def steps(*length):
        return Feed(train("0" * 64, length=length, batch=16), [[range(60), range(40)]], None).steps

    assert 14 == steps("epochs", 2)
    assert 7 == steps("steps", 7)


def predict(network, part, special):
    return evaluation.predict(network, part, special, device="cpu", precision="fp32", mask=None)


def test_other_batches_answer_the_same(base, tmp_path, monkeypatch):
    network, _ = trained(base, encoded(base, tmp_path / "train"))
    special = models.read_special(base, network.encoder.config)
    part = encoded(base, tmp_path / "dev", "dev")

    whole = predict(network, part, special)
    monkeypatch.setattr(machine, "_TOKENS_CPU", 100)
    cut = predict(network, part, special)

    assert whole.column("row").to_pylist() == cut.column("row").to_pylist() == list(range(100))
    assert whole.column("prediction").to_pylist() == cut.column("prediction").to_pylist()
    assert whole.column("label").to_pylist() == part.labels.tolist()


def test_accuracy_counts_what_the_predictions_say(base, tmp_path):
    network, _ = trained(base, encoded(base, tmp_path / "train"))
    special = models.read_special(base, network.encoder.config)
    part = encoded(base, tmp_path / "dev", "dev")
    table = predict(network, part, special)

    measured = kinds()["multiple-choice"].metrics["accuracy"](table)

    right = sum(p == y for p, y in zip(table.column("prediction").to_pylist(), part.labels.tolist(), strict=True))
    assert (right / 100, 100, 0.5) == (measured.value, measured.n, measured.chance)


def test_a_saved_network_answers_as_before_and_transformers_can_read_its_encoder(base, tmp_path):
    from transformers import AutoModel

    network, _ = trained(base, encoded(base, tmp_path / "train"))
    models.save(network, base, tmp_path)

    again = models.load_network(tmp_path, {}, "multiple-choice", 0)

    assert torch.equal(flat(network), flat(again))
    assert AutoModel.from_pretrained(tmp_path / "encoder", add_pooling_layer=False).config.num_hidden_layers == 2


def test_with_tune_head_the_encoder_stays_as_it_was_and_the_head_learns(base, tmp_path):
    part = encoded(base, tmp_path / "train")
    whole, _ = trained(base, part, lr=1e-3)
    head, curve = trained(base, part, lr=1e-3, tune="head")
    before = models.load_encoder(base, {}, None).state_dict()
    after = head.encoder.state_dict()

    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(not torch.equal(before[name], value) for name, value in whole.encoder.state_dict().items())
    assert curve[-1].loss < curve[0].loss
    start = training.start(train("0" * 64, tune="head"), base, {})
    assert any(not torch.equal(a, b) for a, b in zip(start.heads.parameters(), head.heads.parameters(), strict=True))


def test_a_frozen_encoder_has_no_dropout_and_no_moments(base, tmp_path):
    """Its vectors are those of an evaluation, and the optimizer knows the head alone."""
    part = encoded(base, tmp_path / "train")
    head, _ = trained(base, part, tune="head", dropout=0.5, length=("steps", 1))
    whole, _ = trained(base, part, dropout=0.5, length=("steps", 1))

    assert (False, True) == (head.encoder.training, head.heads.training)
    assert (True, True) == (whole.encoder.training, whole.heads.training)
    network = training.start(train("0" * 64, tune="head"), base, {})
    learning = [p for group in training.parameter_groups(network, 0.1) for p in group["params"]]
    assert {id(p) for p in learning} == {id(p) for p in network.heads.parameters()}


def test_bf16_trains_close_to_fp32(base, tmp_path):
    examples = encoded(base, tmp_path / "train")

    _, full = trained(base, examples)
    _, half = trained(base, examples, precision="bf16")

    assert [p.loss for p in full] == pytest.approx([p.loss for p in half], rel=0.02)
    assert [p.loss for p in full] != [p.loss for p in half]
    assert [p.loss for p in full] == [p.loss for p in trained(base, examples)[1]], "bf16 left nothing behind"


def test_dropout_is_the_models_unless_it_is_set(base):
    assert models.load_encoder(base, {}, None).config.hidden_dropout_prob == 0.1
    assert models.load_encoder(base, {}, 0.0).config.hidden_dropout_prob == 0.0


# --- encoding


def test_what_is_too_long_loses_the_start_of_its_context(base):
    tokenizer = models.load_tokenizer(base)
    words = WORDS[:12]
    values = {"context": " ".join(words[:10]), "question": None, "choices": [words[10], words[11]], "label": 0}

    encoded_ = kinds()["multiple-choice"].encode(values, Coding(tokenizer, 10))

    assert encoded_.cut
    assert {10} == {len(s) for s in encoded_.sequences}
    kept = tokenizer.decode(encoded_.sequences[0], skip_special_tokens=True).split()
    assert [*words[5:10], words[10]] == kept


def test_what_fits_is_encoded_as_the_tokenizer_would(base):
    from transformers import AutoTokenizer

    words = WORDS[:4]
    values = {"context": words[0], "question": words[1], "choices": [words[2], words[3]], "label": "1"}

    encoded_ = kinds()["multiple-choice"].encode(values, Coding(models.load_tokenizer(base), 32))

    peer = AutoTokenizer.from_pretrained(base)
    assert [peer(f"{words[0]} {words[1]}", w)["input_ids"] for w in words[2:]] == list(encoded_.sequences)
    assert (1, False) == (encoded_.label, encoded_.cut)


@pytest.mark.parametrize("label", [2, "", "x", True, 0.5])
def test_a_label_that_is_no_choice_is_named_with_its_row(base, tmp_path, label):
    values = {"choices": ["a", "b"], "label": label}

    with pytest.raises(BadInput, match="`label` is"):
        kinds()["multiple-choice"].encode(values, Coding(models.load_tokenizer(base), 32))


def test_labels_may_have_names(base):
    values = {"choices": ["a", "b"], "label": "B"}

    assert 1 == kinds()["multiple-choice"].encode(values, Coding(models.load_tokenizer(base), 32, ("A", "B"))).label


def test_choices_may_differ_in_number(base):
    head = kinds()["multiple-choice"].head(models.load_encoder(base, {}, 0.0), 0)
    hidden = torch.randn(5, 3, 16)
    from runtime.kinds.kind import Batch

    long = torch.long
    batch = Batch(*(torch.zeros(5, 3, dtype=long),) * 3, torch.tensor([2, 3]), torch.tensor([1, 2]), torch.arange(2))

    found = kinds()["multiple-choice"].predict(head.eval(), hidden, batch)

    assert [2, 3] == [len(s) for s in found["scores"]]
    assert torch.isfinite(kinds()["multiple-choice"].loss(head, hidden, batch))


# --- weights that are not what they should be


def external(base, folder):
    """A model node of a local folder, whose weights can be spoiled."""
    import hashlib

    source = folder / "source"
    source.mkdir()
    for path in [*(base / "encoder").iterdir(), base / "tokenizer.json"]:
        shutil.copyfile(path, source / path.name)
    return source, lambda: {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in source.iterdir()}


@pytest.mark.parametrize("damage", ["garbage", "truncated", "missing tensors"])
def test_weights_that_cannot_be_used_are_one_clear_error(base, tmp_path, damage):
    source, files = external(base, tmp_path)
    weights = source / "model.safetensors"
    match damage:
        case "garbage":
            weights.write_bytes(b"garbage" * 100)
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:-1000])
        case _:
            from safetensors.torch import load_file, save_file

            tensors = load_file(weights)
            del tensors["encoder.layer.1.output.dense.weight"]
            save_file(tensors, weights, metadata={"format": "pt"})
    node = tmp_path / "node"
    node.mkdir()
    op = Folder(tuple((p.name, d) for d, p in files().items()))
    from compiler.ops import Model

    models.make(Model(op), files(), node)

    with pytest.raises(BadInput) as caught:
        models.load_encoder(node, files(), None)
    assert "weights" == caught.value.field
    assert str(source) in str(caught.value)


def test_weights_edited_after_the_plan_are_refused(base, tmp_path):
    from compiler.ops import Model

    source, files = external(base, tmp_path)
    planned = files()
    node = tmp_path / "node"
    node.mkdir()
    models.make(Model(Folder(tuple((p.name, d) for d, p in planned.items()))), planned, node)
    with (source / "model.safetensors").open("ab") as file:
        file.write(b"more")

    with pytest.raises(BadInput, match="changed after the plan"):
        models.load_encoder(node, planned, None)
