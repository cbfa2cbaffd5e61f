"""Every task and benchmark of the library, on rows of the project's own in the columns of the published files.

One run trains two steps on each and scores it; then each is asked for by itself, and with a column renamed.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import huggingface_hub.constants
import pytest

import xfer
from compiler.bag import Bag
from compiler.declarations import Declarations
from compiler.ops import Data
from compiler.pipeline import library, library_alone
from compiler.places import Places
from dsl.syntax import Declaration
from runtime import encoding
from runtime.errors import BadInput
from tests import mirrored
from xfer import exits

pytestmark = pytest.mark.ml

TASKS = (
    "mnli", "snli", "anli-plus", "qqp", "squad1.1", "squad2.0", "hellaswag", "swag", "cosmos-qa", "commonsense-qa",
    "siqa", "copa", "arc-easy", "arc-challenge", "winogrande", "ccg",
)  # fmt: skip
BENCHMARKS = {  # what trains, in which languages it is scored, and how many rows each has
    "xnli": ("mnli", {"en": 3, "de": 3}),
    "pawsx": ("pawsx", {"en": 2, "de": 2}),
    "udpos": ("udpos", {"en": 2, "de": 2, "th": 1}),
    "panx": ("panx", {"en": 2, "de": 2}),
    "panx-48": ("panx-48", {"en": 3, "qu": 2}),
    "xquad": ("squad1.1", {"en": 4, "de": 2}),
    "xquad-12": ("squad1.1", {"de": 2, "ro": 1}),
    "mlqa": ("squad1.1", {"en": 4, "de": 2}),
    "tydiqa": ("tydiqa", {"en": 4, "sw": 1, "fi": 1}),
    "bucc": (None, {"de": 3, "fr": 2}),
    "tatoeba": (None, {"de": 3, "zh": 2}),
    "tatoeba-41": (None, {"de": 3, "lt": 2}),
    "xcopa": ("copa", {"et": 3, "it": 3, "th": 3}),
    "xcopa-repaired": ("copa", {"et": 3, "it": 3, "th": 3}),
    "xstorycloze": ("hellaswag", {"en": 2, "sw": 2}),
    "m-hellaswag": ("hellaswag", {"de": 2, "eu": 2}),
    "m-arc": ("arc-challenge", {"de": 2, "eu": 1}),
    "x-csqa": ("commonsense-qa", {"en": 2, "ja": 2}),
    "x-codah": ("commonsense-qa", {"en": 2, "ja": 2}),
    "xwinograd": ("winogrande", {"en": 3, "ja": 2}),
    "belebele": ("commonsense-qa", {"en": 2, "sw": 2, "zh-Hant": 2}),
}
WHERE = {"anli-plus": "anli", "xquad-12": "xquad", "xcopa-repaired": "xcopa"}  # a fixture that is called otherwise
USED = {  # a column that the entry's templates read, as the message calls it
    "anli-plus": "premise", "mnli": "hypothesis", "snli": "label", "qqp": "question2", "squad1.1": "answers",
    "squad2.0": "context", "hellaswag": "ctx_b", "swag": "sent2", "cosmos-qa": "answer3", "commonsense-qa": "answerKey",
    "siqa": "answerC", "copa": "choice2", "arc-easy": "answerKey", "arc-challenge": "choices", "winogrande": "option2",
    "xnli": "premise", "pawsx": "sentence2", "udpos": "pos_tags", "panx": "ner_tags", "panx-48": "tokens",
    "xquad": "question", "xquad-12": "answers", "mlqa": "context", "tydiqa": "id", "bucc": "gold",
    "tatoeba": "target_sentence", "tatoeba-41": "sentence2", "mlm-wiki": "text", "xcopa": "premise",
    "xcopa-repaired": "question", "xstorycloze": "sentence_quiz2", "m-hellaswag": "endings", "m-arc": "option_e",
    "x-csqa": "question", "x-codah": "answerKey", "xwinograd": "sentence", "belebele": "correct_answer_num",
}  # fmt: skip
HEAD = 'model tiny { weights: embedded("babel-mini") }\ndefaults { max-length: 64 }\n'
SHORT = "(steps: 2, batch: 2)"


def chain(name):
    """The line of one entry."""
    if name in BENCHMARKS:
        trained, languages = BENCHMARKS[name]
        stage = f" -> {trained}{SHORT}" if trained else ""
        return f"run-{name}: tiny{stage} @ {name}[{', '.join(languages)}]\n"
    if name == "mlm-wiki":
        return f"run-{name}: tiny -> mlm-wiki[de, sw]{SHORT} -> copa{SHORT} @ xcopa[it]\n"
    return f"run-{name}: tiny -> {name}{SHORT} @ {name}(split: dev, max-length: 64)\n"


NAMES = (*TASKS, *BENCHMARKS, "mlm-wiki")


def placed(folder, text, found, patch):
    """A spec beside the lock of these fixtures, which lie in the hub's cache; the options that compile it."""
    cache = folder / "cache"
    mirrored.publish(cache, folder / "xfer.lock", found)
    patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    spec = folder / "all.xfer"
    spec.write_text(text, encoding="utf-8")
    roots = (("ccgbank", mirrored.FIXTURES / "ccgbank"),)
    return spec, xfer.Options(store=folder / "store", device="cpu", roots=roots)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The study of all entries, after it ran; and its scores."""
    folder = tmp_path_factory.mktemp("library")
    text = HEAD + "".join(chain(name) for name in NAMES)
    text += f"run-all9: tiny -> all9 -> copa{SHORT} @ xcopa[it]\n"
    with pytest.MonkeyPatch.context() as patch:
        spec, options = placed(folder, text, [mirrored.fixture(n) for n in mirrored.names()], patch)
        study = xfer.compile(spec, options, run=True)
        assert [] == [d.message for d in study.compiled.diagnostics if d.severity.value == "error"]
        report = xfer.run(study)
    assert ([], []) == ([(f.node.label, str(f.error)) for f in report.failed], list(report.skipped))
    rows, missing = xfer.rows(study)
    assert 0 == missing
    return study, rows


def test_every_entry_of_the_library_is_tried():
    declared = {
        n for n, d in library().items() if isinstance(d, Declaration) and d.word != "model" and not n.startswith("w-")
    }

    assert declared == set(NAMES)
    assert set(mirrored.names()) == (set(NAMES) - set(WHERE) - {"ccg"}) | {"anli"}


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_trains_and_scores_on_rows_in_the_published_columns(scored, name):
    _, rows = scored
    own = [r for r in rows if r.cell.experiment == f"run-{name}"]

    if name in BENCHMARKS:
        assert BENCHMARKS[name][1] == {r.cell.language: r.n for r in own}
    else:
        assert own
    metrics = declared_metrics("xcopa" if name == "mlm-wiki" else name)
    assert set(metrics) == {r.cell.metric for r in own}
    assert all(math.isfinite(r.value) and 0 <= r.value <= 1 for r in own)


def declared_metrics(name):
    """The metrics that the library's declaration of a task names."""
    declarations = Declarations(
        library_alone(), Places(mirrored.FIXTURES, {"ccgbank": mirrored.FIXTURES / "ccgbank"}), Bag()
    )
    return declarations.task(library()[name]).metrics


