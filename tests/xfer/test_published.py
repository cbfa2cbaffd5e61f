"""Studies over files as they are published: named sources, codes, filters, pairs of texts, retrieval, to the table."""

import csv
import io
import json

import pytest

import xfer
from compiler.ops import Data
from runtime import columns, world
from xfer import exits
from xfer.cli import call

pytestmark = pytest.mark.ml

NLI = """\
model babel { weights: embedded("babel-mini") }
task w-nli : classification {
  data: { text: files("nli/{{ split }}.{{ code }}.txt"), label: files("nli/{{ split }}.labels.jsonl") }
  source: qaa
  languages: [qaa, qab]
  codes: { qaa: one, qab: two }
  labels: files("nli/tags.txt")
  filter: "{{ label.genre == 'told' }}"
  input: { text: "{{ text.text }}", pair: "{{ label.other }}", label: "{{ label.gold }}" }
  settings: { steps: 4, batch: 4, max-length: 32, lr: 1e-3 }
}
babel -> w-nli @ w-nli[*](split: test)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    (tmp_path / "nli").mkdir()
    (tmp_path / "nli" / "tags.txt").write_text("no\nyes\n")
    for split in ("train", "test"):
        rows = world.rows("causes", split, "qaa")[:12]
        golds = ["yes", "no", -1 if split == "train" else 0, 1] * 3
        genres = ["told", "told", "told", "other"] * 3
        labels = [{"gold": g, "genre": k, "other": r["choice0"]} for g, k, r in zip(golds, genres, rows, strict=True)]
        (tmp_path / "nli" / f"{split}.labels.jsonl").write_text("".join(json.dumps(r) + "\n" for r in labels))
        for code in ("one", "two"):
            (tmp_path / "nli" / f"{split}.{code}.txt").write_text("".join(r["premise"] + "\n" for r in rows))
    (tmp_path / "study.xfer").write_text(NLI)
    return tmp_path


def test_a_classification_study_runs_to_its_table(here, capsys):
    assert exits.OK == call(["run", "study.xfer"]), capsys.readouterr().err

    assert "w-nli · accuracy · 1 seed · 9 items a language" in capsys.readouterr().out
    study = xfer.compile("study.xfer")
    store = study.store()
    for node in study.plan.nodes:
        if isinstance(node.op, Data):
            facts = json.loads((store.read(node.key) / "facts.json").read_text())
            found = columns.read(store.read(node.key))
            dropped = 3 if node.op.split == "train" else 0
            assert {"rows": 12, "kept": 9, "examples": 9 - dropped, "unlabelled": dropped, "cut": 0} == facts
            assert set(found.rows.tolist()) <= {0, 1, 2, 4, 5, 6, 8, 9, 10}
            assert {0, 1} == set(found.labels.tolist())
    assert [(9, 0.5)] * 2 == [(r.n, r.chance) for r in xfer.rows(study)[0]]
    assert [] == xfer.run(study).ran


def test_a_target_without_a_label_is_told_with_its_row_and_its_template(here, capsys):
    text = (here / "nli" / "test.labels.jsonl").read_text()
    (here / "nli" / "test.labels.jsonl").write_text(text.replace('"gold": "yes"', '"gold": null', 1))

    assert exits.ERROR == call(["run", "study.xfer"])
    said = capsys.readouterr().err
    assert "row 1 of test[qaa] has no label" in said and "Traceback" not in said
    assert "study.xfer:9:" in said


def test_parallel_files_that_are_not_are_told(here, capsys):
    with (here / "nli" / "train.one.txt").open("a") as file:
        file.write("\n")

    assert exits.ERROR == call(["run", "study.xfer"])
    said = capsys.readouterr().err
    assert "`label` 12, `text` 13" in said
    assert "study.xfer:3:" in said


RETRIEVAL = """\
model babel { weights: embedded("babel-mini") settings: { max-length: 32 } }
benchmark pairs : retrieval {
  data: { here: files("{{ language }}.jsonl"), there: files("qaa.jsonl") }
  join: id
  languages: [qaa, qab]
  input: { query: "{{ here.text }}", document: "{{ there.text }}" }
}
babel -> {skip | w-causes(steps: 2)} @ pairs[*](limit: 20) with (seeds: 2)
"""


def test_retrieval_of_a_model_and_of_what_is_trained_from_it(here, capsys):
    for language, turned in (("qaa", False), ("qab", True)):
        told = [f"{r['premise']} {r['choice0']}" for r in world.rows("causes", "test", language)[:30]]
        rows = [{"id": n, "text": text} for n, text in enumerate(told)]
        lines = [json.dumps(r) + "\n" for r in (rows[::-1] if turned else rows)]
        (here / f"{language}.jsonl").write_text("".join(lines))
    (here / "study.xfer").write_text(RETRIEVAL)

    assert exits.OK == call(["run", "study.xfer"]), capsys.readouterr().err
    out = capsys.readouterr().out
    assert "pairs · accuracy · 2 seeds · 20 items a language" in out
    assert "gain over skip" in out
    assert exits.OK == call(["results", "study.xfer", "--csv"])
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert ["", "", "1", "1", "2", "2"] == [r["seed"] for r in found]
    assert {"20"} == {r["n"] for r in found} and {"0.05"} == {r["chance"] for r in found}
    assert 1.0 == float(found[0]["value"])  # what is told in the source among itself


@pytest.mark.parametrize(
    ("old", "new", "path", "runs"),
    [
        ("(limit: 20)", "(limit: 20, layer: 0)", "layer", {"predict", "score"}),
        ("(limit: 20)", "(limit: 20, pool: cls)", "pool", {"predict", "score"}),
        ("(limit: 20)", '(limit: 20, prefix: "lili ")', "prefix", {"data", "predict", "score"}),
        ("  join: id\n", '  join: id\n  filter: "{{ here.id != 3 }}"\n', "filter", {"data", "predict", "score"}),
        ("  join: id\n", "  join: id\n  codes: { qab: two }\n", "code", {"data", "predict", "score"}),
    ],
)
def test_a_change_of_how_it_is_retrieved_is_told_and_runs_no_more_than_it_must(here, capsys, old, new, path, runs):
    for language in ("qaa", "qab"):
        rows = [{"id": n, "text": r["premise"]} for n, r in enumerate(world.rows("causes", "test", language)[:25])]
        (here / f"{language}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    text = RETRIEVAL.replace("{skip | w-causes(steps: 2)} ", "w-causes(steps: 2) ").replace(" with (seeds: 2)", "")
    (here / "study.xfer").write_text(text)
    assert exits.OK == call(["run", "study.xfer"]), capsys.readouterr().err
    (here / "study.xfer").write_text(text.replace(old, new))
    capsys.readouterr()

    assert exits.OK == call(["plan", "study.xfer", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert runs == {n["op"] for n in document["nodes"] if n["action"] != "cached"}
    assert {path} == {c["path"] for c in document["changes"]}
    assert exits.OK == call(["run", "study.xfer"])
