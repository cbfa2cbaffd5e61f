"""Regression: values as data write them, the squared error, correlations beside their definitions."""

import math

import pyarrow as pa
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from runtime import columns, evaluation, models, training
from runtime.errors import BadInput
from runtime.kinds import regression
from runtime.kinds.kind import Batch, Coding, Measured
from tests.bases import weights_node
from tests.plans import train
from tests.words import WORDS

pytestmark = pytest.mark.ml

PEARSON, SPEARMAN = (regression.KIND.metrics[name] for name in ("pearson", "spearman"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return weights_node(tmp_path_factory)


@pytest.fixture(scope="module")
def tokenizer(base):
    return models.load_tokenizer(base)


def encoded(tokenizer, value, **texts):
    return regression.encode({"text": WORDS[0], **texts, "value": value}, Coding(tokenizer, 32))


# --- values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.5, 2.5),
        (3, 3.0),
        ("2.5", 2.5),
        (" 0.30 ", 0.3),
        (-1, -1.0),  # a number like others, and no sign of a label that is not known
        ("-1", -1.0),
        ("+1e-2", 0.01),
        (".5", 0.5),
        ("5.", 5.0),
        (0, 0.0),
        (0.0, 0.0),
    ],
)
def test_a_value_is_a_number_or_writes_one_out(tokenizer, value, expected):
    assert expected == encoded(tokenizer, value).label


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_null_and_an_empty_text_are_no_value(tokenizer, value):
    assert encoded(tokenizer, value).label is None


@pytest.mark.parametrize(
    "value",
    ["high", "1,5", "0x10", "1_000", "nan", "inf", math.nan, math.inf, "1e999", True, False, [1.0], "١", "1 2", "."],
)
def test_what_is_no_number_is_told(tokenizer, value):
    with pytest.raises(BadInput, match="`value` is ") as caught:
        encoded(tokenizer, value)

    assert ("it must be a number", "input.value") == (caught.value.hint, caught.value.field)


def test_a_pair_is_encoded_as_for_classification(tokenizer):
    one, other = (tokenizer.token_to_id(f"▁{w}") for w in WORDS[:2])

    assert ([0, one, 2, 2, other, 2],) == encoded(tokenizer, 1.0, pair=WORDS[1]).sequences
    assert ([0, one, 2],) == encoded(tokenizer, 1.0).sequences


# --- loss and predictions


def test_the_loss_is_the_sum_of_squared_errors():
    """Scores 1, -2 and 0.5 beside values 0, 1 and 0.5: 1 + 9 + 0."""
    ones = torch.ones(3, 1, dtype=torch.long)
    values = torch.tensor([0.0, 1.0, 0.5])
    batch = Batch(ones, ones, ones, ones[:, 0], values, torch.arange(3) + 4)

    def head(hidden):
        return hidden[:, 0, :1]

    hidden = torch.tensor([[[1.0, 7.0]], [[-2.0, 7.0]], [[0.5, 7.0]]])
    assert 10.0 == regression.loss(head, hidden, batch).item()
    assert {"row": [4, 5, 6], "label": [0.0, 1.0, 0.5], "prediction": [1.0, -2.0, 0.5]} == (
        regression.predict(head, hidden, batch)
    )


def test_values_come_whole_from_the_data_to_the_predictions(base, tokenizer, tmp_path):
    """Also where they are whole numbers: they are no labels."""
    found = [encoded(tokenizer, value, text=text) for value, text in ((3, "a"), (-1, "a b c"), (2.5, "a b"))]
    columns.write(tmp_path, [columns.Example(n, e.sequences, e.segments, e.label) for n, e in enumerate(found)])
    network = training.start(train("0" * 64, kind="regression"), base, {})
    special = models.read_special(base, network.encoder.config)

    data = columns.read(tmp_path)
    table = evaluation.predict(network, data, special, device="cpu", precision="fp32", mask=None)
    assert ([0, 1, 2], [3.0, -1.0, 2.5]) == (table["row"].to_pylist(), table["label"].to_pylist())
    assert 3 == len(set(table["prediction"].to_pylist()))


# --- metrics


def table(values, predictions):
    return pa.table({"label": pa.array(values, pa.float64()), "prediction": pa.array(predictions, pa.float64())})


def test_pearson_by_hand():
    """Deviations -1, 0, 1 and -7/3, -4/3, 11/3: 6 / sqrt(2 * 62/3)."""
    found = PEARSON(table([1, 2, 3], [1, 2, 7]))

    assert Measured(pytest.approx(6 / math.sqrt(2 * 62 / 3), abs=1e-15), 3, 0.0) == found


def test_spearman_by_hand():
    """Ranks 1, 2, 3, 4 and 1, 3.5, 2, 3.5: deviations give 3 / sqrt(5 * 4.5)."""
    found = SPEARMAN(table([1, 2, 3, 400], [0, 8, 7, 8]))

    assert Measured(pytest.approx(3 / math.sqrt(5 * 4.5), abs=1e-15), 4, 0.0) == found


def test_spearman_sees_the_order_alone_and_pearson_the_line():
    found = table([1, 2, 3, 4], [1, 10, 100, 1000])

    assert (1.0, True) == (pytest.approx(SPEARMAN(found).value), PEARSON(found).value < 0.9)
    reversed_ = table([1, 2, 3], [-2, -4, -6])
    assert [pytest.approx(-1.0)] * 2 == [SPEARMAN(reversed_).value, PEARSON(reversed_).value]


@pytest.mark.parametrize("metric", [PEARSON, SPEARMAN])
@pytest.mark.parametrize(
    ("values", "predictions"), [([1, 2, 3], [2, 2, 2]), ([2, 2, 2], [1, 2, 3]), ([0.1] * 3, [0.1] * 3), ([1], [1])]
)
def test_a_side_that_is_constant_has_no_correlation(metric, values, predictions):
    assert Measured(0.0, len(values), 0.0) == metric(table(values, predictions))


def _pearson(xs, ys):
    x, y = (math.fsum(v) / len(v) for v in (xs, ys))
    both = math.fsum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return both / math.sqrt(math.fsum((a - x) ** 2 for a in xs) * math.fsum((b - y) ** 2 for b in ys))


def _ranks(values):
    """Of equal ones the mean of the places that they take in order."""
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


NUMBERS = st.sampled_from([0.0, 0.2, 0.4, 1.0, 2.5, 3.8, 5.0, -1.0])


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=12))
def test_correlations_are_those_of_their_definitions(rows):
    values, predictions = ([row[n] for row in rows] for n in (0, 1))
    assume(len(set(values)) > 1 and len(set(predictions)) > 1)
    found = table(values, predictions)

    assert pytest.approx(_pearson(values, predictions), abs=1e-12) == PEARSON(found).value
    ranks = _pearson(_ranks(values), _ranks(predictions))
    assert pytest.approx(ranks, abs=1e-12) == SPEARMAN(found).value
