"""What items give to a metric: the whole of their sums is the metric, the mean of their pseudo-values too."""

import math
import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import columns, metrics
from runtime.items import answers, pseudo_values
from runtime.kinds import kinds
from runtime.kinds.correlations import spearman_pseudo_values
from runtime.kinds.kind import Items
from runtime.kinds.sums import averaged, ratio, whole_of

pytestmark = pytest.mark.ml

# --- random tables of predictions, by kind; those of retrieval are of rows or of pools

FIRST_ROW = 100


def table(**found):
    """A table as predictions are stored; its rows are not numbered from 0."""
    size = len(next(iter(found.values())))
    return pa.table({"row": range(FIRST_ROW, FIRST_ROW + size), **found})


def of_labels(pairs):
    return table(label=[a for a, _ in pairs], prediction=[b for _, b in pairs], scores=[[0.0] * 4 for _ in pairs])


def of_choices(lines):
    label, prediction, choices = ([int(line[n]) for line in lines] for n in range(3))
    return table(label=label, prediction=prediction, choices=choices)


def of_hidden(pairs):
    return table(hidden=[a for a, _ in pairs], found=[min(pair) for pair in pairs])


def of_numbers(pairs):
    label, prediction = (pa.array([pair[n] for pair in pairs], pa.float64()) for n in (0, 1))
    return table(label=label, prediction=prediction)


def of_rows(lines):
    """Of each row by how many its answer is off (None: it has none), and the similarity."""
    rows = range(FIRST_ROW, FIRST_ROW + len(lines))
    prediction = [-1 if off is None else row + off for row, (off, _) in zip(rows, lines, strict=True)]
    similarity = [math.nan if off is None else score for off, score in lines]
    return table(label=rows, prediction=prediction, similarity=similarity)


def of_pools(lines):
    """Of each pair of a query and a document the similarity (None: not found) and whether it is right."""
    kept = [(*pair, score, right or score is None) for pair, (score, right) in sorted(lines.items())]
    query, document, similarity, gold = zip(*kept, strict=True)
    scores = pa.array([math.nan if s is None else s for s in similarity], pa.float64())
    return pa.table({"query": query, "document": document, "similarity": scores, "gold": gold})


def of_answers(lines):
    prediction, label, language, may_be_empty = zip(*lines, strict=True)
    return table(
        label=pa.array(label, pa.list_(pa.string())),
        prediction=prediction,
        language=language,
        may_be_empty=may_be_empty,
    )


def of_tags(sentences):
    label, prediction = ([[pair[n] for pair in sentence] for sentence in sentences] for n in (0, 1))
    return table(label=label, prediction=prediction)


FEW = st.integers(0, 3)
NUMBERS = st.sampled_from([0.0, 0.2, 0.4, 1.0, 2.5, 3.8, 5.0, -1.0, 0.1, 0.3])
SCORES = st.sampled_from([0.1, 0.5, 0.9])
WORDS = st.lists(st.sampled_from(["a", "the", "red", "cat", "Katze", "中国", "。", "2008"]), max_size=3).map(" ".join)
TAGS = st.one_of(
    st.sampled_from(["O", "B-P", "I-P", "B-L", "I-L"]),
    st.sampled_from(["O", "E-P", "S-P", "I-P", "B", "I-", "B-_", "_", ".", "O-P", "NOUN", "SCONJ", "SYM", "B-P-L"]),
)


def lines(line, least=1):
    return st.lists(line, min_size=least, max_size=20)


LABELS = lines(st.tuples(FEW, FEW)).map(of_labels)
QUESTIONS = lines(
    st.tuples(WORDS, st.lists(WORDS, max_size=2), st.sampled_from(["en", "zh", "de"]), st.booleans())
).map(of_answers)
SENTENCES = lines(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=6)).map(of_tags)
RETRIEVED = lines(st.tuples(st.sampled_from([None, 0, 0, 1]), SCORES)).map(of_rows)
POOLED = st.dictionaries(
    st.tuples(FEW, FEW), st.tuples(st.one_of(st.none(), SCORES), st.booleans()), min_size=1, max_size=16
).map(of_pools)

