"""Which unit each step of a mixture draws, and which of its examples: a pure function of (seed, step) and sizes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ops import Mix
from runtime.mixing import draw, examples_per_epoch, shares

SIZES = ((400, 100), (50,), (1000, 10, 90))
PROPORTIONAL = Mix("proportional", 131_072, None, ())
MIXES = {
    "proportional": PROPORTIONAL,
    "capped": Mix("proportional", 120, None, ()),
    "uniform": Mix("uniform", None, None, ()),
    "temperature": Mix("temperature", None, 2.0, ()),
    "weights": Mix("weights", None, None, (0.5, 0.2, 0.3)),
}
# of each part, then of its languages, computed by hand
SHARES = {
    "proportional": ((500, 50, 1100), ((400, 100), (50,), (1000, 10, 90))),
    "capped": ((120, 50, 120), ((120, 100), (50,), (120, 10, 90))),
    "uniform": ((1, 1, 1), ((1, 1), (1,), (1, 1, 1))),
    "temperature": ((500**0.5, 50**0.5, 1100**0.5), ((20, 10), (1,), (1000**0.5, 10**0.5, 90**0.5))),
    "weights": ((5, 2, 3), ((400, 100), (50,), (1000, 10, 90))),
}


def visits(mix, sizes=SIZES, steps=200, batch=8, seed=1):
    schedule = draw(mix, sizes, steps=steps, batch=batch, seed=seed)
    return [schedule.at(step) for step in range(steps)]


@pytest.mark.parametrize("rule", MIXES)
def test_parts_and_languages_are_drawn_as_often_as_the_rule_says(rule):
    steps = 20_000
    drawn = Counter((v.part, v.language) for v in visits(MIXES[rule], steps=steps))
    parts, languages = SHARES[rule]

    for part, inner in enumerate(languages):
        for language, weight in enumerate(inner):
            share = parts[part] / sum(parts) * weight / sum(inner)
            error = 5 * (share * (1 - share) / steps) ** 0.5
            assert share == pytest.approx(drawn[part, language] / steps, abs=error)


@pytest.mark.parametrize("rule", MIXES)
def test_shares_add_up(rule):
    found = shares(MIXES[rule], np.array([500.0, 50.0, 1100.0]), MIXES[rule].weights)

    assert list(np.array(SHARES[rule][0]) / sum(SHARES[rule][0])) == pytest.approx(list(found))


@pytest.mark.parametrize(("temperature", "found"), [(1e-9, [0, 0, 1]), (1e9, [1 / 3, 1 / 3, 1 / 3])])
def test_temperatures_beyond_measure_are_no_trouble(temperature, found):
    assert found == pytest.approx(
        list(shares(Mix("temperature", None, temperature, ()), np.array([5.0, 9.0, 1e7]), ()))
    )


def test_one_pass_counts_each_part_up_to_its_cap():
    assert 1650 == examples_per_epoch(PROPORTIONAL, SIZES)
    assert 120 + 50 + 120 == examples_per_epoch(MIXES["capped"], SIZES)
    assert {1650} == {examples_per_epoch(MIXES[r], SIZES) for r in ("uniform", "temperature", "weights")}


sizes = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
rules = st.sampled_from([PROPORTIONAL, MIXES["capped"], MIXES["uniform"], MIXES["temperature"]])


@given(rules, sizes, st.integers(1, 9), st.integers(0, 2**32 - 1), st.data())
@settings(max_examples=60, deadline=None)
def test_a_step_sees_the_same_whoever_asks_and_when(mix, sizes, batch, seed, data):
    """In any order, alone, and in a longer training: resuming depends on it."""
    whole = draw(mix, sizes, steps=60, batch=batch, seed=seed)
    in_order = [whole.at(step) for step in range(60)]
    shorter = draw(mix, sizes, steps=40, batch=batch, seed=seed)

    for step in data.draw(st.lists(st.integers(0, 39), max_size=20)):
        for again in (shorter.at(step), whole.at(step)):
            assert (in_order[step].part, in_order[step].language) == (again.part, again.language)
            assert in_order[step].examples.tolist() == again.examples.tolist()


@given(rules, sizes, st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_every_example_of_a_unit_is_seen_before_one_is_seen_twice(mix, sizes, batch, seed):
    seen = {}
    for visit in visits(mix, sizes, 120, batch, seed):
        size = sizes[visit.part][visit.language]
        before = seen.setdefault((visit.part, visit.language), [])
        assert 1 <= len(visit.examples) <= batch
        before += visit.examples.tolist()
        epochs = Counter(before).values()
        assert max(epochs) - min([*epochs, 0] if len(epochs) < size else epochs) <= 1


def test_units_and_seeds_have_orders_of_their_own():
    def first_epoch(seed, unit):
        seen = [v.examples.tolist() for v in visits(MIXES["uniform"], ((64, 64), (64,)), 100, 8, seed)
                if (v.part, v.language) == unit][:8]  # fmt: skip
        return [example for batch in seen for example in batch]

    orders = [first_epoch(seed, unit) for seed in (1, 2) for unit in ((0, 0), (0, 1), (1, 0))]

    assert all(sorted(order) == list(range(64)) for order in orders)
    assert 6 == len({tuple(order) for order in orders})


def test_a_known_mixture_never_sees_other_examples():
    """A change here changes what every stored mixture saw: raise the version of `Train` with it."""
    found = [(v.part, v.language, v.examples.tolist()) for v in visits(MIXES["capped"], SIZES, 4, 3, 7)]

    assert GOLDEN == found


GOLDEN = [(2, 2, [88, 27, 38]), (0, 1, [62, 85, 51]), (0, 1, [21, 53, 82]), (2, 0, [570, 426, 726])]
