"""Tagging: labels at first sub-tokens, long sentences in several sequences, spans as conlleval counts them."""

import json
from itertools import groupby

import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from runtime import columns, evaluation, training
from runtime import models as checkpoints
from runtime.errors import BadInput
from runtime.kinds import tagging
from runtime.kinds.kind import IGNORED, Batch, Coding, Measured
from tests.bases import weights_node
from tests.plans import train
from tests.words import WORDS

pytestmark = pytest.mark.ml

F1, ACCURACY = (tagging.KIND.metrics[name] for name in ("f1", "accuracy"))
LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return weights_node(tmp_path_factory)


@pytest.fixture(scope="module")
def tokenizer(base):
    return checkpoints.load_tokenizer(base)


def encoded(tokenizer, tokens, tags, max_length=64, labels=LABELS):
    return tagging.encode({"tokens": tokens, "tags": tags}, Coding(tokenizer, max_length, labels))


# --- words to tokens

LONG = WORDS[0] + WORDS[1]  # two sub-tokens or more


def test_a_label_stands_at_the_first_sub_token_of_its_word(tokenizer):
    pieces = len(tokenizer.encode(LONG, add_special_tokens=False))
    found = encoded(tokenizer, [WORDS[5], LONG, WORDS[6]], ["O", "B-PER", "I-PER"])

    assert pieces > 1
    ((targets,), (ids,)) = found.targets, found.sequences
    assert [IGNORED, 0, 1, *[IGNORED] * (pieces - 1), 2, IGNORED] == targets
    assert tokenizer.encode([WORDS[5], LONG, WORDS[6]], is_pretokenized=True).ids == ids
    assert (-1, False, {"tags": ["O", "B-PER", "I-PER"]}) == (found.label, found.cut, found.kept)


def test_equal_words_have_a_label_each(tokenizer):
    assert ([IGNORED, 0, 1, 2, IGNORED],) == encoded(tokenizer, [WORDS[5]] * 3, ["O", "B-PER", "I-PER"]).targets


@pytest.mark.parametrize(("tag", "label"), [("B-PER", 1), (" I-PER ", 2), (2, 2), ("1", 1), (0, 0)])
def test_a_tag_is_a_name_or_a_number(tokenizer, tag, label):
    assert ([IGNORED, label, IGNORED],) == encoded(tokenizer, [WORDS[5]], [tag]).targets


def test_a_long_sentence_goes_on_in_another_sequence_between_two_words(tokenizer):
    """Room for 4 tokens: 4 words; then 2 and a word that would not fit whole; then it, and one more that does."""
    pieces = len(tokenizer.encode(LONG, add_special_tokens=False))
    assert pieces == 3
    found = encoded(tokenizer, [*WORDS[5:11], LONG, WORDS[11]], ["O", 1, 2, "O", 1, 2, "O", 1], max_length=6)

    ids = [tokenizer.encode(w, add_special_tokens=False).ids for w in [*WORDS[5:11], LONG, WORDS[11]]]
    parts = [[i for word in ids[a:b] for i in word] for a, b in ((0, 4), (4, 6), (6, 8))]
    assert [[0, *part, 2] for part in parts] == list(found.sequences)
    no = IGNORED
    assert [[no, 0, 1, 2, 0, no], [no, 1, 2, no], [no, 0, no, no, 1, no]] == list(found.targets)
    assert (True, ["O", "B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-PER"]) == (found.cut, found.kept["tags"])


def test_of_a_word_that_alone_is_too_long_the_first_sub_tokens_stay(tokenizer):
    found = encoded(tokenizer, [WORDS[5], LONG, WORDS[6]], ["O", 1, 2], max_length=4)

    whole = tokenizer.encode(LONG, add_special_tokens=False).ids
    assert [0, *whole[:2], 2] == found.sequences[1]
    assert [[IGNORED, 0, IGNORED], [IGNORED, 1, IGNORED, IGNORED], [IGNORED, 2, IGNORED]] == list(found.targets)