TABLES = {
    "classification": LABELS,
    "multiple-choice": lines(st.tuples(FEW, FEW, st.integers(4, 5))).map(of_choices),
    "masked-lm": lines(st.tuples(FEW, FEW)).map(of_hidden),
    "regression": lines(st.tuples(NUMBERS, NUMBERS)).map(of_numbers),
    "retrieval": RETRIEVED,
    "span-qa": QUESTIONS,
    "tagging": SENTENCES,
}
SINGLE = [(name, metric, TABLES[name]) for name, kind in kinds().items() for metric in kind.items]
CASES = [*SINGLE, *(("retrieval", metric, POOLED) for metric in ("accuracy", "f1"))]


def parametrized(cases):
    names = ["-".join(("pools" if tables is POOLED else kind, metric)) for kind, metric, tables in cases]
    return pytest.mark.parametrize(("kind", "metric", "tables"), cases, ids=names)


every_metric = parametrized(CASES)


def value(kind, metric, found):
    return kinds()[kind].metrics[metric](found).value


def told(kind, metric, found):
    """The items, the metric of their sums, and their pseudo-values, without a warning."""
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        items = kinds()[kind].items[metric](found)
        return items, whole_of(items), pseudo_values(items)


# --- laws


@every_metric
@settings(max_examples=60)
@given(data=st.data())
def test_the_whole_of_the_sums_and_the_mean_of_pseudo_values_are_the_metric(kind, metric, tables, data):
    found = data.draw(tables)
    expected = value(kind, metric, found)
    items, whole, pseudo = told(kind, metric, found)

    assert pytest.approx(expected, abs=1e-12) == whole
    assert items.rows.shape == pseudo.shape == items.sums.shape[:1]
    assert np.int64 == items.rows.dtype
    if len(pseudo):
        assert pytest.approx(expected, abs=1e-9) == pseudo.mean()


@every_metric
@settings(max_examples=30)
@given(data=st.data())
def test_the_whole_of_many_sums_is_that_of_each(kind, metric, tables, data):
    items, _, _ = told(kind, metric, data.draw(tables))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    sums = random.dirichlet(np.ones(len(items.rows) or 1), size=(3, 2))[..., : len(items.rows)] @ items.sums

    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        found = items.whole(sums)
    assert (3, 2) == found.shape
    np.testing.assert_allclose([[items.whole(one) for one in some] for some in sums], found, atol=1e-12)


@parametrized([case for case in SINGLE if case[1] != "spearman"])
@settings(max_examples=30)
@given(data=st.data())
def test_the_whole_of_a_resamples_sums_is_the_metric_of_the_resample(kind, metric, tables, data):
    """Also of one that is degenerate, as one that lacks a label. Not of ranks, which a resample changes."""
    found = data.draw(tables)
    drawn = data.draw(st.lists(st.integers(0, found.num_rows - 1), min_size=1, max_size=20))
    items, _, _ = told(kind, metric, found)

    expected = value(kind, metric, found.take(drawn))
    assert pytest.approx(expected, abs=1e-9) == items.whole(items.sums[drawn].sum(axis=0))


# --- pseudo-values beside a delete-one jackknife


def noisy(random, size, classes, share):
    label = random.integers(0, classes, size)
    return label, np.where(random.random(size) < share, random.integers(0, classes, size), label)


