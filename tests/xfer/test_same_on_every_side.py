"""What is averaged and compared is the same on every side, and what is not is not compared: on planted scores."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pytest

import xfer
from tests.half_widths import half_width
from tests.planting import first, plant
from xfer.cli import call

ITEMS = 120
RIGHT = {"qaa": 100, "qab": 90, "qac": 70, "qad": 80, "qae": 60, "qaf": 75}


def right(cell):
    """A score by language; seeds differ by an item, perturbed texts are answered at random."""
    if dict(cell.axes).get("under", "clean") != "clean":
        return list(np.random.default_rng([int(cell.seed[-1]), 5]).random(ITEMS) < 0.5)
    return first(RIGHT[cell.language] + int(cell.seed[-1]), ITEMS)


@pytest.fixture
def asked(tmp_path, monkeypatch, capsys):
    """The documents of `report` and `verify` of a spec whose scores are planted."""
    monkeypatch.chdir(tmp_path)

    def ask(text, what, address="s.xfer", out="--json"):
        (tmp_path / "s.xfer").write_text(text)
        study = xfer.compile("s.xfer", xfer.Options(store=tmp_path / "store"))
        assert [] == [d.message for d in study.compiled.diagnostics if d.severity.value == "error"]
        plant(study, right)
        capsys.readouterr()
        call([what, address, "--store", "store", out])
        found = capsys.readouterr().out
        return json.loads(found) if out == "--json" else list(csv.DictReader(io.StringIO(found)))

    return ask


def chain(label, languages, more="", benchmark="w-xcauses"):
    return (
        f"{label}: babel-mini -> w-causes(steps: 3{more}) @ {benchmark}[{languages}](limit: {ITEMS}) with (seeds: 4)\n"
    )


def claims(asked, *texts, head):
    text = head + "".join(f'claim "{n}": {t}\n' for n, t in enumerate(texts))
    return asked(text, "verify")["claims"]


def share(*languages):
    return np.mean([RIGHT[c] + 2.5 for c in languages]) / ITEMS


def test_a_gap_of_pinned_languages_leaves_the_source_out_of_the_others(asked):
    (found,) = claims(asked, "gap(a[language: [qaa, qab, qac]]) > 0", head=chain("a", "qaa, qab, qac, qad"))

    assert pytest.approx(share("qaa") - share("qab", "qac")) == found["comparisons"][0]["estimate"]


def test_claims_on_other_languages_have_no_value_and_those_in_common_are_compared(asked):
    head = (
        chain("a", "qaa, qab, qac") + chain("b", "qaa, qad, qae", ", batch: 8") + chain("c", "qac, qae", ", batch: 16")
    )
    none, some = claims(asked, "mean(a) - mean(b) < 5", "mean(a) - mean(c) < 5", head=head)

    assert ("undecided", "no value") == (none["verdict"], none["why"])
    assert pytest.approx(0.0) == some["comparisons"][0]["estimate"]  # of `qac` alone


def test_three_languages_that_count_correlate_with_nothing(asked):
    head = chain("a", "qaa, qab, qac, qad") + chain("b", "qaa, qab, qac, qad, qae", ", batch: 8")
    few, enough = claims(asked, "correlation(a, with: distance) < 0", "correlation(b, with: distance) < 0", head=head)

    assert "no value" == few["why"]
    assert enough["comparisons"]


def test_lines_of_a_report_are_means_over_the_languages_and_benchmarks_of_all(asked):
    head = chain("a", "qaa, qab, qac") + chain("b", "qaa, qac, qad", ", batch: 8")
    rows = asked(head + 'report "R" { of: [a, b], rows: chain }\n', "report", out="--csv")

    own = {r["chain"]: float(r["value"]) for r in rows if r["of"] == "cell"}
    assert {"a": pytest.approx(share("qac")), "b": pytest.approx(share("qac"))} == own


def test_a_mean_over_benchmarks_is_over_those_that_all_lines_have(asked):
    two = chain("a", "qaa, qab, qac").replace(" with", f", w-xstories[qab](limit: {ITEMS}) with")
    head = (
        "benchmark w-again : w-xcauses { }\n"
        + two.replace("w-xstories", "w-again")
        + chain("b", "qab, qac", ", batch: 8")
    )
    rows = asked(head + 'report "R" { of: [a, b], rows: chain, columns: benchmark }\n', "report", out="--csv")

    means = {r["chain"]: float(r["value"]) for r in rows if r["of"] == "mean"}
    assert {"a": pytest.approx(share("qab", "qac")), "b": pytest.approx(share("qab", "qac"))} == means


def test_a_run_is_judged_by_texts_as_they_are(asked):
    spec = chain("a", "qaa, qab", ", degenerate: exclude").replace(
        f"limit: {ITEMS}", f"limit: {ITEMS}, under: {{ clean | ty: typos(rate: 25%) }}"
    )
    rows = asked(spec + 'report "R" { rows: under, columns: language }\n', "report", out="--csv")

    assert {("0", "4", "4")} == {(r["degenerate"], r["runs"], r["seeds"]) for r in rows}


def test_checkpoints_that_go_on_from_two_are_two_draws(asked):
    head = (
        "a: babel-mini -> w-stories(steps: 3, seeds: 2) -> w-causes(steps: 3, seeds: 2)"
        f" @ w-xcauses[qab](limit: {ITEMS})\n"
    )
    (found,) = claims(asked, "mean(a) > 1", head=head)

    assert ("undecided", "seeds") == (found["verdict"], found["why"])


def test_a_control_chain_is_there_for_those_who_ask(asked):
    head = chain("a", "qab, qac").replace("babel-mini ->", "babel-mini -> {w-stories(steps: 3) | w-words(steps: 3)} ->")
    text = (
        head
        + 'report "plain" { rows: stage-1 }\nreport "gains" { rows: stage-1, baseline: skip }\n'
        + 'claim "every": every stage-1: mean(a) > 1\nclaim "gain": gain(a[stage-1: w-words]) < 1\n'
    )
    found = asked(text, "report")["reports"]
    judged = asked(text, "verify")["claims"]

    lines = [{c["at"]["stage-1"] for c in report["cells"]} for report in found]
    assert [{"w-stories", "w-words"}, {"skip", "w-stories", "w-words"}] == lines
    assert [["w-stories", "w-words"], []] == [
        [c["at"]["stage-1"] for c in claim["comparisons"] if c["at"]] for claim in judged
    ]


def test_claims_are_corrected_for_all_of_the_spec_whichever_are_asked_for(asked):
    head = chain("a", "qab, qac") + chain("b", "qab, qac", ", batch: 8")
    two = 'claim "b": mean(b) > 60\nclaim "c": mean(b) > 61\n'
    alone = {c["title"]: c["p_holm"] for c in asked(head + two, "verify")["claims"]}
    three = head + two + 'claim "a": mean(a) > 60\n'
    part = {c["title"]: c["p_holm"] for c in asked(three, "verify", "s.xfer::b")["claims"]}

    assert {"b", "c"} == set(part)
    assert min(part.values()) == pytest.approx(1.5 * min(alone.values()))  # the clearest of three, not of two


QUERIES = 40


def pairs(found):
    """Predictions of pools: query n has the document n, and is found (or not) with the document that is given."""
    lines = dict.fromkeys(found.items(), 0.9) | {(q, q): np.nan for q in range(QUERIES) if found.get(q) != q}
    return pa.table(
        {
            "query": pa.array([q for q, _ in lines], pa.int64()),
            "document": pa.array([d for _, d in lines], pa.int64()),
            "similarity": pa.array(list(lines.values()), pa.float64()),
            "gold": [q == d for q, d in lines],
        }
    )


def proposed(cell):
    """What is found differs by seed: also queries that have no document, from 100 on."""
    rng = np.random.default_rng([int(cell.seed.split("/")[0]), len(cell.axes), ord(cell.language[-1])])
    of_gold = {q: q if rng.random() < 0.8 else q + 1 for q in range(QUERIES) if rng.random() < 0.7}
    return of_gold | {100 + q: 7 for q in range(10) if rng.random() < 0.5}


def test_items_that_only_some_seeds_have_give_the_others_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    chain_ = "a: babel-mini -> { skip | w-words(steps: 3) } -> w-stories(steps: 3) @ w-pool[qab](split: dev)"
    spec = f'{chain_} with (seeds: 4)\nreport "R" {{ rows: stage-1, where: {{ metric: f1 }} }}\n'
    (tmp_path / "s.xfer").write_text(spec)
    study = xfer.compile("s.xfer", xfer.Options(store=tmp_path / "store"))
    plant(study, proposed, pairs)

    assert 0 == call(["report", "s.xfer", "--store", "store", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    cells = [c for c in study.plan.cells if c.metric == "f1"]
    for row in rows:
        own = [proposed(c) for c in cells if dict(c.axes)["stage-1"] == row["stage-1"]]
        queries = sorted({q for found in own for q in found} | set(range(QUERIES)))
        values = np.stack([influences(found, queries) for found in own])
        assert len({len(found) for found in own}) > 1
        assert str(len(queries)) == row["items"]
        assert values.mean() == pytest.approx(float(row["value"]), abs=1e-9)
        assert half_width(values, 0.95) == pytest.approx(float(row["value"]) - float(row["low"]), rel=1e-6)


def influences(found, queries):
    """(I,) F1 plus what each query changes it by: 2 right / (found + gold), the gradient by hand."""
    right = np.array([found.get(q) == q for q in queries], dtype=float)
    said = np.array([q in found for q in queries], dtype=float)
    gold = np.array([q < QUERIES for q in queries], dtype=float)
    total = said.sum() + gold.sum()
    score = 2 * right.sum() / total
    return score + len(queries) * (2 * right - score * (said + gold)) / total


def test_what_a_gain_compares_with_is_not_gone_through(asked):
    arms = "{ skip | w-stories(steps: 2) | w-words(steps: 2) }"
    head = chain("a", "qab, qac").replace("babel-mini ->", f"babel-mini -> {arms} ->")
    against = "against: { stage-1: skip }"
    every, worst = claims(
        asked, f"every stage-1: gain(a, {against}) < 1", f"worst(gain(a, {against}), over: stage-1) < 1", head=head
    )

    assert [{"stage-1": "w-stories"}, {"stage-1": "w-words"}] == [c["at"] for c in every["comparisons"]]
    assert ["w-stories"] == [e["at"] for e in worst["comparisons"][0]["extremes"]]


def test_a_group_of_languages_is_pinned_as_the_list_of_those_that_there_are(asked):
    head = "group near = [qab, qac, qaf]\n" + chain("a", "qaa, qab, qac, qad")
    of_list, of_each = "mean(a[language: [qab, qac]]) > 5", "every language: a[language: near] > 5"
    by_group, by_list, every = claims(asked, "mean(a[language: near]) > 5", of_list, of_each, head=head)

    assert pytest.approx(share("qab", "qac")) == by_group["comparisons"][0]["estimate"]
    assert by_list["comparisons"] == by_group["comparisons"]
    assert [{"language": "qab"}, {"language": "qac"}] == [c["at"] for c in every["comparisons"]]
    rows = asked(head + 'report "R" { rows: language, where: { language: near } }\n', "report", out="--csv")
    assert ["qab", "qac"] == [r["language"] for r in rows if r["of"] == "cell"]


# --- what a review with fresh eyes found: each compared what was not of the same benchmarks, languages or runs

UNDER = f"limit: {ITEMS}, under: {{ clean | light: typos(rate: 10%) }}"
BOTH = (
    f"a: babel-mini -> w-causes(steps: 3) @ w-xcauses[qab, qac]({UNDER}), w-xstories[qab, qac](limit: {ITEMS})"
    " with (seeds: 4)\n"
)
HARD = 30  # of the second benchmark fewer items are right


@pytest.fixture
def planted(tmp_path, monkeypatch, capsys):
    """The documents of a spec whose second benchmark is harder, and whose perturbed texts are, by ten items."""
    monkeypatch.chdir(tmp_path)

    def lower(cell):
        easy = RIGHT[cell.language] + int(cell.seed.split("/")[-1])
        return first(
            easy - HARD * (cell.benchmark == "w-xstories") - 10 * (dict(cell.axes).get("under") == "light"), ITEMS
        )

    def ask(text, what, out="--json", right=lower, address="s.xfer"):
        (tmp_path / "s.xfer").write_text(text)
        study = xfer.compile("s.xfer", xfer.Options(store=tmp_path / "store"))
        plant(study, right)
        capsys.readouterr()
        assert call([what, address, "--store", "store", out]) in (0, 1, 3)
        found = capsys.readouterr().out
        return json.loads(found) if out == "--json" else list(csv.DictReader(io.StringIO(found)))

    return ask


def estimates(found):
    return [c["comparisons"][0]["estimate"] if c["comparisons"] else c["why"] for c in found["claims"]]


def spec_of(head, *texts):
    return head + "".join(f'claim "{n}": {t}\n' for n, t in enumerate(texts))


def test_a_pinned_language_leaves_the_benchmarks_of_both_sides_the_same(planted):
    gains = (
        "gain(a[under: light, language: qab]) < 5",
        "every language: gain(a[under: light]) < 5",
        "mean(a[under: light, language: qab]) - mean(a[under: clean, language: qab]) < 5",
    )
    found = estimates(planted(spec_of(BOTH, *gains, "retained(a[under: light, language: qab]) > 20%"), "verify"))

    assert [pytest.approx(-10 / ITEMS)] * 3 == found[:3]
    assert pytest.approx(1 - 10 / (RIGHT["qab"] + 2.5)) == found[3]


@pytest.mark.parametrize(
    "shape", ["rows: under, columns: language", "rows: [under, language]", "rows: language, columns: under"]
)
def test_a_language_that_is_shown_leaves_them_the_same_too(planted, shape):
    rows = planted(f'{BOTH}report "R" {{ {shape}, baseline: clean }}\n', "report", "--csv")
    less = [float(row["difference"]) for row in rows if row["difference"]]

    assert len(less) >= 2
    assert [pytest.approx(-10 / ITEMS)] * len(less) == less


def test_the_source_side_of_a_gap_is_of_the_benchmarks_that_count(planted):
    two = f"@ w-xcauses[qaa, qab](limit: {ITEMS}), w-xstories[qaa, qab](limit: {ITEMS})"
    one = f"@ w-xcauses[qaa, qab](limit: {ITEMS})"
    head = "".join(
        f"{label}: babel-mini -> w-causes(steps: {steps}) {targets} with (seeds: 4)\n"
        for label, steps, targets in (("a", 3, two), ("b", 4, one))
    )
    claim = spec_of(head, "gap(a) - gap(b) < 5")
    rows = planted(f'{head}report "R" {{ of: [a, b], rows: chain, baseline: {{ chain: b }} }}\n', "report", "--csv")

    assert [pytest.approx(0.0)] == estimates(planted(claim, "verify"))
    assert {"cell", "source"} == {row["of"] for row in rows if row["difference"]}
    assert [pytest.approx(0.0)] * 2 == [float(row["difference"]) for row in rows if row["difference"]]


def test_a_control_chain_that_one_claim_asks_for_is_not_seen_by_others(planted):
    stages = "w-stories(steps: 3, seeds: 3) -> w-causes(steps: 3, seeds: 2)"
    head = f"a: babel-mini -> {stages} @ w-xcauses[qaa, qab, qac]({UNDER})\n"
    texts = (
        "mean(a[under: light]) > 0",
        "gain(a[under: light]) < 0",
        "retained(a[under: light]) > 20%",
        "gap(a[under: clean]) > 0",
    )
    control = "gain(a[stage-1: w-stories, under: clean]) < 5"
    lower = lambda cell: first(  # noqa: E731
        RIGHT[cell.language] - 40 * ("skip" in dict(cell.axes).values()) - 10 * (dict(cell.axes)["under"] == "light"),
        ITEMS,
    )
    alone = planted(spec_of(head, *texts), "verify", right=lower)["claims"]
    *beside, asks = planted(spec_of(head, *texts, control), "verify", right=lower)["claims"]

    assert pytest.approx(40 / ITEMS) == asks["comparisons"][0]["estimate"]
    for one, other in zip(alone, beside, strict=True):
        assert one["scores"] == other["scores"]
        assert one["comparisons"] == other["comparisons"]


@pytest.mark.parametrize("where", ["average: all", "where: { language: [qab, qac, qad] }", "where: { language: near }"])
def test_lines_over_all_or_pinned_languages_are_over_those_that_every_line_has(planted, where):
    head = "group near = [qab, qac, qad]\n" + chain("a", "qab, qac") + chain("b", "qac, qad", ", batch: 8")
    report = f'report "R" {{ of: [a, b], rows: chain, baseline: {{ chain: a }}, {where} }}\n'
    (row,) = [r for r in planted(head + report, "report", "--csv") if r["difference"]]

    assert pytest.approx(0.0) == float(row["difference"])
    assert pytest.approx(share("qac")) == float(row["value"])


def test_benchmarks_are_compared_over_the_languages_that_both_have(planted):
    head = (
        f"a: babel-mini -> w-causes(steps: 3) @ w-xcauses[qab, qac, qad](limit: {ITEMS}),"
        f" w-xstories[qab, qac](limit: {ITEMS}) with (seeds: 4)\n"
    )
    texts = (
        "mean(a[benchmark: w-xcauses]) - mean(a[benchmark: w-xstories]) > 0",
        "gain(a[benchmark: w-xcauses], against: { benchmark: w-xstories }) > 0",
    )
    report = 'report "R" { rows: benchmark, baseline: { benchmark: w-xstories } }\n'
    (row,) = [r for r in planted(head + report, "report", "--csv") if r["difference"]]

    assert [pytest.approx(HARD / ITEMS)] * 2 == estimates(planted(spec_of(head, *texts), "verify"))
    assert pytest.approx(HARD / ITEMS) == float(row["difference"])


def test_a_run_whose_languages_choose_their_checkpoints_is_judged_by_the_source(planted):
    def at_chance(cell):
        return first(ITEMS // 2 if cell.language == "qac" and cell.seed in "12" else 90 + int(cell.seed), ITEMS)

    for on in ("source", "target"):
        head = (
            f"a: babel-mini -> w-causes(steps: 4, degenerate: exclude, select: best(on: {on}, every: 2))"
            f" @ w-xcauses[qaa, qab, qac](limit: {ITEMS}) with (seeds: 5)\n"
        )
        (found,) = planted(spec_of(head, "mean(a[language: qac]) < 50"), "verify", right=at_chance)["claims"]
        assert (0, 5) == (found["degenerate"], found["comparisons"][0]["seeds"])


def test_bootstraps_of_sides_with_other_seeds_are_drawn_by_side(planted):
    head = chain("a", "qab, qac").replace("steps: 3", "steps: 3, seed: {1 | 2 | 3 | 4}").replace(" with (seeds: 4)", "")
    other = (
        chain("b", "qab, qac", ", batch: 8")
        .replace("steps: 3", "steps: 3, seed: {7 | 8 | 9}")
        .replace(" with (seeds: 4)", "")
    )
    texts = ("worst(a, over: language) - worst(b, over: language) < 50", "spread(a, over: language) < 50")
    for one in planted(spec_of(head + other, *texts), "verify")["claims"]:
        (compared,) = one["comparisons"]
        assert compared["bootstrap_low"] <= compared["estimate"] <= compared["bootstrap_high"]


def test_distances_that_benchmarks_do_not_agree_on_are_an_error(tmp_path):
    (tmp_path / "s.xfer").write_text(
        "benchmark far : w-xcauses { distances: { qab: 0.9 } }\n"
        "a: babel-mini -> w-causes(steps: 3) @ w-xcauses[*], far[*] with (seeds: 3)\n"
        'claim "C": correlation(a, with: distance) < 0\n'
    )
    (found,) = [d for d in xfer.compile(tmp_path / "s.xfer").compiled.diagnostics if d.severity.value == "error"]

    assert ("X0335", "pin one of them, `benchmark: NAME`") == (found.code, found.hint.split(", or")[0])
    assert "`qab` is 0.025 and 0.9 away" in found.message


def test_a_trace_marks_the_seeds_that_not_every_side_has(planted, tmp_path, capsys):
    head = chain("a", "qab, qac") + chain("b", "qab, qac", ", batch: 8").replace("seeds: 4", "seeds: 3")
    planted(spec_of(head, "mean(a) - mean(b) < 50"), "verify")

    assert 0 == call(["trace", "s.xfer", "0", "--store", "store", "--json"])
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert {("a", "4")} == {(s["experiment"], s["seed"]) for s in scores if s["left_out"]}
    assert {"not all that it is averaged or compared with has its seed"} == {s["left_out"] for s in scores} - {None}


def test_a_distance_that_a_benchmark_says_of_a_language_it_is_not_scored_in_counts_nowhere(planted):
    targets = "w-xcauses[qab, qac, qad, qae, qaf], w-far[qae]"
    settings = f"(limit: {ITEMS})"
    head = (
        "benchmark w-far : w-xcauses { distances: { qab: 0.9 } }\n"
        f"a: babel-mini -> w-causes(steps: 3) @ {targets.replace(']', ']' + settings)} with (seeds: 4)\n"
    )
    claim = "correlation(a, with: distance) < 1"
    alone = planted(spec_of(head.replace(f", w-far[qae]{settings}", ""), claim), "verify")["claims"]
    beside = planted(spec_of(head, claim), "verify")["claims"]

    assert alone[0]["comparisons"][0]["estimate"] == pytest.approx(beside[0]["comparisons"][0]["estimate"])
