"""Every architecture through everything that is done with an encoder; small ones with random weights."""

import copy
import hashlib
import json

import pytest
import torch
from safetensors import safe_open
from torch import nn

from compiler import pins
from compiler.architectures import ENCODERS
from compiler.ops import Folder, Model, Vectors
from compiler.shapes import positions, read_shape, shape_of
from runtime import architectures, columns, evaluation, machine, models, training
from runtime.errors import BadInput, Stopped
from runtime.feed import Feed
from runtime.kinds import kinds
from runtime.kinds.kind import Coding
from runtime.resuming import Keeper
from runtime.store.states import States
from tests.families import FAMILIES, SHAPE, TEXT, publish
from tests.plans import train

pytestmark = pytest.mark.ml

NAMES = ("a", "b")
OWN = {"max-query": 8, "stride": 4, "max-answer": 9, "n-best": 5}


def text(start, count):
    return " ".join(TEXT[start : start + count])


LENGTHS = (1, 20, 4, 9, 2, 13)  # of the longer text of each row: what is padded is further away than a window
ROWS = {
    "classification": lambda n, k: {"text": text(n, k), "pair": text(n + 7, 2), "label": NAMES[n % 2]},
    "multiple-choice": lambda n, k: {"context": text(n, k), "choices": [text(n, 2), text(n + 3, 1)], "label": n % 2},
    "span-qa": lambda n, k: {
        "context": text(n, k),
        "question": text(n + 5, 2),
        "answers": {"text": [TEXT[n]], "answer_start": [0]},
    },
    "tagging": lambda n, k: {"tokens": TEXT[n : n + k], "tags": [NAMES[m % 2] for m in range(k)]},
    "regression": lambda n, k: {"text": text(n, k), "pair": text(n + 7, 2), "value": n / 2},
    "masked-lm": lambda n, k: {"text": text(n, k + 3)},
    "retrieval": lambda n, k: {"query": text(n, k), "document": text(n + 9, 3)},
}
LABELLED = ("classification", "tagging")
TRAINED = [kind for kind in ROWS if kind != "retrieval"]


class Published:
    """A model node of a published folder."""

    def __init__(self, name, folder):
        self.name, self.source, self.node = name, folder / "published", folder / "node"
        self.model = publish(name, self.source)
        self.node.mkdir()
        self.files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in self.source.iterdir()}
        models.make(Model(Folder(tuple((p.name, d) for d, p in self.files.items()))), self.files, self.node)
        self.tokenizer = models.load_tokenizer(self.node)

    def encoder(self, dropout=0.0):
        return models.load_encoder(self.node, self.files, dropout).eval()

    def data(self, kind, folder):
        """A few examples of a kind, of different lengths."""
        coding = Coding(self.tokenizer, 48, NAMES if kind in LABELLED else (), own=OWN)
        examples = []
        for n, length in enumerate(LENGTHS):
            found = kinds()[kind].encode(ROWS[kind](n, length), coding)
            examples.append(columns.Example(n, found.sequences, found.segments, found.label, found.targets, found.kept))
        folder.mkdir(exist_ok=True)
        columns.write(folder, examples, {"labels": NAMES, "language": "en"})
        return columns.read(folder)

    def trained(self, data, kind, *, keeper=None, **changes):
        mask = 0.4 if kind == "masked-lm" else None
        labels = NAMES if kind in LABELLED else ()
        settings = {"kind": kind, "mask": mask, "labels": labels, "length": ("steps", 2), **changes}
        op = train("0" * 64, "1" * 64, **settings)
        network = training.start(op, self.node, self.files)
        feed = Feed(op, [[data]], self.special(network))
        return network, training.train(op, network, feed, device="cpu", on_step=lambda *_: None, keeper=keeper)

    def special(self, network):
        return models.read_special(self.node, network.encoder.config)

    def predicted(self, network, data, kind):
        mask = 0.4 if kind == "masked-lm" else None
        settings = {"device": "cpu", "precision": "fp32", "mask": mask, "own": OWN}
        return evaluation.predict(network, data, self.special(network), **settings).to_pylist()


