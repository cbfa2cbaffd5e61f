"""The studies of `specs/studies` plan as their pages say; the library's page is the library's."""

import re
from pathlib import Path

import pytest

import xfer
from bench.library import page
from compiler.pipeline import library
from tests.conftest import ROOT

STUDIES = ROOT / "specs" / "studies"
NAMES = sorted(p.stem for p in STUDIES.glob("*.xfer"))
PAGES = ROOT / "docs" / "studies"


def planned(tmp_path, name, experiment=None):
    study = xfer.compile(STUDIES / f"{name}.xfer", xfer.Options(store=tmp_path, on="H100", experiment=experiment))
    assert [] == [d.message for d in study.compiled.diagnostics if d.severity.value == "error"]
    return study


def test_each_study_has_a_page_and_each_page_a_study():
    assert ["huang2021", "phang2020", "robustness", "xcopa2020"] == NAMES == sorted(p.stem for p in PAGES.glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_what_is_asked_what_it_costs_and_how_it_is_run(name):
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")

    assert {"Question", "Design", "What it costs", "How to run it", "What is published"} == set(
        re.findall(r"^## (.*)$", text, re.MULTILINE)
    )
    assert f"specs/studies/{name}.xfer" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_study_plans_with_a_known_cost_and_the_numbers_of_its_page(name, tmp_path):
    study = planned(tmp_path, name)
    plan, text = study.plan, (PAGES / f"{name}.md").read_text(encoding="utf-8")
    counts = {sort: sum(1 for n in plan.nodes if n.sort == sort) for sort in ("train", "predict")}
    found = study.estimate(study.preview())

    assert not found.unknown and found.flops
    said = rf"\b{counts['train']:,} trainings\b|\| all \| {counts['train']:,} \|"
    assert re.search(said, text)
    assert re.search(rf"\b{counts['predict']:,} (predictions|\|)", text)
    hours = found.timeline.work / 3600
    said = [float(h) for h in re.findall(r"about ([\d.]+) GPU-hours", text)] or [
        float(re.search(r"^\| all \| .*? \| .*? \| (\d+) \|", text, re.MULTILINE)[1])
    ]
    assert said[0] == pytest.approx(hours, rel=0.05)


@pytest.mark.parametrize(
    ("experiment", "trainings"), [("public", 186), ("phang", 228), ("mlm", 63), ("translations", 63)]
)
def test_the_arms_of_the_founding_study_are_counted_as_on_its_page(experiment, trainings, tmp_path):
    plan = planned(tmp_path, "phang2020", experiment).plan
    row = re.search(rf"^\| `{experiment}` \| (\d+) \| ([\d,]+) \|", (PAGES / "phang2020.md").read_text(), re.MULTILINE)

    assert trainings == int(row[1]) == sum(1 for n in plan.nodes if n.sort == "train")
    assert int(row[2].replace(",", "")) == sum(1 for n in plan.nodes if n.sort == "predict")
    targets = {c.benchmark for c in plan.cells}
    assert {"xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba"} == targets


def test_nothing_of_the_public_arms_is_blocked(tmp_path):
    study = planned(tmp_path, "phang2020", "public")

    assert () == study.preview().absent
    assert planned(tmp_path, "phang2020", "phang").preview().absent


def test_suites_of_the_library_reach_every_language_of_their_benchmarks(tmp_path):
    spec = tmp_path / "all.xfer"
    spec.write_text("a: xlmr-large -> xtreme\nb: xlmr-large -> xtreme-r\nc: xlmr-large -> all9\n")
    study = xfer.compile(spec, xfer.Options(store=tmp_path))
    assert [] == [d.message for d in study.compiled.diagnostics if d.severity.value == "error"]
    spoken = {}
    for cell in study.plan.cells:
        spoken.setdefault((cell.experiment, cell.benchmark), set()).add(cell.language)

    xtreme = {
        "xnli": 15,
        "pawsx": 7,
        "udpos": 33,
        "panx": 40,
        "xquad": 11,
        "mlqa": 7,
        "tydiqa": 9,
        "bucc": 4,
        "tatoeba": 36,
    }
    assert xtreme == {b: len(found) for (label, b), found in spoken.items() if label == "a"}
    assert {"xcopa": 11, "panx-48": 48, "xquad-12": 12, "tatoeba-41": 41} == {
        b: len(found) for (label, b), found in spoken.items() if label == "b" and b not in xtreme
    }
    (mixture,) = [n for n in study.plan.nodes if n.sort == "train" and len(n.op.parts) == 9]
    assert "anli-plus" in mixture.label and "commonsense-qa" in mixture.label


def test_the_page_of_the_library_is_the_librarys():
    assert page() == (ROOT / "docs" / "library.md").read_text(encoding="utf-8"), "run `make library`"


def test_every_link_of_the_studies_leads_somewhere():
    for path in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).resolve().exists() or target.startswith("http"), (path.name, target)


def test_every_group_let_and_suite_of_the_library_is_on_its_page():
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")

    shown = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)) | set(
        re.findall(r"^(?:suite|let|group) (\S+)", text, re.MULTILINE)
    )
    assert {n for n in library() if not n.startswith(("w-", "babel"))} == shown
    assert Path(ROOT / "docs" / "library.md").stat().st_size < 100_000
