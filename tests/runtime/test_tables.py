"""Tables average over seeds, pair gains by seed, and keep the source language apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from compiler.plan import Cell
from runtime.results import Row
from runtime.statistics import estimate, rank_correlation
from runtime.tables import tables


def row(arm, seed, language, value, zero_shot=True):
    cell = Cell(
        "#1",
        (("model", "m"), ("intermediate", arm)),
        seed,
        "xcopa",
        language,
        "accuracy",
        zero_shot,
        "k",
        ("intermediate",) * (arm in ("skip", "no")),
    )
    return Row(cell, value, 500, 0.5)


def beside(method, language, value, *axes, zero_shot=True):
    cell = Cell("#1", axes, "", "xcopa", language, "accuracy", zero_shot, "k", baseline=method)
    return Row(cell, value, 500, 0.5)


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1, width=16)), max_size=20))
def test_rank_correlation_is_spearmans_with_ties(pairs):
    one, other = [float(a) for a, _ in pairs], [b for _, b in pairs]
    tells = len(pairs) > 3 and len(set(one)) > 1 and len(set(other)) > 1

    assert rank_correlation(one, other) == (pytest.approx(spearmanr(one, other).statistic) if tells else None)


def test_mean_deviation_and_interval_are_students():
    """Reference: R, t.test(c(0.1, 0.2, 0.6))."""
    found = estimate([0.1, 0.2, 0.6])

    assert (0.3, 0.2645751) == pytest.approx((found.mean, found.deviation))
    assert (-0.3572413, 0.9572413) == pytest.approx((found.low, found.high), abs=1e-5)


def test_one_seed_tells_no_spread():
    found = estimate([0.4])

    assert (0.4, None, None, None, 1) == (found.mean, found.deviation, found.low, found.high, found.seeds)


def test_gains_are_paired_by_seed_and_the_source_is_not_in_the_mean():
    rows = [
        *(row("skip", s, "en", v, zero_shot=False) for s, v in (("1", 0.9), ("2", 0.9))),
        *(row("skip", s, "sw", v) for s, v in (("1", 0.5), ("2", 0.7))),
        *(row("mnli", s, "en", v, zero_shot=False) for s, v in (("1", 0.9), ("2", 0.9))),
        *(row("mnli", s, "sw", v) for s, v in (("2", 0.8), ("1", 0.6))),
    ]

    (table,) = tables(rows)

    skip, mnli = table.arms
    assert (("en", "sw"), {"en"}, 2, 0.5) == (table.languages, table.trained, table.seeds, table.chance)
    assert 0.6 == pytest.approx(skip.average.mean)
    assert ({}, None) == (skip.gains, skip.average_gain)
    assert (0.1, 0.0) == pytest.approx((mnli.average_gain.mean, mnli.average_gain.deviation), abs=1e-9)
    assert 0.1 == pytest.approx(mnli.gains["sw"].mean)


def test_a_baseline_that_trains_nothing_is_the_same_for_every_seed():
    rows = [
        *(row("skip", "", c, 0.5) for c in ("sw", "ta")),
        *(row("mnli", s, c, v) for c in ("sw", "ta") for s, v in (("1", 0.6), ("2", 0.8))),
    ]

    (table,) = tables(rows)

    skip, mnli = table.arms
    assert (2, {}, None) == (table.seeds, skip.gains, skip.average_gain)
    assert (0.2, 2) == (pytest.approx(mnli.gains["sw"].mean), mnli.gains["sw"].seeds)
    assert 0.2 == pytest.approx(mnli.average_gain.mean)
    assert [0] == [t.seeds for t in tables(rows[:2])]


def test_a_mean_over_languages_waits_for_all_of_them():
    rows = [row("skip", "1", "sw", 0.5), row("skip", "2", "sw", 0.9), row("skip", "1", "ta", 0.7)]

    (table,) = tables(rows)

    assert (0.6, 1) == (pytest.approx(table.arms[0].average.mean), table.arms[0].average.seeds)


def test_means_are_over_the_same_languages_in_every_arm():
    """An arm without its hardest language has no better mean; it has none."""
    rows = [
        *(row("skip", s, c, v) for s in ("1", "2") for c, v in (("sw", 0.5), ("ta", 0.9))),
        *(row("mnli", s, "ta", 0.9) for s in ("1", "2")),
        row("mnli", "2", "sw", 0.7),
        row("qqp", "1", "ta", 0.9),
    ]

    (table,) = tables(rows)

    skip, mnli, qqp = table.arms
    assert (pytest.approx(0.7), 2) == (skip.average.mean, skip.average.seeds)
    assert (pytest.approx(0.8), 1) == (mnli.average.mean, mnli.average.seeds)
    assert (pytest.approx(0.1), 1) == (mnli.average_gain.mean, mnli.average_gain.seeds)
    assert (None, None) == (qqp.average, qqp.average_gain)
    assert 0.0 == pytest.approx(qqp.gains["ta"].mean)


def test_where_no_arm_has_every_language_there_is_no_mean():
    (table,) = tables([row("skip", "1", "sw", 0.5), row("mnli", "1", "ta", 0.6)])

    assert [None, None] == [a.average for a in table.arms]


def test_the_baseline_need_not_reach_an_axis_of_the_other_arms():
    """`skip` has no learning rate of the intermediate task; it is the baseline of every one."""
    rows = [row("skip", "1", "sw", 0.5)]
    for lr, value in (("1e-5", 0.6), ("3e-5", 0.7)):
        cell = Cell(
            "#1", (("model", "m"), ("intermediate", "mnli"), ("lr", lr)), "1", "xcopa", "sw", "accuracy", True, "k"
        )
        rows.append(Row(cell, value, 500, 0.5))

    (table,) = tables(rows)

    assert [None, 0.1, 0.2] == [a.average_gain and pytest.approx(a.average_gain.mean) for a in table.arms]


def test_the_baseline_is_what_trains_nothing_whatever_it_is_called():
    """`{no: skip | mnli}` has a baseline; an arm that is only called `skip` would be none."""
    (table,) = tables([row("no", "1", "sw", 0.5), row("mnli", "1", "sw", 0.6)])

    assert [None, pytest.approx(0.1)] == [a.average_gain and a.average_gain.mean for a in table.arms]


def test_baselines_without_a_network_stand_beside_the_arms():
    arms = [row(a, s, c, v) for a, v in (("skip", 0.5), ("mnli", 0.6)) for s in ("1", "2") for c in ("sw", "ta")]
    arms += [row("skip", "1", "en", 0.9, zero_shot=False)]
    own = [beside("majority", c, v) for c, v in (("sw", 0.3), ("ta", 0.7))]
    own += [beside("majority", "en", 0.8, zero_shot=False), beside("bag-of-words", "sw", 0.4)]

    (table,), (plain,) = tables(arms + own), tables(arms)

    assert plain.arms == table.arms
    assert (plain.languages, plain.trained, plain.seeds, plain.baseline) == (
        table.languages, table.trained, table.seeds, table.baseline,
    )  # fmt: skip
    majority, words = table.beside
    assert ["majority", "bag-of-words"] == [b.method for b in table.beside]
    assert (0.5, None, 1) == (majority.average.mean, majority.average.deviation, majority.average.seeds)
    assert {"sw": 0.3, "ta": 0.7, "en": 0.8} == {c: e.mean for c, e in majority.by_language.items()}
    assert (None, {}, None) == (words.average, words.gains, words.average_gain)
    assert () == plain.beside


def test_baselines_of_several_data_are_several_rows():
    own = [beside("majority", "sw", v, ("limit", n)) for n, v in (("10", 0.4), ("20", 0.5))]

    (table,) = tables([row("skip", "1", "sw", 0.5), *own])

    assert [(("limit", "10"),), (("limit", "20"),)] == [b.axes for b in table.beside]


def test_an_arm_without_its_baseline_shows_no_gain():
    (table,) = tables([row("mnli", "1", "sw", 0.5), row("qqp", "1", "sw", 0.6)])

    assert [({}, None), ({}, None)] == [(a.gains, a.average_gain) for a in table.arms]
