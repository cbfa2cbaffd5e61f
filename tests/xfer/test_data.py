"""`xfer data` at the terminal: what it says of data whose faults were put there."""

import json

import pytest

from xfer import exits
from xfer.cli import call

pytestmark = pytest.mark.ml

SPEC = """\
task asks : multiple-choice {
  data: files("{{ split }}.{{ language }}.jsonl")
  source: qaa
  languages: [qaa, qab, qac, qad]
  input: { context: "{{ premise }}", question: "{{ ask }}", choices: ["{{ a }}", "{{ b }}"], label: "{{ label }}" }
  settings: { max-length: 64 }
}
task answers : span-qa {
  data: files({ train: "spans.json" }, format: squad)
  source: qaa
  input: { context: "{{ context }}", question: "{{ question }}", answers: "{{ answers }}" }
  settings: { max-length: 24, stride: 8 }
}
one: babel-mini -> asks @ asks[*](limit: 1)
two: babel-mini -> answers
"""
ROWS = 8


def row(number, code, **changes):
    usual = {"premise": f"premise {number} in {code}", "ask": "cause" if number % 2 else "effect"}
    return usual | {"a": f"a {number} {code}", "b": f"b {number} {code}", "label": number % 2} | changes


def write(folder, split, code, rows):
    lines = "".join(json.dumps(r) + "\n" for r in rows)
    (folder / f"{split}.{code}.jsonl").write_text(lines, encoding="utf-8")


def answer(text, start):
    return {"text": text, "answer_start": start}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    (tmp_path / "spec.xfer").write_text(SPEC)
    for code in ("qaa", "qab", "qac", "qad"):
        rows = [row(n, code) for n in range(ROWS)]
        if code == "qac":
            rows = [r | {"ask": "effect"} for r in rows]
        if code == "qad":
            rows[5] = row(5, "qaa")
        write(tmp_path, "test", code, rows)
    train = [row(n, "train") for n in range(4)]
    train += [row(2, "train"), row(3, "train", label=0), row(7, "qaa"), row(6, "train", label=None)]
    train += [row(8, "train", b="a 8 train"), row(9, "train", premise=" "), row(10, "train", a="\ufffd")]
    write(tmp_path, "train", "qaa", train)
    questions = [
        {"id": "1", "question": "who", "answers": [answer("Ada", 0)]},
        {"id": "2", "question": "where", "answers": [answer("there", 3)]},
        {"id": "3", "question": "why", "answers": []},
    ]
    paragraph = {"context": "Ada was there " + "and everywhere " * 12, "qas": questions}
    (tmp_path / "spans.json").write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    return tmp_path


def told(capsys, *arguments):
    assert exits.OK == call(["data", "spec.xfer", *arguments])
    return capsys.readouterr().out


def records(capsys, *arguments):
    return json.loads(told(capsys, *arguments, "--json"))["data"]


def faults(record):
    return {found["text"]: found["rows"] for found in record["wrong"]}


def test_a_language_that_disagrees_with_the_others_is_named(here, capsys):
    out = told(capsys, "asks[qac]", "--split", "test")

    said = "`question` differs from what most of 4 parallel languages have; it is always `effect`"
    assert f"  ! {said}: 4 of 8 rows (2, 4, 6, 8)\n" in out
    assert "asks test[qad]: the texts are those of `qaa`: 1 of 8 rows (6)" in out, "the others are told in a line"


def test_every_fault_of_a_split_is_told_with_its_rows(here, capsys):
    (train,) = records(capsys, "asks", "--split", "train")

    assert {
        "an earlier row says the same": [4],
        "an earlier row asks the same and has another answer": [5],
        "two choices are the same": [8],
        "`context` is empty": [9],
        "there is the character that stands for bytes that are no text (U+FFFD)": [10],
    } == faults(train)
    assert (11, 11, 1) == (train["rows"], train["looked"], train["unlabelled"])
    assert {"0": 6, "1": 4} == train["labels"]


def test_rows_that_another_split_has_are_told(here, capsys):
    by_language = {r["language"]: r for r in records(capsys, "asks") if r["split"] == "test"}

    assert [7] == faults(by_language["qaa"])["`asks train[qaa]` asks the same"]
    assert "`asks train[qaa]` asks the same" not in faults(by_language["qab"])


def test_rows_of_one_context_are_counted_as_clusters(here, capsys):
    rows = [row(n, "qab") | {"premise": f"premise {n // 3}"} for n in range(ROWS)]
    write(here, "test", "qab", rows)

    found = {(r["split"], r["language"]): r["clusters"] for r in records(capsys, "asks[qaa, qab]")}
    assert {("train", "qaa"): None, ("test", "qaa"): 8, ("test", "qab"): 3} == found
    said = told(capsys, "asks[qaa, qab]")
    assert 1 == said.count("each one draw of items") and "3 clusters by `{{ premise }}`, each one draw of items" in said


