"""Weights nodes: what a folder of somebody else's is read as, and what a checkpoint keeps."""

import gc
import hashlib
import json
import shutil
import weakref
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, XLMRobertaConfig, XLMRobertaModel

from compiler.ops import Folder, Model
from runtime import bodies, models
from runtime.engine.work import Desk
from runtime.errors import BadInput
from runtime.feed import Feed
from runtime.store.leases import Leases, myself
from runtime.store.objects import Store
from tests.plans import CPU, Builder, data, train
from tests.words import WORDS, write_tokenizer

pytestmark = pytest.mark.ml


def folder(path, model):
    """A published folder: the model's files and the world's tokenizer."""
    model.save_pretrained(path)
    write_tokenizer(path)
    return path


def xlmr(**changes):
    torch.manual_seed(1)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = XLMRobertaConfig(
        **{**shape, "vocab_size": 1500, "max_position_embeddings": 66, "pad_token_id": 1, **changes}
    )
    return XLMRobertaModel(config, add_pooling_layer=False)


def node(source, made):
    """The model node of a folder, and where its files lie."""
    files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in source.iterdir()}
    made.mkdir()
    models.make(Model(Folder(tuple((p.name, d) for d, p in files.items()))), files, made)
    return made, files


def test_weights_of_a_store_that_is_named_from_here_can_be_read(tmp_path, monkeypatch):
    """As `--store store`: a local model's own configuration is linked, and a link is read from elsewhere."""
    monkeypatch.chdir(tmp_path)
    made, files = node(folder(tmp_path / "published", xlmr()), Path("node"))

    assert 1 == models.load_encoder(made, files, None).config.num_hidden_layers


def test_equal_weights_keep_their_own_configuration(tmp_path):
    """Two folders share their weights' bytes; each is read with its own config.json."""
    gelu, relu = folder(tmp_path / "gelu", xlmr()), folder(tmp_path / "relu", xlmr(hidden_act="relu"))
    weights = "model.safetensors"
    assert (gelu / weights).read_bytes() == (relu / weights).read_bytes()
    a, files = node(gelu, tmp_path / "a")
    b, more = node(relu, tmp_path / "b")

    acts = [models.load_encoder(n, {**files, **more}, None).config.hidden_act for n in (a, b)]

    assert ["gelu", "relu"] == acts


def test_a_config_edited_after_the_plan_is_not_read(tmp_path):
    source = folder(tmp_path / "source", xlmr())
    made, files = node(source, tmp_path / "made")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))

    assert "gelu" == models.load_encoder(made, files, None).config.hidden_act


def test_truncation_and_padding_inside_a_tokenizer_are_not_ours(tmp_path):
    source = folder(tmp_path / "source", xlmr())
    published = models.load_tokenizer(source)
    published.enable_truncation(4)
    published.enable_padding(length=50)
    published.save(str(source / "tokenizer.json"))
    words = " ".join(WORDS[:9])

    assert 9 == len(models.load_tokenizer(source).encode(words, add_special_tokens=False))


@pytest.mark.parametrize("model_type", ["electra", "gpt2"])
def test_an_architecture_that_cannot_be_trained_is_told_with_those_that_can(tmp_path, model_type):
    source = folder(
        tmp_path / "source", DistilBertModel(DistilBertConfig(dim=16, n_heads=2, n_layers=1, vocab_size=700))
    )
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "model_type": model_type}))

    with pytest.raises(BadInput, match=model_type) as caught:
        node(source, tmp_path / "made")
    assert "xlm-roberta" in caught.value.hint


def test_lengths_and_tokens_must_fit_the_model(tmp_path):
    made, _ = node(folder(tmp_path / "a", xlmr()), tmp_path / "made-a")
    models.check_length(made, models.load_tokenizer(made), 64)
    with pytest.raises(BadInput, match="64 positions"):
        models.check_length(made, models.load_tokenizer(made), 65)

    torch.manual_seed(1)
    bert = BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=500))
    made, _ = node(folder(tmp_path / "b", bert), tmp_path / "made-b")
    with pytest.raises(BadInput, match="vectors for 500"):
        models.check_length(made, models.load_tokenizer(made), 512)


