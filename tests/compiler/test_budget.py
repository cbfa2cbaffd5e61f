"""`budget`: what its limits come to, and that it changes nothing that runs. What is wrong with one: tests/cases."""

import pytest

from compiler.budget import Limits
from compiler.pipeline import Wanted, compile_text
from compiler.places import Places
from dsl.source import Source
from tests.compiling import CPU, EMBEDDED, PRELUDE, compiled, found, plan_of

CHAIN = PRELUDE + "one: m -> a -> c @ x[de]\ntwo: m -> b\n"


@pytest.fixture
def limits(folder):
    """The limits of a budget, in seconds and bytes."""
    return lambda text: compiled(CHAIN + text, folder).limits


@pytest.mark.parametrize(
    ("text", "time", "disk"),
    [
        ("time: 40h, disk: 200GB", 144_000, 200 * 10**9),
        ("disk: 2TB time: 90s", 90, 2 * 10**12),
        ("time: 0.5d", 43_200, None),
        ("time: 20min", 1200, None),
        ("disk: 1.5MB", None, 1_500_000),
        ("disk: 4kB", None, 4000),
    ],
)
def test_limits_are_seconds_and_bytes(limits, text, time, disk):
    assert Limits(time, disk) == limits(f"budget {{ {text} }}")


def test_a_spec_without_a_budget_has_no_limits(limits):
    assert limits("") is None


def test_a_budget_changes_nothing_of_a_plan(folder):
    text = CHAIN + "budget { time: 1s, disk: 1kB }"

    assert [] == found(text, folder)
    assert plan_of(CHAIN, folder).nodes == plan_of(text, folder).nodes


def test_a_wrong_budget_warns_of_nothing_and_plans_nothing(folder):
    result = compiled(CHAIN + "budget { time: 3h, disk: 3h }", folder)

    assert (None, None) == (result.plan, result.limits)
    assert ["X0302"] == [d.code for d in result.diagnostics]


def test_two_budgets_are_one_error_that_shows_both(folder):
    (only,) = compiled(CHAIN + "budget { time: 3h }\n\nbudget { disk: 2TB }", folder).diagnostics

    assert "X0304" == only.code
    assert [("budget", 2)] == [(label.span.text, only.primary.span.line - label.span.line) for label in only.related]


def test_each_of_three_budgets_is_told_against_the_first(folder):
    many = compiled(CHAIN + "budget { time: 3h }\n" * 3, folder).diagnostics

    assert ["X0304", "X0304"] == [d.code for d in many]
    assert 1 == len({d.related[0].span.start for d in many})


def test_a_budget_of_a_file_that_is_used_does_not_count(tmp_path):
    (tmp_path / "lib.xfer").write_text('budget { time: nonsense }\nbudget { }\nmodel other { weights: hf("a/b") }\n')
    text = 'use "lib.xfer"\nother -> copa @ xcopa[sw]\n'

    assert [] == found(text, tmp_path)
    assert Limits(60, None) == compiled(text + "budget { time: 1min }", tmp_path).limits


def test_one_experiment_has_the_budget_of_its_spec(folder):
    source, places = Source("spec.xfer", CHAIN + "budget { time: 1h }"), Places(folder, embedded=EMBEDDED)

    assert Limits(3600, None) == compile_text(source, places, CPU, Wanted("two")).limits
