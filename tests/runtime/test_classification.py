"""Classification: pairs cut as transformers cuts them, RoBERTa's head, labels by name or number."""

import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from transformers import AutoTokenizer, XLMRobertaConfig
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaClassificationHead

from runtime import columns, evaluation, models, training
from runtime.errors import BadInput
from runtime.feed import Feed
from runtime.kinds import classification, kinds
from runtime.kinds.kind import Batch, Coding, Measured
from tests.plans import model, train
from tests.words import WORDS, write_tokenizer

pytestmark = pytest.mark.ml

LABELS = ("no", "maybe", "yes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    return models.load_tokenizer(folder)


@pytest.fixture(scope="module")
def peer(folder):
    return AutoTokenizer.from_pretrained(folder)


def encoded(tokenizer, max_length=64, label="no", labels=LABELS, **values):
    return kinds()["classification"].encode({**values, "label": label}, Coding(tokenizer, max_length, labels))


def words(count):
    return " ".join(WORDS[n % 40] for n in range(count))


@given(st.integers(0, 24), st.integers(1, 24), st.integers(8, 40))  # transformers takes an empty pair for none
def test_a_pair_is_cut_as_transformers_cuts_the_longest_first(tokenizer, peer, first, second, max_length):
    text, pair = words(first), words(second)

    found = encoded(tokenizer, max_length, text=text, pair=pair)

    whole = peer(text, pair)["input_ids"]
    assert (
        [peer(text, pair, truncation="longest_first", max_length=max_length)["input_ids"]],
        len(whole) > max_length,
    ) == (
        list(found.sequences),
        found.cut,
    )


@given(st.integers(0, 24), st.integers(8, 40))
def test_a_single_text_loses_its_end(tokenizer, peer, count, max_length):
    found = encoded(tokenizer, max_length, text=words(count))

    assert [peer(words(count), truncation=True, max_length=max_length)["input_ids"]] == list(found.sequences)


def test_a_pair_is_a_pair(tokenizer):
    (ids,) = encoded(tokenizer, text=words(1), pair=words(2)).sequences

    assert (0, [2, 2], 2) == (ids[0], ids[2:4], ids[-1])


@pytest.mark.parametrize(("label", "index"), [("maybe", 1), (" yes ", 2), (0, 0), ("2", 2)])
def test_a_label_is_a_name_or_a_number(tokenizer, label, index):
    assert index == encoded(tokenizer, text="a", label=label).label


def test_a_boolean_is_the_label_of_its_name_in_any_case(tokenizer):
    assert [1, 0] == [encoded(tokenizer, text="a", label=v, labels=("false", "true")).label for v in (True, False)]
    assert [0, 1] == [encoded(tokenizer, text="a", label=v, labels=("True", "False")).label for v in (True, False)]


def test_a_number_that_is_a_name_is_the_name(tokenizer):
    assert 1 == encoded(tokenizer, text="a", label=0, labels=("1", "0")).label
    assert 0 == encoded(tokenizer, text="a", label=1, labels=("1", "0")).label


@pytest.mark.parametrize("label", ["perhaps", 3, "3", 0.5, True, "", "²", "9" * 5000, -2])
def test_a_label_that_is_neither_is_told_with_those_there_are(tokenizer, label):
    with pytest.raises(BadInput, match="`label` is") as caught:
        encoded(tokenizer, text="a", label=label)

    also = "; as a number it is `| int`" if label is True else ""
    assert f"the labels are no, maybe, yes, or their numbers from 0 to 2{also}" == caught.value.hint
    assert "input.label" == caught.value.field


@pytest.mark.parametrize("name", ["text", "pair"])
def test_a_null_is_no_text(tokenizer, name):
    with pytest.raises(BadInput, match=f"`{name}` is null"):
        encoded(tokenizer, **{"text": "a", "pair": "b", name: None})


def test_the_head_is_robertas():
    config = XLMRobertaConfig(hidden_size=16, num_labels=3, hidden_dropout_prob=0.0, classifier_dropout=0.0)
    theirs = XLMRobertaClassificationHead(config).eval()
    ours = classification.Head(16, 3, 0.0, 0.02).eval()
    ours.load_state_dict(theirs.state_dict())
    hidden = torch.randn(4, 5, 16)

    torch.testing.assert_close(theirs(hidden), ours(hidden))


def test_loss_and_predictions_are_those_of_the_scores():
    torch.manual_seed(1)
    head, hidden = classification.Head(8, 3, 0.0, 1.0).eval(), torch.randn(4, 2, 8)
    ones = torch.ones(4, 2, dtype=torch.long)
    labels = torch.tensor([0, 2, 1, 1])
    batch = Batch(ones, ones, ones, torch.ones(4, dtype=torch.long), labels, torch.arange(4) + 5)

    found = classification.predict(head, hidden, batch)
    expected = -head(hidden).log_softmax(-1)[range(4), labels].sum()
    torch.testing.assert_close(expected, classification.loss(head, hidden, batch))
    assert ([5, 6, 7, 8], [0, 2, 1, 1]) == (found["row"], found["label"])
    assert head(hidden).argmax(-1).tolist() == found["prediction"]


def test_accuracy_is_the_share_of_right_answers():
    import pyarrow as pa

    scores = [[0.0, 1.0, 0.0, 0.0]] * 4
    measured = classification.accuracy(pa.table({"label": [1, 1, 1, 0], "prediction": [1, 1, 1, 1], "scores": scores}))

    assert (0.75, 4, 0.25) == (measured.value, measured.n, measured.chance)


@pytest.fixture(scope="module")
def base(folder, tmp_path_factory):
    files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in folder.iterdir()}
    op, made = model(), tmp_path_factory.mktemp("model")
    named = tuple((p.name, d) for d, p in files.items())
    models.make(replace(op, source=replace(op.source, tokenizer=named)), files, made)
    return made


