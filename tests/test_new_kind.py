"""A kind of task is one file and one row: a copy of the program gets both, and nothing else."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.ml

ROW = """\
        Kind(
            "word-count",
            ("text", "count"),
            ("text", "count"),
            {"within-one": Metric("share of texts whose count is off by one at most")},
        ),
"""
BEFORE = '        Kind(\n            "classification",\n'

FILE = '''\
"""How many words a text has, up to 19."""

import torch
from torch import nn
from torch.nn import functional

from runtime.kinds.kind import Encoded, Kind, Measured
from runtime.kinds.sums import averaged, rows_of, whole_of
from runtime.kinds.texts import text_encoding


def encode(values, coding):
    whole, cut = text_encoding(values, "text", coding)
    return Encoded((whole.ids,), (whole.type_ids,), int(values["count"]), cut)


def head(encoder, _labels):
    return nn.Linear(encoder.config.hidden_size, 20)


def scores(head, hidden, batch):
    real = batch.attention[..., None]
    return head((hidden * real).sum(dim=1) / 10)


def loss(head, hidden, batch):
    return functional.cross_entropy(scores(head, hidden, batch), batch.labels, reduction="sum")


def predict(head, hidden, batch):
    found = scores(head, hidden, batch).argmax(dim=-1)
    return {"row": batch.rows.tolist(), "label": batch.labels.tolist(), "prediction": found.tolist()}


def within_one_items(table):
    off = abs(table.column("label").to_numpy() - table.column("prediction").to_numpy())
    return averaged(rows_of(table), off <= 1)


def within_one(table):
    found = within_one_items(table)
    return Measured(whole_of(found), len(found.rows), None)


KIND = Kind(
    name="word-count",
    fields=("text", "count"),
    required=("text", "count"),
    texts=("text",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"within-one": within_one},
    items={"within-one": within_one_items},
)
'''

SPEC = """\
task counts : word-count {
  data: world(entail)
  source: qaa
  languages: [qaa, qab]
  input: { text: "{{ premise }}", count: "{{ premise.split() | length }}" }
  settings: { max-length: 64, steps: 60, batch: 32, lr: 3e-3 }
}
babel-mini -> counts @ counts[*](limit: 100)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The program with one file and one row more."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("dsl", "compiler", "runtime", "xfer", "specs", "docs"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    catalog = folder / "compiler" / "catalog.py"
    text = catalog.read_text(encoding="utf-8")
    assert 1 == text.count(BEFORE)
    catalog.write_text(text.replace(BEFORE, ROW + BEFORE), encoding="utf-8")
    (folder / "runtime" / "kinds" / "word_count.py").write_text(FILE, encoding="utf-8")
    (folder / "spec.xfer").write_text(SPEC, encoding="utf-8")
    return folder


def xfer(copy, *arguments):
    """What the copy prints."""
    environment = os.environ | {"PYTHONPATH": str(copy), "XFER_STORE": str(copy / "store")}
    code = "import sys; from xfer.cli import call; sys.exit(call(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_a_new_kind_trains_and_is_scored_by_its_own_metric(copy):
    out = xfer(copy, "run", "spec.xfer")

    assert "counts · within-one · 1 seed · 100 items a language" in out
    assert "within-one v1 of word-count: share of texts whose count is off by one at most" in out
    scores = json.loads(xfer(copy, "results", "spec.xfer", "--json"))["scores"]
    assert {("qaa", "word-count", "within-one"), ("qab", "word-count", "within-one")} == {
        (s["language"], s["kind"], s["metric"]) for s in scores
    }
    assert all(s["value"] > 0.5 for s in scores), "it has learnt something"


def test_a_new_kind_is_checked_listed_and_looked_at_like_others(copy):
    assert "counts train[qaa] · word-count, max-length 64" in xfer(copy, "data", "spec.xfer", "counts", "--rows", "20")
    assert "task counts : word-count {" in xfer(copy, "show", "counts", "spec.xfer")