@pytest.fixture(scope="module", params=list(FAMILIES))
def published(request, tmp_path_factory):
    return Published(request.param, tmp_path_factory.mktemp(request.param))


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def batch(published, *, pad):
    """Two sequences of tokens and where they are real: the second is short."""
    torch.manual_seed(2)
    tokens = torch.randint(5, 80, (2, 30))
    real = torch.ones_like(tokens)
    tokens[1, 4:], real[1, 4:] = pad, 0
    return tokens, real


# --- loading


def test_every_architecture_of_the_table_is_tested():
    assert set(ENCODERS) == {*FAMILIES, "xlm-roberta", "roberta", "camembert", "bert"}


def test_the_encoder_inside_a_published_model_of_masked_lm_is_read_in_fp32(published, tmp_path):
    tokens, real = batch(published, pad=published.model.config.pad_token_id)
    rounded = copy.deepcopy(published.model)
    for parameter in rounded.parameters():
        parameter.data = parameter.data.bfloat16().float()
    copy.deepcopy(rounded).to(torch.bfloat16).save_pretrained(tmp_path)
    inside = tmp_path / "model.safetensors"
    files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in (inside, *published.source.glob("*.json"))}
    (tmp_path / "node").mkdir()
    models.make(Model(Folder(tuple((p.name, digest) for digest, p in files.items()))), files, tmp_path / "node")

    encoder = models.load_encoder(tmp_path / "node", files, None).eval()

    names = safe_open(inside, "pt").keys()
    assert any(name.startswith(f"{rounded.base_model_prefix}.") for name in names), "as published"
    assert any(not name.startswith(f"{rounded.base_model_prefix}.") for name in names), "with a head"
    assert {torch.float32} == {p.dtype for p in encoder.parameters()}
    with torch.inference_mode():
        states = [m(input_ids=tokens, attention_mask=real).last_hidden_state for m in (rounded.base_model, encoder)]
    assert torch.allclose(*(s[real.bool()] for s in states), atol=1e-5), "padding is nobody's"


def test_what_stands_beside_a_sequence_changes_nothing_in_it(published):
    network = models.Network(published.encoder())
    pad = published.special(network).pad
    tokens, real = batch(published, pad=pad)
    segments = torch.zeros_like(tokens)
    segments[:, 3:] = 1

    together = network(tokens, real, segments)
    alone = network(tokens[1:, :4], real[1:, :4], segments[1:, :4])
    together[1, :4].square().sum().backward()

    assert torch.allclose(alone[0], together[1, :4], atol=1e-5)
    assert not any(torch.isnan(p.grad).any() for p in network.parameters() if p.grad is not None)


def test_segments_are_read_where_the_architecture_has_them(published, tmp_path):
    """A configuration may hold a `type_vocab_size` that its architecture does not know."""
    network = models.Network(published.encoder())
    if published.name in ("modernbert", "distilbert"):
        network.encoder.config.type_vocab_size = 2
    tokens, real = batch(published, pad=published.special(network).pad)

    one, other = (network(tokens, real, torch.full_like(tokens, n)) for n in (0, 1))

    assert (published.name == "rembert") == (not torch.equal(one, other))
    assert (published.name == "rembert") == architectures.takes_segments(network.encoder.config)


def test_the_setting_dropout_is_every_dropout_and_not_the_next_stages(published, tmp_path):
    own = {m.p for m in published.model.base_model.modules() if isinstance(m, nn.Dropout)}
    encoder = published.encoder(0.3)
    network = models.Network(encoder)
    network.add("classification", 2)

    assert {0.3} == {m.p for m in network.modules() if isinstance(m, nn.Dropout)}
    assert {0.3} == {getattr(m, "attention_dropout", 0.3) for m in network.modules()}

    models.save(network, published.node, tmp_path)
    again = models.load_encoder(tmp_path, {}, None)
    assert own == {m.p for m in again.modules() if isinstance(m, nn.Dropout)}
    assert 0.3 == network.encoder.config.__dict__[architectures.of(encoder.config).dropouts[0]], "it may go on"


