"""`xfer compare` on planted scores: which questions meet, and what the tests say."""

import json
import shutil

import numpy as np
import pytest
from scipy.stats import binomtest

import xfer
from runtime import recorded
from tests.planting import plant
from xfer import exits
from xfer.api import runs
from xfer.cli import call

ITEMS = 50
ONE = "study: babel-mini -> w-causes(steps: 3) @ w-xcauses[qaa, qab, qac](limit: 50) with (seeds: {seeds})\n"
OTHER = ONE.replace("steps: 3", "steps: 4")


def right(chance):
    def answers(cell):
        rng = np.random.default_rng([int(cell.seed), ("qaa", "qab", "qac").index(cell.language), int(100 * chance)])
        shared = np.random.default_rng(7).random(ITEMS)
        return list(np.where(rng.random(ITEMS) < 0.8, shared, rng.random(ITEMS)) < chance)

    return answers


@pytest.fixture
def specs(tmp_path, monkeypatch):
    """Two specs of so many seeds with planted scores, in one store."""
    monkeypatch.chdir(tmp_path)

    def make(seeds, texts=(ONE, OTHER)):
        for name, text, chance in zip(("one", "other"), texts, (0.5, 0.8), strict=True):
            (tmp_path / f"{name}.xfer").write_text(text.replace("{seeds}", str(seeds)))
            study = xfer.compile(tmp_path / f"{name}.xfer", xfer.Options(store=tmp_path / "store"))
            plant(study, right(chance))
        return tmp_path / "store"

    return make


@pytest.fixture
def compared(specs, capsys):
    """The document of a comparison of the two."""

    def run(seeds, *texts):
        store = specs(seeds, *([texts] if texts else []))
        assert exits.OK == call(["compare", "one.xfer", "other.xfer", "--store", str(store), "--json"])
        return json.loads(capsys.readouterr().out)

    return run


def values(spec, store):
    """(language, seed) -> score."""
    study = xfer.compile(spec, xfer.Options(store=store))
    return {(r.cell.language, r.cell.seed): r.value for r in xfer.rows(study)[0]}


def test_differences_are_of_the_same_seeds_and_their_mean_leaves_the_source_out(compared):
    pairs = {p["language"]: p for p in compared(4)["pairs"]}
    one, other = values("one.xfer", "store"), values("other.xfer", "store")

    assert {"qaa", "qab", "qac", None} == set(pairs)
    for language in ("qaa", "qab", "qac"):
        expected = np.mean([other[language, s] - one[language, s] for s in "1234"])
        assert pytest.approx(expected) == pairs[language]["difference"]["value"]
    mean = np.mean([pairs[c]["difference"]["value"] for c in ("qab", "qac")])
    assert pytest.approx(mean) == pairs[None]["difference"]["value"]
    assert {"seeds and items"} == {p["test"] for p in pairs.values()}
    assert all(p["difference"]["low"] < p["difference"]["value"] < p["difference"]["high"] for p in pairs.values())
    assert all(p["p"] <= p["p_holm"] <= 4 * p["p"] + 1e-12 for p in pairs.values())


def test_one_seed_is_one_pair_of_checkpoints_and_mcnemars_test(compared):
    pairs = {p["language"]: p for p in compared(1)["pairs"]}
    ours = right(0.5), right(0.8)

    class Cell:
        seed, language = "1", "qab"

    one, other = (np.array(f(Cell)) for f in ours)
    first, second = int((one & ~other).sum()), int((~one & other).sum())
    assert "McNemar" == pairs["qab"]["test"]
    assert pytest.approx(binomtest(first, first + second).pvalue) == pairs["qab"]["p"]
    assert "signs over items" == pairs[None]["test"]
    assert pairs["qab"]["difference"]["low"] is None


def test_experiments_of_other_names_and_other_models_meet_where_nothing_else_does(compared):
    renamed = 'model mine { weights: embedded("babel-mini") }\n' + OTHER.replace("study: babel-mini", "again: mine")
    found = compared(2, ONE, renamed)

    assert 4 == len(found["pairs"])
    assert 0 == found["only_first"] == found["only_second"]


def test_what_one_side_alone_asks_is_counted(compared):
    more = OTHER.rstrip("\n").replace("@ w-xcauses", "@ w-causes[qaa](split: dev, limit: 50), w-xcauses")
    found = compared(2, ONE, more + "\n")

    assert 0 == found["only_first"] and 1 == found["only_second"]
    assert {"w-xcauses"} == {p["benchmark"] for p in found["pairs"]}


