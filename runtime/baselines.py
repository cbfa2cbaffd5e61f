"""Baselines: predictions without a network, learned from the training data of a stage.

`majority` answers what the training data answer most. `bag-of-words` is a logistic regression on counts of the model's
tokens, special ones left out. In multiple choice each sequence, context and choice together, is a candidate that is
right or not, and the likeliest wins. A context adds the same counts to all its choices, which would tell them apart by
nothing; so a second block of features says which tokens occur at all, and a token of the choice weighs less or more
where the context has it too. In tagging a word has the tag that it has most often in the training data, and one that is
not there the most frequent of all. In span QA the majority is the most frequent place of the answer in its window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from runtime.clusters import marked
from runtime.kinds import kinds, span_qa
from runtime.kinds.kind import IGNORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.columns import Columns
    from runtime.kinds.kind import Special

    Scores = NDArray[np.float64]

LABELS, CHOICE, SPANS, TAGGING = "classification", "multiple-choice", "span-qa", "tagging"
Scorer = Callable[["Columns"], list[Any]]  # for each example what its answer comes from, as `predict` takes it


class Task(Struct, frozen=True):
    """What is learned: the kind, and how many labels it declares (0 in multiple choice)."""

    kind: str
    labels: int


def learn(method: str, task: Task, train: Columns, special: Special) -> Scorer:
    """What a method answers once it has seen `train`."""
    return METHODS[method][task.kind](task, train, special)


def predict(task: Task, columns: Columns, scorer: Scorer) -> Any:  # noqa: ANN401
    """An Arrow table of predictions as an evaluation gives it; of equal scores the first answer wins."""
    import pyarrow as pa

    rows, found = columns.rows.tolist(), scorer(columns)
    if (finish := kinds()[task.kind].finish) is not None:
        return marked(pa.table(finish({"row": rows, _FOUND[task.kind]: found}, columns.kept, _ANY_SPAN)), columns)
    choices = {"choices": columns.choices.tolist()} if task.kind == CHOICE else {}
    said = {
        "row": rows,
        "label": columns.labels.tolist(),
        "prediction": [int(s.argmax()) for s in found],
        **choices,
        "scores": [s.tolist() for s in found],
    }
    return marked(pa.table(said), columns)


# --- the most frequent label


def _majority(task: Task, train: Columns, _special: Special) -> Scorer:
    """How often each answer is the right one."""
    counts = np.bincount(train.labels, minlength=task.labels).astype(np.float64)

    def score(columns: Columns) -> list[Scores]:
        answers = columns.choices if task.kind == CHOICE else np.full(len(columns), task.labels)
        padded = np.pad(counts, (0, max(0, int(answers.max(initial=0)) - len(counts))))
        return [padded[:n] for n in answers]

    return score


# --- logistic regression on counts of tokens


def _bag_of_words(task: Task, train: Columns, special: Special) -> Scorer:
    if task.kind == CHOICE:
        choose = _fit(_candidates(train, special), _is_right(train))
        return lambda columns: np.split(choose(_candidates(columns, special))[:, -1], columns.example_starts[1:-1])
    classify = _fit(_counts(train, special), train.labels)

    def score(columns: Columns) -> list[Scores]:
        found, known = classify(_counts(columns, special)), classify.classes
        scores = np.full((len(columns), task.labels), -np.inf)
        scores[:, known] = found
        return list(scores)

    return score


class _Linear(Struct, frozen=True):
    """Decision values (N, classes) of features (N, F); those of classes that the training data lack are not there."""

    classes: NDArray[np.int64]
    weights: NDArray[np.float64]  # (classes, F)
    bias: NDArray[np.float64]

    def __call__(self, features: Any) -> Scores:  # noqa: ANN401
        found: Scores = np.asarray(features @ self.weights.T) + self.bias
        return found


def _fit(features: Any, labels: NDArray[Any]) -> _Linear:  # noqa: ANN401
    """L2, C = 1, on one thread: the same weights each time."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    classes = np.unique(labels)
    if len(classes) == 1:  # nothing to learn, and scikit-learn refuses it
        return _Linear(classes, np.zeros((1, features.shape[1])), np.zeros(1))
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=1.0, solver="lbfgs", tol=1e-4, max_iter=1000).fit(features, labels)
    if len(classes) == 2:  # noqa: PLR2004  (one column: that of the second class)
        return _Linear(classes, np.vstack([np.zeros_like(model.coef_), model.coef_]), np.append(0.0, model.intercept_))
    return _Linear(classes, model.coef_, model.intercept_)


