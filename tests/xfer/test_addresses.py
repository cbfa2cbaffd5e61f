"""`xfer trace`: numbers by their address, on planted scores; what fits several or none says what there is."""

import csv
import io
import json

import numpy as np
import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call

SPEC = """\
let arm = { skip | w-stories(steps: 3) }
study: babel-mini -> arm -> w-causes(steps: 3)
  @ w-xcauses[qaa, qab, qac](limit: 20), w-causes[qaa, qab](split: dev, limit: 20) with (seeds: 3)
report "Both benchmarks" { rows: arm, columns: [benchmark, language], baseline: skip }
report "Means of both" { rows: arm, columns: benchmark }
claim "each language gains": every language: gain(study[arm: w-stories, benchmark: w-xcauses]) > 0
claim "it helps": gain(study[arm: w-stories, benchmark: w-xcauses]) > 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("addresses")
    (found / "study.xfer").write_text(SPEC)
    study = xfer.compile(found / "study.xfer", xfer.Options(store=found / "store"))
    plant(study, lambda cell: first(8 + 3 * (dict(cell.axes)["arm"] != "skip") + len(cell.benchmark) % 4, 20))
    return found


@pytest.fixture
def say(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XFER_STORE", str(folder / "store"))

    def said(*command, code=exits.OK, spec="study.xfer"):
        capsys.readouterr()
        assert code == call([command[0], spec, *command[1:]])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return out

    return said


@pytest.fixture
def traced(say):
    return lambda *address: json.loads(say("trace", *address, "--json").out)


def test_every_number_has_an_address_and_is_the_mean_of_its_scores(say, traced):
    rows = list(csv.DictReader(io.StringIO(say("report", "--csv").out)))
    for row in rows:
        address = [f"{axis}={row[axis]}" for axis in ("arm", "benchmark", "language") if row[axis]]
        apart = ["--source"] if row["of"] == "source" and not row["language"] else []
        found = traced(row["report"], *address, *apart)
        by_group = {}
        for score in found["scores"]:
            if score["axes"]["arm"] == row["arm"]:
                by_group.setdefault(score["benchmark"], {}).setdefault(score["language"], []).append(score["value"])
        means = [np.mean([np.mean(v) for v in of_language.values()]) for of_language in by_group.values()]

        assert row["of"] == found["of"]
        assert float(row["value"]) == pytest.approx(np.mean(means), abs=1e-12) == found["value"]
        for name in ("low", "high", "difference", "difference_low", "difference_high", "p", "p_holm", "seeds", "items"):
            assert (row[name] or "None") == str(found[name]), name
        assert "a fraction" == found["unit"]
    assert {"cell", "mean", "source"} == {row["of"] for row in rows}


def test_a_title_may_be_a_part_of_it(traced):
    address = ("arm=skip", "benchmark=w-causes", "language=qab")

    assert traced("Both benchmarks", *address) == traced("both bench", *address)


def test_values_that_tell_one_number_are_enough(traced):
    found = traced("Both benchmarks", "arm=skip", "language=qac")

    assert {"arm": "skip", "benchmark": "w-xcauses", "language": "qac"} == found["at"]


def test_the_order_of_values_is_free(traced):
    one = traced("Both benchmarks", "arm=skip", "benchmark=w-causes", "language=qab")

    assert one == traced("Both benchmarks", "language=qab", "benchmark=w-causes", "arm=skip")


def test_a_comparison_of_a_claim_has_the_values_that_it_goes_through(traced):
    found = traced("each language gains", "language=qab")

    assert ("claim", {"language": "qab"}) == (found["of"], found["at"])
    assert {"qab"} == {score["language"] for score in found["scores"]}
    assert 6 == len(found["scores"])
    assert pytest.approx(0.15) == found["value"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("both", "arm=skip"), ["2 numbers of `both` fit", "`Both benchmarks` arm=skip", "`Means of both` arm=skip"]),
        (
            ("Both benchmarks", "arm=skip", "language=qab"),
            ["2 numbers of `Both benchmarks` fit", "benchmark=w-xcauses"],
        ),
        (("Both benchmarks",), ["12 numbers of `Both benchmarks` fit"]),
        (("Both benchmarks", "arm=w-story"), ["stands at `arm=w-story`", "did you mean `w-stories`?"]),
        (("Both benchmarks", "arm=none"), ["stands at `arm=none`", "there is `skip`, `w-stories`"]),
        (("Both benchmarks", "language=mean"), ["(a mean has none: leave the axis out)"]),
        (("Both benchmarks", "languag=qab"), ["have no axis `languag`", "did you mean `language`?"]),
        (("Both benchmarks", "limb=skip"), ["have no axis `limb`", "there is `arm`, `benchmark`, `language`"]),
        (("it helps", "arm=skip"), ["have no axis `arm`", "it is one number: give no axis"]),
        (("Both benchmarks", "arm"), ["`arm` is no `AXIS=VALUE`", "for example `language=sw`"]),
        (("Both benchmarks", "=skip"), ["`=skip` is no `AXIS=VALUE`"]),
        (("nothing", "arm=skip"), ["called `nothing`", "`Both benchmarks`", "`it helps`"]),
        (("it helps", "--source"), ["no number of `it helps` stands apart", "leave `--source` out"]),
        (("Both benchmarks", "arm=skip", "--source"), ["stands apart", "it stands at `language=qaa`"]),
    ],
)
def test_what_is_no_address_says_what_there_is(say, command, words):
    said = say("trace", *command, code=exits.USAGE)

    assert [] == [word for word in words if word not in said.err]
    assert "" == said.out


def test_the_screen_shows_all_that_the_document_holds(say, traced):
    address = ("Both benchmarks", "arm=w-stories", "benchmark=w-xcauses", "language=qab")
    text, found = say("trace", *address, "--full").out, traced(*address)

    assert f"value {100 * found['value']:.1f} [" in text
    assert f"difference {100 * found['difference']:+.1f} [" in text
    assert "6 scores" in text
    for score in found["scores"]:
        for name in ("score", "predictions", "weights", "data"):
            assert score[name][:12] in text
    for node in found["nodes"]:
        if node["op"] in {"model", "data", "train", "select"}:
            assert node["key"][:12] in text
    for line in found["lines"]:
        assert line["text"].strip() in text


def test_a_number_of_a_claim_is_in_its_unit(say, folder):
    spec = SPEC.replace("qac](limit: 20)", "qac, qad, qae](limit: 20, under: { clean | light: typos(rate: 10%) })")
    spec = spec[: spec.index("report")].replace(", w-causes[qaa, qab](split: dev, limit: 20)", "")
    spec += 'claim "share": retained(study[arm: skip, under: light]) > 50%\n'
    spec += 'claim "r": correlation(study[arm: skip, under: clean], with: distance) < 0\n'
    (folder / "units.xfer").write_text(spec)
    more = {"qaa": 4, "qab": 3, "qac": 2, "qad": 2, "qae": 1}
    study = xfer.compile(folder / "units.xfer")
    plant(study, lambda cell: first(8 + more[cell.language] + (dict(cell.axes)["under"] == "clean"), 20))
    for title, form in (("share", "value {:.1%} ["), ("r", "value {:.2f} [")):
        found = json.loads(say("trace", title, "--json", spec="units.xfer").out)
        assert form.format(found["value"]) in say("trace", title, spec="units.xfer").out
        assert found["unit"] == {"share": "a share of the clean score", "r": "a correlation"}[title]


def test_the_lines_are_also_those_of_labels_and_metrics(say, folder):
    declared = "task mine : w-entail {\n  labels: [yes, no, perhaps]\n  metrics: [macro-f1]\n}\n"
    text = declared + "study: babel-mini -> mine(steps: 3) @ mine[qaa](split: dev, limit: 20)\n"
    (folder / "declared.xfer").write_text(text + 'report "R" { rows: benchmark }\n')
    found = json.loads(say("trace", "R", "--json", spec="declared.xfer").out)

    texts = [line["text"].strip() for line in found["lines"]]
    assert "labels: [yes, no, perhaps]" in texts
    assert "metrics: [macro-f1]" in texts


def test_a_long_list_is_cut_and_says_so(say):
    address = ("Both benchmarks", "arm=w-stories")
    cut, whole = say("trace", *address).out, say("trace", *address, "--full").out

    assert "… and 6 more (--full)" in cut
    assert "(--full)" not in whole
    assert {line for line in cut.splitlines() if "(--full)" not in line} < set(whole.splitlines())


def test_before_a_run_a_number_is_traced_to_what_will_make_it(say, monkeypatch, folder):
    monkeypatch.setenv("XFER_STORE", str(folder / "empty"))
    found = json.loads(say("trace", "it helps", "--json").out)
    text = say("trace", "it helps").out

    assert found["value"] is None
    assert {None} == {score["value"] for score in found["scores"]}
    assert "12 scores, 12 of them not there yet" in text
    assert {"model", "data", "train", "predict", "score"} == {node["op"] for node in found["nodes"]}
    assert not (folder / "empty").exists()


def test_a_spec_with_errors_traces_nothing(tmp_path, say, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.xfer").write_text('report "R" { rows: nonsense }\n')

    assert "error[" in say("trace", "R", code=exits.USAGE).err
