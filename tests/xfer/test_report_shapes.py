"""`xfer report`: what stands in rows and columns, marks, notes, files, and everything that can be asked wrongly."""

import csv
import io
import json

import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call

ITEMS = 20
SPEC = """\
let arm = { skip | w-stories(steps: 3) | w-words(steps: 3) }
defaults { steps: 3 }
one: babel-mini -> arm -> w-causes @ w-xcauses[qaa, qab, qac](limit: 20), w-causes[qaa, qab](split: dev, limit: 20)
  with (seeds: 3)
two: babel-mini -> w-words -> w-causes @ w-xcauses[qaa, qab, qac](limit: 20) with (seeds: 3)
chosen: babel-mini -> w-causes(select: best(on: target)) @ w-xcauses[qab](limit: 20) with (seeds: 3)
"""
HIGHER = {"skip": 0, "w-stories": 4, "w-words": 1}
LOWER = {"qaa": 0, "qab": 2, "qac": 5}


def right(cell):
    """How many of 20 items are right: by arm, language, benchmark and seed, all sums."""
    arm = dict(cell.axes).get("arm", {"two": "w-words"}.get(cell.experiment, "skip"))
    by_seed = int(cell.seed.split("/")[0]) - 2
    return first(13 + HIGHER[arm] - LOWER[cell.language] - (cell.benchmark == "w-causes") + by_seed, ITEMS)