def test_heads_have_the_dropout_of_the_architectures_own(published):
    head = kinds()["classification"].head(published.encoder(None), 2)

    expected = {"rembert": 0.1, "modernbert": 0.0, "distilbert": 0.2}.get(published.name, 0.1)
    assert expected == head.dropout.p


# --- layers


@pytest.mark.parametrize("layer", range(4))
def test_a_layer_is_the_hidden_states_of_its_number(published, layer):
    encoder = published.encoder()
    tokens, real = batch(published, pad=encoder.config.pad_token_id)
    with torch.inference_mode():
        expected = encoder(input_ids=tokens, attention_mask=real, output_hidden_states=True).hidden_states[layer]
        vectors = Vectors(layer, "mean", "cosine")
        network = models.load_network(published.node, published.files, "retrieval", None, vectors).eval()

        assert torch.equal(expected, network(tokens, real, torch.zeros_like(tokens)))


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta", "roberta", "camembert"])
def test_so_it_is_in_those_without_a_last_norm(model_type):
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(model_type, **SHAPE)
    encoder = AutoModel.from_config(config, **architectures.loading(ENCODERS[model_type])).eval()
    tokens = torch.randint(5, 80, (2, 9))
    with torch.inference_mode():
        expected = encoder(input_ids=tokens, output_hidden_states=True).hidden_states
        found = [architectures.up_to(copy.deepcopy(encoder), n)(input_ids=tokens) for n in range(4)]

    assert all(torch.equal(e, f.last_hidden_state) for e, f in zip(expected, found, strict=True))


def test_there_is_no_layer_beyond_the_last(published):
    with pytest.raises(BadInput, match="the model has 3"):
        architectures.up_to(published.encoder(), 4)


# --- kinds


@pytest.mark.parametrize("kind", TRAINED)
def test_every_kind_is_trained_saved_and_read_whatever_the_batches(published, kind, tmp_path, monkeypatch):
    data = published.data(kind, tmp_path / "data")
    settings = {"eps": 1e-4}  # Adam makes steps of what is 0 but for rounding, as the gradients of a span's biases
    whole, curve = published.trained(data, kind, **settings)
    answers = published.predicted(whole, data, kind)
    monkeypatch.setattr(machine, "_TOKENS_CPU", 50)
    cut, curve_cut = published.trained(data, kind, **settings)

    assert [p.loss for p in curve] == pytest.approx([p.loss for p in curve_cut], rel=1e-5)
    assert [p.norm for p in curve] == pytest.approx([p.norm for p in curve_cut], rel=1e-3, abs=1e-6)
    assert torch.allclose(flat(whole), flat(cut), atol=1e-5)
    monkeypatch.undo()
    models.save(whole, published.node, tmp_path)
    again = models.load_network(tmp_path, {}, kind, 0)
    assert torch.equal(flat(whole), flat(again))
    assert answers == published.predicted(again, data, kind)
    assert models.weights(whole) == models.weights(again)


def test_sentences_are_found(published, tmp_path):
    data = published.data("retrieval", tmp_path / "data")
    for layer in (0, 2, None):
        vectors = Vectors(layer, "mean", "cosine")
        network = models.load_network(published.node, published.files, "retrieval", None, vectors)

        assert len(LENGTHS) == len(published.predicted(network, data, "retrieval"))


def test_a_hidden_token_is_predicted_by_the_words_own_vectors(published):
    encoder = published.encoder()
    head = kinds()["masked-lm"].head(encoder, 0)
    with torch.no_grad():
        head.bias[7] = 100.0

    scores = head(torch.randn(2, 16))

    assert {m.eps for m in encoder.modules() if isinstance(m, nn.LayerNorm)} == {head.norm.eps}
    assert (2, encoder.config.vocab_size) == scores.shape
    assert [7, 7] == scores.argmax(dim=-1).tolist()
    assert not any("embed" in name for name in head.state_dict()), "the encoder saves them"


