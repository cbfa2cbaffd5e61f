"""Reports against the axes of their experiments; what is wrong with one stands in tests/cases/compiler/reports.xfer."""

import pytest

from compiler.axes import joined, tables
from compiler.bag import Bag
from compiler.compose import Composer
from compiler.perturbations import CLEAN
from compiler.pipeline import Wanted, compile_text, library
from compiler.places import Places
from compiler.resolve import resolve
from compiler.uses import load
from dsl.diagnostics import Severity, has_errors
from dsl.parse import parse
from dsl.source import Source
from tests.compiler.standins import STANDINS, conclusions
from tests.compiling import CPU, PRELUDE, compiled, found

PAIRS = """
benchmark y : c { data: hf("in/y") languages: [de.sw, sw.de, de.de] }
"""


@pytest.fixture
def scores(folder):
    """The scores of each experiment behind the prelude, by label."""

    def build(text):
        spec, _ = parse(Source("spec.xfer", PRELUDE + text))
        bag, places = Bag(), Places(folder)
        names = resolve(load(spec, places, bag), library(), bag)
        known = tables(Composer(names, places, bag).compose(), {})

        assert not has_errors(bag.all())
        return known

    return build


def only(known):
    (table,) = known.values()
    return table


# --- the axes of an experiment


def test_the_axes_of_choices_come_first_and_those_of_every_score_after(scores):
    table = only(scores("e: {m | two: n} -> {skip | a(lr: {1e-4 | 2e-4})} -> c(seeds: 2) @ x[en, de]"))

    assert [
        ("model", ("m", "two")),
        ("stage-1", ("skip", "a")),
        ("lr", ("1e-4", "2e-4")),
        ("benchmark", ("x",)),
        ("language", ("en", "de")),
        ("seed", ("1", "2")),
        ("under", ("clean",)),
        ("metric", ("accuracy",)),
    ] == list(table.values.items())


def test_a_baseline_is_what_trains_nothing_changes_no_text_or_is_not_robust_whatever_it_is_called(scores):
    table = only(
        scores(
            "e: m -> {plain: skip | a} -> c(robust: {as-ever: none | again: none}) @ x(under: {same: clean | casing})"
        )
    )

    assert {"stage-1": ("plain",), "robust": ("as-ever", "again"), "under": ("same",)} == dict(table.baselines)


def test_an_axis_exists_in_the_runs_that_reach_it(scores):
    table = only(scores("e: m -> {skip | a(lr: {1e-4 | 2e-4})} -> c @ x[de]"))

    assert ("skip",) == table.lacking("lr").values["stage-1"]
    assert ("a",) == table.narrowed("lr", ("2e-4",)).values["stage-1"]
    assert () == table.narrowed("lr", ("2e-4",)).narrowed("stage-1", ("skip",)).rows


def test_a_pin_leaves_the_baselines_runs_that_do_not_reach_its_axis(scores):
    table = only(scores("e: m -> {skip | a(lr: {1e-4 | 2e-4})} -> c @ x[de], a[de]"))
    pins = {"stage-1": ("a",), "lr": ("1e-4",), "benchmark": ("x",)}

    baseline = table.baseline(pins, "stage-1", "skip")
    assert (("skip",), ("x",)) == (baseline.values["stage-1"], baseline.values["benchmark"])


def test_a_choice_at_one_target_is_no_axis_of_the_scores_of_another_and_its_pin_leaves_those(scores):
    table = only(scores("e: m -> c @ x[de](under: {clean | hard: casing}, limit: {5 | 6}), a[de]"))
    other = table.narrowed("benchmark", ("a",))

    assert ("clean",) == other.values["under"]
    assert "limit" not in other.values
    assert ("x", "a") == table.narrowed("limit", ("5",)).values["benchmark"]
    assert ("x",) == table.narrowed("under", ("hard",)).values["benchmark"]


def test_what_every_text_is_changed_by_is_an_axis_of_one_value(scores):
    assert ("typos(rate: 10%)",) == only(scores("e: m -> c @ x[de](under: typos(rate: 0.1))")).values["under"]
    assert CLEAN not in only(scores("e: m -> c @ x[de](under: casing)")).values["under"]


def test_the_seed_of_each_stage_is_averaged_and_what_trains_nothing_has_none(scores):
    table = only(scores("e: m -> a(seeds: 2) -> c(seeds: 3) @ x[de]"))

    assert ["a.seed", "c.seed"] == [axis for axis in table.values if table.is_averaged(axis) and "seed" in axis]
    assert () == table.open(())
    assert ("9",) == only(scores("e: m -> a(seed: 9) @ a[de]")).values["seed"]
    assert "seed" not in only(scores(RETRIEVED)).values


