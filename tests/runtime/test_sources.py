"""Rows of local files as they are, and what is wrong with those that are not."""

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compiler.ops import FileRows, HubRows, PythonRows
from runtime.errors import BadInput, MissingInput
from runtime.sources import read_rows


def rows(path, format_, columns=()):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return list(read_rows(FileRows(format_, (digest,), columns), {digest: path}, allow_code=False))


def test_each_format_gives_the_same_rows(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "one, two", "label": "1"}\n\n{"text": "drei", "label": "0"}\n')
    (tmp_path / "a.csv").write_text('text,label\n"one, two",1\ndrei,0\n')
    (tmp_path / "a.tsv").write_text("text\tlabel\none, two\t1\ndrei\t0\n")
    pq.write_table(pa.table({"text": ["one, two", "drei"], "label": ["1", "0"]}), tmp_path / "a.parquet")

    expected = [{"text": "one, two", "label": "1"}, {"text": "drei", "label": "0"}]
    for suffix in ("jsonl", "csv", "tsv", "parquet"):
        assert expected == rows(tmp_path / f"a.{suffix}", suffix)


def test_columns_name_a_table_without_a_header(tmp_path):
    (tmp_path / "a.tsv").write_text('7\tsay "hi"\n')

    assert [{"id": "7", "text": 'say "hi"'}] == rows(tmp_path / "a.tsv", "tsv", ("id", "text"))


def test_jsonl_keeps_types_bom_and_line_separators_inside_strings(tmp_path):
    (tmp_path / "a.jsonl").write_bytes('\ufeff{"n": 1, "t": "a\u2028b"}\r\n'.encode())

    assert [{"n": 1, "t": "a\u2028b"}] == rows(tmp_path / "a.jsonl", "jsonl")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "a.jsonl:2 is no JSON"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1 is no JSON object"),
        ("a.jsonl", b'{"a": "\xff"}', "not UTF-8"),
        ("a.csv", b"a,b\n1\n", "a.csv:2 has 1 columns"),
        ("a.jsonl", b"{}\n" + b"[" * 9999 + b"]" * 9999, "a.jsonl:2 is nested too deep"),
        ("a.jsonl", b'{}\n{"a": ["\\ud800"]}\n', r"a.jsonl:2 has `.ud800`, half of a surrogate pair"),
        ("a.jsonl", b'{"\\udc00": 1}\n', r"a.jsonl:1 has `.udc00`"),
        ("a.csv", b"a,b,a\n1,2,3\n", "two columns called `a`"),
        ("a.tsv", b"a\ta\n1\t2\n", "two columns called `a`"),
        ("a.csv", b"a\n1\n" + b"x" * 131_073, "a.csv:3 cannot be read: field larger"),
        ("a.parquet", b"garbage", "no parquet file"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_named_with_the_line(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BadInput, match=says):
        rows(tmp_path / name, name.split(".")[1])


def test_both_halves_of_a_surrogate_pair_are_one_character(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"t": "\\ud83d\\ude00"}')

    assert [{"t": "\U0001f600"}] == rows(tmp_path / "a.jsonl", "jsonl")


def test_a_name_given_twice_in_columns_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("1\t2\n")

    with pytest.raises(BadInput, match="two columns called `a`"):
        rows(tmp_path / "a.tsv", "tsv", ("a", "a"))


def test_a_file_edited_after_the_plan_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("{}")

    with pytest.raises(BadInput, match="changed after the plan"):
        list(read_rows(FileRows("jsonl", ("0" * 64,), ()), {"0" * 64: path}, allow_code=False))


def test_python_sources_run_only_when_they_are_allowed(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef rows(split, language): yield {{'s': split, 'l': language}}"
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = PythonRows(digest, "rows", 1, "train", "qaa")

    with pytest.raises(BadInput, match="run the code") as caught:
        list(read_rows(source, {digest: path}, allow_code=False))
    assert "--allow-code" in caught.value.hint
    assert not (tmp_path / "ran").exists()
    assert [{"s": "train", "l": "qaa"}] == list(read_rows(source, {digest: path}, allow_code=True))


def test_hub_rows_cannot_be_reached_yet():
    with pytest.raises(MissingInput, match="aps/super_glue"):
        list(read_rows(HubRows("aps/super_glue", "copa", "train", None), {}, allow_code=False))
