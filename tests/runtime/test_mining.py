"""Mining: neighbours, margins and directions, by hand, beside a naive implementation and beside FAISS."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.kinds import mining

pytestmark = pytest.mark.ml

DIRECTIONS = ("forward", "backward", "intersection", "max")

# Vectors whose cosines are the products here: entries of ±1/2 have length 1, and products without rounding.
CORNERS = st.lists(st.sampled_from([-0.5, 0.5]), min_size=4, max_size=4)


def vectors(rows):
    return np.array(rows, dtype=np.float32)


def unit(random, count, width=5):
    found = random.normal(size=(count, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


# --- neighbours


def test_neighbours_are_the_nearest_first():
    documents = vectors([[0.6, 0.8], [1, 0], [-1, 0], [0.8, 0.6]])
    nearest, cosine = mining.neighbours(vectors([[1, 0], [0, 1]]), documents, 3)

    assert [[1, 3, 0], [0, 3, 1]] == nearest.tolist()
    np.testing.assert_allclose([[1, 0.8, 0.6], [0.8, 0.6, 0]], cosine, atol=1e-7)


def test_there_are_no_more_neighbours_than_others():
    assert [[1, 0]] == mining.neighbours(vectors([[1, 0]]), vectors([[0, 1], [1, 0]]), 4)[0].tolist()


@settings(max_examples=200)
@given(st.lists(CORNERS, min_size=1, max_size=40), st.lists(CORNERS, min_size=1, max_size=3), st.integers(1, 6))
def test_of_equally_near_ones_the_first_are_neighbours(documents, queries, k):
    """Also where more are equally near than there is room for."""
    documents, queries = vectors(documents), vectors(queries)
    nearest, cosine = mining.neighbours(queries, documents, k)

    products = [[float(np.dot(q, d)) for d in documents] for q in queries]
    order = [sorted(range(len(documents)), key=lambda n, row=row: (-row[n], n))[:k] for row in products]
    assert order == nearest.tolist()
    assert [[row[n] for n in chosen] for row, chosen in zip(products, order, strict=True)] == cosine.tolist()


@pytest.mark.parametrize("at_once", [1, 3, 1024])
@pytest.mark.parametrize("k", [1, 4])
def test_neighbours_are_those_of_faiss(monkeypatch, k, at_once):
    faiss = pytest.importorskip("faiss")
    monkeypatch.setattr(mining, "_AT_ONCE", at_once)
    random = np.random.default_rng(5)
    queries, documents = unit(random, 40), unit(random, 60)
    index = faiss.IndexFlatIP(5)
    index.add(documents)
    theirs = index.search(queries, k)

    nearest, cosine = mining.neighbours(queries, documents, k)
    assert theirs[1].tolist() == nearest.tolist()
    np.testing.assert_allclose(theirs[0], cosine, atol=1e-6)


# --- margins, by hand

# Cosines of three queries and three documents, which no vectors need to have: they are given in the place of products.
COSINES = [
    [0.9, 0.8, 0.1],
    [0.7, 0.6, 0.2],
    [0.8, 0.1, 0.3],
]


@pytest.fixture
def mined(monkeypatch):
    """What is mined where a query's cosine with a document is its entry: vectors are taken as they are."""
    monkeypatch.setattr(mining, "_unit", lambda vectors: vectors)

    def found(cosines, direction, k=0):
        return mining.pairs(np.eye(len(cosines)), np.array(cosines).T, {"match": direction, "k": k})

    return found


def pairs_and_scores(found):
    return [(q, d, pytest.approx(score, abs=1e-6)) for q, d, score in found]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("forward", [(0, 0, 0.9), (1, 0, 0.7), (2, 0, 0.8)]),
        ("backward", [(0, 0, 0.9), (0, 1, 0.8), (2, 2, 0.3)]),
        ("intersection", [(0, 0, 0.9)]),
        ("max", [(0, 0, 0.9), (2, 2, 0.3)]),  # (0, 1), (2, 0) and (1, 0) have a half that is taken
    ],
)
def test_directions_by_cosine(mined, direction, expected):
    assert pairs_and_scores(expected) == mined(COSINES, direction)


# With k = 2 the means of neighbours are 0.85, 0.65, 0.55 of the queries, and 0.85, 0.7, 0.25 of the documents.
MARGINS = {
    (0, 0): 0.9 / ((0.85 + 0.85) / 2),
    (0, 1): 0.8 / ((0.85 + 0.7) / 2),
    (1, 0): 0.7 / ((0.65 + 0.85) / 2),
    (1, 1): 0.6 / ((0.65 + 0.7) / 2),
    (2, 0): 0.8 / ((0.55 + 0.85) / 2),
    (2, 2): 0.3 / ((0.55 + 0.25) / 2),
    (1, 2): 0.2 / ((0.65 + 0.25) / 2),
}


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        # 0 has 1.0588 and 1.0323 to choose from, 1 has 0.9333 and 0.8889, 2 has 1.1429 and 0.75
        ("forward", [(0, 0), (1, 0), (2, 0)]),
        # 0 is near 0 and 2, 1 near 0 and 1, 2 near 2 and 1
        ("backward", [(2, 0), (0, 1), (2, 2)]),
        ("intersection", [(2, 0)]),
        # 1.1429 of (2, 0), then 1.0323 of (0, 1); (1, 0) and (2, 2) have a half that is taken
        ("max", [(2, 0), (0, 1)]),
    ],
)
def test_directions_by_margin(mined, direction, expected):
    assert pairs_and_scores([(*pair, MARGINS[pair]) for pair in expected]) == mined(COSINES, direction, k=2)


