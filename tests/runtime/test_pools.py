"""Pools of sentences of which some belong together: ids, repeated texts, F1, the threshold that others choose."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ops import Vectors
from runtime import columns, evaluation, metrics, models
from runtime.errors import BadInput
from runtime.kinds import retrieval
from runtime.kinds.kind import Coding, Measured
from tests.bases import weights_node

pytestmark = pytest.mark.ml

F1, ACCURACY = (retrieval.KIND.metrics[name] for name in ("f1", "accuracy"))


def pool(query, document, gold, **ids):
    values = {"query": query, "document": document, "gold": gold}
    return retrieval.pool(values | {name.replace("_", "-"): value for name, value in ids.items()})


def of_gold(rows):
    return [row["gold"] for row in rows if row["side"] == 0]


# --- pools


def test_a_pool_is_all_queries_and_then_all_documents():
    rows = pool(["a", "b"], ["c", "d", "e"], [["1", "3"], ["2", "1"]])

    assert ["a", "b", None, None, None] == [row.get("query") for row in rows]
    assert [None, None, "c", "d", "e"] == [row.get("document") for row in rows]
    assert [0, 0, 1, 1, 1] == [row["side"] for row in rows]
    assert [[2], [0], [], [], []] == [row["gold"] for row in rows]


def test_without_ids_sentences_are_numbered_from_1():
    assert [[0], [1]] == of_gold(pool(["a", "b"], ["c", "d"], [[1, 1], ["2", "2"]]))
    for name, pair in (("0", ["0", "1"]), ("3", ["1", "3"])):
        with pytest.raises(BadInput, match=f"no sentence is called '{name}'") as caught:
            pool(["a", "b"], ["c", "d"], [pair])
        assert "input.gold" == caught.value.field


def test_with_ids_sentences_are_called_by_them():
    rows = pool(["a", "b"], ["c", "d"], [["q-2", "d-1"]], query_id=["q-1", "q-2"], document_id=["d-1", "d-2"])

    assert [[], [0]] == of_gold(rows)
    with pytest.raises(BadInput, match="no sentence is called '1'"):
        pool(["a"], ["b"], [["1", "1"]], query_id=["q-1"])


def test_an_id_may_be_a_number_and_gold_its_text():
    assert [[], [0]] == of_gold(pool(["a", "b"], ["c"], [["9", 7]], query_id=[8, 9], document_id=["7"]))


def test_there_are_as_many_ids_as_sentences():
    with pytest.raises(BadInput, match="there are 2 of `query` and 1 of `query-id`") as caught:
        pool(["a", "b"], ["c"], [], query_id=["1"])

    assert "input.query-id" == caught.value.field


def test_one_row_may_be_the_whole_pool():
    rows = pool([["a", "b"]], [["c", "d"]], [[["2", "1"], ["1", "2"]]], query_id=[["1", "2"]])

    assert pool(["a", "b"], ["c", "d"], [["2", "1"], ["1", "2"]]) == rows


@pytest.mark.parametrize("pair", [["1", "2"], ("1", "2"), {"query": "1", "document": "2"}, [["1", "2"]]])
def test_a_pair_is_two_ids(pair):
    assert [[1]] == of_gold(pool(["a"], ["b", "c"], [pair]))


def test_a_query_may_have_several_documents():
    assert [[1, 0]] == of_gold(pool(["a"], ["b", "c"], [["1", "2"], ["1", "1"]]))


@pytest.mark.parametrize("pair", ["1-2", ["1"], ["1", "2", "3"], {"query": "1"}, None])
def test_what_is_no_pair_is_told(pair):
    with pytest.raises(BadInput, match="`gold` has ") as caught:
        pool(["a"], ["b"], [pair])

    assert "input.gold" == caught.value.field


@pytest.mark.parametrize("name", ["query", "document"])
def test_a_null_is_no_sentence(name):
    with pytest.raises(BadInput, match=f"`{name}` is null"):
        pool(**({"query": ["a", "b"], "document": ["c", "d"], "gold": []} | {name: ["a", None]}))


def test_equal_texts_are_known_by_the_first_whatever_white_space_is_around_them():
    rows = pool(["a", "b", " a\n", "A"], ["a", "c"], [["3", "1"]])

    assert [0, 1, 0, 3, 0, 1] == [row["first"] for row in rows]
    assert [True, False, True, False, False, False] == [row["repeated"] for row in rows]
    assert [[], [], [0], [], [], []] == [row["gold"] for row in rows]


# --- what is found

E1, E2, E3 = np.eye(3, dtype=np.float32)


def found(rows, vectors, **own):
    """The lines for pools whose sentences have these vectors."""
    kept = pa.Table.from_pylist([{k: row[k] for k in ("side", "first", "repeated", "gold")} for row in rows])
    lines = retrieval.finish({"vectors": [v[None] for v in vectors]}, kept, own)
    return list(zip(lines["query"], lines["document"], lines["similarity"], lines["gold"], strict=True))


def same(lines):
    return [tuple(pytest.approx(v, nan_ok=True) for v in line) for line in lines]


def test_there_is_a_line_for_each_pair_that_is_found_and_for_each_that_is_not():
    rows = pool(["a", "b"], ["c", "d", "e"], [["1", "1"], ["2", "3"]])

    lines = found(rows, [E1, E2, E1, E2, E3])
    assert same([(0, 0, 1.0, True), (1, 1, 1.0, False), (1, 2, math.nan, True)]) == lines


def test_what_is_found_of_a_text_that_stands_twice_does_not_count_and_as_gold_it_does():
    """BUCC's evaluation cannot tell which was meant; the document `e` is found once, of `c` and `c ` neither."""
    rows = pool(["a", "b"], ["c", "e", "c "], [["1", "1"], ["2", "2"]])

    lines = found(rows, [E1, E2, E1, E2, E1])
    assert same([(1, 1, 1.0, True), (0, 0, math.nan, True)]) == lines


