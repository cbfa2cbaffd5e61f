"""Baselines without a network: what they answer is what a hand computes from the labels and the tokens."""

import math

import pyarrow as pa
import pytest

from runtime import columns
from runtime.baselines import Task, learn, predict
from runtime.kinds import kinds
from runtime.kinds.kind import Special

SPECIAL = Special(pad=0, mask=None, size=20, special=frozenset((0, 1, 2)))
CHOICE, LABELS = Task("multiple-choice", 0), Task("classification", 3)
W = 0.4010581375  # the root of w = 1 / (1 + e^w)


@pytest.fixture
def data(tmp_path):
    """(sequences, label) of each example, as a data node holds them; each sequence between two special tokens."""

    def made(*examples):
        rows = []
        for row, (sequences, label) in enumerate(examples):
            framed = tuple([1, *sequence, 2] for sequence in sequences)
            rows.append(columns.Example(row, framed, tuple([0] * len(s) for s in framed), label))
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        columns.write(folder, rows)
        return columns.read(folder)

    return made


def answers(method, task, train, test):
    table = predict(task, test, learn(method, task, train, SPECIAL))
    return table.column("prediction").to_pylist(), table.column("scores").to_pylist()


def choices(number, label):
    return ([[5]] * number, label)


def test_the_majority_of_a_choice_is_the_index_that_is_right_most_often(data):
    train = data(choices(3, 0), choices(3, 2), choices(3, 2), choices(2, 1))
    test = data(choices(3, 1), choices(2, 1), choices(4, 0))

    assert ([2, 0, 2], [[1, 1, 2], [1, 1], [1, 1, 2, 0]]) == answers("majority", CHOICE, train, test)


def test_of_equally_frequent_labels_the_lowest_wins(data):
    train = data(choices(2, 1), choices(2, 0))

    assert [0] == answers("majority", CHOICE, train, data(choices(2, 1)))[0]


def test_the_majority_of_labels_counts_those_that_never_stand(data):
    train = data(([[5]], 1), ([[6]], 1), ([[7]], 0))

    assert ([1, 1], [[1, 2, 0]] * 2) == answers("majority", LABELS, train, data(([[5]], 2), ([[7]], 0)))


def test_the_weights_of_words_are_those_of_the_regression(data):
    """Two texts of one word: by symmetry the weights are -w and w and the bias 0, and w² + 2 log(1 + e^-w) is least."""
    train = data(([[5]], 0), ([[6]], 1))
    test = data(([[6]], 1), ([[5, 5]], 0), ([[5, 6, 6, 6]], 1), ([[9]], 0))

    found, scores = answers("bag-of-words", Task("classification", 2), train, test)

    assert [1, 0, 1] == found[:3]
    assert W == pytest.approx(1 / (1 + math.exp(W)))
    assert [W, -2 * W, 2 * W, 0] == pytest.approx([s[1] - s[0] for s in scores], abs=1e-4)


def test_a_label_that_the_training_data_lack_is_never_answered(data):
    train = data(([[5]], 0), ([[6]], 2), ([[5]], 0), ([[6]], 2))

    found, scores = answers("bag-of-words", LABELS, train, data(([[5]], 1), ([[6]], 1)))

    assert [0, 2] == found
    assert [-math.inf, -math.inf] == [s[1] for s in scores]


def test_three_labels_each_have_a_score(data):
    train = data(*(([[5 + label]], label) for label in (0, 1, 2) for _ in range(3)))

    found, scores = answers("bag-of-words", LABELS, train, data(*(([[5 + n]], 0) for n in (2, 0, 1))))

    assert [2, 0, 1] == found
    assert all(sum(s) == pytest.approx(0, abs=1e-4) for s in scores)


@pytest.mark.parametrize("method", ["majority", "bag-of-words"])
def test_training_data_of_one_label_answer_it(data, method):
    train = data(([[5]], 1), ([[6]], 1))

    assert [1, 1] == answers(method, LABELS, train, data(([[5]], 0), ([[9]], 0)))[0]


def test_the_choice_with_the_likeliest_words_wins(data):
    train = data(([[8, 5], [8, 6]], 0), ([[8, 6], [8, 5]], 1), ([[8, 5], [8, 6]], 0))
    test = data(([[8, 6], [8, 5], [8, 6]], 0), ([[8, 5], [8, 6]], 0), ([[9], [9]], 1))

    found, scores = answers("bag-of-words", CHOICE, train, test)

    assert [1, 0, 0] == found
    assert [3, 2, 2] == [len(s) for s in scores]


def test_the_context_can_matter(data):
    """Each word is right as often as wrong; right is the choice whose word the context has too."""
    train = data(([[5, 5], [5, 6]], 0), ([[6, 6], [6, 5]], 0), ([[5, 6], [5, 5]], 1), ([[6, 5], [6, 6]], 1))

    assert [1, 0] == answers("bag-of-words", CHOICE, train, data(([[6, 5], [6, 6]], 0), ([[5, 5], [5, 6]], 0)))[0]


