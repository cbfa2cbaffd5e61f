"""Values become token ids and labels, or say which of them cannot."""

import pytest

from runtime import models
from runtime.errors import BadInput
from runtime.kinds import kinds
from runtime.kinds.kind import Coding
from tests.words import WORDS, write_tokenizer

pytestmark = pytest.mark.ml

CHOICES = ["one", "two"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return models.load_tokenizer(folder)


class Counting:
    """A tokenizer that remembers what it encoded."""

    def __init__(self, tokenizer):
        self.tokenizer, self.texts = tokenizer, []

    def encode(self, text, **options):
        self.texts.append(text)
        return self.tokenizer.encode(text, **options)

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)


def encoded(tokenizer, labels=(), max_length=64, kind="multiple-choice", **values):
    return kinds()[kind].encode({"choices": CHOICES, "label": 0} | values, Coding(tokenizer, max_length, labels))


def words(start, count):
    return " ".join(WORDS[start : start + count])


@pytest.mark.parametrize(("label", "index"), [("b", 1), (" a ", 0), ("1", 0)])
def test_a_declared_label_is_the_index_of_its_name(tokenizer, label, index):
    assert index == encoded(tokenizer, ("1", "b") if label == "1" else ("a", "b"), label=label).label


@pytest.mark.parametrize("label", ["0", 0, "c", ""])
def test_a_label_that_is_not_declared_is_never_an_index(tokenizer, label):
    with pytest.raises(BadInput, match="`label` is") as caught:
        encoded(tokenizer, ("a", "b"), label=label)

    assert "the labels are a, b" == caught.value.hint
    assert "input.label" == caught.value.field


@pytest.mark.parametrize(
    ("label", "labels"),
    [(2, ()), ("²", ()), (True, ()), (-2, ()), ("9" * 5000, ()), ("c", ("a", "b", "c"))],
)
def test_a_label_is_the_index_of_a_choice(tokenizer, label, labels):
    with pytest.raises(BadInput, match="`label` is") as caught:
        encoded(tokenizer, labels, label=label)

    assert "it must be the index of a choice, 0 to 1" == caught.value.hint


@pytest.mark.parametrize(("kind", "field"), [("masked-lm", "text"), ("classification", "pair"), ("retrieval", "query")])
@pytest.mark.parametrize(
    ("value", "says", "hint"),
    [
        (["a", "b"], "is a list", "join"),
        ({"text": "a"}, "is a record", "name a part of it: `text`"),
        (None, "null", ""),
    ],
)
def test_what_is_no_text_is_never_written_out_as_one(tokenizer, kind, field, value, says, hint):
    values = {"text": "a", "pair": "b", "query": "q", "document": "d", "label": 0, field: value}

    with pytest.raises(BadInput, match=f"`{field}` .*{says}") as caught:
        kinds()[kind].encode(values, Coding(tokenizer, 32, ("a", "b")))
    assert hint in caught.value.hint
    assert f"input.{field}" == caught.value.field


@pytest.mark.parametrize("kind", ["multiple-choice", "classification"])
@pytest.mark.parametrize("label", [None, -1, "-1", " -1 "])
def test_a_null_and_minus_one_are_no_label(tokenizer, kind, label):
    assert encoded(tokenizer, ("a", "b"), kind=kind, text="one", label=label).label is None


def test_minus_one_may_be_the_name_of_a_label(tokenizer):
    assert 0 == encoded(tokenizer, ("-1", "1"), kind="classification", text="one", label=-1).label


def test_a_null_is_no_choice_and_no_text(tokenizer):
    with pytest.raises(BadInput, match="choice 2 of 2 is null"):
        encoded(tokenizer, choices=["one", None])
    with pytest.raises(BadInput, match="`text` is null"):
        encoded(tokenizer, kind="masked-lm", text=None)


def test_the_context_is_tokenised_once(tokenizer):
    counting = Counting(tokenizer)

    encoded(counting, context="here", question="there", max_length=6)

    assert ["here there", "one", "two"] == counting.texts


def by_word(tokenizer, sequences):
    """The ids, with 4 + n for the n-th word, whatever id the tokenizer gives it."""
    place = {tokenizer.token_to_id(f"▁{word}"): 4 + n for n, word in enumerate(WORDS)}
    return tuple([place.get(number, number) for number in sequence] for sequence in sequences)


def test_what_is_cut_off_never_changes_silently(tokenizer):
    """A change here changes what every stored data set holds: raise the version of `Data` with it."""
    values = {"context": words(0, 6), "choices": [words(10, 2), words(20, 1), words(30, 9)]}

    found = {n: encoded(tokenizer, max_length=n, **values) for n in (64, 12, 9)}

    assert GOLDEN_IDS == {n: by_word(tokenizer, e.sequences) for n, e in found.items()}
    assert {64: False, 12: True, 9: True} == {n: e.cut for n, e in found.items()}


GOLDEN_IDS = {
    64: (
        [0, 4, 5, 6, 7, 8, 9, 2, 2, 14, 15, 2],
        [0, 4, 5, 6, 7, 8, 9, 2, 2, 24, 2],
        [0, 4, 5, 6, 7, 8, 9, 2, 2, 34, 35, 36, 37, 38, 39, 40, 41, 42, 2],
    ),
    12: (
        [0, 4, 5, 6, 7, 8, 9, 2, 2, 14, 15, 2],
        [0, 4, 5, 6, 7, 8, 9, 2, 2, 24, 2],
        [0, 9, 2, 2, 34, 35, 36, 37, 38, 39, 40, 2],
    ),
    9: (
        [0, 7, 8, 9, 2, 2, 14, 15, 2],
        [0, 6, 7, 8, 9, 2, 2, 24, 2],
        [0, 9, 2, 2, 34, 35, 36, 37, 2],
    ),
}
