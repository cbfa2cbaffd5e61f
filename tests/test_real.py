"""Published files and a published model, end to end (XFER_REAL; see tests/conftest.py)."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from msgspec.structs import replace

import xfer
from compiler.ops import Data, Predict
from runtime import columns, metrics
from runtime.clusters import CLUSTER, first_of
from runtime.encoding import valued
from runtime.joining import rows_of
from runtime.kinds import kinds
from runtime.metrics import PREDICTIONS
from runtime.sources import read_rows
from runtime.templates import Templates
from xfer import inspecting

pytestmark = [pytest.mark.real, pytest.mark.ml]

CASES = Path(__file__).parent / "cases" / "real"
SPEC = CASES / "xcopa.xfer"
LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")


def study(real, store, spec=SPEC, options=None):
    return xfer.compile(
        spec, xfer.Options(store=store, device="cpu", roots=(("real", real),), **(options or {})), run=True
    )


def test_the_study_runs_from_the_published_files(real, tmp_path):
    compiled = study(real, tmp_path)
    assert [] == [d for d in compiled.compiled.diagnostics if d.severity.value == "error"]

    report = xfer.run(compiled)

    assert ([], []) == (report.failed, report.skipped)
    rows, missing = xfer.rows(compiled)
    assert (0, 11) == (missing, len(rows))
    assert list(LANGUAGES) == [r.cell.language for r in rows]
    assert all((r.n, r.chance, r.cell.zero_shot) == (32, 0.5, True) for r in rows)
    _check_columns(compiled)
    assert [] == xfer.run(study(real, tmp_path)).ran


def _check_columns(compiled):
    """Every data node holds 32 examples of two choices; the parallel languages hold the same items and labels."""
    store = compiled.store()
    found = {}
    for node in compiled.plan.nodes:
        if isinstance(node.op, Data):
            found[node.label] = part = columns.read(store.read(node.key))
            assert (32, {2}) == (len(part), set(part.choices.tolist()))
            assert {0, 1} == set(part.labels.tolist())
            assert 4 < part.lengths.max() <= 64
    tests = [c for label, c in found.items() if "xcopa" in label]
    assert 11 == len(tests)
    assert 1 == len({tuple(c.rows.tolist()) for c in tests}) == len({tuple(c.labels.tolist()) for c in tests})


def test_the_published_files_hold_what_their_papers_say(real, tmp_path):
    """Counts and label balance of all rows, read as a run reads them."""
    compiled = study(real, tmp_path)
    files = compiled.plan.files
    labels = {
        node.label: Counter(row["label"] for rows in node.op.rows for row in read_rows(rows, files, allow_code=False))
        for node in compiled.plan.nodes
        if isinstance(node.op, Data)
    }

    assert 14_928 == labels["data e-care train[en]"].total()
    assert {0: 195, 1: 205} == labels["data copa-en train[en]"]
    for language in LANGUAGES:
        assert {0: 250, 1: 250} == labels[f"data xcopa-files test[{language}]"]
    balance = labels["data e-care train[en]"][1] / 14_928
    assert 0.49 < balance < 0.51


MEASURED = {"de": 98.5, "es": 98.5, "tr": 93.0, "ru": 93.0, "fr": 91.0, "sw": 88.0, "fi": 81.0, "et": 75.5}


def test_tatoeba_gives_what_plain_tools_measure(real, tmp_path):
    """The figures of the real data's own README, with plain tools on the same model: one sentence of 200 at most."""
    compiled = study(real, tmp_path, CASES / "tatoeba.xfer")

    report = xfer.run(compiled)

    assert ([], []) == (report.failed, report.skipped)
    rows, missing = xfer.rows(compiled)
    assert (0, list(MEASURED)) == (missing, [r.cell.language for r in rows])
    assert {(200, 1 / 200, "")} == {(r.n, r.chance, r.cell.seed) for r in rows}
    assert MEASURED == pytest.approx({r.cell.language: 100 * r.value for r in rows}, abs=0.5)


def read(compiled):
    """The rows of each data node, by its label, as a run reads them."""
    return {
        node.label: [row for rows in node.op.rows for row in read_rows(rows, compiled.plan.files, allow_code=False)]
        for node in compiled.plan.nodes
        if isinstance(node.op, Data)
    }


# Sentences, words, tags: counted in the files by `grep` and `cut`; multiword tokens and empty nodes are no words.
TREEBANKS = {
    "data ewt train[en]": (2001, 25_147, 17),
    "data pud train[en]": (1000, 21_180, 17),
    "data pud train[de]": (1000, 21_332, 16),
    "data pud train[es]": (1000, 23_283, 17),
    "data pud train[id]": (1000, 19_446, 17),
    "data pud train[tr]": (1000, 16_881, 16),
}