@pytest.mark.parametrize("name", sorted(USED))
def test_a_renamed_column_is_told_with_what_the_rows_have(name, tmp_path, monkeypatch):
    where = WHERE.get(name, name)
    found = [mirrored.fixture(n) for n in mirrored.names() if n != where]
    found.append(mirrored.renamed(mirrored.fixture(where), USED[name]))
    spec, options = placed(tmp_path, HEAD + chain(name), found, monkeypatch)
    study = xfer.compile(spec, options)
    label = f"data {name}"
    nodes = [n for n in study.plan.nodes if isinstance(n.op, Data) and n.label.startswith(label)]
    model = next(n for n in study.plan.nodes if n.label == "tiny")

    with pytest.raises(BadInput) as caught:
        read(study, nodes, model, tmp_path)

    assert f"`{USED[name]}`" in str(caught.value)
    assert f"did you mean `{'et.' * (name == 'xcopa-repaired')}{USED[name]}_`?" in str(caught.value.hint)
    assert str(caught.value.field).startswith(("input.", "filter"))


def read(study, nodes, model, folder):
    """Encode data in this process."""
    from runtime.hub.fetch import fetch
    from runtime.models import make

    files = {**study.plan.files, **fetch(study.plan.hub, lambda _: None)}
    (folder / "model").mkdir()
    make(model.op, files, folder / "model")
    for number, node in enumerate(nodes):
        (folder / str(number)).mkdir()
        encoding.encode(node.op, folder / "model", files, folder / str(number), allow_code=False)


@pytest.mark.parametrize("name", mirrored.names())
def test_a_fixture_says_where_its_columns_were_seen(name):
    record = mirrored.fixture(name)
    entry = library()[{"anli": "anli-plus"}.get(name, name)]
    unverified = next((p.value.span.text for p in entry.record.pairs if p.key.text == "unverified"), "")

    assert record["source"]
    assert record["seen"] == ("columns" not in unverified)
    if record["seen"]:
        assert "facts.md" in record["source"] or "huggingface" in record["source"]


def test_ccg_without_its_root_is_planned_as_blocked_and_not_run(tmp_path, capsys, monkeypatch):
    from xfer.cli import call

    spec, _ = placed(tmp_path, HEAD + chain("ccg"), [], monkeypatch)
    arguments = [str(spec), "--store", str(tmp_path / "store"), "--device", "cpu"]

    assert exits.OK == call(["plan", *arguments])
    out = " ".join(capsys.readouterr().out.split())
    assert "blocked: `data ccg train[en]` and 1 more lies in `@ccgbank`, which nobody named" in out
    assert "LDC2005T13" in out and "--root ccgbank=DIR" in out
    assert "unverified: columns, size of `ccg`" in out

    assert exits.ERROR == call(["run", *arguments])
    assert "nobody said where `@ccgbank` lies" in " ".join(capsys.readouterr().err.split())


def test_every_fixture_can_be_read_by_a_person():
    for path in sorted(Path(mirrored.FIXTURES).glob("*.json")):
        assert path.stat().st_size < 4000, path.name
        assert json.loads(path.read_text(encoding="utf-8"))["configs"]


def test_a_line_of_ccg_without_its_tags_is_told_with_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "ccgbank"
    folder.mkdir()
    for file in sorted((mirrored.FIXTURES / "ccgbank").iterdir()):
        text = file.read_text(encoding="utf-8")
        (folder / file.name).write_text(text.replace("\tN S[dcl]", " N S[dcl]"), encoding="utf-8")
    spec, options = placed(tmp_path, HEAD + chain("ccg"), [], monkeypatch)
    study = xfer.compile(spec, xfer.Options(store=options.store, device="cpu", roots=(("ccgbank", folder),)))
    nodes = [n for n in study.plan.nodes if n.label == "data ccg train[en]"]

    with pytest.raises(BadInput, match=r"ccg\.train:3 has 1 columns, and there are 2 names"):
        read(study, nodes, next(n for n in study.plan.nodes if n.label == "tiny"), tmp_path)