@pytest.mark.parametrize("key", ["cluster", "filter"])
def test_a_template_that_asks_for_what_rows_lack_is_shown_where_it_stands(here, capsys, key):
    spec = here / "spec.xfer"
    spec.write_text(f'{spec.read_text()}task mine : asks {{ {key}: "{{{{ nothing }}}}" }}\n')
    spec.write_text(f"{spec.read_text()}third: babel-mini -> mine(steps: 1) @ mine[qab]\n")

    call(["run", f"{spec}::third", "--store", str(here / "store"), "--jobs", "1"])
    said = capsys.readouterr().err
    assert f"the template of `{key}` asks for what the row lacks: `nothing` is undefined" in said
    (pointed,) = [line.strip(" |") for line in said.splitlines() if "^" in line]
    assert "^" * len('"{{ nothing }}"') == pointed


def test_all_rows_count_whatever_a_chain_takes_of_them(here, capsys):
    assert {8} == {r["looked"] for r in records(capsys, "asks[qab]")}, "the target has `limit: 1`"
    assert {3} == {r["looked"] for r in records(capsys, "asks[qab]", "--rows", "3")}
    assert "8 rows, the first 3 looked at" in told(capsys, "asks[qab]", "--rows", "3")


def test_an_example_is_what_the_model_reads(here, capsys):
    (test,) = records(capsys, "asks[qab]", "--examples", "1")
    (seen,) = test["examples"]

    assert (0, "premise 0 in qab", False) == (seen["row"], seen["values"]["context"], seen["cut"])
    assert 2 == len(seen["sequences"])
    assert all(s[0] == "<s>" and s[-1] == "</s>" and len(s) <= 64 for s in seen["sequences"])
    assert max(map(len, seen["sequences"])) <= test["lengths"]["max"]


def test_what_is_cut_off_is_shown_where_it_stood(here, capsys):
    """A context loses its start (jiant's `truncate_end=False`): what is left stands behind `<s>`."""
    (whole,) = records(capsys, "asks[qab]", "--examples", "1")
    (cut,) = records(capsys, "asks[qab]", "--examples", "1", "--set", "asks.max-length=16")
    (before,), (after,) = whole["examples"], cut["examples"]

    assert [0, 1] == [lost["sequence"] for lost in after["lost"]]
    for lost, short, long in zip(after["lost"], after["sequences"], before["sequences"], strict=True):
        assert (1, 16) == (lost["behind"], len(short))
        assert long == [*short[:1], *lost["tokens"], *short[1:]]
    assert [] == before["lost"]


def test_windows_and_answers_that_are_not_where_they_should_be(here, capsys):
    (spans,) = records(capsys, "answers")

    assert {"answered": 2, "no answer": 1} == spans["labels"]
    assert [1] == faults(spans)["an answer does not stand where `answer_start` says"]
    assert 3 == spans["cut"]
    assert "tokens 2 of " in told(capsys, "answers"), "each window is shown"


def test_nothing_is_stored(here, capsys):
    told(capsys, "asks")

    assert not (here / "store").exists()


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nothing", "no chain of `spec.xfer` reads the data of `nothing`", "they read `answers`, `asks`"),
        ("asks[xx]", "`asks` has no language `xx` here", "it has `qaa`, `qab`, `qac`, `qad`"),
        ("asks[", "`asks[` is no task", "write `NAME`, `NAME[th]`"),
    ],
)
def test_what_is_not_there_is_told(here, capsys, name, message, hint):
    assert exits.USAGE == call(["data", "spec.xfer", name])

    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert hint in said


POOLS = """
benchmark pools : retrieval {
  data: world(pool)
  languages: [qab, qac, qad]
  input: { query: "{{ sentences }}", document: "{{ sources }}", gold: "{{ gold }}" }
}
babel-mini @ pools[*]
"""


def test_pools_are_looked_at_sentence_by_sentence(here, capsys):
    (here / "spec.xfer").write_text(POOLS)
    dev = [r for r in records(capsys, "pools") if r["split"] == "dev"]

    assert ["qab", "qac", "qad"] == [r["language"] for r in dev]
    assert {"queries": 160, "documents": 200, "pairs": 100} == dev[0]["labels"]
    assert [[], [], []] == [r["wrong"] for r in dev], "what is the same in all languages is the other pool"