@given(st.lists(st.sampled_from([WORDS[5], LONG, LONG + LONG, "中", "."]), min_size=1, max_size=20), st.integers(3, 12))
def test_every_word_has_its_tag_and_no_sequence_is_too_long(tokenizer, words, max_length):
    tags = [n % 3 for n in range(len(words))]
    found = encoded(tokenizer, words, tags, max_length)

    assert tags == [target for targets in found.targets for target in targets if target != IGNORED]
    assert max_length >= max(map(len, found.sequences))
    assert [len(ids) for ids in found.sequences] == [len(targets) for targets in found.targets]


def test_a_word_without_sub_tokens_is_the_unknown_token():
    """As those of which a tokenizer's normalisation leaves nothing (XTREME's `utils_tag.py`)."""
    words = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2, "a": 3}, unk_token="<unk>"))  # noqa: S106
    words.normalizer = normalizers.Replace("\u200b", "")
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)])
    words.add_special_tokens(["<s>", "</s>", "<unk>"])
    found = encoded(words, ["a", "\u200b", "", "a"], ["O", 1, 2, "O"])

    assert ([0, 3, 2, 2, 3, 1],) == found.sequences
    assert ([IGNORED, 0, 1, 2, 0, IGNORED],) == found.targets


@pytest.mark.parametrize("missing", [None, -1, "-1"])
def test_a_sentence_of_which_a_word_has_no_label_is_no_example(tokenizer, missing):
    found = encoded(tokenizer, WORDS[5:8], ["O", missing, 1])

    assert (None, ([IGNORED, 0, IGNORED, 1, IGNORED],)) == (found.label, found.targets)


def test_a_sentence_without_words_is_no_example(tokenizer):
    assert encoded(tokenizer, [], []).label is None


@pytest.mark.parametrize(
    ("values", "message", "hint", "field"),
    [
        ({"tags": ["O"]}, "`tokens` has 2 items and `tags` 1", "each token has a tag", "input.tags"),
        ({"tags": ["O", "X"]}, "a tag is 'X'", "the labels are O, B-PER, I-PER", "input.tags"),
        ({"tags": ["O", 3]}, "a tag is 3", "the labels are O, B-PER, I-PER", "input.tags"),
        (
            {"tokens": "a b"},
            "`tokens` is 'a b' and no list",
            "one item a word: `{{ text.split() }}` makes a list of a text",
            "input.tokens",
        ),
        (
            {"tags": None},
            "`tags` is None and no list",
            "one item a word: `{{ text.split() }}` makes a list of a text",
            "input.tags",
        ),
        ({"tokens": ["a", None]}, "a token is None", "each token is a text", "input.tokens"),
        ({"tokens": ["a", True]}, "a token is True", "each token is a text", "input.tokens"),
    ],
)
def test_what_is_no_sentence_is_told(tokenizer, values, message, hint, field):
    with pytest.raises(BadInput) as caught:
        encoded(tokenizer, **({"tokens": ["a", "b"], "tags": ["O", "O"]} | values))

    assert (message, hint, field) == (str(caught.value), caught.value.hint, caught.value.field)


def test_a_number_is_a_word(tokenizer):
    assert encoded(tokenizer, ["7", "1.5"], [0, 0]).sequences == encoded(tokenizer, [7, 1.5], [0, 0]).sequences


# --- loss and predictions


def scored(*rows):
    """A head that takes the vectors for scores, and these as a batch's hidden states."""
    return torch.nn.Identity(), torch.tensor(rows, dtype=torch.float32)


def batch(targets, choices):
    whole = torch.tensor(targets)
    rows = torch.arange(len(choices)) + 7
    return Batch(whole, whole, whole, torch.tensor(choices), rows, rows, whole)


NO = [9.0, 9.0, 9.0]  # of a token that is no word's first, and is not read
A, B, C = [1.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 3.0]


def test_a_prediction_is_the_best_label_of_each_word_in_order():
    """The first example has two sequences with 2 words and 1, the second one without words, the third 2."""
    head, hidden = scored([NO, A, B, NO], [NO, C, NO, NO], [NO, NO, NO, NO], [NO, B, NO, A])
    no = IGNORED
    found = tagging.predict(head, hidden, batch([[no, 0, 0, no], [no, 0, no, no], [no] * 4, [no, 1, no, 2]], [2, 1, 1]))

    assert {"row": [7, 8, 9], "prediction": [[0, 1, 2], [], [1, 0]]} == found