def test_a_training_that_stopped_ends_in_the_same_bits(published, tmp_path):
    data, states = published.data("masked-lm", tmp_path / "data"), States(tmp_path, "a" * 64)
    settings = {"dropout": 0.2, "length": ("steps", 3)}
    whole, curve = published.trained(data, "masked-lm", **settings)
    with pytest.raises(Stopped):
        published.trained(data, "masked-lm", keeper=Keeper(states, every=1e9, stopping=lambda: True), **settings)

    resumed, again = published.trained(data, "masked-lm", keeper=Keeper(states, every=1e9), **settings)

    assert torch.equal(flat(whole), flat(resumed))
    assert curve == again
    assert not torch.equal(flat(whole), flat(published.trained(data, "masked-lm", **{**settings, "seed": 2})[0]))


def test_bf16_trains_close_to_fp32(published, tmp_path):
    data = published.data("classification", tmp_path / "data")

    _, full = published.trained(data, "classification")
    _, half = published.trained(data, "classification", precision="bf16")

    assert [p.loss for p in full] == pytest.approx([p.loss for p in half], rel=0.02)
    assert [p.loss for p in full] != [p.loss for p in half]


def test_with_tune_head_the_encoder_stays_as_it_was(published, tmp_path):
    data = published.data("tagging", tmp_path / "data")

    network, _ = published.trained(data, "tagging", tune="head", dropout=0.3)

    before = models.Network(published.encoder())
    assert torch.equal(flat(before.encoder), flat(network.encoder))
    start = training.start(train("0" * 64, tune="head", kind="tagging", labels=NAMES), published.node, published.files)
    assert not torch.equal(flat(start.heads), flat(network.heads))


@pytest.mark.parametrize(
    ("model_type", "sizes", "budget"),
    [
        ("xlm-roberta", (24, 1024), 65_536),
        ("xlm-roberta", (12, 768), 65_536),
        ("xlm-roberta-xl", (36, 2560), 17_476),
        ("rembert", (32, 1152), 10_922),
        ("deberta-v2", (12, 768), 43_690),
        ("distilbert", (6, 768), 65_536),
    ],
)
def test_large_models_get_smaller_micro_batches_on_a_gpu(model_type, sizes, budget):
    from transformers import AutoConfig

    config = AutoConfig.for_model(model_type, num_hidden_layers=sizes[0], hidden_size=sizes[1])

    assert budget == machine._budget(config, torch.device("cuda"))
    assert machine._TOKENS_CPU == machine._budget(config, torch.device("cpu"))


# --- tokens

SPECIAL = {  # first token, between two texts, last; pad, mask
    "xlm-roberta-xl": ("<s>", ["</s>", "</s>"], "</s>", "<pad>", "<mask>"),
    "rembert": ("[CLS]", ["[SEP]"], "[SEP]", "<pad>", "[MASK]"),
    "deberta-v2": ("[CLS]", ["[SEP]"], "[SEP]", "[PAD]", "[MASK]"),
    "modernbert": ("<bos>", ["<eos>"], "<eos>", "<pad>", "<mask>"),
    "distilbert": ("[CLS]", ["[SEP]"], "[SEP]", "[PAD]", "[MASK]"),
}


def pieces(published, words):
    return published.tokenizer.encode(words, add_special_tokens=False).tokens


def shown(published, ids):
    return [published.tokenizer.id_to_token(n) for n in ids]


def test_sequences_are_the_familys_own(published):
    first, between, last, _, _ = SPECIAL[published.name]
    one, other = text(0, 3), text(9, 2)
    coding = Coding(published.tokenizer, 32, NAMES)
    encode = kinds()["classification"].encode

    single = encode({"text": one, "label": "a"}, coding)
    pair = encode({"text": one, "pair": other, "label": "a"}, coding)

    a, b = pieces(published, one), pieces(published, other)
    assert [first, *a, last] == shown(published, single.sequences[0])
    assert [first, *a, *between, *b, last] == shown(published, pair.sequences[0])
    if published.name == "rembert":
        assert [0] * (len(a) + 2) + [1] * (len(b) + 1) == pair.segments[0]