@pytest.mark.parametrize("option", [("--rows", "0"), ("--rows", "-3"), ("--examples", "-1"), ("--rows", "few")])
def test_a_number_that_makes_no_sense_is_wrong_usage(here, capsys, option):
    assert exits.USAGE == call(["data", "spec.xfer", "asks", *option])
    assert option[0] in capsys.readouterr().err


LABELLED = """\
task kinds : classification {
  data: files({ train: "train.jsonl", dev: "dev.jsonl", test: "test.jsonl" })
  source: qaa
  labels: [no, yes, maybe]
  input: { text: "{{ text }}", label: "{{ label }}" }
}
babel-mini -> kinds @ kinds(split: dev)
"""
FAR = LABELLED.replace("source:", 'obtain: "Ask for it."  source:').replace(
    'files({ train: "train.jsonl", dev: "dev.jsonl", test: "test.jsonl" })', 'files("@far/{{ split }}.jsonl")'
)


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """Two labels of three occur; `test` is the same bytes as `dev`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    (tmp_path / "spec.xfer").write_text(LABELLED)
    for split, rows in {"train": [0, 1, 0, "yes"], "dev": [1, 0], "test": [1, 0]}.items():
        lines = [
            json.dumps({"text": f"{n} of {'train' if split == 'train' else 'dev'}", "label": v})
            for n, v in enumerate(rows)
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_numbers_of_labels_are_called_by_their_names_and_labels_that_never_occur_are_told(labelled, capsys):
    out = told(capsys, "kinds", "--split", "train")

    assert "label: 0 (no)" in out and "label: 1 (yes)" in out
    assert "! no row has the label `maybe`" in out


def test_a_split_that_is_the_same_files_as_another_is_told(labelled, capsys):
    assert "kinds test[qaa]: the same files as kinds dev[qaa]" in told(capsys, "kinds")


def test_rows_that_cannot_be_read_are_one_line_with_the_hint_and_an_exit_of_one(labelled, capsys):
    rows = [{"text": f"t {n}", "label": f"A{n}"} for n in range(40)]
    (labelled / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))

    assert exits.ERROR == call(["data", "spec.xfer", "kinds", "--split", "train"])
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if "`label` is" in line]
    assert "`label` is 'A0' (the labels are no, yes, maybe, or their numbers from 0 to 2): 40 of 40 rows" in line


def test_a_file_that_is_missing_hides_no_other_and_is_no_success(labelled, capsys):
    (labelled / "test.jsonl").unlink()

    assert exits.ERROR == call(["data", "spec.xfer", "kinds"])
    said = capsys.readouterr()
    assert "there is no file `test.jsonl`" in said.err
    assert "kinds train[qaa]" in said.out and "kinds dev[qaa]" in said.out


def test_booleans_are_the_labels_of_their_names(labelled, capsys):
    (labelled / "spec.xfer").write_text(LABELLED.replace("[no, yes, maybe]", "[false, true]"))
    (labelled / "train.jsonl").write_text('{"text": "a", "label": true}\n{"text": "b", "label": false}\n')

    (record,) = records(capsys, "kinds", "--split", "train")
    assert {"true": 1, "false": 1} == record["labels"]
    (labelled / "spec.xfer").write_text(LABELLED)
    assert exits.ERROR == call(["data", "spec.xfer", "kinds", "--split", "train"])
    assert "as a number it is `| int`" in capsys.readouterr().out


def test_data_that_must_be_obtained_are_told_as_a_run_tells_them(labelled, capsys):
    text = LABELLED.replace(
        'files({ train: "train.jsonl", dev: "dev.jsonl", test: "test.jsonl" })', 'files("@far/{{ split }}.jsonl")'
    )
    (labelled / "spec.xfer").write_text(text.replace("source:", 'obtain: "Ask for it."  source:'))

    assert exits.ERROR == call(["data", "spec.xfer", "kinds"])
    said = " ".join(capsys.readouterr().err.split())
    assert "nobody said where `@far` lies" in said and "Ask for it. Then say where it lies: `--root far=DIR`" in said


def test_a_file_that_is_missing_in_a_named_root_says_how_it_is_obtained(labelled, capsys):
    text = LABELLED.replace(
        'files({ train: "train.jsonl", dev: "dev.jsonl", test: "test.jsonl" })', 'files("@far/{{ split }}.jsonl")'
    )
    (labelled / "spec.xfer").write_text(text.replace("source:", 'obtain: "Ask for it."  source:'))
    (labelled / "far").mkdir()

    assert exits.USAGE == call(["check", "spec.xfer", "--root", "far=far"])
    assert "Ask for it." in capsys.readouterr().err