def score(arm="skip", language="qab", benchmark="w-xcauses"):
    return (13 + HIGHER[arm] - LOWER[language] - (benchmark == "w-causes")) / ITEMS


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with the scores of SPEC."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "study.xfer").write_text(SPEC)
    plant(xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store")), right)
    return folder / "store"


@pytest.fixture
def here(tmp_path, store, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(store))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def report(here, capsys):
    """What `xfer report` says of SPEC with a report of these lines, or with other text."""

    def say(body, *options, code=exits.OK, text=None):
        written = text if text is not None else f'{SPEC}report "R" {{ {body} }}\n'
        (here / "study.xfer").write_text(written)
        capsys.readouterr()
        found = call(["report", "study.xfer", *options])
        said = capsys.readouterr()
        assert code == found, said.err
        assert "Traceback" not in said.err
        return said

    return say


@pytest.fixture
def rows(report):
    """The rows of the CSV of a report."""
    return lambda body: list(csv.DictReader(io.StringIO(report(body, "--csv").out)))


def by(found, *axes):
    return {tuple(row[axis] for axis in axes): float(row["value"]) for row in found}


def near(values):
    return pytest.approx(values, abs=1e-12)


# --- rows and columns


def test_columns_of_benchmarks_are_means_over_zero_shot_languages(rows):
    found = by(rows("of: one, rows: arm, columns: benchmark"), "arm", "benchmark", "of")
    both = {arm: ((score(arm) + score(arm, "qac")) / 2, score(arm, benchmark="w-causes")) for arm in HIGHER}

    for arm, (causes, dev) in both.items():
        assert near(causes) == found[arm, "w-xcauses", "cell"]
        assert near(dev) == found[arm, "w-causes", "cell"]
        assert near((causes + dev) / 2) == found[arm, "", "mean"]
        assert near(score(arm, "qaa")) == found[arm, "w-xcauses", "source"]
        assert near((score(arm, "qaa") + score(arm, "qaa", "w-causes")) / 2) == found[arm, "", "source"]
    assert 6 * 3 == len(found)


def test_columns_of_benchmarks_and_languages_stand_side_by_side(rows, report):
    found = by(rows("of: one, rows: arm, columns: [benchmark, language]"), "arm", "benchmark", "language", "of")

    assert near(score("w-stories", "qac")) == found["w-stories", "w-xcauses", "qac", "cell"]
    assert near(score("w-words", "qaa", "w-causes")) == found["w-words", "w-causes", "qaa", "source"]
    xcauses = (score() + score(language="qac")) / 2
    assert near((xcauses + score(benchmark="w-causes")) / 2) == found["skip", "", "", "mean"]
    assert 3 * 6 == len(found)
    text = report("of: one, rows: arm, columns: [benchmark, language]").out
    assert "w-xcauses · qaa (source)" in text and "w-causes · qab" in text


def test_rows_of_languages_and_columns_of_arms_turn_the_table(rows, report):
    one = by(rows("of: one, where: { benchmark: w-xcauses }, rows: arm, columns: language"), "arm", "language")
    turned = "of: one, where: { benchmark: w-xcauses }, rows: language"
    other = by(rows(f"{turned}, columns: arm"), "arm", "language")

    assert {at: near(value) for at, value in other.items()} == {at: v for at, v in one.items() if at[1]}
    sources = [row["language"] for row in rows(f"{turned}, columns: arm") if row["of"] == "source"]
    assert ["qaa"] * 3 == sources
    assert "in the source language" in report(f"{turned}, columns: arm").out


def test_several_experiments_are_values_of_the_chain(rows):
    found = by(rows("of: [two, chosen], rows: chain, columns: language"), "chain", "language", "of")

    assert near(score("w-words")) == found["two", "qab", "cell"]
    assert near(score()) == found["chosen", "qab", "cell"]
    assert ("chosen", "qac", "cell") not in found
    assert ("two", "qaa", "source") in found


def test_all_languages_are_averaged_where_that_is_asked(rows, report):
    pin = "of: one, where: { benchmark: w-xcauses }, rows: arm"
    found, all_of = by(rows(pin), "arm", "of"), by(rows(f"{pin}, average: all"), "arm", "of")

    for arm in HIGHER:
        of_languages = [score(arm, language) for language in LOWER]
        assert near(sum(of_languages[1:]) / 2) == found[arm, "cell"]
        assert near(of_languages[0]) == found[arm, "source"]
        assert near(sum(of_languages) / 3) == all_of[arm, "cell"]
    assert 3 == len(all_of)
    assert "means are over all languages" in report(f"{pin}, average: all").out
    assert "zero-shot in every line" in report(pin).out
    assert "in the source language" in report(pin).out


def test_what_is_pinned_is_left_and_said(rows, report):
    pin = "of: one, where: { arm: [skip, w-words], benchmark: w-causes, language: qab }, rows: arm"

    assert {
        ("skip",): near(score(benchmark="w-causes")),
        ("w-words",): near(score("w-words", benchmark="w-causes")),
    } == by(rows(pin), "arm")
    assert "where arm: skip, w-words; benchmark: w-causes; language: qab" in report(pin).out


@pytest.mark.parametrize("baseline", ["skip", "{ arm: skip }"])
def test_a_baseline_is_a_value_or_a_record(rows, baseline):
    found = rows(f"of: one, where: {{ benchmark: w-xcauses }}, rows: arm, columns: language, baseline: {baseline}")

    for row in found:
        if row["arm"] == "skip":
            assert "" == row["difference"] == row["p"] == row["p_holm"]
        else:
            assert near(HIGHER[row["arm"]] / ITEMS) == float(row["difference"])
            assert float(row["difference_low"]) <= float(row["difference"]) <= float(row["difference_high"])
    assert 12 == len(found)


def test_another_baseline_than_skip_has_its_own_differences(rows):
    found = rows("of: one, where: { benchmark: w-xcauses }, rows: arm, baseline: w-stories")
    differences = {row["arm"]: row["difference"] for row in found if row["of"] == "cell"}

    assert "" == differences.pop("w-stories")
    assert {"skip": near(-4 / ITEMS), "w-words": near(-3 / ITEMS)} == {a: float(d) for a, d in differences.items()}


# --- how it is drawn


def test_a_heat_map_shades_what_a_table_leaves_plain(here, monkeypatch, report):
    for name, value in (("FORCE_COLOR", "1"), ("COLORTERM", "truecolor"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    plain = report("of: one, where: { benchmark: w-xcauses }, rows: arm, columns: language").out
    shaded = report("of: one, where: { benchmark: w-xcauses }, rows: arm, columns: language, as: heatmap").out

    assert "48;2;" in shaded
    assert "48;2;" not in plain


def test_a_checkpoint_chosen_on_the_targets_dev_data_is_marked(rows, report):
    (row,) = rows("of: chosen, rows: model")
    text = report("of: chosen, rows: model").out

    assert "target dev" == row["selected"]
    assert "†" in text and "† target dev: the checkpoint was chosen for each language" in text
    assert "†" not in report("of: two, rows: model").out


def test_before_a_run_it_says_that_there_is_nothing(here, report, monkeypatch, rows):
    monkeypatch.setenv("XFER_STORE", str(here / "empty"))

    text = report("of: one, where: { benchmark: w-xcauses }, rows: arm, columns: language, baseline: skip").out
    assert "no score is there yet: `xfer run` makes them" in text
    assert "w-stories" in text and "–" in text
    assert [] == rows("of: one, where: { benchmark: w-xcauses }, rows: arm, columns: language")
    document = json.loads(report("of: one, rows: arm, columns: benchmark", "--json").out)
    assert [[]] == [r["cells"] for r in document["reports"]]
    assert not (here / "empty").exists()


def test_a_new_seed_is_missing_until_it_has_run(report, rows):
    more = SPEC.replace("with (seeds: 3)", "with (seeds: 4)")
    body = 'report "R" { of: two, rows: model, columns: language }\n'
    found = list(csv.DictReader(io.StringIO(report("", "--csv", text=more + body).out)))

    assert {"1"} == {row["missing"] for row in found if row["language"]}
    assert {"3"} == {row["seeds"] for row in found}
    text = report("", text=more + body).out
    assert "? not all scores are there yet: `xfer run` makes them" in text
    assert "70.0 ±" in text


def test_one_seed_has_no_interval(report):
    text = report("", text=SPEC.replace("(seeds: 3)", "(seed: 2)") + 'report "R" { of: two, rows: model }\n').out

    assert "±" not in text.partition("accuracy")[0]
    assert "a number without ± has one seed, or one item, and no interval can be told" in text


# --- titles and files

TWO = SPEC + 'report "First of all" { of: two, rows: model }\nreport "The second" { of: chosen, rows: model }\n'


def test_titles_choose_by_any_of_their_words(report):
    assert "The second" not in report("", "--title", "first", text=TWO).out
    assert "First of all" not in report("", "--title", "SECOND", text=TWO).out
    both = report("", text=TWO).out
    assert both.index("First of all") < both.index("The second")


def test_a_title_that_there_is_not_names_those_that_there_are(report):
    said = report("", "--title", "third", text=TWO, code=exits.USAGE)

    assert "has no report with `third` in its title" in said.err
    assert "`First of all`, `The second`" in said.err


def test_a_spec_without_a_report_is_told_how_to_write_one(report):
    for more in ((), ("--csv",), ("--title", "x")):
        assert "report" in report("", *more, text=SPEC, code=exits.USAGE).err
    assert 'write one: `report "TITLE"' in report("", text=SPEC, code=exits.USAGE).err


@pytest.mark.parametrize(("suffix", "form"), [("md", "markdown"), ("tex", "latex"), ("csv", "csv"), ("json", "json")])
def test_the_suffix_of_a_file_says_the_form(report, here, suffix, form):
    printed = report("", f"--{form}", text=TWO).out
    said = report("", "-o", f"out.{suffix}", text=TWO)

    assert printed == (here / f"out.{suffix}").read_text()
    assert "" == said.out
    assert f"2 reports in out.{suffix}" in said.err


def test_a_form_that_is_said_goes_into_any_file(report, here):
    report("", "--csv", "--output", "out.txt", "--title", "second", text=TWO)

    assert (here / "out.txt").read_text().startswith("report,place,of,")
    assert "First" not in (here / "out.txt").read_text()


@pytest.mark.parametrize("name", ["out.html", "out", ".md"])
def test_another_suffix_says_no_form(report, here, name):
    said = report("", "-o", name, text=TWO, code=exits.USAGE)

    assert f"`{name}` does not say in which form: .md, .tex, .csv, .json" in said.err
    assert not (here / name).exists()


def test_a_file_that_cannot_be_written_is_told(report, here):
    (here / "folder.csv").mkdir()

    assert "`nowhere/out.csv` cannot be written" in report("", "-o", "nowhere/out.csv", text=TWO, code=exits.USAGE).err
    assert "`folder.csv` cannot be written" in report("", "-o", "folder.csv", text=TWO, code=exits.USAGE).err


def test_a_spec_with_errors_shows_them_and_draws_nothing(report):
    said = report("of: one, rows: nonsense", code=exits.USAGE)

    assert "error[X0325]" in said.err
    assert "" == said.out


def test_a_report_has_one_form(report, here):
    for said in (("--json", "--csv"), ("--csv", "-o", "out.md")):
        assert "form" in report("", *said, text=TWO, code=exits.USAGE).err
    assert not (here / "out.md").exists()
    report("", "--markdown", "-o", "out.md", text=TWO)
    assert (here / "out.md").read_text().startswith("### First of all")


def test_reports_of_several_specs_are_told_apart(report, here, capsys):
    body = "of: two, rows: benchmark, columns: language"
    report(body)
    (here / "again.xfer").write_text((here / "study.xfer").read_text())

    text = report(body, "again.xfer", "--markdown").out
    assert ["### R (study.xfer:7:8)", "### R (again.xfer:7:8)"] == [t for t in text.splitlines() if t.startswith("#")]
    found = list(csv.DictReader(io.StringIO(report(body, "again.xfer", "--csv").out)))
    assert ["study.xfer:7:8"] * 4 + ["again.xfer:7:8"] * 4 == [row["place"] for row in found]


def test_rows_of_the_csv_name_what_is_pinned(rows):
    found = rows("of: one, where: { benchmark: w-xcauses, arm: skip }, rows: language")

    assert {("w-xcauses", "skip")} == {(row["benchmark"], row["arm"]) for row in found}


PAIRS = """\
benchmark crossed : w-xcauses {
  data: { a: world(causes, language: first), b: world(causes, language: second) }
  languages: pairs(qaa, qab, qac)
  input: {
    context: "{{ a.premise }}", question: "{{ a.ask }}", label: "{{ a.label }}"
    choices: ["{{ b.choice0 }}", "{{ b.choice1 }}"]
  }
}
study: babel-mini -> w-causes(steps: 3) @ crossed[*](limit: 20) with (seeds: 3)
report "R" { rows: first, columns: second, average: zero-shot }
"""


def test_the_languages_of_pairs_are_rows_and_columns(here, capsys):
    def scored(one, other):
        return 14 - LOWER[one] - (LOWER[other] > 0)

    (here / "study.xfer").write_text(PAIRS)
    study = xfer.compile("study.xfer")
    plant(study, lambda cell: first(scored(*cell.language.split(".")) + int(cell.seed) - 2, ITEMS))

    assert exits.OK == call(["report", "study.xfer", "--csv"])

    found = {(r["first"], r["second"]): r for r in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    for one in LOWER:
        for other in LOWER:
            assert scored(one, other) / ITEMS == pytest.approx(float(found[one, other]["value"]))
        shown = [scored(one, other) / ITEMS for other in LOWER if (one, other) != ("qaa", "qaa")]
        assert sum(shown) / len(shown) == pytest.approx(float(found[one, ""]["value"]))


@pytest.mark.parametrize("options", [("--latex", "--csv"), ("--json", "--markdown", "-o", "r.md")])
def test_a_report_has_one_form_at_a_time(report, here, options):
    said = report("rows: arm, columns: language", *options, code=exits.USAGE)

    assert "a report has one form at a time" in said.err and not (here / "r.md").exists()
