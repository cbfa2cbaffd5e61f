"""Published files and a published model, end to end (XFER_REAL; see tests/conftest.py)."""

from collections import Counter
from pathlib import Path

import pytest

import xfer
from compiler.ops import Data
from runtime import columns
from runtime.sources import read_rows

pytestmark = [pytest.mark.real, pytest.mark.ml]

SPEC = Path(__file__).parent / "cases" / "real" / "xcopa.xfer"
LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")


def study(real, store):
    return xfer.compile(SPEC, xfer.Options(store=store, device="cpu", roots=(("real", real),)))


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
