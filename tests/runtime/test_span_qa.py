"""Span QA: contexts to windows, the loss, and the span that is taken of several windows."""

from itertools import pairwise

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from runtime import columns, evaluation, models, training
from runtime.errors import BadInput
from runtime.kinds import span_qa
from runtime.kinds.kind import Batch, Coding, Measured
from tests.bases import weights_node
from tests.plans import train
from tests.words import WORDS

pytestmark = pytest.mark.ml

START, END = 1, 2
F1, EM, MLQA_F1, MLQA_EM = (span_qa.KIND.metrics[name] for name in ("f1", "em", "mlqa-f1", "mlqa-em"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return weights_node(tmp_path_factory)


@pytest.fixture(scope="module")
def tokenizer(base):
    return models.load_tokenizer(base)


@pytest.fixture(scope="module")
def peer(base):
    return AutoTokenizer.from_pretrained(base)


def sentence(start, end):
    """Words that are a token each."""
    return " ".join(WORDS[start:end])


def gold(context, text, start=None):
    return {"text": [text], "answer_start": [context.index(text) if start is None else start]}


def encoded(tokenizer, context, answers=None, *, question=None, max_length=15, stride=5, query=64, scored=False):
    """A question of three words, which leave room for 8 tokens of the context in 15."""
    values = {"context": context, "question": question or sentence(100, 103), "answers": answers}
    own = {"stride": stride, "max-query": query}
    return span_qa.encode(values, Coding(tokenizer, max_length, scored=scored, own=own))


def marks(found):
    """Where each window says that the answer starts and ends."""
    return [
        ([n for n, t in enumerate(targets) if t & START], [n for n, t in enumerate(targets) if t & END])
        for targets in found.targets
    ]


# --- windows


def test_a_long_context_is_read_in_windows_behind_the_question(tokenizer):
    """20 tokens, 8 at a time, each 5 after the one before: 0-8, 5-13, 10-18, 15-20."""
    found = encoded(tokenizer, sentence(0, 20))
    words = [tokenizer.token_to_id(f"▁{w}") for w in WORDS[:20]]
    asked = [tokenizer.token_to_id(f"▁{w}") for w in WORDS[100:103]]

    parts = ((0, 8), (5, 13), (10, 18), (15, 20))
    assert [[0, *asked, 2, 2, *words[a:b], 2] for a, b in parts] == list(found.sequences)
    assert [[a, b, 6] for a, b in parts] == found.kept["windows"]
    assert found.cut


def test_a_context_that_fits_is_one_window(tokenizer):
    assert ([[0, 8, 6]], False) == ((one := encoded(tokenizer, sentence(0, 8))).kept["windows"], one.cut)
    assert ([[0, 8, 6], [5, 9, 6]], True) == ((two := encoded(tokenizer, sentence(0, 9))).kept["windows"], two.cut)


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))
def test_windows_are_those_of_transformers(tokenizer, peer, context, question, room, stride):
    """Which counts how many tokens two windows share; no token is left out where the stride is larger than a window."""
    text, asked, length = sentence(0, context), sentence(100, 100 + question), room + question + 4
    stride = min(stride, room)
    found = encoded(tokenizer, text, question=asked, max_length=length, stride=stride)

    theirs = peer(
        asked, text, truncation="only_second", max_length=length, stride=room - stride, return_overflowing_tokens=True
    )
    assert theirs["input_ids"] == list(found.sequences)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 30))
def test_every_token_is_in_a_window_whatever_the_stride(tokenizer, context, room, stride):
    windows = encoded(tokenizer, sentence(0, context), max_length=room + 7, stride=stride).kept["windows"]

    assert set(range(context)) == {token for first, end, _ in windows for token in range(first, end)}
    assert {min(stride, room)} >= {b[0] - a[0] for a, b in pairwise(windows)}


def test_a_question_that_is_too_long_loses_its_end(tokenizer):
    found = encoded(tokenizer, sentence(0, 2), question=sentence(100, 105), query=3)
    whole = encoded(tokenizer, sentence(0, 2), question=sentence(100, 103), query=3)

    assert (whole.sequences, True, False) == (found.sequences, found.cut, whole.cut)


def test_white_space_before_a_question_is_no_token_of_it(tokenizer):
    one, other = (encoded(tokenizer, "a", question=q) for q in ("  \t" + WORDS[7], WORDS[7]))

    assert other.sequences == one.sequences


