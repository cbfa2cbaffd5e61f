"""Which span of several windows is the answer: the best of all, in the window with the most context."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.kinds import span_qa

pytestmark = pytest.mark.ml

AT = 3  # where a window begins in its sequence: behind <s>, a question of one token, </s>


def record(windows, size, texts=None):
    """What is kept of a context of tokens `0`, `1`, … or of these texts, read in these windows."""
    texts = [str(n % 10) for n in range(size)] if texts is None else texts
    ends = np.cumsum([len(t) for t in texts]).tolist()
    return {
        "context": "".join(texts),
        "answers": ["gold"],
        "offsets": [[e - len(t), e] for t, e in zip(texts, ends, strict=True)],
        "windows": [[first, end, AT] for first, end in windows],
    }


def finished(scores, kept, **own):
    """Predictions from the scores of the windows of one context: their own tokens alone, or the whole sequence."""
    table = pa.Table.from_pylist([kept]).replace_schema_metadata({"common": json.dumps({"language": "en"})})
    settings = {"max-answer": 30, "n-best": 20} | {key.replace("_", "-"): value for key, value in own.items()}
    arrays = [np.asarray(s, dtype=np.float32) for s in scores]
    found = span_qa.finish({"row": [4], "scores": [arrays]}, table, settings)
    return {name: values[0] for name, values in found.items()}


def of_window(starts, ends, null=(0.0, 0.0)):
    """(T, 2): the first token, question and </s>, the window's tokens, </s>; what is no context scores 99."""
    return [null, (99, 99), (99, 99), *zip(starts, ends, strict=True), (99, 99)]


def test_the_best_pair_is_the_answer():
    """Start 1 (5) and end 3 (6); the null scores 1 + 2."""
    found = finished([of_window([1, 5, 0, 0], [9, 0, 0, 6], null=(1, 2))], record([(0, 4)], 4))

    assert {
        "row": 4,
        "label": ["gold"],
        "prediction": "123",
        "score": 11.0,
        "no_answer": 3.0 - 11.0,
        "language": "en",
        "may_be_empty": False,
    } == found


def test_no_span_is_longer_than_max_answer():
    """The whole is 4 tokens and scores 9 + 9; of 3 tokens the best is 1-3, 5 + 9; of one the last, 1 + 9."""
    scores, kept = [of_window([9, 5, 0, 1], [0, 0, 1, 9])], record([(0, 4)], 4)

    assert ("0123", 18.0) == ((four := finished(scores, kept, max_answer=4))["prediction"], four["score"])
    assert ("123", 14.0) == ((three := finished(scores, kept, max_answer=3))["prediction"], three["score"])
    assert ("3", 10.0) == ((one := finished(scores, kept, max_answer=1))["prediction"], one["score"])


def test_only_the_best_starts_and_ends_are_tried():
    """Of one each: start 3, behind end 0. Of two: starts 3 and 1, ends 0 and 2, so 1-2. Of all: 0 alone, 4.5 + 9."""
    rows = [(-9.0, -9.0)] * AT
    scores, kept = [[*rows, (4.5, 9), (5, 0), (0, 8), (9, 1), (-9, -9)]], record([(0, 4)], 4)

    assert ("12", 13.0) == ((two := finished(scores, kept, n_best=2))["prediction"], two["score"])
    assert ("0", 13.5) == ((all_ := finished(scores, kept, n_best=9))["prediction"], all_["score"])
    assert ("", -np.inf) == ((one := finished(scores, kept, n_best=1))["prediction"], one["score"])


def test_tokens_that_are_no_context_are_among_the_best_and_no_answer():
    """The scores of 99: with `n-best` 3 they leave no place for others, with 4 for one."""
    scores, kept = [of_window([1, 2, 3], [1, 2, 3])], record([(0, 3)], 3)

    assert ["", "2"] == [finished(scores, kept, n_best=n)["prediction"] for n in (3, 4)]


def test_of_equal_spans_the_first_start_and_then_the_first_end_is_taken():
    equal = finished([of_window([0, 5, 5, 0], [0, 0, 5, 5])], record([(0, 4)], 4))
    of_windows = finished(
        [of_window([5, 0, 0], [5, 0, 0]), of_window([0, 0, 5], [0, 0, 5])], record([(0, 3), (2, 5)], 5)
    )

    assert ("12", "0") == (equal["prediction"], of_windows["prediction"])


def test_of_equal_starts_the_first_are_tried():
    """One start is tried, behind the first token's: 0 of 0, 1 and 2, which score alike."""
    scores = [[(9, 9), (-9, -9), (-9, -9), (5, 5), (5, 5), (5, 5), (-9, -9)]]

    assert "0" == finished(scores, record([(0, 3)], 3), n_best=2)["prediction"]