def test_the_loss_is_the_cross_entropy_of_all_words():
    head, hidden = scored([NO, A, B], [NO, C, NO])
    expected = -(torch.tensor(A).log_softmax(0)[2] + torch.tensor(B).log_softmax(0)[1])
    expected -= torch.tensor(C).log_softmax(0)[0]

    found = tagging.loss(head, hidden, batch([[IGNORED, 2, 1], [IGNORED, 0, IGNORED]], [1, 1]))
    torch.testing.assert_close(expected, found)


def test_predictions_are_told_by_name():
    kept = pa.table({"tags": [["O", "B-PER"], ["I-PER"]]}).replace_schema_metadata(
        {"common": json.dumps({"labels": LABELS})}
    )

    assert {"row": [1, 2], "label": [["O", "B-PER"], ["I-PER"]], "prediction": [["B-PER", "O"], ["I-PER"]]} == (
        tagging.finish({"row": [1, 2], "prediction": [[1, 0], [2]]}, kept, {})
    )


def test_what_is_tagged_alone_is_tagged_among_others(base, tokenizer, tmp_path):
    """Sentences of one to three sequences, of which batches pad the shorter."""
    op = train("0" * 64, kind="tagging", labels=LABELS)
    network = training.start(op, base, {})
    torch.manual_seed(2)
    torch.nn.init.normal_(network.heads[0].score.weight)
    special = checkpoints.read_special(base, network.encoder.config)

    def predicted(name, chosen):
        examples = []
        for n in chosen:
            one = encoded(tokenizer, WORDS[n : 3 * n + 4], [k % 3 for k in range(2 * n + 4)], max_length=8)
            examples.append(columns.Example(n, one.sequences, one.segments, one.label, one.targets, one.kept))
        (tmp_path / name).mkdir()
        columns.write(tmp_path / name, examples, {"labels": LABELS})
        data = columns.read(tmp_path / name)
        return evaluation.predict(network, data, special, device="cpu", precision="fp32", mask=None).to_pylist()

    whole = predicted("whole", range(6))
    assert [line for n in range(6) for line in predicted(str(n), [n])] == whole
    assert [2 * n + 4 for n in range(6)] == [len(line["prediction"]) for line in whole]
    assert 1 < len({tag for line in whole for tag in line["prediction"]})


# --- metrics


def table(labels, predictions):
    return pa.table({"label": labels, "prediction": predictions})


def f1(labels, predictions):
    return F1(table(labels, predictions)).value


def test_accuracy_is_over_words_and_not_sentences():
    """3 of 5; the mean over sentences would be (1/2 + 2/3) / 2."""
    found = ACCURACY(table([["A", "B"], ["A", "A", "B"]], [["A", "A"], ["A", "B", "B"]]))

    assert Measured(3 / 5, 5, None) == found


@pytest.mark.parametrize(
    ("label", "prediction", "expected"),
    [
        ("B-P I-P O B-L", "B-P I-P O B-L", 1.0),
        ("B-P I-P O B-L", "B-P O O B-L", 1 / 2),  # half a span is none: 1 of 2 and 1 of 2
        ("B-P I-P O B-L", "B-P I-P O O", 2 / 3),  # 1 of 1 and 1 of 2
        ("B-P B-P", "B-P I-P", 0.0),  # two spans beside one
        ("B-P I-P", "I-P I-P", 1.0),  # without its B a span is the same (conlleval)
        ("B-P I-L", "B-P B-L", 1.0),  # another type begins another span
        ("B-P O I-P", "B-P O B-P", 1.0),
        ("O O", "O O", 0.0),  # no spans at all: seqeval's 0
        ("O O", "B-P O", 0.0),
    ],
)
def test_spans_are_those_of_conlleval(label, prediction, expected):
    assert pytest.approx(expected) == f1([label.split()], [prediction.split()])


def test_a_span_ends_with_its_sentence():
    """Two spans in two sentences, of which one is right; joined they would be one."""
    assert pytest.approx(2 / 3) == f1([["B-P"], ["I-P"]], [["B-P"], ["O"]])