def _is_right(columns: Columns) -> NDArray[np.int64]:
    """(N,) 1 for the sequence of each example's right choice, else 0."""
    right = np.zeros(len(columns.sequence_starts) - 1, dtype=np.int64)
    right[columns.example_starts[:-1] + columns.labels] = 1
    return right


def _candidates(columns: Columns, special: Special) -> Any:  # noqa: ANN401
    """(N, 2V): how often each token stands in a sequence, and whether it does."""
    from scipy.sparse import hstack

    counts = _counts(columns, special)
    return hstack([counts, counts.sign()], format="csr")


def _counts(columns: Columns, special: Special) -> Any:  # noqa: ANN401
    """(N, V): how often each token stands in each sequence; special tokens do not count."""
    from scipy.sparse import csr_array

    sequence = np.repeat(np.arange(len(columns.sequence_starts) - 1), np.diff(columns.sequence_starts))
    kept = ~np.isin(columns.tokens, sorted(special.special))
    at = (sequence[kept], columns.tokens[kept])
    shape = (len(columns.sequence_starts) - 1, special.size)
    return csr_array((np.ones(len(at[0])), at), shape=shape)


# --- words and places


def _most_frequent(values: Iterable[Any]) -> Any:  # noqa: ANN401
    """The value that is there most often, the least of equally frequent ones."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _targets(columns: Columns) -> NDArray[np.int32]:
    if columns.targets is None:
        raise ValueError("tags and spans are told by token")
    return columns.targets


def _words(columns: Columns) -> Iterator[tuple[list[bytes], list[int]]]:
    """The words of each example, by their sub-tokens, and their tags."""
    for starts in pairwise(columns.example_starts):
        words: list[bytes] = []
        tags: list[int] = []
        for start, end in pairwise(columns.sequence_starts[starts[0] : starts[1] + 1]):
            targets = _targets(columns)[start:end]
            at = np.flatnonzero(targets != IGNORED)
            words += [columns.tokens[start + a : start + b].tobytes() for a, b in pairwise([*at, len(targets) - 1])]
            tags += targets[at].tolist()
        yield words, tags


def _one_tag(_task: Task, train: Columns, _special: Special) -> Scorer:
    """The most frequent tag, for every word."""
    label = _most_frequent(tag for _, tags in _words(train) for tag in tags)
    return lambda columns: [[label] * len(tags) for _, tags in _words(columns)]


def _lexicon(_task: Task, train: Columns, _special: Special) -> Scorer:
    """Each word's most frequent tag."""
    pairs = [pair for words, tags in _words(train) for pair in zip(words, tags, strict=True)]
    tags_of: dict[bytes, list[int]] = {}
    for word, tag in pairs:
        tags_of.setdefault(word, []).append(tag)
    known = {word: _most_frequent(tags) for word, tags in tags_of.items()}
    other = _most_frequent(tag for _, tag in pairs)
    return lambda columns: [[known.get(word, other) for word in words] for words, _ in _words(columns)]


_FOUND = {TAGGING: "prediction", SPANS: "scores"}  # what their `finish` takes
_ANY_SPAN = {"n-best": 1, "max-answer": 1_000_000}


def _place(_task: Task, train: Columns, _special: Special) -> Scorer:
    """The tokens of a window where the answer most often starts and ends, those without an answer apart."""
    windows = [_targets(train)[a:b] for a, b in pairwise(train.sequence_starts)]
    spans = [tuple(int((w & bit).argmax()) for bit in span_qa.BITS) for w in windows]
    first, last = _most_frequent([span for span in spans if span != (0, 0)] or spans)

    def score(columns: Columns) -> list[Any]:
        lengths = np.diff(columns.sequence_starts)
        scores = [np.zeros((n, 2), dtype=np.float32) for n in lengths]
        for window in scores:
            window[min(first, len(window) - 1), 0] = window[min(last, len(window) - 1), 1] = 1.0
        return [scores[a:b] for a, b in pairwise(columns.example_starts)]

    return score


_Learn = Callable[[Task, "Columns", "Special"], Scorer]
METHODS: dict[str, dict[str, _Learn]] = {  # by method and kind
    "majority": {LABELS: _majority, CHOICE: _majority, SPANS: _place, TAGGING: _one_tag},
    "bag-of-words": {LABELS: _bag_of_words, CHOICE: _bag_of_words, TAGGING: _lexicon},
}
