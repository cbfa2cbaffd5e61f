"""Baselines: predictions without a network, learned from the training data of a stage.

`majority` answers what the training data answer most. `bag-of-words` is a logistic regression on counts of the model's
tokens, special ones left out. In multiple choice each sequence, context and choice together, is a candidate that is
right or not, and the likeliest wins. A context adds the same counts to all its choices, which would tell them apart by
nothing; so a second block of features says which tokens occur at all, and a token of the choice weighs less or more
where the context has it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.columns import Columns
    from runtime.kinds.kind import Special

    Scores = NDArray[np.float64]

CHOICE = "multiple-choice"
Scorer = Callable[["Columns"], list["Scores"]]  # for each example the score of each of its answers


class Task(Struct, frozen=True):
    """What is learned: the kind, and how many labels it declares (0 in multiple choice)."""

    kind: str
    labels: int


def learn(method: str, task: Task, train: Columns, special: Special) -> Scorer:
    """The scores that a method gives once it has seen `train`."""
    return METHODS[method](task, train, special)


def predict(task: Task, columns: Columns, scorer: Scorer) -> Any:  # noqa: ANN401
    """An Arrow table of predictions as an evaluation gives it; of equal scores the first answer wins."""
    import pyarrow as pa

    scores = scorer(columns)
    choices = {"choices": columns.choices.tolist()} if task.kind == CHOICE else {}
    return pa.table(
        {
            "row": columns.rows.tolist(),
            "label": columns.labels.tolist(),
            "prediction": [int(s.argmax()) for s in scores],
            **choices,
            "scores": [s.tolist() for s in scores],
        }
    )


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


METHODS: dict[str, Callable[[Task, Columns, Special], Scorer]] = {
    "majority": _majority,
    "bag-of-words": _bag_of_words,
}