def test_a_question_that_leaves_no_room_is_told(tokenizer):
    assert 1 == len(encoded(tokenizer, WORDS[0], max_length=8).sequences)
    with pytest.raises(BadInput, match="a question of 3 tokens leaves no room for its context") as caught:
        encoded(tokenizer, WORDS[0], max_length=7)

    assert ("max-length", "set a larger `max-length`, or a smaller `max-query`") == (
        caught.value.field,
        caught.value.hint,
    )


# --- answers


def answered(tokenizer, first, end):
    context = sentence(0, 20)
    return marks(encoded(tokenizer, context, gold(context, sentence(first, end))))


def test_targets_are_the_answers_first_and_last_token(tokenizer):
    """Tokens 2 to 4: in the first window behind <s>, 3 of the question and two </s>, so at 8 and 10."""
    assert [([8], [10]), ([0], [0]), ([0], [0]), ([0], [0])] == answered(tokenizer, 2, 5)


def test_an_answer_of_one_token_starts_and_ends_there(tokenizer):
    assert [([8], [8]), ([0], [0]), ([0], [0]), ([0], [0])] == answered(tokenizer, 2, 3)


def test_an_answer_at_the_edge_of_a_window_is_in_it(tokenizer):
    """Tokens 5 to 7 end the window 0-8 and begin the window 5-13."""
    assert [([11], [13]), ([6], [8]), ([0], [0]), ([0], [0])] == answered(tokenizer, 5, 8)


def test_an_answer_across_the_edge_of_a_window_is_not_in_it(tokenizer):
    assert [([0], [0]), ([8], [9]), ([0], [0]), ([0], [0])] == answered(tokenizer, 7, 9)
    assert [([0], [0])] * 4 == answered(tokenizer, 4, 9)  # in no window whole


@pytest.mark.parametrize("answers", [None, [], {"text": [], "answer_start": []}])
def test_a_question_without_an_answer_trains_at_the_first_token(tokenizer, answers):
    found = encoded(tokenizer, sentence(0, 9), answers)

    assert ([([0], [0])] * 2, -1, []) == (marks(found), found.label, found.kept["answers"])


@pytest.mark.parametrize(
    ("text", "start"), [("midu", 1), ("midu", -15), ("midu", 90), ("poto", 0), ("", 0), (" ", 4), ("Midu", 0)]
)
def test_an_answer_that_does_not_stand_where_it_says_trains_nothing_and_is_scored(tokenizer, text, start):
    context = sentence(0, 3)
    assert context.startswith("midu poto ")

    assert encoded(tokenizer, context, gold(context, text, start)).label is None
    scored = encoded(tokenizer, context, gold(context, text, start), scored=True)
    assert (-1, [text]) == (scored.label, scored.kept["answers"])


def test_places_are_counted_in_characters(tokenizer):
    """Of several bytes each, before the answer and in it."""
    context = f"é😀中 {WORDS[1]}😀é {WORDS[2]}"
    found = encoded(tokenizer, context, gold(context, f"{WORDS[1]}😀"), max_length=60)
    ((start,), (end,)) = marks(found)[0]
    offsets, at = found.kept["offsets"], found.kept["windows"][0][2]

    assert f"{WORDS[1]}😀" == context[offsets[start - at][0] : offsets[end - at][1]].strip()


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["poto", "midu"], "answer_start": [5, 0]},
        {"text": ("poto", "midu"), "answer_start": (5, 0)},
        [{"text": "poto", "answer_start": 5}, {"text": "midu", "answer_start": 0}],
        [{"text": ["poto"], "answer_start": [5]}, {"text": "midu", "answer_start": 0, "more": 1}],
    ],
)
def test_answers_are_a_record_of_lists_or_a_list_of_records(tokenizer, answers):
    """The first is trained on; all are kept."""
    found = encoded(tokenizer, "midu poto", answers)

    assert (["poto", "midu"], [([7], [7])]) == (found.kept["answers"], marks(found))


def test_one_answer_may_stand_without_a_list(tokenizer):
    assert ["poto"] == encoded(tokenizer, "midu poto", {"text": "poto", "answer_start": 5}).kept["answers"]


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ("poto", "it must have `text` and `answer_start`, as SQuAD's: `{{ answers }}`"),
        (["poto"], "it must have `text` and `answer_start`, as SQuAD's: `{{ answers }}`"),
        ({"text": ["poto"]}, "it must have `text` and `answer_start`, as SQuAD's: `{{ answers }}`"),
        (
            {"text": ["poto"], "answer_start": [5, 0]},
            "each text has one whole number in `answer_start`, where it begins in the context",
        ),
        (
            {"text": "poto", "answer_start": "5"},
            "each text has one whole number in `answer_start`, where it begins in the context",
        ),
    ],
)
def test_what_is_no_answer_is_told(tokenizer, answers, hint):
    with pytest.raises(BadInput, match="`answers` is ") as caught:
        encoded(tokenizer, "midu poto", answers)

    assert (hint, "input.answers") == (caught.value.hint, caught.value.field)