def test_a_bert_is_read_with_its_segments(tmp_path):
    torch.manual_seed(1)
    bert = BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=700))
    made, files = node(folder(tmp_path / "b", bert), tmp_path / "made")
    network = models.Network(models.load_encoder(made, files, 0.0), "multiple-choice").eval()
    tokens = torch.tensor([[0, 5, 6, 2]])
    zero, one = torch.zeros_like(tokens), torch.ones_like(tokens)

    assert not torch.equal(network(tokens, one, zero), network(tokens, one, one))
    with torch.inference_mode():
        expected = bert.eval()(input_ids=tokens, attention_mask=one, token_type_ids=zero).last_hidden_state
    assert torch.allclose(expected, network(tokens, one, zero), atol=1e-6)


def test_a_store_may_be_named_relative_to_the_working_directory(tmp_path, monkeypatch):
    _, files = node(folder(tmp_path / "a", xlmr()), tmp_path / "made")
    monkeypatch.chdir(tmp_path)

    assert models.load_encoder(Path("made"), files, None).config.hidden_size == 16


def test_sharded_weights_are_read_whole(tmp_path):
    source = tmp_path / "source"
    xlmr().save_pretrained(source, max_shard_size="10KB")
    write_tokenizer(source)
    assert len(list(source.glob("model-*.safetensors"))) > 1
    made, files = node(source, tmp_path / "made")

    encoder = models.load_encoder(made, files, None)

    assert torch.equal(xlmr().embeddings.word_embeddings.weight, encoder.embeddings.word_embeddings.weight)


def test_the_dropout_of_a_stage_is_not_the_next_ones(tmp_path):
    made, files = node(folder(tmp_path / "a", xlmr()), tmp_path / "made")
    network = models.Network(models.load_encoder(made, files, 0.5), "multiple-choice")
    (tmp_path / "trained").mkdir()

    models.save(network, made, tmp_path / "trained")

    assert 0.1 == models.load_encoder(tmp_path / "trained", files, None).config.hidden_dropout_prob


def test_a_checkpoint_without_a_tokenizer_is_never_made(tmp_path):
    made, files = node(folder(tmp_path / "a", xlmr()), tmp_path / "made")
    network = models.Network(models.load_encoder(made, files, None), "multiple-choice")
    (made / "tokenizer.json").unlink()
    (tmp_path / "trained").mkdir()

    with pytest.raises(FileNotFoundError):
        models.save(network, made, tmp_path / "trained")


def test_a_trained_network_is_let_go(tmp_path, monkeypatch):
    """Nothing keeps a checkpoint's weights or its optimizer's state alive after its node."""
    seen = []
    real = models.Network.__init__

    def watched(self, *args):
        real(self, *args)
        seen.append(weakref.ref(self))

    monkeypatch.setattr(models.Network, "__init__", watched)
    made, files = node(folder(tmp_path / "a", xlmr()), tmp_path / "made")
    builder = Builder()
    key = builder.add(Model(Folder(tuple((p.name, d) for d, p in files.items()))), "model")
    rows = builder.add(data(key), "data")
    stage = builder.nodes[builder.add(train(key, rows), "train")]
    torch_bodies = bodies.TorchBodies(files, CPU.kind, {})
    store = Store(tmp_path / "store", write=True)
    desk = Desk(store, Leases(store.leases, myself()), lambda _: None)
    folders = {key: made, rows: tmp_path / "data"}
    for label, run in (("data", builder.nodes[rows]), ("train", stage)):
        (tmp_path / label).mkdir()
        (write,) = torch_bodies([run], folders, desk)
        write(tmp_path / label)
        del write
    gc.collect()

    assert [None] == [reference() for reference in seen]


@pytest.mark.parametrize("variable", ["ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "ACCELERATE_MIXED_PRECISION"])
def test_no_environment_variable_changes_a_training(tmp_path, monkeypatch, variable):
    from runtime import columns, encoding, machine, training

    made, files = node(folder(tmp_path / "a", xlmr()), tmp_path / "made")
    (tmp_path / "data").mkdir()
    encoding.encode(data("0" * 64), made, files, tmp_path / "data", allow_code=False)

    def losses():
        machine.accelerator.cache_clear()
        op = train("0" * 64, "1" * 64)
        network = training.start(op, made, files)
        special = models.read_special(made, network.encoder.config)
        feed = Feed(op, [[columns.read(tmp_path / "data")]], special)
        curve = training.train(op, network, feed, device="cpu", on_step=lambda *_: None)
        return [(p.loss, p.norm) for p in curve]

    before = losses()
    monkeypatch.setenv(variable, "bf16" if "PRECISION" in variable else "4")

    assert before == losses()
    shutil.rmtree(tmp_path / "data")
    machine.accelerator.cache_clear()