def test_the_margin_of_one_neighbour(mined):
    """Means are 0.9, 0.7, 0.8 of the queries and 0.9, 0.8, 0.3 of the documents; each has one to choose from."""
    expected = [(0, 0, 0.9 / 0.9), (1, 0, 0.7 / 0.8), (2, 0, 0.8 / 0.85)]

    assert pairs_and_scores(expected) == mined(COSINES, "forward", k=1)


def test_max_takes_the_best_first_and_not_the_first(mined):
    """One for one, (1, 1) before (0, 1): so 0 has what is left to it from the other side, (0, 0)."""
    assert pairs_and_scores([(1, 1, 0.9), (0, 0, 0.5)]) == mined([[0.5, 0.8], [0.1, 0.9]], "max")


def test_max_has_no_pair_at_or_below_0_and_others_have(mined):
    """As XTREME's threshold of 0."""
    assert pairs_and_scores([(0, 0, 0.5)]) == mined([[0.5, -0.2], [-0.3, 0.0]], "max")
    assert pairs_and_scores([(0, 0, 0.5), (1, 1, 0.0)]) == mined([[0.5, -0.2], [-0.3, 0.0]], "forward")


def test_of_equal_pairs_the_forward_ones_are_taken_first_and_in_order():
    # both queries are as near to the one document, forward; backward it has the first
    assert pairs_and_scores([(0, 0, 0.5)]) == mining.pairs(
        vectors([[0.5, 0.5, 0.5, 0.5]] * 2), vectors([[0.5, 0.5, 0.5, -0.5]]), {"match": "max"}
    )
    ones = vectors([[1, 0], [0, 1], [1, 0]])
    assert [(0, 0, 1.0), (1, 1, 1.0)] == mining.pairs(ones, ones, {"match": "max"})
    assert [(0, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0)] == mining.pairs(ones, ones, {"match": "forward"})
    assert [(0, 0, 1.0), (1, 1, 1.0), (0, 2, 1.0)] == mining.pairs(ones, ones, {"match": "backward"})
    assert [(0, 0, 1.0), (1, 1, 1.0)] == mining.pairs(ones, ones, {"match": "intersection"})


def test_vectors_of_any_length_are_compared_by_direction():
    assert pairs_and_scores([(0, 1, 1.0), (1, 0, 0.8)]) == mining.pairs(
        vectors([[10, 0], [0, 3]]), vectors([[0.6, 0.8], [0.1, 0]]), {}
    )


# --- beside a naive implementation


def _naive(queries, documents, direction, k):
    """From the description: every cosine, every neighbourhood, the candidates of each side one after the other."""
    cosines = [[float(np.dot(q, d)) for d in documents] for q in queries]
    columns = [[row[d] for row in cosines] for d in range(len(documents))]

    def near(row):
        return sorted(range(len(row)), key=lambda n: (-row[n], n))[: max(k, 1)]

    def mean(row):
        return sum(row[n] for n in near(row)) / len(near(row))

    def score(q, d):
        return cosines[q][d] / ((mean(cosines[q]) + mean(columns[d])) / 2) if k else cosines[q][d]

    forward = {q: max(near(row), key=lambda d, q=q: score(q, d)) for q, row in enumerate(cosines)}
    backward = {d: max(near(row), key=lambda q, d=d: score(q, d)) for d, row in enumerate(columns)}
    sides = {"forward": [*forward.items()], "backward": [(q, d) for d, q in backward.items()]}
    sides["intersection"] = [(q, d) for q, d in sides["forward"] if backward[d] == q]
    taken, sides["max"] = (set(), set()), []
    for q, d in sorted(sides["forward"] + sides["backward"], key=lambda pair: -score(*pair)):
        if q not in taken[0] and d not in taken[1]:
            taken[0].add(q)
            taken[1].add(d)
            sides["max"] += [(q, d)] if score(q, d) > 0 else []
    return [(q, d, score(q, d)) for q, d in sides[direction]]


@pytest.mark.parametrize("direction", DIRECTIONS)
@settings(max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_what_is_mined_is_what_a_naive_implementation_finds(direction, queries, documents, k, seed):
    """All vectors lie on one side, so that no mean of cosines is near 0."""
    random = np.random.default_rng(seed)
    q, d = (np.abs(unit(random, count)) for count in (queries, documents))

    assert pairs_and_scores(_naive(q, d, direction, k)) == mining.pairs(q, d, {"match": direction, "k": k})