@pytest.mark.parametrize("name", ["context", "question"])
def test_a_null_is_no_text(tokenizer, name):
    values = {"context": "a", "question": "b", "answers": None, name: None}

    with pytest.raises(BadInput, match=f"`{name}` is null"):
        span_qa.encode(values, Coding(tokenizer, 32, own={"stride": 8, "max-query": 8}))


# --- loss and predictions


def test_the_loss_is_half_of_each_cross_entropy_and_padding_takes_no_part():
    torch.manual_seed(1)
    head, hidden = span_qa.Head(4, 1.0), torch.randn(2, 5, 4)
    attention = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    targets = torch.tensor([[0, START, 0, END, 0], [START | END, 0, 0, -100, -100]])
    zeros = torch.zeros(2, dtype=torch.long)
    batch = Batch(attention, attention, attention, zeros + 1, zeros, zeros, targets)

    one, two = head(hidden[0]).log_softmax(0), head(hidden[1, :3]).log_softmax(0)  # (T, 2)
    expected = -(one[1, 0] + one[3, 1]) / 2 - (two[0, 0] + two[0, 1]) / 2
    torch.testing.assert_close(expected, span_qa.loss(head, hidden, batch))


def test_what_is_answered_alone_is_answered_among_others(base, tokenizer, tmp_path):
    """Contexts of one to four windows, of which batches pad the shorter."""
    torch.manual_seed(3)
    network = training.start(train("0" * 64, kind="span-qa"), base, {})
    torch.nn.init.normal_(network.heads[0].span.weight)
    special = models.read_special(base, network.encoder.config)
    examples = []
    for n, length in enumerate((3, 20, 8, 14, 9, 17)):
        found = encoded(tokenizer, sentence(n, n + length), scored=True)
        examples.append(columns.Example(50 + n, found.sequences, found.segments, -1, found.targets, found.kept))

    def predicted(number, chosen):
        (tmp_path / str(number)).mkdir()
        columns.write(tmp_path / str(number), chosen, {"language": "en"})
        data, own = columns.read(tmp_path / str(number)), {"max-answer": 3, "n-best": 20}
        table = evaluation.predict(network, data, special, device="cpu", precision="fp32", mask=None, own=own)
        return table.to_pydict()

    whole = predicted(9, examples)
    parts = [predicted(n, [example]) for n, example in enumerate(examples)]
    assert [50, 51, 52, 53, 54, 55] == whole["row"]
    assert [p["prediction"][0] for p in parts] == whole["prediction"]
    assert [p["score"][0] for p in parts] == pytest.approx(whole["score"], abs=1e-5)
    assert [p["no_answer"][0] for p in parts] == pytest.approx(whole["no_answer"], abs=1e-5)
    assert 1 < len(set(whole["prediction"]))


# --- metrics


def test_scores_are_means_over_questions():
    """The first: 1 and 1. The second: F1 of 1 of 2 words with 1 of 1. The third: of no answers, the empty one."""
    table = pa.table(
        {
            "prediction": ["the cat", "big dog", ""],
            "label": [["dog", "cat"], ["dog"], []],
            "language": ["en"] * 3,
            "may_be_empty": [True] * 3,
        }
    )

    assert Measured((1 + 2 / 3 + 1) / 3, 3, None) == F1(table) == MLQA_F1(table)
    assert Measured(2 / 3, 3, None) == EM(table) == MLQA_EM(table)


def test_mlqas_scores_know_the_language():
    table = pa.table({"prediction": ["der 中国"], "label": [["国"]], "language": ["zh"], "may_be_empty": [False]})

    # characters of MLQA: 1 of 3 with 1 of 1, so 2 * 1/3 / (4/3); words of SQuAD: 0 of 2
    assert (0.5, 0.0) == (pytest.approx(MLQA_F1(table).value), F1(table).value)
    of_german = table.set_column(2, "language", pa.array(["zh.de"]))
    assert 0.0 == MLQA_F1(of_german).value