def test_special_tokens_say_nothing(data):
    train, test = data(([[0, 5]], 0), ([[6]], 1)), data(([[0]], 1))

    assert [[0, pytest.approx(0, abs=1e-9)]] == answers("bag-of-words", Task("classification", 2), train, test)[1]


@pytest.mark.parametrize("method", ["majority", "bag-of-words"])
@pytest.mark.parametrize(("task", "two"), [(CHOICE, [[5], [6]]), (LABELS, [[5, 6]])])
def test_the_table_is_that_of_an_evaluation(data, method, task, two):
    train = data((two, 0), (two, 1), (two, 1))
    table = predict(task, train, learn(method, task, train, SPECIAL))

    sorts = {"row": pa.int64(), "label": pa.int64(), "prediction": pa.int64(), "scores": pa.list_(pa.float64())}
    sorts |= {"choices": pa.int64()} if task is CHOICE else {}
    assert sorts == {field.name: field.type for field in table.schema}
    assert table.equals(predict(task, train, learn(method, task, train, SPECIAL)))
    measured = kinds()[task.kind].metrics["accuracy"](table)
    assert (3, 1 / (2 if task is CHOICE else 3)) == (measured.n, pytest.approx(measured.chance))


# --- words and places

TAGS, SPANS = Task("tagging", 3), Task("span-qa", 0)
NAMES = {"labels": ["N", "V", "X"]}
NONE = -100


@pytest.fixture
def tagged(tmp_path):
    """Words with their tags; a word is a list of sub-tokens, and a sentence one sequence or several."""

    def made(*sentences):
        rows = []
        for row, parts in enumerate(sentences):
            sequences = tuple([1, *(piece for word, _ in part for piece in word), 2] for part in parts)
            targets = tuple(
                [NONE, *(t for word, tag in part for t in (tag, *[NONE] * (len(word) - 1))), NONE] for part in parts
            )
            tags = {"tags": [NAMES["labels"][tag] for part in parts for _, tag in part]}
            segments = tuple([0] * len(s) for s in sequences)
            rows.append(columns.Example(row, sequences, segments, -1, targets, tags))
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        columns.write(folder, rows, NAMES)
        return columns.read(folder)

    return made


def tags_of(method, train, test):
    return predict(TAGS, test, learn(method, TAGS, train, SPECIAL)).column("prediction").to_pylist()


def test_a_word_has_the_tag_that_it_has_most_often_and_an_unknown_one_the_most_frequent(tagged):
    """`5 6` is V twice and N once; `5` alone is another word; N stands five times of nine."""
    train = tagged(
        [[([5, 6], 1), ([7], 0), ([7], 0)]], [[([5, 6], 1), ([5, 6], 0)], [([8], 0), ([8], 2)]], [[([5], 2), ([7], 0)]]
    )
    test = tagged([[([5, 6], 0), ([5], 0), ([9], 1)], [([7], 1)]])

    assert [["V", "X", "N", "N"]] == tags_of("bag-of-words", train, test)
    assert [["N"] * 4] == tags_of("majority", train, test)


def test_of_equally_frequent_tags_the_first_wins(tagged):
    train = tagged([[([5], 2), ([5], 1), ([6], 1), ([6], 2)]])

    assert [["V", "V"]] == tags_of("bag-of-words", train, tagged([[([5], 0), ([9], 0)]]))


def spans(folder, answers):
    """Questions whose context is `a b c d` behind one token of question; an answer is its first and last letter."""
    offsets = [[2 * n, 2 * n + 1] for n in range(4)]
    rows = []
    for row, answer in enumerate(answers):
        targets = [0] * 8
        first, last = (answer[0] + 3, answer[1] + 3) if answer else (0, 0)
        targets[first] |= 1
        targets[last] |= 2
        kept = {"context": "a b c d", "answers": ["a"], "offsets": offsets, "windows": [[0, 4, 3]]}
        rows.append(columns.Example(row, ([1, 5, 2, 6, 7, 8, 9, 2],), ([0] * 8,), -1, (targets,), kept))
    folder.mkdir()
    columns.write(folder, rows, {"language": "en"})
    return columns.read(folder)


def test_the_majority_of_spans_is_the_most_frequent_place_of_an_answer(tmp_path):
    """`b c` twice, `a` once, and three questions without an answer, which are no place."""
    train = spans(tmp_path / "train", [(1, 2), (0, 0), (1, 2), None, None, None])
    test = spans(tmp_path / "test", [(3, 3), (0, 0)])
    table = predict(SPANS, test, learn("majority", SPANS, train, SPECIAL))

    assert ["b c", "b c"] == table.column("prediction").to_pylist()
    assert 0.0 == kinds()["span-qa"].metrics["em"](table).value