RETRIEVED = """
benchmark r : retrieval { data: files("x/{{ language }}/{{ split }}.jsonl") languages: [de]
  input: { query: "{{ q }}", document: "{{ d }}" } }
e: m @ r
"""


def test_pairs_have_a_first_and_a_second_language(scores):
    table = only(scores(PAIRS + "e: m -> c @ y, x"))

    assert (("de", "sw"), ("sw", "de")) == (table.values["first"], table.values["second"])
    assert ("de.sw", "de.de") == table.narrowed("first", ("de",)).values["language"]
    assert "first" not in table.narrowed("benchmark", ("x",)).values


def test_scores_of_previous_have_the_stages_as_values_of_after(scores):
    table = only(scores("e: m -> a -> b -> a @ x[de], previous"))
    by_task = {name: table.narrowed("benchmark", (name,)).values.get("after") for name in ("x", "a", "b")}

    assert {"x": None, "a": ("a", "a (2)"), "b": ("b", "a (2)")} == by_task


def test_several_experiments_are_values_of_the_axis_chain(scores):
    known = scores("one: m -> c @ x[de]\nn -> c @ x[de]")

    assert ("one", "#2") == joined(known).values["chain"]
    assert all("chain" not in table.values for table in known.values())


def test_what_is_decided_by_what_is_shown_is_not_open(scores):
    table = joined(scores("one: m -> c @ x[de]\ntwo: n -> {skip | a} -> c @ x[de]"))

    assert ("model", "stage-1", "chain") == table.open(())
    assert ("stage-1",) == table.open(("chain",))
    assert () == table.open(("chain", "stage-1"))


# --- reports


@pytest.mark.parametrize("sketch", STANDINS)
def test_the_reports_and_claims_of_the_sketches_are_right(sketch, folder):
    asked = conclusions(sketch)
    compiled_ = compiled(STANDINS[sketch] + asked, folder)
    plan = compiled_.plan or compiled_.refused

    assert asked.count('report "') == len(plan.reports)
    assert asked.count('claim "') == len(plan.claims)
    assert {d.code for d in compiled_.diagnostics} <= {"X0311", "X0321", "X0333", "X0401"}


def test_a_report_that_is_wrong_is_not_said_to_be_right_and_not_drawn(folder):
    text = PRELUDE + 'm -> {skip | a} -> c @ x\nreport "R" { rows: stage-1 }\nreport "S" { rows: stage-2 }\n'

    assert [("X0325", "stage-2")] == found(text, folder)


def test_axes_are_looked_at_where_nothing_else_is_wrong_with_the_spec(folder):
    text = PRELUDE + 'm -> {skip | a} -> cc @ x\nreport "R" { rows: stage-2 }\nclaim "C": mean(e) > 1\n'

    assert [("X0201", "cc")] == found(text, folder)


def test_what_is_wrong_with_a_report_comes_with_what_is_wrong_with_the_files(folder):
    text = PRELUDE + 'task gone : a { data: files("gone.jsonl") }\nm -> gone @ x\nreport "R" { rows: stage-2 }\n'

    assert [("X0306", "gone"), ("X0325", "stage-2")] == found(text, folder)


def test_a_used_files_reports_are_none_of_the_spec(tmp_path):
    (tmp_path / "lib.xfer").write_text('group few = [sw]\nreport "R" { rows: nothing }\nclaim "C": mean(e) > 1\n')

    assert [] == found('use "lib.xfer"\nxlmr-large -> copa @ xcopa[few]', tmp_path)


def test_a_choice_that_is_taken_away_from_outside_leaves_a_warning(folder):
    text = PRELUDE + 'e: m -> c(lr: {1e-5 | 3e-5}) @ x\nreport "R" { rows: lr }\nclaim "C": every lr: mean(e) > 1\n'
    places = Places(folder)
    result = compile_text(Source("spec.xfer", text), places, CPU, Wanted(None, ("lr=1e-5",)))
    said = [(d.code, d.severity) for d in result.diagnostics if d.code != "X0207"]

    assert [("X0325", Severity.WARNING)] * 2 == said
    assert result.plan is not None
    assert compiled(text, folder).plan is not None


def test_a_report_and_a_claim_may_have_one_title_and_two_reports_not(folder):
    text = (
        PRELUDE + 'e: m -> c @ x with (seeds: 3)\nreport "T" { of: e }\nclaim "T": mean(e) > 1\nreport "T" { of: f }\n'
    )

    assert [("X0209", '"T"'), ("X0201", "f")] == found(text, folder)


def test_a_metric_is_one_that_some_benchmark_has(folder):
    text = (
        PRELUDE + 'm -> c @ x\nreport "R" { value: accuracy }\nreport "S" { value: em }\nreport "T" { rows: metric }\n'
    )

    assert [("X0326", "em"), ("X0328", "metric")] == found(text, folder)