def test_equal_texts_are_one_neighbour():
    """`b` has two, `e` at 1 and `c` at 0.6, as `e` has; with `c` twice its mean would be 2.2 / 3. `c` is repeated."""
    near = np.array([0.6, 0.8, 0], dtype=np.float32)
    rows = pool(["a", "b"], ["c", "c", "e"], [])

    assert same([(1, 2, 1 / ((0.8 + 0.8) / 2), False)]) == found(rows, [E1, near, E1, E1, near], k=3)


def test_directions_reach_pools():
    """Both documents are nearest to query 0."""
    rows = pool(["a", "b"], ["c", "d"], [])
    near = np.array([0.8, 0.6, 0], dtype=np.float32)

    assert {(0, 0), (1, 1)} == {line[:2] for line in found(rows, [E1, E2, E1, near], match="forward")}
    assert {(0, 0), (0, 1)} == {line[:2] for line in found(rows, [E1, E2, E1, near], match="backward")}
    assert {(0, 0)} == {line[:2] for line in found(rows, [E1, E2, E1, near], match="intersection")}
    assert {(0, 0), (1, 1)} == {line[:2] for line in found(rows, [E1, E2, E1, near], match="max")}


def test_pools_of_equal_sentences_are_found_by_a_model(tmp_path_factory, tmp_path):
    base = weights_node(tmp_path_factory)
    texts = ["midu poto", "kidi", "sose midu kidi", "gagini"]
    rows = pool(texts, texts[::-1], [[str(n), str(5 - n)] for n in (1, 2, 3, 4)])
    coding = Coding(models.load_tokenizer(base), 32)
    made = [retrieval.encode(row, coding) for row in rows]
    examples = [columns.Example(n, e.sequences, e.segments, -1, None, e.kept) for n, e in enumerate(made)]
    columns.write(tmp_path, examples, {"language": "en"})

    network = models.load_network(base, {}, "retrieval", None, Vectors(None, "mean", "cosine"))
    special = models.read_special(base, network.encoder.config)
    own = {"match": "intersection", "k": 2}
    table = evaluation.predict(
        network, columns.read(tmp_path), special, device="cpu", precision="fp32", mask=None, own=own
    )
    assert [(0, 3), (1, 2), (2, 1), (3, 0)] == list(
        zip(*(table[n].to_pylist() for n in ("query", "document")), strict=True)
    )
    assert (Measured(1.0, 4, None), Measured(1.0, 4, None)) == (F1(table), ACCURACY(table))


# --- metrics


def lines(*similar_and_right):
    """Pairs that were found with their similarity (None: not found) and whether they are right, a query each."""
    similarity = [math.nan if s is None else s for s, _ in similar_and_right]
    count = len(similarity)
    return pa.table(
        {
            "query": list(range(count)),
            "document": list(range(count)),
            "similarity": pa.array(similarity, pa.float64()),
            "gold": [right for _, right in similar_and_right],
        }
    )


SOME = lines((0.9, True), (0.8, False), (0.75, True), (0.5, False), (None, True))


def test_f1_is_over_pairs():
    """2 of 4 that are found, 2 of 3 that are there: 2 * 1/2 * 2/3 / (7/6)."""
    assert Measured(pytest.approx(4 / 7), 3, None) == F1(SOME)


@pytest.mark.parametrize("table", [lines((0.9, False)), lines((None, True)), lines((0.9, False), (None, True))])
def test_without_a_right_pair_f1_is_0(table):
    assert 0.0 == F1(table).value


def test_accuracy_is_over_queries_that_have_a_document():
    """Query 0 has two, of which one is found; query 1 one that is not; query 2 none."""
    table = pa.table(
        {
            "query": [0, 0, 1, 2],
            "document": [0, 1, 2, 3],
            "similarity": [0.9, math.nan, math.nan, 0.7],
            "gold": [True, True, True, False],
        }
    )

    assert Measured(0.5, 2, None) == ACCURACY(table)


