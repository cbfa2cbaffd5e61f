"""Rows to examples: which are kept, limited, dropped for want of a label, and what is counted."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.ops import FileRows, Limit, Perturbation
from runtime import columns, encoding
from runtime.errors import BadInput
from tests.bases import weights_node
from tests.plans import data
from tests.words import WORDS

pytestmark = pytest.mark.ml

FIELDS = (("text", "{{ t }}"), ("label", "{{ l }}"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return weights_node(tmp_path_factory)


def encoded(base, folder, rows, **changes):
    """Rows of a classification as columns, and the facts."""
    folder = folder / str(len(list(folder.iterdir())))
    folder.mkdir()
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    settings = {"kind": "classification", "fields": FIELDS, "labels": ("no", "yes"), **changes}
    op = replace(data("0" * 64), sources=(("", (FileRows("jsonl", (digest,), ()),)),), **settings)
    encoding.encode(op, base, {digest: path}, folder, allow_code=False)
    return columns.read(folder), json.loads((folder / "facts.json").read_text())


def rows(*labels):
    return [{"t": WORDS[n], "l": label, "n": n} for n, label in enumerate(labels)]


def test_rows_without_a_label_are_dropped_from_training_and_counted(base, tmp_path):
    found, facts = encoded(base, tmp_path, rows("yes", -1, "no", None, "1"))

    assert ([0, 2, 4], [1, 0, 1]) == (found.rows.tolist(), found.labels.tolist())
    assert {"rows": 5, "kept": 5, "examples": 3, "unlabelled": 2, "cut": 0} == facts


def test_a_row_without_a_label_in_a_target_is_an_error_that_names_it(base, tmp_path):
    with pytest.raises(BadInput, match=r"row 2 of train\[qaa\] has no label") as caught:
        encoded(base, tmp_path, rows("yes", -1), scored=True)

    assert ("input.label", True) == (caught.value.field, "filter" in caught.value.hint)
    assert 1 == len(encoded(base, tmp_path, rows("yes", -1), scored=True, filter="{{ l != -1 }}")[0])


def test_rows_that_all_lack_a_label_are_an_error(base, tmp_path):
    with pytest.raises(BadInput, match="none of 2 rows has a label"):
        encoded(base, tmp_path, rows(None, -1))


@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(any), st.integers(1, 30))
def test_a_filter_keeps_what_it_is_true_of_and_a_limit_counts_after_it(base, tmp_path_factory, keep, count):
    given_rows = [row | {"keep": k} for row, k in zip(rows(*["no"] * len(keep)), keep, strict=True)]
    folder, kept = tmp_path_factory.mktemp("filter"), [n for n, k in enumerate(keep) if k]

    found, facts = encoded(base, folder, given_rows, filter="{{ keep }}")
    limited, fewer = encoded(base, folder, given_rows, filter="{{ keep }}", limit=Limit(count, "fixed"))
    first, _ = encoded(base, folder, given_rows, filter="{{ keep }}", limit=Limit(count, "own"))

    assert kept == found.rows.tolist()
    assert (len(keep), len(kept)) == (facts["rows"], facts["kept"]) == (fewer["rows"], fewer["kept"])
    assert set(limited.rows.tolist()) <= set(kept)
    assert min(count, len(kept)) == len(limited) == fewer["examples"]
    assert kept[:count] == first.rows.tolist()


def test_a_filter_knows_language_code_and_split(base, tmp_path):
    template = "{{ language == 'qaa' and code == 'xxx' and split == 'train' and n > 0 }}"

    assert [1] == encoded(base, tmp_path, rows("no", "no"), filter=template, code="xxx")[0].rows.tolist()


@pytest.mark.parametrize("template", ["{{ n }}", "{{ t }}", "{{ none }}", "{{ n and true }}"])
def test_a_filter_that_is_neither_true_nor_false_is_told_with_its_row(base, tmp_path, template):
    with pytest.raises(BadInput, match=r"row 1 of train\[qaa\]: `filter` gives .* neither true nor false") as caught:
        encoded(base, tmp_path, rows("no"), filter=template)

    assert "filter" == caught.value.field


def test_a_filter_over_a_column_that_is_not_there_is_told_with_those_there_are(base, tmp_path):
    with pytest.raises(BadInput, match=r"row 1 of train\[qaa\]: the template of `filter` asks for") as caught:
        encoded(base, tmp_path, rows("no"), filter="{{ lang == 'de' }}")

    assert ("filter", "The columns are `t`, `l`, `n`") == (caught.value.field, caught.value.hint)


def test_a_filter_that_keeps_nothing_is_an_error(base, tmp_path):
    with pytest.raises(BadInput, match="the filter keeps none of 2 rows"):
        encoded(base, tmp_path, rows("no", "yes"), filter="{{ n > 7 }}")


def test_a_prefix_stands_before_each_sentence(base, tmp_path):
    fields = (("query", "{{ t }}"), ("document", "{{ t }}"))
    word, given_rows = WORDS[0], [{"t": WORDS[0]}]
    plain, _ = encoded(base, tmp_path, given_rows, kind="retrieval", fields=fields, labels=())
    found, _ = encoded(base, tmp_path, given_rows, kind="retrieval", fields=fields, labels=(), prefix=f"{word} ")

    assert [3, 3] == [b - a for a, b in zip(plain.sequence_starts, plain.sequence_starts[1:], strict=False)]
    start, token, end = plain.tokens[:3].tolist()
    assert [start, token, token, end] * 2 == found.tokens.tolist()


@pytest.mark.parametrize("template", ["a.t", "{a.t}", "see { a.t }"])
def test_a_column_of_a_named_source_without_its_braces_is_told(base, tmp_path, template):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"t": "x", "l": "no"}\n')
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    op = replace(
        data("0" * 64),
        kind="classification",
        labels=("no",),
        sources=(("a", (FileRows("jsonl", (digest,), ()),)),),
        fields=(("text", template), ("label", "{{ a.l }}")),
    )

    with pytest.raises(BadInput, match="is the same text for every row") as caught:
        encoding.encode(op, base, {digest: path}, tmp_path, allow_code=False)
    assert "`{{ a.t }}`" in caught.value.hint


LONG = [{"t": " ".join(WORDS[n : n + 6]), "l": "yes", "n": n} for n in range(20)]


@pytest.mark.parametrize("method", ["typos", "casing", "word-drop"])
def test_a_perturbation_of_rate_0_is_clean_bit_for_bit(base, tmp_path, method):
    encoded(base, tmp_path, LONG)
    encoded(base, tmp_path, LONG, under=Perturbation(method, 0.0, 7))
    clean, same = sorted(tmp_path.iterdir())

    assert all((clean / p.name).read_bytes() == p.read_bytes() for p in same.iterdir())


@pytest.mark.parametrize("method", ["typos", "casing", "word-drop"])
def test_a_perturbation_changes_texts_alone_and_is_the_same_at_any_limit(base, tmp_path, method):
    under = Perturbation(method, 0.5, 1)
    clean, _ = encoded(base, tmp_path, LONG)
    changed, _ = encoded(base, tmp_path, LONG, under=under)
    fewer, _ = encoded(base, tmp_path, LONG, under=under, limit=Limit(5, "own"))

    assert (clean.rows.tolist(), clean.labels.tolist()) == (changed.rows.tolist(), changed.labels.tolist())
    assert clean.tokens.tolist() != changed.tokens.tolist()
    assert fewer.tokens.tolist() == changed.tokens.tolist()[: len(fewer.tokens)]