def test_a_window_begins_behind_question_and_separator(published):
    found = kinds()["span-qa"].encode(ROWS["span-qa"](0, 6), Coding(published.tokenizer, 48, own=OWN))
    ((_, _, at),) = found.kept["windows"]
    first, between, _, _, _ = SPECIAL[published.name]

    assert [first, *pieces(published, text(5, 2)), *between] == shown(published, found.sequences[0][:at])
    assert pieces(published, text(0, 6))[0] == shown(published, found.sequences[0])[at]


def test_special_tokens_are_found_by_their_names(published):
    _, _, _, pad, mask = SPECIAL[published.name]
    special = models.read_special(published.node, None)

    assert [pad, mask] == shown(published, [special.pad, special.mask])
    assert {special.pad, special.mask} <= special.special
    assert special == models.read_special(published.node, published.model.config)


def test_of_two_masks_the_special_one_is_meant(published, tmp_path):
    """Vocabularies of many scripts hold the names of other families' special tokens as words."""
    tokenizer = models.load_tokenizer(published.node)
    mask = SPECIAL[published.name][4]
    tokenizer.add_tokens([name for name in ("[MASK]", "<mask>") if name != mask])
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    assert mask == tokenizer.id_to_token(models.read_special(tmp_path, None).mask)


# --- sizes


def test_the_weights_of_the_encoder_are_counted(published):
    shape = read_shape(published.source / "config.json")
    matrices = [p for name, p in published.encoder().named_parameters() if p.ndim == 2 and "embeddings" not in name]

    assert sum(p.numel() for p in matrices) == shape.encoder
    assert {"weights": shape.encoder} == models.weights(models.Network(published.encoder()))
    assert (3, 16, 32, published.model.config.vocab_size) == (
        shape.layers,
        shape.width,
        shape.feedforward,
        shape.vocabulary,
    )


def test_positions_are_those_of_the_pretraining(published):
    assert 128 == positions(json.loads((published.source / "config.json").read_text()))
    models.check_length(published.node, published.tokenizer, 128)
    with pytest.raises(BadInput, match="128 positions"):
        models.check_length(published.node, published.tokenizer, 129)


def test_a_pinned_model_has_the_same_encoder_as_a_local_one(published):
    """The lock says what the sizes do not; of BERT's kin they say all."""
    shape = read_shape(published.source / "config.json")
    sizes = (shape.positions, shape.layers, None, shape.width, shape.feedforward, shape.vocabulary, shape.matrices)
    lock = pins.write(pins.Pins({"some/model": pins.PinnedModel("c" * 40, (), *sizes)}))

    assert shape.matrices == pins.read(lock).models["some/model"].matrices
    assert ("matrices" in lock) == (published.name in ("rembert", "modernbert"))


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "deberta-v2", "pos_att_type": 3, "conv_kernel_size": None, "hidden_size": 4},
        {"model_type": "rembert", "input_embedding_size": "8", "num_hidden_layers": 1},
        {"model_type": ["modernbert"], "num_hidden_layers": "many"},
    ],
)
def test_a_broken_configuration_has_a_shape_as_far_as_it_goes(config, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config))

    assert read_shape(tmp_path / "config.json").matrices is None


def test_deberta_with_projections_of_its_own_and_a_convolution_is_counted():
    from transformers import DebertaV2Config, DebertaV2Model

    relative = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "share_att_key": False}
    config = DebertaV2Config(**SHAPE, **relative, conv_kernel_size=3, embedding_size=8)

    tables = ("word_embeddings", "position_embeddings", "rel_embeddings")
    named = DebertaV2Model(config).named_parameters()
    weights = [p for name, p in named if p.ndim > 1 and not any(table in name for table in tables)]

    assert sum(p.numel() for p in weights) == shape_of(config.to_dict()).encoder