def test_f1_counts_spans_of_all_sentences_together():
    """Spans: 3, of which 2 are found, of 2 that are said: 2 * 1 * 2/3 / (5/3) = 0.8. The mean would be 1/2."""
    assert Measured(pytest.approx(0.8), 2, None) == F1(table([["B-P", "B-P"], ["B-P"]], [["B-P", "B-P"], ["O"]]))


TAGS = st.sampled_from(["O", "B-P", "I-P", "B-L", "I-L", "I-M"])
UPOS = st.sampled_from(["NOUN", "SCONJ", "SYM", "INTJ", "X", "ADP"])


def pairs(tags):
    sentence = st.lists(st.tuples(tags, tags), min_size=1, max_size=8)
    return st.lists(sentence, min_size=1, max_size=4).map(
        lambda ss: ([[a for a, _ in s] for s in ss], [[b for _, b in s] for s in ss])
    )


def _micro(labels, predictions, spans_of):
    gold, said = ({(n, *s) for n, row in enumerate(rows) for s in spans_of(row)} for rows in (labels, predictions))
    same = len(gold & said)
    return 0.0 if not same else 2 * (same / len(said)) * (same / len(gold)) / (same / len(said) + same / len(gold))


def _conll_spans(tags):
    """(first, behind the last, type): a span goes on with an I of its type, and begins with all else but O."""
    spans, open_ = [], None
    for n, tag in enumerate([*tags, "O"]):
        if open_ and tag != f"I-{open_[1]}":
            spans.append((open_[0], n, open_[1]))
            open_ = None
        if tag != "O" and not open_:
            open_ = (n, tag[2:])
    return spans


def _upos_spans(tags):
    """Equal neighbours are one span, but each of a tag that begins with S is one (seqeval 0.0.12 takes it for S-)."""
    spans, n = [], 0
    for tag, run in groupby(tags):
        size = len(list(run))
        ends = range(n + 1, n + size + 1) if tag.startswith("S") else [n + size]
        spans += [(end - 1 if tag.startswith("S") else n, end, tag) for end in ends]
        n += size
    return spans


@settings(max_examples=300)
@given(pairs(TAGS))
def test_f1_is_seqevals_and_that_of_conllevals_rules(rows):
    assert f1_score(*rows, zero_division=0) == f1(*rows)
    assert pytest.approx(_micro(*rows, _conll_spans), abs=1e-12) == f1(*rows)


# --- tags without prefixes, as seqeval 0.0.12 reads them, which XTREME and jiant pin


@pytest.mark.parametrize(
    ("label", "prediction", "expected"),
    [
        ("NOUN NOUN VERB", "NOUN NOUN VERB", 1.0),
        ("NOUN NOUN VERB", "NOUN ADJ VERB", 2 / 5),  # spans: 2, of which 1 is found (VERB), of 3 that are said
        ("NOUN NOUN", "NOUN ADJ", 0.0),
        ("SYM SYM", "SYM X", 1 / 2),  # two spans, of which one is found, of two
        ("SCONJ SCONJ SCONJ", "SCONJ SCONJ ADP", 2 / 3),  # 2 of 3 and 2 of 3
        ("SCONJ SYM", "SCONJ SYM", 1.0),
        ("INTJ INTJ", "INTJ X", 0.0),  # one span of two words, though its first letter is I
        ("X X X", "X X X", 1.0),
        ("X X PUNCT", "X PUNCT PUNCT", 0.0),
        ("PROPN PRON", "PROPN PRON", 1.0),  # the whole name is the type
        ("PROPN PRON", "PRON PRON", 0.0),
    ],
)
def test_equal_tags_beside_each_other_are_a_span_but_those_with_s_are_one_each(label, prediction, expected):
    assert pytest.approx(expected) == f1([label.split()], [prediction.split()])


@settings(max_examples=200)
@given(pairs(UPOS))
def test_f1_of_tags_without_prefixes_is_that_of_a_second_implementation(rows):
    assert pytest.approx(_micro(*rows, _upos_spans), abs=1e-12) == f1(*rows)