def test_a_run_is_what_it_was_whatever_became_of_its_spec(specs, tmp_path, capsys):
    store = specs(3)
    study = xfer.compile("one.xfer", xfer.Options(store=store))
    for name in ("20200101-000000-aaaa", "20200102-000000-bbbb"):
        folder = store / "runs" / name
        folder.mkdir(parents=True)
        recorded.write(folder, study.plan)
        header = {"at": 0, "run": name, "spec": "one.xfer", "nodes": 1, "to_run": 1, "format_version": 1}
        holder = {"host": "h", "boot": "b", "process": 1, "started": "0", "run": name, "since": 0}
        events = [{**header, "holder": holder}, {"at": 1, "event": "end", "outcome": "done"}]
        (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    shutil.copy("other.xfer", "one.xfer")
    assert ["20200102-000000-bbbb", "20200101-000000-aaaa"] == [r.name for r in runs(None, store)]

    assert exits.USAGE == call(["compare", "2020", "other.xfer", "--store", str(store)])
    said = capsys.readouterr().err
    assert "`2020` begins the names of 2 runs" in said and "`20200101-000000-aaaa`" in said
    assert exits.OK == call(["compare", "20200101", "other.xfer", "--store", str(store)])
    shown = capsys.readouterr().out
    assert "20200101-000000-aaaa (one.xfer)" in shown and "w-xcauses · accuracy" in shown
    assert exits.OK == call(["compare", "20200101", "20200102", "--store", str(store), "--json"])
    pairs = json.loads(capsys.readouterr().out)["pairs"]
    assert {0.0} == {p["difference"]["value"] for p in pairs}


def test_the_screen_says_which_test_it_is_and_what_is_corrected(specs, capsys):
    store = specs(1)

    assert exits.OK == call(["compare", "one.xfer", "other.xfer", "--store", str(store)])
    shown = capsys.readouterr().out
    assert "McNemar's exact test" in shown and "these two checkpoints alone" in shown
    assert "corrected for all 4 comparisons" in shown


@pytest.mark.parametrize("address", ["nothing", "gone.xfer"])
def test_what_is_no_run_and_no_spec_is_told(specs, capsys, address):
    store = specs(1)

    assert exits.USAGE == call(["compare", "one.xfer", address, "--store", str(store)])
    told = capsys.readouterr().err
    assert address in told and "Traceback" not in told


def test_both_columns_are_of_the_seeds_that_are_compared(specs, compared, capsys):
    pairs = {p["language"]: p for p in compared(3, ONE, OTHER.replace("{seeds}", "5"))["pairs"]}
    one, other = values("one.xfer", "store"), values("other.xfer", "store")

    for language in ("qaa", "qab", "qac"):
        for side, own in (("first", one), ("second", other)):
            assert pytest.approx(np.mean([own[language, s] for s in "123"])) == pairs[language][side]["value"]
            assert 3 == pairs[language][side]["seeds"]
    for pair in pairs.values():
        difference = pair["second"]["value"] - pair["first"]["value"]
        assert pytest.approx(difference) == pair["difference"]["value"]
    assert exits.OK == call(["compare", "one.xfer", "other.xfer", "--store", "store"])
    assert "up to 2 seeds of a question the second alone has: left out on both sides" in capsys.readouterr().out


def test_other_seeds_are_compared_unpaired(compared):
    pairs = {p["language"]: p for p in compared(3, ONE, OTHER.replace("(seeds: {seeds})", "(seed: {7 | 8})"))["pairs"]}

    assert {(3, 2)} == {(p["first"]["seeds"], p["second"]["seeds"]) for p in pairs.values()}
    assert all(
        pytest.approx(p["second"]["value"] - p["first"]["value"]) == p["difference"]["value"] for p in pairs.values()
    )


def test_a_spec_that_has_not_run_is_told_of(specs, tmp_path, capsys):
    store = specs(3)
    (tmp_path / "new.xfer").write_text(ONE.replace("{seeds}", "3").replace("steps: 3", "steps: 5"))

    assert exits.WORK == call(["compare", "one.xfer", "new.xfer", "--store", str(store)])
    said = capsys.readouterr().out
    assert "no score of the second is there: `xfer run` makes them" in said
    assert "no score of one is of the same question" not in said


def test_what_has_no_question_in_common_is_told_of(specs, compared, capsys):
    store = specs(3, (ONE, ONE.replace("@ w-xcauses[qaa, qab, qac](", "@ w-causes[qaa](split: dev, ")))

    assert exits.ERROR == call(["compare", "one.xfer", "other.xfer", "--store", str(store)])
    assert "no score of one is of the same question as one of the other" in capsys.readouterr().out


def test_a_wrong_spec_is_shown_at_its_place(specs, tmp_path, capsys):
    store = specs(1)
    (tmp_path / "wrong.xfer").write_text("babel-mini -> w-cuases @ w-xcauses[*]\n")

    assert exits.USAGE == call(["compare", "one.xfer", "wrong.xfer", "--store", str(store)])
    assert "wrong.xfer:1:15" in capsys.readouterr().err