def test_treebanks_and_questions_are_read_as_they_are_published(real, tmp_path):
    rows = read(study(real, tmp_path, CASES / "formats.xfer"))

    for label, (sentences, words, tags) in TREEBANKS.items():
        found = rows[label]
        assert (sentences, words) == (len(found), sum(len(r["form"]) for r in found))
        assert tags == len({tag for r in found for tag in r["upos"]})
        assert all(r["sent_id"] and r["text"] for r in found)
        assert all([str(n) for n in range(1, len(r["id"]) + 1)] == r["id"] for r in found)
    pud = [rows[f"data pud train[{c}]"] for c in ("en", "de", "es", "id", "tr")]
    assert 1 == len({tuple(r["sent_id"] for r in found) for found in pud})  # parallel
    for language in ("en", "de", "es", "ro", "tr", "vi", "zh"):
        found = rows[f"data xquad train[{language}]"]
        assert (1190, 1190) == (len(found), len({r["id"] for r in found}))
        assert all(r["answers"]["text"] for r in found)
        for r in found:
            for text, start in zip(r["answers"]["text"], r["answers"]["answer_start"], strict=True):
                assert r["context"][start : start + len(text)] == text


def test_one_languages_fault_is_mended_by_a_join_with_another(real, tmp_path):
    compiled = study(real, tmp_path, CASES / "repaired.xfer")
    et, th = (n.op for n in compiled.plan.nodes if isinstance(n.op, Data) and n.op.scored)
    right = [row["question"] for row in rows_of(et, compiled.plan.files, allow_code=False)]
    joined = rows_of(th, compiled.plan.files, allow_code=False)

    assert ("idx", 500, 500) == (th.join, len(right), len(joined))
    assert {"cause", "effect"} == set(right)
    assert {"effect"} == {row["own"]["question"] for row in joined}
    assert 250 == sum(row["own"]["question"] != row["et"]["question"] for row in joined)
    assert all(row["own"]["idx"] == row["et"]["idx"] and row["own"]["label"] == row["et"]["label"] for row in joined)
    mended = Templates(th.fields)
    assert ["What was the cause?" if q == "cause" else "What happened as a result?" for q in right] == [
        mended.values(row, {})["question"] for row in joined
    ]


def test_the_languages_whose_questions_are_wrong_are_named(real, tmp_path):
    """What people who know the files counted (the real data's README); the others agree row by row."""
    compiled = study(real, tmp_path, options={"look": "xcopa-files"})
    looked = inspecting.look(compiled, "xcopa-files", (), splits=("test",), examples=0)
    wrong = {s.survey: (len(s.rows), s.text) for s in looked.suspected if s.text.startswith("`question` differs")}

    expected = {"th": 250, "tr": 51, "sw": 37, "id": 4, "it": 4}
    assert {f"xcopa-files test[{c}]": n for c, n in expected.items()} == {name: n for name, (n, _) in wrong.items()}
    assert "it is always `What happened as a result?`" in wrong["xcopa-files test[th]"][1]
    assert {(500, 500, 250, 250)} == {(s.rows, s.looked, s.labels["0"], s.labels["1"]) for s in looked.surveys}


# How many words are nouns: counted in the files by `awk`, `sort` and `uniq -c`.
NOUNS = {"en": 4015, "de": 4190, "es": 4807, "id": 4688, "tr": 5829}


def test_published_files_of_all_kinds_are_trained_on_and_scored(real, tmp_path):
    compiled = study(real, tmp_path, CASES / "kinds.xfer")

    report = xfer.run(compiled)

    assert ([], []) == (report.failed, report.skipped)
    rows, missing = xfer.rows(compiled)
    assert 0 == missing
    accuracy = {
        (r.cell.baseline, r.cell.language): r.value
        for r in rows
        if (r.cell.experiment, r.cell.metric) == ("tags", "accuracy")
    }
    assert all(accuracy["", c] > accuracy["majority", c] + 0.1 for c in ("en", "de", "es", "id", "tr"))
    assert accuracy["bag-of-words", "en"] > accuracy["bag-of-words", "tr"], (
        "words learnt by heart stay in their language"
    )
    spans = [r for r in rows if r.cell.experiment == "spans"]
    assert {8} == {r.n for r in spans}
    assert {("f1", "em", "mlqa-f1", "mlqa-em")} == {
        tuple(r.cell.metric for r in spans if r.cell.language == code) for code in ("de", "es", "ro", "tr", "vi", "zh")
    }
    _check_answers(compiled)