def test_a_start_counts_in_the_window_with_the_most_context():
    """Token 3 has 0 tokens behind it in 0-4 and 1 before it in 2-6: what the first window says of it is not read."""
    first, second = of_window([0, 0, 0, 9], [0, 0, 0, 9]), of_window([0, 1, 0, 0], [0, 1, 0, 0])
    found = finished([first, second], record([(0, 4), (2, 6)], 6))

    # the first window's best without its token 3 as a start: 0 + 9, as the end of 0-3
    assert ("0123", 9.0) == (found["prediction"], found["score"])


@pytest.mark.parametrize(
    ("token", "windows", "expected"),
    [
        (0, [(0, 8), (5, 13)], 0),  # in one alone
        (5, [(0, 8), (5, 13)], 0),  # min(5, 2) = 2 beside min(0, 7) = 0
        (6, [(0, 8), (5, 13)], 0),  # min(6, 1) = 1 beside min(1, 6) = 1: equal windows, so the first
        (7, [(0, 8), (5, 13)], 1),  # 0 beside 2
        (6, [(0, 8), (5, 14)], 1),  # 1 beside 1: the longer one
        (16, [(10, 18), (15, 20)], 0),  # min(6, 1) beside min(1, 3): the longer one is the first
        (12, [(10, 18), (15, 20)], 0),
    ],
)
def test_the_most_context_is_that_on_the_poorer_side(token, windows, expected):
    assert expected == span_qa._most_context(token, [span_qa.Window(a, b, AT) for a, b in windows])


def test_a_span_of_white_space_alone_is_no_answer():
    """Tokens: `a`, a space, ` b`. The space scores best, then ` b`, whose space is not part of the answer."""
    kept = record([(0, 3)], 3, texts=["a", " ", " b"])

    assert "b" == finished([of_window([0, 9, 5], [0, 9, 5])], kept, max_answer=1)["prediction"]
    assert ("", -np.inf) == (
        (none := finished([of_window([9], [9])], record([(0, 1)], 1, texts=[" "])))["prediction"],
        none["score"],
    )


# --- no answer


@pytest.mark.parametrize(
    ("threshold", "expected"), [(-2.0, "1"), (np.nextafter(-2.0, -3.0), ""), (0.0, "1"), (-3.0, ""), (None, "1")]
)
def test_there_is_no_answer_where_its_margin_is_above_the_threshold(threshold, expected):
    """The null scores 8 and the best span 10, so the margin is -2: equal is not above."""
    own = {} if threshold is None else {"null_threshold": threshold}
    found = finished([of_window([0, 5], [0, 5], null=(4, 4))], record([(0, 2)], 2), **own)

    assert (expected, -2.0, threshold is not None) == (found["prediction"], found["no_answer"], found["may_be_empty"])


def test_no_answer_scores_what_it_does_in_the_window_that_is_surest_of_one():
    scores = [of_window([5, 0, 0], [5, 0, 0], null=null) for null in ((9, 9), (1, 2), (8, 8))]

    assert 3.0 - 10.0 == finished(scores, record([(0, 3), (2, 5), (4, 7)], 7))["no_answer"]


def test_without_a_span_there_is_no_answer():
    """Its margin is above every threshold."""
    found = finished([of_window([9], [9])], record([(0, 1)], 1, texts=[" "]), null_threshold=1000.0)

    assert ("", np.inf) == (found["prediction"], found["no_answer"])


# --- brute force


def _best_of_all(windows, kept, most):
    """Score of the best span, and all texts that have it: every pair of tokens of every window."""
    spans = []
    for number, scores in enumerate(windows):
        first, end, at = kept["windows"][number]
        for a in range(first, end):
            around = [(min(a - f, e - 1 - a), e - f, -n) for n, (f, e, _) in enumerate(kept["windows"]) if f <= a < e]
            if max(around)[2] != -number:
                continue
            for b in range(a, min(end, a + most)):
                score = scores[at + a - first][0] + scores[at + b - first][1]
                spans.append((score, kept["context"][kept["offsets"][a][0] : kept["offsets"][b][1]].strip()))
    score = max(s for s, text in spans if text)
    return score, {text for s, text in spans if s == score and text}


@given(st.data(), st.integers(1, 14), st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_the_answer_is_the_best_of_all_spans_where_all_are_tried(data, size, room, stride, most):
    windows = list(span_qa._parts(size, room, stride))
    number = st.integers(-3, 3)
    texts = data.draw(st.lists(st.sampled_from(["a", " b", "c ", " "]), min_size=size - 1, max_size=size - 1))
    kept = record(windows, size, ["x", *texts])
    scores = [
        of_window(*(data.draw(st.lists(number, min_size=b - a, max_size=b - a)) for _ in "se")) for a, b in windows
    ]

    found = finished(scores, kept, max_answer=most, n_best=100)

    score, best = _best_of_all(scores, kept, most)
    assert score == found["score"]
    assert found["prediction"] in best
