"""Rows of local files as they are, and what is wrong with those that are not."""

import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.ops import FileRows, HubRows, PythonRows, WorldRows
from runtime import world
from runtime.errors import BadInput, MissingInput
from runtime.sources import read_rows

WORD = b"1\tone\t_\tNUM\t_\t_\t0\troot\t_\t_\n"


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
        ("a.arrow", b"garbage", "no Arrow file"),
        ("a.arrow", b"ARROW1\0\0garbage", "no Arrow file"),
        ("a.arrow", b"", "no Arrow file"),
        ("a.text", b"one\n\xff\n", "a.text:2 is not UTF-8"),
        ("a.conllu", b"# a\n1\tone\n", "a.conllu:2 has 2 columns, and CoNLL-U has 10"),
        ("a.conllu", WORD + WORD, "a.conllu:2 is word '1' where 2 is due"),
        ("a.conllu", b"x" + WORD, "a.conllu:1 is word 'x1' where 1 is due"),
        ("a.conllu", b"# text = a\n\n" + WORD, "a.conllu:2 ends a sentence that has no words"),
        ("a.squad", b'{"data":\n\n?}', "a.squad is no JSON: .* line 3"),
        ("a.squad", b"[]", "a.squad has no `data`"),
        ("a.squad", b'{"data": [{"paragraphs": [{"qas": []}]}]}', r"data\[0\], paragraphs\[0\] has no `context`"),
        ("a.squad", b'{"data": [{"paragraphs": [7]}]}', r"data\[0\], paragraphs\[0\] is no record"),
        (
            "a.squad",
            b'{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q", "answers": [{}]}]}]}]}',
            r"qas\[0\], answers\[0\] has no `text`",
        ),
    ],
)
def test_a_file_that_is_not_what_it_says_is_named_with_the_line(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BadInput, match=says):
        rows(tmp_path / name, name.split(".")[1])


def test_both_halves_of_a_surrogate_pair_are_one_character(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"t": "\\ud83d\\ude00"}')

    assert [{"t": "\U0001f600"}] == rows(tmp_path / "a.jsonl", "jsonl")


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)), st.booleans())
def test_a_line_of_text_is_a_row_whatever_stands_in_it(tmp_path_factory, lines, ended):
    """Parallel files stay parallel: an empty line is a row, and only the end of the last one ends nothing more."""
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(("\n".join(lines) + "\n" * (ended and bool(lines))).encode())
    kept = lines if ended or not lines or lines[-1] else lines[:-1]  # an empty last line needs its end

    assert len(kept) == len(rows(path, "text"))
    assert [line.removesuffix("\r").removeprefix("\ufeff" * (n == 0)) for n, line in enumerate(kept)] == [
        row["text"] for row in rows(path, "text")
    ]


def test_conllu_gives_the_words_of_each_sentence(tmp_path):
    (tmp_path / "a.conllu").write_bytes(
        b"# newdoc\r\n# sent_id = s1\r\n# text = vamonos = ya\r\n1-2\tvamonos" + b"\t_" * 8 + b"\r\n"
        b"1\tvamos\tir\tVERB\t_\tMood=Imp\t0\troot\t_\t_\r\n2\tnos\t_\tPRON\t_\t_\t1\tobj\t_\t_\r\n"
        b"2.1\tya" + b"\t_" * 8 + b"\r\n\r\n\n" + WORD
    )

    first, second = rows(tmp_path / "a.conllu", "conllu")
    assert (["1", "2"], ["vamos", "nos"], ["ir", "_"]) == (first["id"], first["form"], first["lemma"])
    assert (["VERB", "PRON"], ["Mood=Imp", "_"], ["0", "1"]) == (first["upos"], first["feats"], first["head"])
    assert ("s1", "vamonos = ya") == (first["sent_id"], first["text"])
    assert (["one"], None, None) == (second["form"], second["sent_id"], second["text"])


def test_squad_gives_one_row_a_question(tmp_path):
    answers = [{"text": "b", "answer_start": 2}, {"text": "a", "answer_start": 0}]
    questions = [
        {"id": "1", "question": "which?", "answers": answers},
        {"id": "2", "question": "none?", "answers": [], "is_impossible": True},
    ]
    whole = {"data": [{"title": "T", "paragraphs": [{"context": "a b", "qas": questions}]}]}
    (tmp_path / "a.json").write_text(json.dumps(whole, indent=1))

    first, second = rows(tmp_path / "a.json", "squad")
    assert {
        "id": "1",
        "title": "T",
        "context": "a b",
        "question": "which?",
        "answers": {"text": ["b", "a"], "answer_start": [2, 0]},
    } == first
    assert ({"text": [], "answer_start": []}, True) == (second["answers"], second["is_impossible"])


def test_arrow_is_read_as_a_file_and_as_a_stream(tmp_path):
    table = pa.table({"text": ["one", None], "tags": [["a"], []]})
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=1)

    expected = [{"text": "one", "tags": ["a"]}, {"text": None, "tags": []}]
    assert expected == rows(tmp_path / "file.arrow", "arrow") == rows(tmp_path / "stream.arrow", "arrow")


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


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({}, world.World()),
        ({"seed": 2, "cognates": 0.0}, world.World(seed=2, cognates=0.0)),
        ({"task": "text", "split": "dev", "mixed": 0.9, "low_resource": 0.5}, world.World(mixed=0.9, low_resource=0.5)),
    ],
)
def test_rows_of_the_world_are_those_of_the_world_that_is_asked_for(changed, asked):
    rows = replace(WorldRows("causes", "test", "qai", 5, 1, 1.0, None, None), **changed)
    expected = world.rows(rows.task, rows.split, "qai", asked)

    assert expected == list(read_rows(rows, {}, allow_code=False))
    assert not changed or expected != world.rows(rows.task, rows.split, "qai")


def test_hub_rows_cannot_be_reached_yet():
    with pytest.raises(MissingInput, match="aps/super_glue"):
        list(read_rows(HubRows("aps/super_glue", "copa", "train", None), {}, allow_code=False))