def test_what_can_be_learned_is_learned_and_a_checkpoint_keeps_it(base, tokenizer, tmp_path):
    """The label is told by a word of the pair; the head is read back with as many labels as it was trained with."""
    examples = []
    for n in range(30):
        text, pair = WORDS[50 + n], " ".join(4 * [WORDS[n % 3]])
        one = encoded(tokenizer, text=text, pair=pair, label=LABELS[n % 3])
        examples.append(columns.Example(n, one.sequences, one.segments, one.label))
    columns.write(tmp_path, examples)
    data = columns.read(tmp_path)
    op = train("0" * 64, kind="classification", labels=LABELS, length=("steps", 1500), batch=10, lr=5e-3)
    network = training.start(op, base, {})
    special = models.read_special(base, network.encoder.config)

    curve = training.train(op, network, Feed(op, [[data]], special), device="cpu", on_step=lambda *_: None)
    models.save(network, base, tmp_path / "saved")
    again = models.load_network(tmp_path / "saved", {}, "classification", 0)
    tables = [evaluation.predict(n, data, special, device="cpu", precision="fp32", mask=None) for n in (network, again)]

    assert 1 < curve[0].loss < 1.2
    assert curve[-1].loss < 0.1
    assert 1.0 == classification.accuracy(tables[0]).value
    assert tables[0].equals(tables[1])


def table(label, prediction):
    import pyarrow as pa

    return pa.table({"label": label, "prediction": prediction})


@pytest.mark.parametrize(
    ("label", "prediction", "expected"),
    [
        # 0: 2 of 3 that are said, 2 of 2; 1: 1 of 1, 1 of 2. Means of 4/5 and 2/3
        ([0, 0, 1, 1], [0, 0, 0, 1], (4 / 5 + 2 / 3) / 2),
        # 2 is neither there nor said and does not count; 1 is never said and 3 never there: 1, 0 and 0
        ([0, 0, 1], [0, 0, 3], (1 + 0 + 0) / 3),
        ([0, 0, 2], [0, 0, 0], (4 / 5 + 0) / 2),  # one that is never said counts as 0
        ([1, 1], [1, 1], 1.0),
        ([0, 1], [1, 0], 0.0),
    ],
)
def test_macro_f1_is_the_mean_over_labels_that_are_there_or_said(label, prediction, expected):
    assert Measured(pytest.approx(expected), len(label), None) == kinds()["classification"].metrics["macro-f1"](
        table(label, prediction)
    )


@pytest.mark.parametrize(
    ("label", "prediction", "expected"),
    [
        # tp 1, tn 2, fp 1, fn 1: (1 * 2 - 1 * 1) / sqrt(2 * 2 * 3 * 3)
        ([1, 1, 0, 0, 0], [1, 0, 0, 0, 1], 1 / 6),
        ([1, 0], [1, 0], 1.0),
        ([1, 0], [0, 1], -1.0),
        # Gorodkin: 3 right of 4, labels (2, 1, 1) times, said (1, 2, 1) times; 3 * 4 less 2 + 2 + 1 is 7, beside the
        # root of 16 less 6 times 16 less 6
        ([0, 0, 1, 2], [0, 1, 1, 2], 7 / 10),
        ([0, 1, 0], [1, 1, 1], 0.0),  # not defined where one side is constant
        ([1, 1], [1, 0], 0.0),
        ([1, 1], [1, 1], 0.0),
    ],
)
def test_mcc_is_the_correlation_of_labels(label, prediction, expected):
    assert Measured(pytest.approx(expected), len(label), 0.0) == kinds()["classification"].metrics["mcc"](
        table(label, prediction)
    )
