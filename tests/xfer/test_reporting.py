"""`xfer report` and `xfer trace` on a study that was run: every form says the same, and it is what the store holds."""

import csv
import io
import json
import re

import numpy as np
import pytest

import xfer
from runtime import columns
from tests.half_widths import half_width
from xfer import exits
from xfer.cli import call

pytestmark = pytest.mark.ml

SPEC = """\
model babel { weights: embedded("babel-mini") }
let intermediate = { skip | w-stories(steps: 3, lr: 1e-3) }
small: babel -> intermediate -> w-causes(steps: 3, batch: 8) @ w-xcauses[qaa, qab, qae](limit: 30) with (seeds: 3)
report "By language" { rows: intermediate, columns: language, baseline: skip }
report "Means alone" { rows: intermediate, interval: 80% }
claim "it helps": gain(small[intermediate: w-stories]) > 0
"""
TARGETS = ("qab", "qae")  # zero-shot
LEVEL = {"By language": 0.95, "Means alone": 0.8}
TRACED = (("qaa", "source"), ("qab", "cell"), ("", "mean"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the study after its run."""
    found = tmp_path_factory.mktemp("reporting")
    (found / "study.xfer").write_text(SPEC)
    assert exits.OK == call(["run", str(found / "study.xfer"), "--store", str(found / "store"), "--jobs", "1"])
    return found


@pytest.fixture(scope="module")
def study(folder):
    return xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store"))


@pytest.fixture
def said(folder, capsys, monkeypatch):
    """What a command says of the study, at a terminal that is wide enough."""
    monkeypatch.setenv("COLUMNS", "200")

    def say(command, *more, code=exits.OK):
        capsys.readouterr()
        assert code == call([command, str(folder / "study.xfer"), *more, "--store", str(folder / "store")])
        return capsys.readouterr().out

    return say


@pytest.fixture
def rows(said):
    """Of the CSV."""
    return list(csv.DictReader(io.StringIO(said("report", "--csv"))))


# --- all forms are one


def test_csv_and_json_are_one(said, rows):
    document = json.loads(said("report", "--json"))
    cells = [(report, cell) for report in document["reports"] for cell in report["cells"]]

    assert ["By language", "Means alone"] == [r["title"] for r in document["reports"]]
    assert [0.95, 0.8] == [r["level"] for r in document["reports"]]
    assert [{"intermediate": "skip"}, None] == [r["baseline"] for r in document["reports"]]
    assert len(rows) == len(cells)
    for row, (report, cell) in zip(rows, cells, strict=True):
        assert (report["title"], cell["of"]) == (row["report"], row["of"])
        for axis in ("intermediate", "language"):
            assert cell["at"].get(axis, "") == row[axis]
        for name, value in cell.items():
            if name not in ("report", "of", "at"):  # the CSV says the place, too
                assert ("" if value is None else str(value)) == row[name], name


def numbers(text):
    """Every number with its half and marks, line by line, of a table between bars or of the terminal."""
    lines = (line.replace("\\", "").replace("|", " ") for line in text.splitlines())
    found = (re.findall(r"(?:^|\s)([+-]?\d+\.\d)(?: ±(\d+\.\d))?([*†‡?]*)(?=\s|$)", line) for line in lines)
    return [tuple(line) for line in found if line]


def as_shown(row, *, less):
    """The number of a row of the CSV as a table shows it."""
    value, low = (float(row[name]) for name in (("difference", "difference_low") if less else ("value", "low")))
    half = f"{100 * (value - low):.1f}"
    if less:
        clear = "*" if float(row["p_holm"]) <= 1 - LEVEL[row["report"]] + 1e-12 else ""
        return f"{100 * value:+.1f}", half, clear + ("‡" if int(row["difference_degenerate"]) else "")
    return f"{100 * value:.1f}", half, "‡" if int(row["degenerate"]) else ""


@pytest.mark.parametrize("form", [(), ("--markdown",)], ids=["terminal", "markdown"])
def test_tables_show_what_the_csv_holds(said, rows, form):
    expected = []
    for report, apart in (("By language", [False]), ("Means alone", [False, True])):
        for source in apart:
            for arm in ("skip", "w-stories"):
                mine = [r for r in rows if (r["report"], r["intermediate"]) == (report, arm)]
                if len(apart) > 1:
                    mine = [r for r in mine if (r["of"] == "source") == source]
                expected.append(tuple(as_shown(r, less=False) for r in mine))
                if mine[0]["difference"]:
                    expected.append(tuple(as_shown(r, less=True) for r in mine))

    assert expected == numbers(said("report", *form))


def test_the_source_language_is_shown_apart(rows):
    first = [(r["language"], r["of"]) for r in rows if r["report"] == "By language"]
    second = [r["of"] for r in rows if r["report"] == "Means alone"]

    assert [("qaa", "source"), ("qab", "cell"), ("qae", "cell"), ("", "mean")] * 2 == first
    assert sorted(["cell", "source"] * 2) == sorted(second)


# --- it is what the store holds


def languages(row):
    if row["language"]:
        return (row["language"],)
    return ("qaa",) if row["of"] == "source" else TARGETS


def test_values_are_means_of_the_results(said, rows, premises):
    scores = list(csv.DictReader(io.StringIO(said("results", "--csv"))))

    assert 12 == len(rows)
    for row in rows:
        own = [
            float(s["value"])
            for s in scores
            if s["intermediate"] == row["intermediate"] and s["language"] in languages(row)
        ]
        assert 3 * len(languages(row)) == len(own)
        assert np.mean(own) == pytest.approx(float(row["value"]), abs=1e-12)
        assert ("3", str(len(set(premises))), "0") == (row["seeds"], row["items"], row["missing"])


@pytest.fixture(scope="module")
def tables(study):
    """The predictions of each cell in the store, item by item."""
    store, nodes = study.store(), {n.key: n for n in study.plan.nodes}
    folders = [(cell, store.path(nodes[cell.score].op.predictions)) for cell in study.plan.cells]
    return [(cell, columns.read_table(folder / "predictions.arrow").sort_by("row")) for cell, folder in folders]


@pytest.fixture(scope="module")
def premises(tables):
    """(I,) Of each item the first that is of the same premise, the same in every cell."""
    (found,) = {tuple(table.column("cluster").to_pylist()) for _, table in tables}
    assert 20 < len(set(found)) < 30 == len(found)
    return np.array(found)


@pytest.fixture(scope="module")
def right(tables):
    """(arm, language) -> (S, I): whether each item is right in each seed."""
    found = {}
    for cell, table in tables:
        good = table.column("label").to_numpy() == table.column("prediction").to_numpy()
        found.setdefault((dict(cell.axes)["intermediate"], cell.language), {})[cell.seed] = good
    return {at: np.array([by_seed[seed] for seed in sorted(by_seed)], dtype=float) for at, by_seed in found.items()}


def by_premise(values, premises):
    """(S, I) -> (S, C): what the items of a premise deviate by in sum, so that the mean of all stays."""
    means = values.mean(axis=1)
    own = [premises == first for first in sorted(set(premises))]
    return np.stack([means + (values - means[:, None])[:, of].sum(axis=1) * len(own) / len(premises) for of in own], 1)


def test_intervals_are_those_of_the_formula(rows, right, premises):
    for row in rows:
        values = np.mean([right[row["intermediate"], code] for code in languages(row)], axis=0)
        half = half_width(by_premise(values, premises), LEVEL[row["report"]])

        assert values.mean() == pytest.approx(float(row["value"]), abs=1e-12)
        assert values.mean() - half == pytest.approx(float(row["low"]), abs=1e-9)
        assert values.mean() + half == pytest.approx(float(row["high"]), abs=1e-9)


def test_differences_are_paired(rows, right, premises):
    found = [row for row in rows if row["difference"]]

    assert 4 == len(found)
    for row in found:
        of_both = [np.mean([right[arm, code] for code in languages(row)], axis=0) for arm in ("w-stories", "skip")]
        values = of_both[0] - of_both[1]
        half = half_width(by_premise(values, premises), 0.95)

        assert "w-stories" == row["intermediate"]
        assert values.mean() == pytest.approx(float(row["difference"]), abs=1e-12)
        assert values.mean() - half == pytest.approx(float(row["difference_low"]), abs=1e-9)
        assert values.mean() + half == pytest.approx(float(row["difference_high"]), abs=1e-9)
        assert half_width(by_premise(values, premises), 1 - float(row["p"])) == pytest.approx(
            abs(values.mean()), abs=1e-6
        )


def test_p_values_are_corrected_by_holm(rows):
    found = [(float(r["p"]), float(r["p_holm"])) for r in rows if r["p"]]
    highest = 0.0
    for rank, (p, corrected) in enumerate(sorted(found)):
        highest = max(highest, min(1.0, (len(found) - rank) * p))
        assert highest == pytest.approx(corrected)


# --- and back from a number


def ancestors(plan, keys):
    nodes = {n.key: n for n in plan.nodes}
    found, left = set(), list(keys)
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            left += nodes[key].inputs
    return found


def test_every_number_of_the_csv_is_traced_to_its_scores(said, rows, study):
    for row in rows:
        if row["report"] == "Means alone" and row["intermediate"] == "skip":
            continue  # the same once more
        address = [f"{axis}={row[axis]}" for axis in ("intermediate", "language") if row[axis]]
        apart = ["--source"] if row["of"] == "source" and not row["language"] else []
        found = json.loads(said("trace", row["report"], *address, *apart, "--json"))
        scores = found["scores"]
        own = [s["value"] for s in scores if s["axes"]["intermediate"] == row["intermediate"]]

        assert row["of"] == found["of"]
        assert str(found["value"]) == row["value"]
        assert 3 * len(languages(row)) == len(own)
        assert np.mean(own) == pytest.approx(float(row["value"]), abs=1e-12)
        if row["difference"]:
            others = [s["value"] for s in scores if s["axes"]["intermediate"] == "skip"]
            assert np.mean(own) - np.mean(others) == pytest.approx(float(row["difference"]), abs=1e-12)
        assert ancestors(study.plan, [s["score"] for s in scores]) == {n["key"] for n in found["nodes"]}


def test_a_traced_score_names_what_made_it(said, study, premises):
    found = json.loads(said("trace", "By language", "intermediate=w-stories", "language=qab", "--json"))
    nodes = {n.key: n for n in study.plan.nodes}
    kept = {n["key"]: n for n in found["nodes"]}

    for score in found["scores"]:
        made = nodes[nodes[score["score"]].op.predictions]
        assert (made.key, made.op.weights, made.op.data) == (score["predictions"], score["weights"], score["data"])
        assert len(set(premises)) == score["items"]
        assert "train" == kept[score["weights"]]["op"]
    assert [n.key for n in study.plan.nodes if n.key in kept] == list(kept)
    assert all(kept[key]["inputs"] == list(nodes[key].inputs) for key in kept)
    assert any("world(causes" in read for n in kept.values() for read in n["reads"])
    lines = SPEC.splitlines()
    mine = [line for line in found["lines"] if "study.xfer" in line["place"]]
    assert mine
    assert all(lines[int(line["place"].rsplit(":", 1)[1]) - 1] == line["text"] for line in mine)


def test_the_claim_is_traced_to_both_of_its_sides(said, right):
    found = json.loads(said("trace", "it helps", "--json"))
    means = [np.mean([right[arm, code] for code in TARGETS]) for arm in ("w-stories", "skip")]

    assert "claim" == found["of"]
    assert means[0] - means[1] == pytest.approx(found["value"], abs=1e-12)
    assert 12 == len(found["scores"])