def sampled(kind, random, size=70):
    """A table with what an encoder would say that is right most of the time."""
    label, prediction = noisy(random, size, 4, 0.5)
    pairs = list(zip(label.tolist(), prediction.tolist(), strict=True))
    match kind:
        case "classification":
            return of_labels(pairs)
        case "multiple-choice":
            return of_choices([(*pair, 4) for pair in pairs])
        case "masked-lm":
            return of_hidden([(4 + a, 2 + b) for a, b in pairs])
        case "regression":
            one, other = random.normal(size=(2, 3 * size)).round(1)
            return of_numbers(list(zip(one, (one + other).round(1), strict=True)))
        case "retrieval":
            return of_rows([(None if b == 3 and a != 3 else int(a != b), 0.5) for a, b in pairs])
        case "pools":
            found = [0.5 if n else None for n in random.integers(0, 3, 2 * size)]
            right = random.random(2 * size) < 0.6
            keys = [(n // 2, n) for n in range(2 * size)]
            return of_pools(dict(zip(keys, zip(found, right.tolist(), strict=True), strict=True)))
        case "span-qa":
            texts = ["cat", "red cat", "red dog", "中国"]
            return of_answers([(texts[b], [texts[a]], "en", False) for a, b in pairs])
    tags = ["O", "B-P", "I-P", "B-L"]
    drawn = [noisy(random, random.integers(3, 9), 4, 0.4) for _ in range(size)]
    return of_tags([[(tags[a], tags[b]) for a, b in zip(*pair, strict=True)] for pair in drawn])


@pytest.mark.parametrize("seed", [1, 2])
@every_metric
def test_pseudo_values_are_nearly_those_of_a_delete_one_jackknife(kind, metric, tables, seed):
    found = sampled("pools" if tables is POOLED else kind, np.random.default_rng(seed))
    items, whole, pseudo = told(kind, metric, found)
    by = np.asarray(found["query" if tables is POOLED else "row"])
    size = len(items.rows)
    without = np.array([value(kind, metric, found.filter(pa.array(by != row))) for row in items.rows])

    jackknife = size * whole - (size - 1) * without
    assert 0 < pseudo.std()
    assert pytest.approx(jackknife.var(ddof=1), rel=0.1) == pseudo.var(ddof=1)
    assert 0.995 < np.corrcoef(jackknife, pseudo)[0, 1]


def weighted_spearman(one, other, weights):
    """Rho of a distribution on the pairs: the correlation of P(X < x) + P(X = x) / 2 and of the same of Y."""
    u, v = (
        np.array([weights[side < x].sum() + weights[side == x].sum() / 2 for x in side]) - 0.5 for side in (one, other)
    )
    return (weights * u * v).sum() / math.sqrt((weights * u * u).sum() * (weights * v * v).sum())


@given(lines(st.tuples(NUMBERS, NUMBERS), least=4), st.integers(0, 1000))
def test_of_spearman_they_are_derivatives_at_each_item(pairs, at):
    """By central differences of rho of the distribution with a little more, and a little less, of one item."""
    one, other = np.array(pairs).T
    if len(set(one)) == 1 or len(set(other)) == 1:
        return
    size, step = len(pairs), 1e-5
    point = np.eye(size)[at % size]
    uniform = np.full(size, 1 / size)
    ends = [weighted_spearman(one, other, uniform + e * (point - uniform)) for e in (step, -step)]
    expected = weighted_spearman(one, other, uniform) + (ends[0] - ends[1]) / (2 * step)

    assert pytest.approx(expected, abs=1e-5) == spearman_pseudo_values(one, other)[at % size]


def test_of_spearman_they_are_those_of_croux_and_dehon():
    """-3 rho - 9 + 12 (F(x) G(y) + E[F(X) 1(Y >= y)] + E[G(Y) 1(X >= x)]), to the grain of a sample."""
    one, other = np.random.default_rng(3).normal(size=(2, 400))
    other += one
    f, g = ((side[:, None] > side[None]).mean(axis=1) for side in (one, other))
    rho = np.corrcoef(f, g)[0, 1]
    moved = [(f[None] * (other[None] >= other[:, None])).mean(1), (g[None] * (one[None] >= one[:, None])).mean(1)]
    theirs = -3 * rho - 9 + 12 * (f * g + moved[0] + moved[1])

    np.testing.assert_allclose(rho + theirs, spearman_pseudo_values(one, other), atol=0.05)


def test_of_a_mean_they_are_the_values_to_the_last_bit():
    values = np.array([0.1, 0.7, 1 / 3])

    assert values.tolist() == pseudo_values(averaged(np.arange(3), values)).tolist()


def test_of_a_share_they_tell_large_items_from_small_ones():
    """4 of 6: 2/3 + 2 (4 - 2/3 5) / 6 and 2/3 + 2 (0 - 2/3) / 6."""
    items = Items(np.arange(2), np.array([[4.0, 5.0], [0.0, 1.0]]), ratio)

    assert pytest.approx([8 / 9, 4 / 9]) == pseudo_values(items)


# --- where a metric is not defined


@pytest.mark.parametrize(
    ("kind", "metric", "found", "expected"),
    [
        ("classification", "macro-f1", of_labels([(1, 1)] * 3), 1.0),
        ("classification", "macro-f1", of_labels([(1, 2)] * 3), 0.0),
        ("classification", "mcc", of_labels([(1, 1)] * 3), 0.0),
        ("classification", "mcc", of_labels([(0, 1), (2, 1), (1, 1)]), 0.0),
        ("classification", "mcc", of_labels([(2, 0), (2, 1)]), 0.0),
        ("classification", "accuracy", of_labels([(0, 1)]), 0.0),
        ("masked-lm", "accuracy", of_hidden([(0, 0), (0, 0)]), 0.0),
        ("regression", "pearson", of_numbers([(1, 0.1), (2, 0.1), (3, 0.1)]), 0.0),
        ("regression", "spearman", of_numbers([(1, 0.1), (2, 0.1), (3, 0.1)]), 0.0),
        ("regression", "pearson", of_numbers([(1, 2)]), 0.0),
        ("regression", "spearman", of_numbers([(1, 2)]), 0.0),
        ("regression", "pearson", of_numbers([(1e9 + 1, 1), (1e9 + 2, 2), (1e9 + 3, 3)]), 1.0),
        ("regression", "pearson", of_numbers([(1e200, 1), (2e200, 2)]), 1.0),
        ("retrieval", "f1", of_rows([(None, 0), (None, 0)]), 0.0),
        ("retrieval", "accuracy", of_rows([(None, 0), (None, 0)]), 0.0),
        ("retrieval", "f1", of_pools({(0, 1): (0.5, False)}), 0.0),
        ("retrieval", "accuracy", of_pools({(0, 1): (0.5, False)}), 0.0),
        ("retrieval", "f1", of_pools({(0, 1): (None, True)}), 0.0),
        ("span-qa", "f1", of_answers([("", [], "en", True)]), 1.0),
        ("span-qa", "f1", of_answers([("", ["cat"], "en", False)]), 0.0),
        ("span-qa", "mlqa-em", of_answers([("。", ["."], "zh", False)]), 1.0),
        ("tagging", "f1", of_tags([[("O", "O")]]), 0.0),
        ("tagging", "f1", of_tags([[("O", "B-P")]]), 0.0),
        ("tagging", "f1", of_tags([[("B-P", "O")]]), 0.0),
    ],
)
def test_where_nothing_is_there_or_all_is_one_they_give_what_the_metric_gives(kind, metric, found, expected):
    _, whole, pseudo = told(kind, metric, found)

    assert pytest.approx(expected, abs=1e-12) == value(kind, metric, found)
    assert pytest.approx(expected, abs=1e-12) == whole
    assert not np.isnan(pseudo).any()
    assert 0 == len(pseudo) or pytest.approx(expected, abs=1e-9) == pseudo.mean()


@pytest.mark.parametrize("metric", ["pearson", "spearman"])
def test_predictions_that_are_no_numbers_have_no_correlation(metric):
    _, whole, pseudo = told("regression", metric, of_numbers([(1, math.nan), (2, 1), (3, 5)]))

    assert (0.0, [0.0] * 3) == (whole, pseudo.tolist())


# --- by kind, by hand


def test_spans_of_a_sentence_are_counted_there():
    """A span ends with its sentence; half a span is none, nor is one of another type."""
    sentences = [
        [("B-P", "B-P"), ("I-P", "I-P"), ("O", "I-P")],
        [("I-P", "I-L"), ("B-P", "B-P")],
        [("S-P", "I-P"), ("E-L", "E-L")],
    ]
    items, _, _ = told("tagging", "f1", of_tags(sentences))

    assert [[0, 1, 1], [1, 2, 2], [2, 2, 2]] == items.sums.tolist()
    assert [100, 101, 102] == items.rows.tolist()


def test_words_of_a_sentence_are_counted_there():
    items, _, _ = told("tagging", "accuracy", of_tags([[("A", "A"), ("B", "A")], [("A", "A")]]))

    assert [[1, 2], [1, 1]] == items.sums.tolist()


def test_an_item_of_pools_is_a_query_with_all_its_pairs():
    found = of_pools({(3, 0): (0.5, True), (3, 1): (None, True), (5, 2): (0.9, False), (7, 4): (None, True)})
    f1, _, _ = told("retrieval", "f1", found)
    accuracy, _, _ = told("retrieval", "accuracy", found)

    assert ([3, 5, 7], [[1, 1, 2], [0, 1, 0], [0, 0, 1]]) == (f1.rows.tolist(), f1.sums.tolist())
    assert ([3, 7], [1, 0]) == (accuracy.rows.tolist(), accuracy.sums[:, 0].tolist())


def test_contributions_do_not_depend_on_which_labels_occur():
    items = [told("classification", metric, of_labels([(0, 0)]))[0] for metric in ("macro-f1", "mcc")]

    assert [(1, 12), (1, 9)] == [found.sums.shape for found in items]


# --- read from a folder


def written(folder, found):
    columns.write_table(folder / metrics.PREDICTIONS, found)
    return folder


@every_metric
def test_items_are_read_as_a_score_is(tmp_path, kind, metric, tables):
    found = sampled("pools" if tables is POOLED else kind, np.random.default_rng(4), 30)
    folder = written(tmp_path, found)

    items = metrics.items(kind, metric, metrics.predicted(folder))
    assert pytest.approx(metrics.score(kind, metric, folder).value, abs=1e-12) == whole_of(items)
    assert len(items.rows) == len(set(items.rows))


@pytest.mark.parametrize(
    "found",
    [
        of_rows([(0, 0.9), (0, 0.1), (1, 0.9), (None, 0)]),
        of_pools({(0, 0): (0.9, True), (1, 1): (0.1, True), (2, 2): (0.9, False), (3, 3): (None, True)}),
    ],
)
def test_what_is_below_a_threshold_is_not_found_and_stays_an_item(tmp_path, found):
    folder = written(tmp_path, found)
    items = metrics.items("retrieval", "f1", metrics.predicted(folder), 0.5)

    assert [1, 0, 0, 0] == items.sums[:, 0].tolist()
    assert [1, 0, 1, 0] == items.sums[:, 1].tolist()
    assert metrics.score("retrieval", "f1", folder, threshold=0.5).value == pytest.approx(whole_of(items), abs=1e-12)


# --- answers


def test_answers_are_labels_predictions_and_how_many_classes_there_are():
    label, prediction, classes = answers("classification", of_labels([(0, 1), (2, 1)]))

    assert ([0, 2], [1, 1], 4) == (label.tolist(), prediction.tolist(), classes)
    label, prediction, classes = answers("multiple-choice", of_choices([(0, 1, 2), (2, 1, 3)]))
    assert ([0, 2], [1, 1], 3) == (label.tolist(), prediction.tolist(), classes)


@pytest.mark.parametrize("kind", sorted({*TABLES} - {"classification", "multiple-choice"}))
def test_other_kinds_have_no_classes(kind):
    assert answers(kind, sampled(kind, np.random.default_rng(1), 3)) is None
