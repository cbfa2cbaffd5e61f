"""Pairs of languages on the world: premise in one language, hypothesis in the other."""

import csv
import io

import numpy as np
import pytest

import xfer
from compiler.ops import Data, Predict
from runtime import columns, models
from runtime.world import rows
from tests.compiling import nodes
from xfer import exits
from xfer.cli import call

pytestmark = pytest.mark.ml

SPEC = """\
benchmark w-pairs : w-entail {
  data: { a: world(entail, language: first), b: world(entail, language: second) }
  languages: pairs(qaa, qab, qal)
  input: { text: "{{ a.premise }}", pair: "{{ b.hypothesis }}", label: "{{ a.label }}" }
}
pairs: babel-mini -> w-entail(steps: 100, lr: 2e-3) @ w-pairs[*], w-xentail[qaa, qab, qal] with (seeds: 2)
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study after its run."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "study.xfer").write_text(SPEC)
    done = xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store"))
    assert [] == xfer.run(done).failed
    return done


def values(study):
    return {(r.cell.benchmark, r.cell.language, r.cell.seed): r.value for r in xfer.rows(study)[0]}


def test_every_ordered_pair_is_a_language(study):
    pairs = {language for benchmark, language, _ in values(study) if benchmark == "w-pairs"}

    assert {f"{a}.{b}" for a in ("qaa", "qab", "qal") for b in ("qaa", "qab", "qal")} == pairs


def test_each_side_is_read_in_its_own_language(study):
    data = next(n for n in nodes(study.plan, Data) if n.op.language == "qab.qal")
    folder = study.store().path(data.key)
    tokenizer = models.load_tokenizer(study.store().path(data.op.model))
    first, second = rows("entail", "test", "qab"), rows("entail", "test", "qal")
    encoded = columns.read(folder)

    for n in (0, 1, 77):
        expected = tokenizer.encode(first[n]["premise"], second[n]["hypothesis"]).ids
        assert expected == encoded.take(np.array([n])).tokens.tolist()
        assert first[n]["premise"] != rows("entail", "test", "qal")[n]["premise"]


def test_a_pair_of_one_language_with_itself_scores_as_that_language(study):
    found = values(study)

    for language in ("qaa", "qab", "qal"):
        for seed in ("1", "2"):
            assert found["w-pairs", f"{language}.{language}", seed] == found["w-xentail", language, seed]
    assert found["w-pairs", "qaa.qal", "1"] != found["w-pairs", "qal.qaa", "1"]


def test_a_pair_is_trained_on_only_if_both_of_its_sides_are(study):
    trained = {c.language for c in study.plan.cells if c.benchmark == "w-pairs" and not c.zero_shot}

    assert {"qaa.qaa"} == trained
    assert 9 * 2 + 3 * 2 == len(nodes(study.plan, Predict))


def test_results_are_a_square_and_records_know_both_sides(study, capsys):
    options = ["--store", str(study.store_root)]
    assert exits.OK == call(["results", str(study.path), *options])
    drawn = capsys.readouterr().out
    assert exits.OK == call(["results", str(study.path), *options, "--csv"])
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    lines = [line.split() for line in drawn.splitlines()]
    assert ["babel-mini", "qaa", "qab", "qal"] in lines
    assert "pairs: the first language downwards, the second across" in drawn
    square = {line[0]: line[1:] for line in lines if line and line[0] in ("qaa", "qab", "qal")}
    of_pairs = [r for r in records if r["benchmark"] == "w-pairs"]
    mean = sum(float(r["value"]) for r in of_pairs if (r["first"], r["second"]) == ("qab", "qal")) / 2
    assert f"{100 * mean:.1f}" == square["qab"][4]  # value ± deviation, value ± …
    assert {"qaa.qaa": "*"} == {r["language"]: "*" for r in of_pairs if r["zero_shot"] == "False"}
