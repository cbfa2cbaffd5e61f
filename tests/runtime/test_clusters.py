"""Rows that come together count as one draw of items: what each gives, and from which rows on."""

import json

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm

import xfer
from compiler.ops import Baseline, Data, Predict
from runtime import columns
from runtime.clusters import first_of, gathered
from runtime.evidence.scores import Evidence
from runtime.metrics import predicted
from xfer import exits
from xfer.cli import call

STUDY = """\
model babel {{ weights: embedded("babel-mini") }}
task nli : classification {{
  data: files("{{{{ split }}}}.jsonl")
  source: qaa
  labels: [no, yes]
  {said}
  input: {{ text: "{{{{ premise }}}}", pair: "{{{{ other }}}}", label: "{{{{ label }}}}" }}
  settings: {{ steps: 1, batch: 4, max-length: 32, baselines: [majority] }}
}}
babel -> nli @ nli{more}
"""
PREMISES = [0, 1, 0, 2, 1, 0]  # of each row


def table(clusters, rows=None):
    rows = range(len(clusters)) if rows is None else rows
    return pa.table({"row": pa.array(rows, pa.int64()), "cluster": pa.array(clusters, pa.int64())})


def test_a_cluster_gives_the_mean_of_its_items_where_all_are_equally_large():
    values = np.array([1.0, 0, 1, 1, 0, 0])

    rows, found = gathered(table([0, 0, 2, 2, 4, 4]), np.arange(6), values)

    assert [0, 2, 4] == rows.tolist()
    np.testing.assert_allclose(found, [0.5, 1, 0], rtol=1e-15)


def test_the_mean_stays_and_its_variance_is_the_cluster_robust_one():
    rng = np.random.default_rng(1)
    clusters = np.sort(rng.integers(0, 12, 80))
    first = [int(np.flatnonzero(clusters == c)[0]) for c in clusters]
    values = rng.random(80) + 0.3 * clusters

    _, found = gathered(table(first), np.arange(80), values)

    fit = sm.OLS(values, np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert values.mean() == pytest.approx(found.mean(), rel=1e-12)
    assert float(fit.cov_params()[0, 0]) == pytest.approx(found.var(ddof=1) / len(found), rel=1e-10)


def test_items_are_found_by_their_rows_in_whatever_order_and_however_many():
    said = table([5, 3, 5, 3], rows=[9, 3, 5, 7])

    rows, found = gathered(said, np.array([3, 5, 9]), np.array([0.0, 1.0, 1.0]))

    assert [3, 5] == rows.tolist()
    np.testing.assert_allclose(found, 2 / 3 + np.array([-2 / 3, 2 / 3]) * 2 / 3)


def test_items_that_stand_alone_are_as_they_were():
    values = np.array([0.1, 0.7])
    alone, without = table([0, 1]), pa.table({"row": [0, 1]})

    for said in (alone, without):
        rows, found = gathered(said, np.arange(2), values)
        assert [0, 1] == rows.tolist() and found is values
    assert 0 == len(gathered(alone, np.arange(0), np.zeros(0))[0])


def test_a_row_that_is_of_nothing_stands_alone():
    seen = {}
    of = ["a", None, "a", None, 1, "1", ["a"], ["a"]]

    assert [0, 1, 0, 3, 4, 5, 6, 6] == [first_of(value, row, seen) for row, value in enumerate(of)]


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    """The study and what is there to say of its scores, after a run of the spec with something said of the task."""
    monkeypatch.chdir(tmp_path)
    for split in ("train", "test"):
        rows = [
            {"premise": f"{split} {p}", "other": f"ta {n}", "label": n % 2, "of": p % 2} for n, p in enumerate(PREMISES)
        ]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))

    def run(said="", more=""):
        (tmp_path / "s.xfer").write_text(STUDY.format(said=said, more=more))
        assert exits.OK == call(["run", "s.xfer", "--store", "store"]), capsys.readouterr().err
        study = xfer.compile("s.xfer", xfer.Options(store=tmp_path / "store"))
        return study, Evidence(study.plan, study.store())

    return run


@pytest.mark.ml
@pytest.mark.parametrize(
    ("said", "more", "clusters"),
    [
        ("", "", [0, 1, 0, 3, 1, 0]),
        ("", "(under: typos(rate: 90%))", [0, 1, 0, 3, 1, 0]),
        ("cluster: none", "", None),
        ('cluster: "{{ of }}"', "", [0, 1, 0, 0, 1, 0]),
        ("filter: \"{{ other not in ('ta 0', 'ta 3') }}\"", "", [1, 0, 1, 0]),  # named by what the filter takes out
    ],
)
def test_hypotheses_of_one_premise_are_one_draw(ran, said, more, clusters):
    study, evidence = ran(said, more)

    for node in study.plan.nodes:
        if isinstance(node.op, Data):
            found = columns.read(evidence.store.read(node.key)).clusters
            assert (clusters if node.op.scored else None) == (None if found is None else found.tolist())
        if isinstance(node.op, Predict | Baseline):
            answered = predicted(evidence.store.read(node.key))
            assert clusters == (answered["cluster"].to_pylist() if "cluster" in answered.column_names else None)
    given = evidence.given(study.plan.cells[0].score)
    assert len(PREMISES if clusters is None else set(clusters)) == len(given.rows) == len(set(given.rows))
    assert xfer.rows(study)[0][0].value == pytest.approx(given.values.mean())


@pytest.mark.ml
def test_clusters_of_a_pool_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test.jsonl").write_text('{"a": "qo", "b": "ta", "g": 0}\n')
    (tmp_path / "s.xfer").write_text(
        'model babel { weights: embedded("babel-mini") }\n'
        'benchmark pool : retrieval { data: files("{{ split }}.jsonl") languages: [qaa] cluster: "{{ g }}"\n'
        '  input: { query: "{{ a }}", document: "{{ b }}", gold: "{{ g }}" } }\n'
        "babel @ pool[qaa] with (max-length: 32)\n"
    )

    assert exits.ERROR == call(["run", "s.xfer", "--store", "store"])
    said = capsys.readouterr().err
    assert "`cluster` speaks of rows" in said and "s.xfer:2:89" in said
