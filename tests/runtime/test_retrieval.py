"""Retrieval: vectors of a layer, the nearest by cosine, ties to the lower index."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.ops import Vectors
from runtime import columns, evaluation, models
from runtime.errors import BadInput
from runtime.kinds import kinds, mining, retrieval
from runtime.kinds.kind import Coding, Measured
from tests.bases import weights_node
from tests.words import WORDS

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A weights node: three random layers with the world's tokenizer."""
    return weights_node(tmp_path_factory, layers=3)


def part(folder, texts, first_row=100):
    """Columns of pairs of texts."""
    tokenizer = models.load_tokenizer(folder[0])
    encode = kinds()["retrieval"].encode
    found = [encode({"query": q, "document": d}, Coding(tokenizer, 32)) for q, d in texts]
    columns.write(folder[1], [columns.Example(first_row + n, e.sequences, e.segments, -1) for n, e in enumerate(found)])
    return columns.read(folder[1])


def predicted(base, parts, vectors=None):
    network = models.load_network(base, {}, "retrieval", None, vectors or Vectors(None, "mean", "cosine"))
    special = models.read_special(base, network.encoder.config)
    return [evaluation.predict(network, p, special, device="cpu", precision="fp32", mask=None) for p in parts]


def sentence(*numbers):
    return " ".join(WORDS[n] for n in numbers)


TEXTS = [(sentence(n, n + 1), sentence(n, n + 1, 50 + n)) for n in range(12)]


def test_the_nearest_document_is_found_among_all_of_the_language(base, tmp_path):
    same = [(q, q) for q, _ in TEXTS]
    one, two = predicted(base, [part((base, tmp_path), same)] * 2)

    assert list(range(100, 112)) == one["row"].to_pylist() == one["label"].to_pylist() == one["prediction"].to_pylist()
    assert one["similarity"].to_pylist() == pytest.approx([1.0] * 12)
    assert one.equals(two)
    assert Measured(1.0, 12, 1 / 12) == retrieval.accuracy(one)


@pytest.mark.parametrize("layer", [0, 1, 2, 3, None])
@pytest.mark.parametrize("pool", ["mean", "cls"])
def test_vectors_are_those_of_the_layer(base, tmp_path, layer, pool):
    """Against hidden states that transformers gives, pooled by hand, one sentence at a time."""
    encoder = models.load_encoder(base, {}, None).eval()
    tokenizer = models.load_tokenizer(base)

    def vector(text):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            states = encoder(input_ids=ids, output_hidden_states=True).hidden_states
        state = states[-1 if layer is None else layer][0].numpy()
        whole = state.mean(axis=0) if pool == "mean" else state[0]
        return whole / np.linalg.norm(whole)

    similar = np.stack([vector(q) for q, _ in TEXTS]) @ np.stack([vector(d) for _, d in TEXTS]).T
    (table,) = predicted(base, [part((base, tmp_path), TEXTS)], Vectors(layer, pool, "cosine"))

    found = np.array(table["prediction"]) - 100
    assert table["similarity"].to_pylist() == pytest.approx(similar.max(axis=1).tolist(), abs=1e-5)
    assert similar[range(12), found].tolist() == pytest.approx(similar.max(axis=1).tolist(), abs=1e-5)


def test_a_layer_that_the_model_lacks_is_told(base):
    with pytest.raises(BadInput, match="`layer` is 4, and the model has 3") as caught:
        models.load_network(base, {}, "retrieval", None, Vectors(4, "mean", "cosine"))

    assert "layer" == caught.value.field


def test_of_equal_documents_the_first_is_the_answer(base, tmp_path):
    """However they were batched: one is padded to a long query, the other is not."""
    long = sentence(*range(20, 40))
    texts = [(sentence(1), sentence(9)), (long, sentence(5)), (sentence(5), sentence(5)), (sentence(5), sentence(7))]
    (table,) = predicted(base, [part((base, tmp_path), texts)])

    assert [101, 101] == table["prediction"].to_pylist()[2:]


def search(queries, documents):
    """The document nearest to each query, and its cosine."""
    _, nearest, similarity = zip(*mining.pairs(queries, documents, {}), strict=True)
    return list(nearest), list(similarity)


@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_search_is_that_of_every_pair(size, width, seed):
    random = np.random.default_rng(seed)
    queries, documents = random.normal(size=(2, size, width)).astype(np.float32)

    nearest, similarity = search(queries, documents)

    every = [[np.dot(q, d) / np.linalg.norm(q) / np.linalg.norm(d) for d in documents] for q in queries]
    np.testing.assert_allclose(np.max(every, axis=1), similarity, atol=1e-5)
    np.testing.assert_allclose(np.max(every, axis=1), np.array(every)[range(size), nearest], atol=1e-5)


def test_search_gives_ties_to_the_first_and_bears_a_zero():
    vectors = np.array([[1, 0], [2, 0], [0, 0], [0, 3]], dtype=np.float32)

    assert [0, 0, 0, 3] == search(vectors, vectors)[0]


def test_what_a_language_gives_does_not_depend_on_the_others(base, tmp_path):
    (tmp_path / "b").mkdir()
    one, two = part((base, tmp_path), TEXTS), part((base, tmp_path / "b"), [(d, q) for q, d in TEXTS[:5]], 0)

    assert [t.to_pydict() for t in predicted(base, [one, two])] == [
        predicted(base, [p])[0].to_pydict() for p in (one, two)
    ]


@pytest.mark.parametrize("name", ["query", "document"])
def test_a_null_is_no_sentence(base, name):
    with pytest.raises(BadInput, match=f"`{name}` is null"):
        kinds()["retrieval"].encode(
            {"query": "a", "document": "b", name: None}, Coding(models.load_tokenizer(base), 32)
        )


def test_what_is_too_long_loses_its_end(base):
    found = kinds()["retrieval"].encode(
        {"query": sentence(*range(20)), "document": sentence(1)}, Coding(models.load_tokenizer(base), 8)
    )

    assert ([8, 3], True) == ([len(s) for s in found.sequences], found.cut)