def _check_answers(compiled):
    """Every answer stands in its context, and SQuAD's scores are those of torchmetrics."""
    squad = pytest.importorskip("torchmetrics.text").SQuAD
    plan, store = compiled.plan, compiled.store()
    by_key = {n.key: n.op for n in plan.nodes}
    for key, op in by_key.items():
        if isinstance(op, Predict) and op.kind == "span-qa":
            table = columns.read_table(store.read(key) / PREDICTIONS)
            contexts = columns.read(store.read(op.data)).kept.column("context").to_pylist()
            answers, gold = table.column("prediction").to_pylist(), table.column("label").to_pylist()
            assert all(a and a in c for a, c in zip(answers, contexts, strict=True))
            predicted = [{"prediction_text": a, "id": str(n)} for n, a in enumerate(answers)]
            target = [{"answers": {"text": g, "answer_start": [0] * len(g)}, "id": str(n)} for n, g in enumerate(gold)]
            found = squad()(predicted, target)
            ours = {m: metrics.score("span-qa", m, store.read(key)).value for m in ("f1", "em")}
            assert ours == pytest.approx({"f1": float(found["f1"]) / 100, "em": float(found["exact_match"]) / 100})


def test_treebanks_and_questions_have_the_balance_that_was_counted(real, tmp_path):
    tagged = study(real, tmp_path, CASES / "kinds.xfer", {"look": "pud"})
    looked = inspecting.look(tagged, "pud", (), examples=0)
    assert NOUNS == {s.language: s.labels["NOUN"] for s in looked.surveys}
    assert all("NOUN" == s.labels.most_common(1)[0][0] for s in looked.surveys)

    asked = study(real, tmp_path, CASES / "kinds.xfer", {"look": "xquad"})
    looked = inspecting.look(asked, "xquad", ("zh", "de"), examples=0, rows=300)
    by_language = {s.language: s for s in looked.shown}
    assert {("answered", 300)} == {pair for s in by_language.values() for pair in s.labels.items()}
    assert by_language["zh"].unknown / sum(by_language["zh"].lengths) > 0.05 > by_language["de"].unknown


def test_gold_against_itself_is_perfect(real, tmp_path):
    """By the rules of SQuAD and MLQA, and over spans and words of tags: every published answer and tag."""
    compiled = study(real, tmp_path, CASES / "kinds.xfer")
    found = {n.label: n.op for n in compiled.plan.nodes if isinstance(n.op, Data) and n.op.scored}
    for label, op in found.items():
        rows = rows_of(op, compiled.plan.files, allow_code=False)
        values = [Templates(op.fields).values(row, {"language": op.language}) for row in rows]
        if op.kind == "tagging":
            table = pa.table({name: [v["tags"] for v in values] for name in ("label", "prediction")})
        else:
            gold = [v["answers"]["text"] for v in values]
            language, may_be_empty = [op.language] * len(gold), [False] * len(gold)
            table = {"prediction": [g[0] for g in gold], "label": gold, "language": language}
            table = pa.table(table | {"may_be_empty": may_be_empty})
        scores = {name: metric(table).value for name, metric in kinds()[op.kind].metrics.items()}
        assert dict.fromkeys(scores, 1.0) == scores, label
    assert 5 + 6 == len(found)


def test_questions_on_a_paragraph_of_xquad_are_one_draw_in_every_language(real, tmp_path):
    compiled = study(real, tmp_path, CASES / "library.xfer")
    xquad = [n.op for n in compiled.plan.nodes if n.label.startswith("data xquad test")]
    found = []
    for op in xquad:
        values, _ = valued(replace(op, limit=None), compiled.plan.files, allow_code=False)
        seen = {}
        found.append([first_of(row[CLUSTER], index, seen) for index, row in values])

    assert 6 == len(found) and 1190 == len(found[0])
    assert 240 == len(set(found[0]))  # paragraphs of XQuAD (Artetxe et al. 2020)
    assert all(found[0] == other for other in found)


@pytest.mark.slow
def test_chains_of_the_librarys_names_run_on_files_as_published(real, tmp_path):
    """Sources alone are overridden: templates, languages, codes, labels, metrics and settings are the library's."""
    compiled = study(real, tmp_path, CASES / "library.xfer")
    assert {"X0203"} == {d.code for d in compiled.compiled.diagnostics if d.severity.value != "note"}

    report = xfer.run(compiled)

    assert ([], []) == (report.failed, report.skipped)
    rows, missing = xfer.rows(compiled)
    by_benchmark = {
        name: [r for r in rows if r.cell.benchmark == name] for name in ("xcopa", "udpos", "xquad", "tatoeba")
    }
    assert 0 == missing
    assert [11, 5, 6, 36] == [len({r.cell.language for r in found}) for found in by_benchmark.values()]
    assert {"f1", "em"} == {r.cell.metric for r in by_benchmark["xquad"]}
    assert {"f1"} == {r.cell.metric for r in by_benchmark["udpos"]}
    assert {8} == {r.n for r in by_benchmark["xcopa"]}
    # The model was made for retrieval, and the library says with which prefix, pooling and layer.
    found = {r.cell.language: r.value for r in by_benchmark["tatoeba"]}
    assert all(found[c] >= 0.9 for c in ("de", "es", "fr", "ru", "tr")), found
    assert 0.8 < sum(found.values()) / len(found)
