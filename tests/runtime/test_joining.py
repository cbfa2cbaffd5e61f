"""Rows of several sources belong together, by position or by a column."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.ops import FileRows, PythonRows
from runtime.errors import BadInput
from runtime.joining import rows_of
from runtime.templates import Templates
from tests.plans import data


def joined(folder, sources, join=None):
    """Rows of named lists of rows, each a file."""
    import hashlib

    files, named = {}, []
    for name, rows in sources.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files[digest] = path
        named.append((name, (FileRows("jsonl", (digest,), ()),)))
    return rows_of(replace(data("0" * 64), sources=tuple(named), join=join), files, allow_code=False)


def test_one_source_needs_no_name(tmp_path):
    assert [{"x": 1}] == joined(tmp_path, {"": [{"x": 1}]})


def test_rows_are_joined_by_position(tmp_path):
    found = joined(tmp_path, {"a": [{"x": 1}, {"x": 2}], "b": [{"y": 3}, {"y": 4}]})

    assert [{"a": {"x": 1}, "b": {"y": 3}}, {"a": {"x": 2}, "b": {"y": 4}}] == found


def test_other_lengths_are_told_with_both(tmp_path):
    with pytest.raises(BadInput, match="`a` 1, `b` 2") as caught:
        joined(tmp_path, {"a": [{"x": 1}], "b": [{"y": 3}, {"y": 4}]})

    assert "join: COLUMN" in caught.value.hint
    assert "data" == caught.value.field


@given(st.lists(st.one_of(st.integers(), st.text(max_size=3)), min_size=1, max_size=8, unique_by=str), st.randoms())
def test_a_join_by_column_of_shuffled_rows_is_that_by_position(tmp_path_factory, keys, random):
    folder = tmp_path_factory.mktemp("join")
    a = [{"id": key, "x": n} for n, key in enumerate(keys)]
    b = [{"id": str(key), "y": n} for n, key in enumerate(keys)]
    shuffled = random.sample(b, len(b))

    assert joined(folder, {"a": a, "b": b}) == joined(folder, {"a": a, "b": shuffled}, "id")


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ([{"id": 1}, {"id": 2}], [{"id": 1}], "no row of `b` has the `id` '2'"),
        ([{"id": 1}], [{"id": 1}, {"id": "x"}], "no row of `a` has the `id` 'x'"),
        ([{"id": 1}, {"id": "1"}], [{"id": 1}], "row 2 of `a` has the `id` '1' of an earlier row"),
        ([{"id": 1}], [{"ID": 1}], "row 1 of `b` has no text or whole number in the column `id`"),
        ([{"id": None}], [{"id": None}], "row 1 of `a` has no text or whole number"),
        ([{"id": True}], [{"id": 1}], "row 1 of `a` has no text or whole number"),
    ],
)
def test_each_source_has_each_key_once(tmp_path, a, b, says):
    with pytest.raises(BadInput, match=says) as caught:
        joined(tmp_path, {"a": a, "b": b}, "id")

    assert "join" == caught.value.field


def test_a_source_without_rows_is_named(tmp_path):
    with pytest.raises(BadInput, match="the source `b` has no rows"):
        joined(tmp_path, {"a": [{"id": 1}], "b": []}, "id")
    with pytest.raises(BadInput, match="the source has no rows"):
        joined(tmp_path, {"": []})


def test_a_column_comes_before_what_a_dict_can_do(tmp_path):
    (row,) = joined(tmp_path, {"a": [{"items": "x", "y z": 1}]})
    templates = Templates((("text", "{{ a.items }} {{ a['y z'] }} {{ row.a.items }} {{ a.keys() | length }}"),))

    assert {"text": "x 1 x 2"} == templates.values(row, {})


def test_a_column_that_is_none_is_told_with_those_there_are(tmp_path):
    (row,) = joined(tmp_path, {"a": [{"x": 1}], "b": [{"y": 1}]})

    with pytest.raises(BadInput, match="asks for what the row lacks") as caught:
        Templates((("text", "{{ a.z }}"),)).values(row, {})
    assert "The columns are `a.x`, `b.y`" == caught.value.hint


def test_code_runs_only_when_allowed(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("raise SystemExit")
    op = replace(data("0" * 64), sources=(("a", (PythonRows("0" * 64, "f", 1, "train", "qaa"),)),))

    with pytest.raises(BadInput):
        rows_of(op, {"0" * 64: path}, allow_code=False)