# --- thresholds


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # F1 is 2/4, 2/5, 4/6 and 4/7 of the first 1, 2, 3 and 4 pairs: half way from 0.75 to 0.5
        (SOME, 0.625),
        (lines((0.6, False), (0.7, True), (0.8, False), (0.9, True), (None, True)), (0.7 + 0.6) / 2),
        (lines((0.9, True), (0.8, True), (0.7, True)), 0.7),  # all pairs are right: there is no next
        (lines((0.9, True)), 0.9),
        (lines((0.9, True), (0.5, False)), (0.9 + 0.5) / 2),
        (lines((0.9, False), (0.8, True)), 0.8),
        (lines((0.9, True), (0.9, False), (0.5, False)), 0.9),  # the next is as similar
        # F1 is 2/3, 1/2 and 4/5 … of 2 that are there; after 1 and after 4 pairs alike, so the first
        (lines((0.9, True), (0.8, False), (0.7, False), (0.6, True)), 0.85),
        (lines((0.9, False), (0.8, False)), 0.0),  # nothing is right: all count
        (lines((None, True)), 0.0),
    ],
)
def test_the_threshold_is_half_way_from_the_last_pair_of_the_best_f1_to_the_next(table, expected):
    assert pytest.approx(expected, abs=1e-15) == retrieval.tune(table)


def _tuned(rows):
    """One pair more at a time, and F1 of what counts then as twice the right over all that are said and there."""
    said = sorted(((s, right) for s, right in rows if s is not None), key=lambda row: -row[0])
    best, threshold = 0.0, 0.0
    for n in range(1, len(said) + 1):
        f1 = 2 * sum(right for _, right in said[:n]) / (n + sum(right for _, right in rows))
        if f1 > best + 1e-12:
            best, threshold = f1, (said[n - 1][0] + said[min(n, len(said) - 1)][0]) / 2
    return best, threshold


ROWS = st.lists(st.tuples(st.sampled_from([None, 0.125, 0.25, 0.5, 1.0, 1.5]), st.booleans()), min_size=1, max_size=9)


@settings(max_examples=200)
@given(ROWS.map(lambda rows: [(s, right or s is None) for s, right in rows]))
def test_the_tuned_threshold_is_that_of_a_naive_search_and_the_best(rows):
    table, (best, threshold) = lines(*rows), _tuned(rows)

    assert threshold == retrieval.tune(table)
    scores = [s for s, _ in rows if s is not None]
    if len(set(scores)) == len(scores):  # of pairs that are alike all count or none, whatever the search took
        assert pytest.approx(best) == F1(retrieval.above(table, threshold)).value
        assert pytest.approx(best) == max([0.0, *(F1(retrieval.above(table, s)).value for s in scores)])


def test_what_is_as_similar_as_the_threshold_counts():
    threshold = 0.7
    below = np.nextafter(threshold, 0)
    table = lines((threshold, True), (below, True), (None, True))

    assert [threshold, pytest.approx(math.nan, nan_ok=True), pytest.approx(math.nan, nan_ok=True)] == (
        retrieval.above(table, threshold).column("similarity").to_pylist()
    )
    assert pytest.approx(2 / 4) == F1(retrieval.above(table, threshold)).value


def test_of_rows_what_is_below_the_threshold_has_no_document():
    table = pa.table({"row": [5, 6, 7], "label": [5, 6, 7], "prediction": [5, 6, 5], "similarity": [0.9, 0.4, 0.8]})
    found = retrieval.above(table, 0.8)

    assert [5, -1, 5] == found.column("prediction").to_pylist()
    assert Measured(1 / 3, 3, 1 / 3) == ACCURACY(found)
    # 1 of 2 that are found, 1 of 3: 2 * 1/2 * 1/3 / (5/6)
    assert Measured(pytest.approx(2 / 5), 3, None) == F1(found)


def written(folder, table):
    folder.mkdir()
    columns.write_table(folder / metrics.PREDICTIONS, table)
    return folder


def test_a_score_says_from_where_pairs_counted(tmp_path):
    """The threshold of other predictions is 0.625: of these 1 of 2 is right then, of 2 that are there."""
    dev = written(tmp_path / "dev", SOME)
    test = written(tmp_path / "test", lines((0.9, False), (0.625, True), (0.62, True)))

    assert Measured(pytest.approx(4 / 5), 2, None, None) == metrics.score("retrieval", "f1", test)
    assert Measured(pytest.approx(1 / 2), 2, None, 0.625) == metrics.score("retrieval", "f1", test, tuned_on=dev)
    assert Measured(0.0, 2, None, 0.7) == metrics.score("retrieval", "f1", test, threshold=0.7)
    assert Measured(pytest.approx(4 / 7), 3, None, 0.0) == metrics.score("retrieval", "f1", dev, threshold=0.0)
    assert Measured(pytest.approx(2 / 3), 3, None, 0.625) == metrics.score("retrieval", "f1", dev, tuned_on=dev)
