"""`xfer plan` of a spec with claims: a warning where the planned seeds can hardly decide; nothing is loaded in vain."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call

ROOT = Path(__file__).parents[2]
SPEC = """\
let arm = {{ skip | w-stories }}
study: babel-mini -> arm -> w-causes @ w-xcauses[*] with (seeds: {seeds})
"""
CLAIM = 'claim "C": gain(study[arm: w-stories]) > 0\n'


@pytest.fixture
def planned(tmp_path, monkeypatch, capsys):
    """What `xfer plan` says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "300")

    def say(text):
        (tmp_path / "study.xfer").write_text(text)
        capsys.readouterr()
        assert exits.OK == call(["plan", "study.xfer"])
        said = capsys.readouterr()
        return said.out + said.err

    return say


def test_few_seeds_are_warned_of_and_it_is_said_how_many_are_enough(planned):
    text = planned(SPEC.format(seeds=3) + CLAIM)
    said = r'warning: with 3 seeds and [\d,]+ items the claim "C" \((\S+)\) sees what is ([\d.]+) points'
    (found,) = re.findall(said, text)
    (enough,) = re.findall(r"5 points take (\d+) seeds", text)

    assert "study.xfer:3:7" == found[0]
    assert float(found[1]) > 5
    assert "an assumption" in text
    assert "5 points" not in planned(SPEC.format(seeds=enough) + CLAIM)
    assert "5 points take" in planned(SPEC.format(seeds=int(enough) - 1) + CLAIM)


def test_with_many_seeds_or_without_a_claim_there_is_no_warning(planned):
    assert "points from its bound" not in planned(SPEC.format(seeds=20) + CLAIM)
    assert "points from its bound" not in planned(SPEC.format(seeds=2))


@pytest.mark.parametrize(
    "claim",
    [
        "retained(study[arm: skip, under: light]) > 90%",
        "correlation(study[arm: skip, under: clean], with: distance) < 0",
        "worst(study[arm: skip, under: clean], over: language) > 50",
    ],
)
def test_of_other_quantities_than_means_nothing_is_told(planned, claim):
    spec = SPEC.replace("w-xcauses[*]", "w-xcauses[*](under: {{ clean | light: typos(rate: 10%) }})")

    assert "points from its bound" not in planned(f'{spec.format(seeds=3)}claim "C": {claim}\n')


def test_scores_in_the_store_say_how_seeds_differ(planned, tmp_path):
    spec = SPEC.format(seeds=5).replace("w-xcauses[*]", "w-xcauses[qaa, qab](limit: 20)") + CLAIM
    assert "an assumption" in planned(spec)

    def right(cell):
        seed = int(cell.seed.split("/")[0])
        return first(8 + 2 * seed, 20) if seed < 5 else None

    plant(xfer.compile(tmp_path / "study.xfer"), right)

    text = planned(spec)

    assert "as the store's scores do" in text
    assert "scores that differ by 12.9 points between seeds" in text  # 10 points a seed of four: the root of 500/3
    other = f"{spec}other: babel-mini -> w-stories(steps: 2) @ w-xstories[qab](limit: 20) with (seeds: 5)\n"
    assert "scores that differ by 12.9 points between seeds" in planned(other)
    of_other = other + 'claim "other": mean(other) > 50\n'
    assert {"12.9", "1.5"} == set(re.findall(r"scores that differ by ([\d.]+) points", planned(of_other)))


def test_of_a_claim_whose_scores_are_all_there_nothing_is_told(planned, tmp_path):
    spec = SPEC.format(seeds=3).replace("w-xcauses[*]", "w-xcauses[qaa, qab](limit: 20)") + CLAIM
    assert "points from its bound" in planned(spec)
    plant(xfer.compile(tmp_path / "study.xfer"), lambda cell: first(8 + 2 * int(cell.seed.split("/")[0]), 20))

    assert "points from its bound" not in planned(spec)


@pytest.mark.parametrize("whole", ["mean(study[arm: skip])", "gain(study[arm: w-stories])"])
def test_a_mean_that_goes_over_languages_sees_what_the_mean_does(planned, whole):
    seen = [
        re.findall(r"sees what is ([\d.]+) points", planned(f'{SPEC.format(seeds=3)}claim "C": {claim} > 30\n'))
        for claim in (whole, f"mean({whole}, over: language)")
    ]

    assert seen[0] == seen[1] != []


HEAVY = {"torch", "transformers", "datasets", "accelerate", "tokenizers", "pyarrow", "sklearn"}
NUMERIC = {"numpy", "scipy"}


@pytest.mark.parametrize(
    ("command", "claim", "forbidden"),
    [
        ("plan", "", HEAVY | NUMERIC),
        ("plan", CLAIM, HEAVY),
        ("plan", CLAIM.replace(": gain", " expect undecided: gain"), HEAVY),
        ("check", CLAIM, HEAVY | NUMERIC),
    ],
)
def test_a_plan_loads_only_what_its_claims_need(tmp_path, command, claim, forbidden):
    (tmp_path / "study.xfer").write_text(SPEC.format(seeds=3) + claim + 'report "R" { rows: arm, columns: language }\n')
    code = f"""
import sys
from xfer.cli import call
code = call([{command!r}, "study.xfer"])
print(sorted({forbidden!r} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XFER_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert "[]" == done.stderr.strip().splitlines()[-1]
