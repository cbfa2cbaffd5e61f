"""`xfer verify` on planted scores: verdicts whose answer is known, exit codes, and statistics computed by hand."""

import json
import re

import numpy as np
import pytest

import xfer
from tests.planting import plant
from xfer import exits
from xfer.cli import call

ITEMS = 60
SPEC = """\
let arm = { skip | w-stories(steps: 3) | w-words(steps: 3) }
study: babel-mini -> arm -> w-causes(steps: 3)
  @ w-xcauses[qaa, qab, qac, qad, qae](limit: 60, under: { clean | light: typos(rate: 10%) }) with (seeds: 4)
"""
FEW = SPEC.replace("(seeds: 4)", "(seeds: 2)")
CHANCES = {"skip": 0.6, "w-stories": 0.9, "w-words": 0.62}
LOSSES = {"qaa": 0.0, "qab": 0.05, "qac": 0.2, "qad": 0.1, "qae": 0.15}
TARGETS = ("qab", "qac", "qad", "qae")


def right(cell):
    """Items right by luck, the same every time: the arm helps, the language and the perturbation hurt."""
    axes, seed = dict(cell.axes), int(cell.seed.split("/")[0])
    under = axes.get("under", "clean")
    arm = axes["arm"]
    rng = np.random.default_rng([seed, list(CHANCES).index(arm), list(LOSSES).index(cell.language), under == "clean"])
    shared = np.random.default_rng(list(LOSSES).index(cell.language)).random(ITEMS)
    luck = np.where(rng.random(ITEMS) < 0.7, shared, rng.random(ITEMS))
    return list(luck < CHANCES[arm] - LOSSES[cell.language] - 0.1 * (under != "clean") + 0.01 * (seed - 2))


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The study with its store."""
    folder = tmp_path_factory.mktemp("verdicts")
    (folder / "study.xfer").write_text(SPEC)
    study = xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store"))
    plant(study, right)
    return study


@pytest.fixture(scope="module")
def scores(planted):
    """(arm, language, under) -> of each seed its score."""
    found = {}
    for row in xfer.rows(planted)[0]:
        axes = dict(row.cell.axes)
        found.setdefault((axes["arm"], row.cell.language, axes["under"]), []).append(row.value)
    return found


@pytest.fixture
def verify(tmp_path, planted, monkeypatch, capsys):
    """What `xfer verify` says of claims about the study."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(planted.store_root))

    def say(*claims, options=(), code=None, text=SPEC):
        written = [f'claim "{n}"{claim if claim.startswith(" ") else f": {claim}"}' for n, claim in enumerate(claims)]
        (tmp_path / "study.xfer").write_text("\n".join([text, *written]) + "\n")
        capsys.readouterr()
        found = call(["verify", "study.xfer", *options])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert code in (None, found), said.err
        return said

    return say


@pytest.fixture
def judged(verify):
    """The claims of the JSON document."""
    return lambda *claims, **how: json.loads(verify(*claims, options=["--json"], **how).out)["claims"]


HELPS = "gain(study[arm: w-stories, under: clean]) > 0"
HARMS = "gain(study[arm: w-stories, under: clean]) < 0"
UNCLEAR = "gain(study[arm: w-words, under: clean]) > 2"

# --- verdicts and exit codes


@pytest.mark.parametrize(
    ("claims", "code", "verdicts"),
    [
        ([HELPS], exits.OK, ["supported"]),
        ([f" expect refuted: {HARMS}"], exits.OK, ["refuted"]),
        ([f" expect undecided: {UNCLEAR}"], exits.OK, ["undecided"]),
        ([HELPS, f" expect refuted: {HARMS}"], exits.OK, ["supported", "refuted"]),
        ([HARMS], exits.ERROR, ["refuted"]),
        ([f" expect refuted: {HELPS}"], exits.ERROR, ["supported"]),
        ([f" expect undecided: {HELPS}"], exits.ERROR, ["supported"]),
        ([UNCLEAR], exits.WORK, ["undecided"]),
        ([f" expect refuted: {UNCLEAR}"], exits.WORK, ["undecided"]),
        ([HELPS, UNCLEAR], exits.WORK, ["supported", "undecided"]),
        ([HARMS, UNCLEAR], exits.ERROR, ["refuted", "undecided"]),
    ],
)  # fmt: skip
def test_the_code_says_whether_all_is_as_expected(verify, claims, code, verdicts):
    said = verify(*claims, code=code)

    assert verdicts == re.findall(r"^(supported|refuted|undecided) ", said.out, re.MULTILINE)
    surprises = said.out.count("(expected: ")
    assert (surprises == 0) == (code == exits.OK)
    assert ("as expected" if code == exits.OK else f"{surprises} not as expected") in said.out


def test_a_spec_that_claims_nothing_is_told_how_to_claim(verify):
    assert 'write a claim: `claim "TITLE"' in verify(code=exits.USAGE).err


def test_a_claim_with_an_error_is_no_claim(verify):
    assert "error[X0326]" in verify("gain(study[arm: w-story, under: clean]) > 0", code=exits.USAGE).err


def test_both_comparisons_are_strict_enough(judged):
    """`>=` and `>` differ in nothing that an interval can tell."""
    found = judged(HELPS, HELPS.replace(">", ">="), HARMS, HARMS.replace("<", "<="))

    assert ["supported", "supported", "refuted", "refuted"] == [one["verdict"] for one in found]


# --- what is undecided whatever the scores


def test_fewer_than_three_seeds_decide_nothing(verify, judged):
    (found,) = judged(HELPS, text=FEW, code=exits.WORK)
    text = verify(HELPS, text=FEW, code=exits.WORK).out

    assert ("undecided", "seeds", None) == (found["verdict"], found["why"], found["p_holm"])
    assert "fewer than 3 seeds are there, or in common: a verdict needs so many" in text
    assert found["comparisons"][0]["estimate"] > 0.2  # it is estimated all the same


def test_missing_scores_decide_nothing(verify, judged):
    more = SPEC.replace("(seeds: 4)", "(seeds: 5)")
    (found,) = judged(HELPS, text=more, code=exits.WORK)

    assert ("undecided", "missing", 8, 40) == tuple(found[name] for name in ("verdict", "why", "missing", "scores"))
    assert "8 of 40 scores are missing: `xfer run` makes them" in verify(HELPS, text=more, code=exits.WORK).out


def test_an_empty_store_decides_nothing(judged, monkeypatch, tmp_path):
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "empty"))
    (found,) = judged(HELPS, code=exits.WORK)

    assert ("missing", 32, 32, []) == tuple(found[name] for name in ("why", "missing", "scores", "comparisons"))


def test_p_by_itself_is_told_where_the_correction_alone_leaves_a_claim_undecided(verify, judged):
    near = "gain(study[arm: w-stories, under: clean]) > {:.2f}"
    ends = judged(HELPS)[0]["comparisons"][0]
    bound = near.format(100 * ends["low"] - 0.5)  # by itself supported, one of many it is not
    (alone,) = judged(bound)
    others = [UNCLEAR.replace("> 2", f"> {n / 10}") for n in range(8)]
    text, beside = verify(bound, *others).out, judged(bound, *others)[0]

    assert ("supported", alone["p_holm"]) == (alone["verdict"], alone["p"])
    assert ("undecided", alone["p"]) == (beside["verdict"], beside["p"])
    assert f"; by itself {alone['p']:.3f}, which the correction leaves undecided" in text


def test_what_cannot_be_decided_is_corrected_for_all_the_same(judged):
    alone, (beside, *_) = judged(UNCLEAR), judged(UNCLEAR, HELPS, HARMS)

    assert min(1.0, 3 * alone[0]["p_holm"]) >= beside["p_holm"] >= alone[0]["p_holm"]


# --- quantifiers


def test_every_needs_all_and_some_needs_one(judged):
    found = judged(
        f"every language: {HELPS}",
        "every arm: gain(study[arm: [w-stories, w-words], under: clean]) > 15",
        "some arm: gain(study[arm: [w-stories, w-words], under: clean]) > 15",
        "some language: gain(study[arm: w-stories, under: clean]) < 0",
        "every arm, language: mean(study[under: clean]) > 5",
    )

    assert ["supported", "refuted", "supported", "refuted", "supported"] == [one["verdict"] for one in found]
    assert [4, 2, 2, 4, 12] == [len(one["comparisons"]) for one in found]
    assert ["every", "every", "some", "some", "every"] == [one["quantifier"] for one in found]
    assert list(TARGETS) == [c["at"]["language"] for c in found[0]["comparisons"]]


def test_the_least_clear_comparisons_stand_first(verify):
    text = verify("every arm, language: mean(study[under: clean]) > 5").out
    whole = verify("every arm, language: mean(study[under: clean]) > 5", options=["--full"]).out
    shown = [float(n) for n in re.findall(r"^ +[\w-]+, \w+: ([\d.]+) \[", whole, re.MULTILINE)]

    assert "every arm, language: mean(study[under: clean]) > 5" in text
    assert "… and 6 more (--full)" in text
    assert 12 == len(shown)
    assert sorted(shown) == shown


def test_of_some_the_clearest_comparisons_stand_first(verify):
    whole = verify("some arm, language: mean(study[under: clean]) > 5", options=["--full"]).out
    shown = [float(n) for n in re.findall(r"^ +[\w-]+, \w+: ([\d.]+) \[", whole, re.MULTILINE)]

    assert 12 == len(shown)
    assert sorted(shown, reverse=True) == shown


def test_what_is_gone_through_is_named_also_where_nothing_is_there(verify, monkeypatch, tmp_path):
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "empty"))

    assert (
        "every arm, language: mean(study[under: clean]) > 5"
        in verify("every arm, language: mean(study[under: clean]) > 5", code=exits.WORK).out
    )


def test_sides_that_are_the_same_are_told_of(verify):
    told = "its sides give the same to every item in every seed: are they the same work?"
    same = "mean(study[arm: skip, under: clean]) - mean(study[arm: skip, under: clean]) > 0"

    assert told in verify(same).out
    assert told not in verify(HELPS).out


def test_differences_have_a_sign_and_scores_have_none(verify):
    text = verify(HELPS, "mean(study[arm: skip, under: clean]) > 5").out

    assert re.search(r"^ +\+\d+\.\d \[\+", text, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d \[\d", text, re.MULTILINE)


# --- statistics by hand


def of_languages(scores, arm, under="clean"):
    return {code: float(np.mean(scores[arm, code, under])) for code in LOSSES}


def zero_shot(scores, arm, under="clean"):
    return float(np.mean([of_languages(scores, arm, under)[code] for code in TARGETS]))


def gains(scores):
    one, other = of_languages(scores, "w-stories"), of_languages(scores, "skip")
    return [one[code] - other[code] for code in TARGETS]


BY_HAND = {
    "mean(study[arm: w-words, under: clean]) > 40": lambda s: zero_shot(s, "w-words"),
    "mean(study[arm: w-words, under: clean, language: qaa]) > 40": lambda s: of_languages(s, "w-words")["qaa"],
    "mean(study[under: clean], over: arm) > 40": lambda s: np.mean([zero_shot(s, arm) for arm in CHANCES]),
    HELPS: lambda s: zero_shot(s, "w-stories") - zero_shot(s, "skip"),
    "gain(study[arm: w-stories, under: light], against: { under: clean }) < 0": lambda s: (
        zero_shot(s, "w-stories", "light") - zero_shot(s, "w-stories")
    ),
    "worst(gain(study[arm: w-stories, under: clean]), over: language) > 0": lambda s: min(gains(s)),
    "best(gain(study[arm: w-stories, under: clean]), over: language) > 0": lambda s: max(gains(s)),
    "spread(study[arm: skip, under: clean], over: language) > 1": lambda s: np.ptp(
        [of_languages(s, "skip")[code] for code in TARGETS]
    ),
    "gap(study[arm: skip, under: clean]) > 1": lambda s: of_languages(s, "skip")["qaa"] - zero_shot(s, "skip"),
    "retained(study[arm: w-stories, under: light]) < 100%": lambda s: (
        zero_shot(s, "w-stories", "light") / zero_shot(s, "w-stories")
    ),
    "worst(study[arm: skip, under: clean], over: language) > mean(study[arm: w-words, under: clean]) - 90": lambda s: (
        min(of_languages(s, "skip")[code] for code in TARGETS) - zero_shot(s, "w-words")
    ),
    "mean(study[arm: w-stories, under: clean]) - mean(study[arm: skip, under: clean]) > 1": lambda s: (
        zero_shot(s, "w-stories") - zero_shot(s, "skip")
    ),
}


@pytest.mark.parametrize("claim", BY_HAND)
def test_a_statistic_is_what_is_counted_by_hand(judged, scores, claim):
    (found,) = judged(claim)
    (one,) = found["comparisons"]

    assert BY_HAND[claim](scores) == pytest.approx(one["estimate"], abs=1e-12)
    assert one["low"] < one["estimate"] < one["high"]
    assert one["low"] <= one["bound"] <= one["high"] or found["verdict"] != "undecided"


def test_an_extreme_says_at_which_value_it_is(judged, scores, capsys):
    arm, inner = "study[arm: skip, under: clean]", "over: language"
    claims = [f"{of}({arm}, {inner}) > 1" for of in ("worst", "best", "spread")]
    means = {code: of_languages(scores, "skip")[code] for code in TARGETS}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)

    expected = [("worst", low), ("best", high), ("spread", f"{low} to {high}")]
    found = [claim["comparisons"][0]["extremes"] for claim in judged(*claims)]
    assert [[{"of": of, "at": at}] for of, at in expected] == found
    call(["verify", "study.xfer"])
    said = capsys.readouterr().out
    assert all(f"; {of} is {at}\n" in said for of, at in expected)


def test_a_correlation_is_pearsons_with_the_distances(judged, scores):
    (found,) = judged("correlation(study[arm: skip, under: clean], with: distance) < 0")
    (claim,) = xfer.compile("study.xfer").plan.claims
    known = {code: distance for code, distance, _ in claim.comparisons[0].left.members}
    means = of_languages(scores, "skip")

    assert set(TARGETS) == set(known)
    expected = np.corrcoef([means[code] for code in known], list(known.values()))[0, 1]
    assert expected == pytest.approx(found["comparisons"][0]["estimate"], abs=1e-12)
    assert -1 <= found["comparisons"][0]["low"] <= found["comparisons"][0]["high"] <= 1
    assert "a correlation" == found["unit"]


def test_bounds_are_points_or_shares(judged):
    found = judged(
        "mean(study[arm: skip, under: clean]) > 40",
        "mean(study[arm: skip, under: clean]) > 40%",
        "retained(study[arm: skip, under: light]) > 40%",
        "mean(study[arm: skip, under: clean]) - 10 > mean(study[arm: w-words, under: clean]) - 5",
    )

    assert [pytest.approx(bound) for bound in (0.4, 0.4, 0.4, 0.05)] == [c["comparisons"][0]["bound"] for c in found]
    assert ["a fraction", "a fraction", "a share of the clean score", "a fraction"] == [c["unit"] for c in found]


def test_the_level_is_that_of_the_claim(judged):
    wide, narrow = judged(f"{HELPS} at 99%", f"{HELPS} at 80%")
    ends = [(c["comparisons"][0]["low"], c["comparisons"][0]["high"]) for c in (wide, narrow)]

    assert (0.99, 0.8) == (wide["level"], narrow["level"])
    assert ends[0][0] < ends[1][0] < ends[1][1] < ends[0][1]


def test_claims_are_corrected_for_each_other(judged):
    claims = [HELPS, UNCLEAR, "mean(study[arm: skip, under: clean]) > 40"]
    alone = [judged(claim)[0]["p_holm"] for claim in claims]
    together = [one["p_holm"] for one in judged(*claims)]
    highest, expected = 0.0, {}
    for rank, n in enumerate(sorted(range(3), key=lambda n: alone[n])):
        highest = max(highest, min(1.0, (3 - rank) * alone[n]))
        expected[n] = highest

    assert [pytest.approx(expected[n]) for n in range(3)] == together


def test_the_bootstrap_stands_beside_and_is_near(judged):
    (found,) = judged(HELPS)
    (one,) = found["comparisons"]

    assert one["bootstrap_low"] < one["estimate"] < one["bootstrap_high"]
    assert abs(one["bootstrap_high"] - one["bootstrap_low"]) < 1.2 * (one["high"] - one["low"])


# --- both forms


def test_the_text_says_what_the_document_says(verify, judged):
    claims = (HELPS, HARMS, UNCLEAR, "retained(study[arm: skip, under: light]) > 50%")
    found, text = judged(*claims), verify(*claims).out
    shown = re.findall(
        r"^ +([+-]?[\d.]+)%? \[([+-]?[\d.]+)%?, ([+-]?[\d.]+)%?\] [<>] ([+-]?[\d.]+)", text, re.MULTILINE
    )
    p_values = re.findall(r"^ +p ([\d.e-]+)", text, re.MULTILINE)

    assert [one["verdict"] for one in found] == re.findall(r"^(supported|refuted|undecided) ", text, re.MULTILINE)
    for one, numbers, p in zip(found, shown, p_values, strict=True):
        (compared,) = one["comparisons"]
        assert [pytest.approx(100 * compared[name], abs=0.0501) for name in ("estimate", "low", "high", "bound")] == [
            float(n) for n in numbers
        ]
        assert one["p_holm"] == pytest.approx(float(p), abs=0.0006)
        assert one["claim"] in text
        assert one["place"] in text
    assert "p: two-sided, against the bound, corrected for all 4 claims of the spec (Holm)" in text
    assert "4 claims: 2 supported, 1 refuted, 1 undecided; 2 not as expected" in text
    assert {"expected": "supported", "missing": 0, "scores": 32}.items() <= found[0].items()
