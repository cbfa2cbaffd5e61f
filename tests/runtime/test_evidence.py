"""What is estimated is what scipy and statsmodels give where they give it, what is counted by hand, and lawful."""

from itertools import permutations, product

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from runtime.evidence.bootstrap import percentile, resamples
from runtime.evidence.components import components
from runtime.evidence.effects import Block, Effect, aligned, combined, of_items, ratio, units_of
from runtime.evidence.family import Family, alone, holm
from runtime.evidence.intervals import half_width, interval, tail
from runtime.evidence.paired import mcnemar, signs
from runtime.evidence.quantities import (
    Linear,
    correlated,
    highest,
    lowest,
    quotient,
    spread,
    total,
)

EXACT = 1e-12  # relative


def same(value):
    """Equal to the last digits."""
    return pytest.approx(value, rel=EXACT, abs=0.0)


def effect(values, seeds=None, rows=None):
    """An effect of a table, (S, I), of seeds `1` … `S`; of one row, nothing is random."""
    values = np.atleast_2d(np.asarray(values, dtype=float))
    seeds = tuple(str(n + 1) for n in range(len(values))) if seeds is None and len(values) > 1 else seeds or ()
    return of_items(np.arange(values.shape[1]) if rows is None else np.asarray(rows), list(values), seeds)


def drawn(rng, seeds, items, apart=1.0):
    """An effect with parts of seeds, of items and of both."""
    parts = rng.normal(0, apart, (seeds, 1)) + rng.normal(0, 1, items) + rng.normal(0, 1, (seeds, items))
    return effect(rng.normal() + parts)


def cells(one):
    """The table, (S, I), of an effect with one block."""
    return one.blocks[0].values  # noqa: PD011  (no pandas)


def two_sided(quantity, bound=0.0):
    return 2 * min(quantity.above(bound), quantity.below(bound))


SOME_SEEDS, SOME_ITEMS = st.integers(2, 5), st.integers(2, 12)


@st.composite
def effects(draw, seeds=SOME_SEEDS, items=SOME_ITEMS):
    """Effects whose mean varies."""
    found = drawn(np.random.default_rng(draw(st.integers(0, 2**32))), draw(seeds), draw(items))
    return found.scaled(draw(st.sampled_from([1e-3, 1.0, 50.0])))


SHAPED = effects(st.just(3), st.just(6))  # that have their seeds and items in common
LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])

# --- the last digit: scipy, statsmodels


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("bound", [0.5, 0.55, 0.7])
def test_what_is_not_trained_is_a_t_test_over_items(level, bound):
    values = np.random.default_rng(4).random(37) ** 0.5
    theirs = stats.ttest_1samp(values, bound)
    ends = theirs.confidence_interval(level)
    ours = Linear(effect(values))

    assert (same(ends.low), same(ends.high)) == (ours.interval(level).low, ours.interval(level).high)
    assert same(theirs.pvalue) == two_sided(ours, bound)
    assert same(stats.ttest_1samp(values, bound, alternative="greater").pvalue) == ours.above(bound)
    assert same(stats.ttest_1samp(values, bound, alternative="less").pvalue) == ours.below(bound)


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_values_that_are_constant_over_items_are_a_paired_t_test_over_seeds(seeds):
    rng = np.random.default_rng(seeds)
    one, other = rng.normal(0.7, 0.1, seeds), rng.normal(0.6, 0.1, seeds)
    theirs = stats.ttest_rel(one, other)
    ends = theirs.confidence_interval(0.95)
    gain = combined([(1.0, effect(np.outer(one, np.ones(20)))), (-1.0, effect(np.outer(other, np.ones(20))))])
    ours = Linear(gain)

    assert same(theirs.pvalue) == two_sided(ours)
    assert same(ends.low) == ours.interval(0.95).low
    assert same(ends.high) == ours.interval(0.95).high


@pytest.mark.parametrize(("seeds", "items"), [(2, 2), (3, 25), (6, 11)])
def test_components_are_the_mean_squares_of_a_two_way_analysis_of_variance(seeds, items):
    values = np.random.default_rng(seeds).normal(size=(seeds, items))
    at = np.indices(values.shape).reshape(2, -1)
    frame = pd.DataFrame({"y": values.ravel(), "s": at[0], "i": at[1]})
    table = anova_lm(ols("y ~ C(s) + C(i)", frame).fit())
    found = components(effect(values))
    cells = seeds * items

    assert same(table.mean_sq["C(s)"] / cells) == found.seeds[0][0]
    assert same(table.mean_sq["C(i)"] / cells) == found.items
    assert same(table.mean_sq["Residual"] / cells) == pytest.approx(found.rest, rel=1e-10)


@settings(max_examples=25)  # theirs takes 40 ms
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    assert multipletests(p_values, method="holm")[1] == pytest.approx(holm(p_values), rel=EXACT, abs=1e-300)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60))
def test_mcnemar_is_that_of_statsmodels(pairs):
    one, other = np.array(pairs).T
    table = [[sum((one == a) & (other == b)) for b in (1, 0)] for a in (1, 0)]

    assert same(their_mcnemar(table, exact=True).pvalue) == mcnemar(one, other)


def all_signs(differences):
    """The share of all signs under which the mean lies at least as far from 0."""
    flips = np.array(list(product([1.0, -1.0], repeat=len(differences))))
    sums = np.abs(flips @ differences)
    return float((sums >= abs(differences.sum()) * (1 - 1e-9)).mean())


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_signs_of_few_differences_count_all_of_them(differences):
    differences = np.array(differences) / 8

    assert pytest.approx(all_signs(differences)) == signs(differences)


def test_signs_of_many_differences_are_near_those_of_all():
    differences = np.random.default_rng(2).normal(0.4, 1, 16)

    assert pytest.approx(all_signs(differences), abs=0.02) == signs(differences)
    theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", vectorized=True, rng=1)
    assert pytest.approx(theirs.pvalue, abs=0.02) == signs(differences)
    assert signs(differences) == signs(np.concatenate([differences, np.zeros(500)]))


def test_five_seeds_cannot_go_below_a_sixteenth():
    assert 0.0625 == signs(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert 1.0 == signs(np.zeros(5)) == signs(np.ones(1))


@given(st.lists(SHAPED, min_size=3, max_size=6), st.data())
def test_a_correlation_is_that_of_scipy(members, data):
    numbers = data.draw(st.lists(st.floats(0, 1), min_size=len(members), max_size=len(members)))
    values = [m.value for m in members]
    assume(np.ptp(numbers) > 1e-3)
    assume(np.ptp(values) > 1e-6)
    theirs = stats.pearsonr(values, numbers).statistic
    assume(abs(theirs) < 1 - 1e-6)

    assert pytest.approx(theirs, abs=1e-9) == correlated([Linear(m) for m in members], numbers).value


# --- by hand


def test_seeds_that_tie_by_luck_make_no_interval_of_width_zero():
    """Each of three seeds is right on one item, and on another one."""
    values = np.zeros((3, 40))
    values[[0, 1, 2], [0, 1, 2]] = 1
    found = components(of_items(np.arange(40), list(values), ["1", "2", "3"]))
    ends = interval(found, 0.95)

    assert found.deviation < 1e-9
    assert ends.low < 0 < found.value < ends.high
    assert 0.04 < tail(found, 0.0) < 0.05


def test_a_table_that_is_worked_out_by_hand():
    """Sums of squares 1/6 between seeds (2 df), 19/12 between items (3 df), 7/6 left (6 df); 12 cells."""
    found = components(effect([[1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 1, 1]]))

    assert same(7 / 12) == found.value
    assert ((same(1 / 12 / 12), 3),) == found.seeds
    assert same(19 / 36 / 12) == found.items
    assert same(7 / 36 / 12) == found.rest
    assert same(1 / 36) == found.item_part
    assert 0.0 == found.seed_part  # 1/144 - 7/432 is below
    assert same((5 / 144) ** 0.5) == found.deviation
    t_of_2, t_of_3 = 4.302652729749464, 3.1824463052837086  # at 97.5 %
    assert t_of_2**2 / 144 < t_of_3**2 * 7 / 432  # the seeds lie nearer than the rest alone would have them
    half = (t_of_3**2 * 7 / 432 + t_of_3**2 / 36) ** 0.5
    assert same(half) == half_width(found, 0.95)
    assert same(7 / 12 - half) == interval(found, 0.95).low
    assert same(7 / 12 + half) == interval(found, 0.95).high


def test_a_ratio_that_is_worked_out_by_hand():
    """3/4 over 1/2; an item gives 3/2 + (a - 3/2 b)/(1/2): here 1/2, 3/2, 1/2, 7/2, of variance 2."""
    found = ratio(effect([1, 0, 1, 1]), effect([1, 0, 1, 0]))

    assert [0.5, 1.5, 0.5, 3.5] == cells(found)[0].tolist()
    assert 1.5 == found.value
    assert same(0.5**0.5) == components(found).deviation
    assert None is ratio(effect([1, 0]), effect([0, 0]))


def test_the_slope_of_a_correlation_is_that_of_fishers_z():
    rng, numbers = np.random.default_rng(3), [0.1, 0.4, 0.5, 0.9]
    members = [drawn(rng, 3, 8) for _ in numbers]
    step, found = 1e-6, correlated([Linear(m) for m in members], numbers)
    linear = cells(found.linear.effect)
    for n, m in enumerate(members):
        moved = [*members[:n], m.shifted(step), *members[n + 1 :]]
        slope = (np.arctanh(correlated([Linear(e) for e in moved], numbers).value) - np.arctanh(found.value)) / step
        linear = linear - slope * (cells(m) - m.value)

    assert np.ptp(linear) < 1e-4  # nothing is left but the value
    assert pytest.approx(np.arctanh(found.value)) == linear.mean()


def test_a_correlation_is_stretched_by_what_luck_adds_to_the_variance():
    rng, numbers = np.random.default_rng(13), [0.0, 0.2, 0.5, 0.6, 1.0]
    steady = [Linear(effect(np.full((3, 4), v))) for v in (0.1, 0.4, 0.3, 0.7, 0.9)]
    assert same(1.0) == correlated(steady, numbers).stretch

    table = rng.normal(size=(5, 3, 60)) + np.linspace(0, 3, 5)[:, None, None]
    found = correlated([Linear(effect(t)) for t in table], numbers)
    apart = table - table.mean(axis=0)
    whole, luck = np.square(apart.mean(axis=(1, 2))).sum(), sum(components(effect(t)).deviation ** 2 for t in apart)
    z = found.linear.interval(0.95)

    assert 0 < luck < whole
    assert same((whole / (whole - luck)) ** 0.5) == found.stretch
    assert same(np.tanh(z.high) * found.stretch) == found.interval(0.95).high < 1
    assert z.low > 0
    assert same(np.tanh(z.low)) == found.interval(0.95).low


def test_a_correlation_of_luck_alone_may_be_any():
    rng = np.random.default_rng(14)
    values = rng.normal(size=(4, 3, 10))
    values -= values.mean(axis=(1, 2), keepdims=True) * (1 - 1e-3)
    members = [Linear(effect(v)) for v in values]

    found = correlated(members, [1, 2, 3, 4])

    assert np.isinf(found.stretch)
    assert (-1.0, 1.0) == msgspec.structs.astuple(found.interval(0.95))


def test_a_correlation_is_drawn_anew_in_every_resample():
    rng, numbers = np.random.default_rng(15), [0.0, 0.2, 0.5]
    members = [Linear(drawn(rng, 3, 10)) for _ in numbers]
    found = correlated(members, numbers)
    by = resamples(found.effects)
    values = np.stack([m.resampled(by) for m in members])

    assert pytest.approx(np.corrcoef(values[:, 7], numbers)[0, 1]) == found.resampled(by)[7]


def test_a_quotient_of_nothing_and_a_correlation_with_a_constant_are_none():
    one, other = Linear(effect([[1, 0], [0, 1]])), Linear(effect([[1, -1], [-1, 1]]))

    assert None is quotient(one, other)
    assert None is correlated([one, one], [1, 2])
    assert None is correlated([one, other], [1, 1])
    assert None is correlated([Linear(effect(np.full((2, 3), 0.1)))] * 3, [1, 2, 3])  # whose mean is not quite 0.1


@pytest.mark.parametrize(
    ("seeds", "units"),
    [
        (("1", "2", "3"), ("1", "2", "3")),
        (("1/1", "1/2", "2/1", "2/2"), ("1", "1", "2", "2")),
        (("4/1", "4/2", "4/3"), ("4/1", "4/2", "4/3")),
        (("4/1/7", "4/2/7", "4/2/8"), ("4/1", "4/2", "4/2")),
        (("5",), ("5",)),
        ((), ()),
    ],
)
def test_seeds_that_go_on_from_one_checkpoint_are_one_draw(seeds, units):
    assert units == units_of(seeds)


def test_two_seeds_of_each_of_two_checkpoints_are_two_draws():
    values = np.random.default_rng(1).normal(size=(4, 9))
    found = components(effect(values, seeds=("1/1", "1/2", "2/1", "2/2")))
    of_means = components(effect([values[:2].mean(axis=0), values[2:].mean(axis=0)]))

    assert of_means.seeds == found.seeds
    assert same(of_means.deviation) == found.deviation


def test_the_bootstrap_and_a_family_take_two_seeds_of_one_checkpoint_for_one_draw():
    rng, named = np.random.default_rng(12), tuple(f"{n}/{m}" for n in range(4) for m in range(2))
    tables = [rng.normal(size=(4, 9)) for _ in range(3)]
    pairs, single = [effect(np.repeat(t, 2, axis=0), seeds=named) for t in tables], [effect(t) for t in tables]

    assert percentile(Linear(single[0]), 0.9) == percentile(Linear(pairs[0]), 0.9)
    assert np.allclose(Family.of(single).peaks, Family.of(pairs).peaks)


def test_one_seed_or_one_item_tells_nothing():
    one_seed, one_item = Linear(effect([[1, 0, 1]], seeds=("1",))), Linear(effect([[1], [0]]))

    for quantity in (one_seed, one_item, highest([one_seed, one_seed]), spread([one_item, one_item])):
        assert None is quantity.interval(0.95)
        assert 1.0 == quantity.above(0.0) == quantity.below(0.0)


# --- laws


@given(effects(), st.floats(1e-7, 0.49))
def test_the_interval_and_the_tail_are_each_others_inverse(one, share):
    found = components(one)
    ends = interval(found, 1 - 2 * share)

    assert pytest.approx(share, rel=1e-6) == tail(found, ends.low)
    assert pytest.approx(share, rel=1e-6) == Linear(one).below(ends.high)


@given(effects(), st.floats(0.01, 4))
def test_an_interval_of_the_tail_ends_at_the_bound(one, away):
    found = components(one)
    bound = found.value - away * found.deviation
    share = tail(found, bound)

    assert pytest.approx(bound, abs=1e-6 * found.deviation * (1 + away)) == interval(found, 1 - 2 * share).low
    assert pytest.approx(1 - share) == Linear(one).below(bound)


@given(SHAPED, SHAPED, st.floats(-2, 2), st.floats(-2, 2))
def test_combining_is_linear(one, other, weight, more):
    found, turned = combined([(weight, one), (more, other)]), combined([(-weight, one), (-more, other)])

    assert pytest.approx(weight * one.value + more * other.value, abs=1e-9) == found.value
    assert pytest.approx(components(found).deviation) == components(turned).deviation
    assert pytest.approx(abs(weight) * components(one).deviation) == components(one.scaled(weight)).deviation
    assert pytest.approx(0.0, abs=1e-9) == components(combined([(1.0, one), (-1.0, one)])).deviation


def test_what_lacks_seeds_is_compared_on_those_in_common():
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=(4, 7)), rng.normal(size=(3, 7))
    gain = combined([(1.0, effect(one)), (-1.0, effect(other, seeds=("4", "2", "9")))])

    assert (("2", "4"),) == tuple(b.seeds for b in gain.blocks)
    assert same((one[[1, 3]] - other[[1, 0]]).mean()) == gain.value


SEEDS = st.lists(st.sampled_from("12345"), min_size=1, max_size=4, unique=True)


@given(st.lists(st.tuples(SEEDS, st.floats(-2, 2)), min_size=1, max_size=5))
def test_whatever_seeds_are_there_each_effect_counts_once(parts):
    found = combined([(1.0, effect(np.full((len(seeds), 3), v), seeds=tuple(seeds))) for seeds, v in parts])

    assert pytest.approx(sum(v for _, v in parts)) == found.value
    names = [seed for b in found.blocks for seed in b.seeds]
    assert len(set(names)) == len(names)


def test_effects_without_seeds_in_common_add_their_variances():
    rng = np.random.default_rng(6)
    one, other = drawn(rng, 3, 10), effect(rng.normal(size=(2, 10)), seeds=("8", "9"))
    found, first, second = (components(e) for e in (combined([(1.0, one), (-1.0, other)]), one, other))

    assert (pytest.approx(first.seeds[0][0]), 3) == found.seeds[0]
    assert (pytest.approx(second.seeds[0][0]), 2) == found.seeds[1]
    assert pytest.approx(first.rest + second.rest) == found.rest
    of_items = np.var(cells(one).mean(axis=0) - cells(other).mean(axis=0), ddof=1) / 10
    assert pytest.approx(of_items) == found.items


def test_what_knows_no_seed_is_the_same_in_each():
    rng = np.random.default_rng(7)
    values, still = rng.normal(size=(3, 5)), rng.normal(size=5)
    gain = combined([(1.0, effect(values)), (-1.0, effect(still))])

    assert components(effect(values - still)).seeds == components(gain).seeds
    assert same(components(effect(values - still)).items) == components(gain).items


@given(effects(), st.integers(1, 30))
def test_an_effect_over_more_rows_keeps_its_mean_and_nearly_its_variance(one, more):
    of_one, of_all = len(one.rows), len(one.rows) + more
    other = Effect(np.arange(of_all), (Block(one.blocks[0].seeds, np.zeros((one.seeds, of_all))),))
    found = aligned([one, other])[0]
    before, after = components(one), components(found)

    assert pytest.approx(one.value) == found.value
    assert pytest.approx(before.seeds[0][0]) == after.seeds[0][0]
    shrunk = (1 - 1 / of_one) / (1 - 1 / of_all)
    assert pytest.approx(shrunk * before.items) == after.items
    assert pytest.approx(shrunk * before.rest) == after.rest


def test_independent_items_in_one_row_cost_nothing_in_expectation():
    """Two languages with 60 items each that have nothing in common, in 60 rows or in 120."""
    rng, rows = np.random.default_rng(8), np.arange(60)
    together, apart = [], []
    for _ in range(300):
        one, other = (cells(drawn(rng, 3, 60, apart=0.0)) for _ in range(2))
        for found, others in ((together, rows), (apart, rows + 60)):
            halves = [(0.5, effect(one)), (0.5, effect(other, rows=others))]
            found.append(components(combined(halves)).deviation ** 2)

    truth = (1 / 60 + 1 / 180) / 2  # of items and of the rest, each of half a sum of two
    assert pytest.approx(truth, rel=0.04) == np.mean(together)
    assert pytest.approx(truth, rel=0.04) == np.mean(apart)


# --- extremes

MEMBERS = st.lists(SHAPED.map(Linear), min_size=2, max_size=4)


@given(SHAPED.map(Linear), LEVELS)
def test_the_highest_and_the_lowest_of_one_is_itself(one, level):
    assert one is highest([one])
    assert pytest.approx(one.interval(level).low) == lowest([one]).interval(level).low
    assert pytest.approx(one.interval(level).high) == lowest([one]).interval(level).high


@given(st.integers(0, 2**32), st.floats(0.001, 0.4))
def test_the_p_value_of_the_end_of_a_correlations_interval_is_its_tail(number, share):
    rng = np.random.default_rng(number)
    members = [Linear(drawn(rng, 3, 12)) for _ in range(4)]
    found = correlated(members, [0.0, 0.2, 0.7, 1.0])
    ends = found.interval(1 - 2 * share)

    if ends.low > -0.999:
        assert pytest.approx(share, rel=1e-5) == found.above(ends.low)
    if ends.high < 0.999:
        assert pytest.approx(share, rel=1e-5) == found.below(ends.high)


@given(MEMBERS, LEVELS)
def test_the_lowest_is_the_highest_turned_around(members, level):
    low, high = lowest(members), highest([total([(-1.0, m)]) for m in members])

    assert same(-high.value) == low.value == min(m.value for m in members)
    assert same(-high.interval(level).high) == low.interval(level).low
    assert same(-high.interval(level).low) == low.interval(level).high


@given(MEMBERS)
def test_a_spread_is_not_negative_and_contains_itself(members):
    found = spread(members)
    values = [m.value for m in members]
    ends = found.interval(0.9)

    assert pytest.approx(max(values) - min(values)) == found.value >= 0
    assert ends.low <= found.value <= ends.high


@given(MEMBERS, st.floats(0.01, 0.4))
def test_the_p_value_of_the_end_of_an_extremes_interval_is_its_tail(members, share):
    found = highest(members)
    ends = found.interval(1 - 2 * share)

    assert pytest.approx(share, rel=0.05) == found.above(ends.low)
    assert pytest.approx(share, rel=1e-6) == found.below(ends.high)


def test_a_sum_with_an_extreme_has_both_ends():
    rng = np.random.default_rng(9)
    members = [Linear(drawn(rng, 3, 20)) for _ in range(3)]
    gap = total([(1.0, members[0]), (-1.0, highest(members[1:]))])
    ends, each = gap.interval(0.9), [q.interval(0.95) for q in (members[0], highest(members[1:]))]

    assert same(each[0].low - each[1].high) == ends.low
    assert same(each[0].high - each[1].low) == ends.high
    assert pytest.approx(ends.low, abs=1e-6) == gap.interval(1 - 2 * gap.above(ends.low)).low


# --- families


def test_equal_comparisons_count_as_one_and_independent_ones_each():
    rng = np.random.default_rng(10)
    one = effect(rng.normal(size=500))
    alike, apart = Family.of([one, one, one]), Family.of([effect(rng.normal(size=500)) for _ in range(3)])

    assert pytest.approx(0.05, rel=0.1) == alike.any(0.05)
    assert pytest.approx(1 - 0.95**3, rel=0.1) == apart.any(0.05)
    assert pytest.approx(0.05, rel=0.1) == apart.any(apart.each(0.05))
    assert 0.15 == pytest.approx(alone(3).any(0.05))
    assert 0.05 / 3 == pytest.approx(alone(3).each(0.05))


@given(MEMBERS, st.floats(1e-6, 0.5))
def test_a_family_corrects_by_no_more_than_their_number(members, share):
    family = Family.of([m.effect for m in members])

    assert share <= family.any(share) <= min(1.0, len(members) * share)
    assert share / len(members) <= family.each(share) <= share


def test_the_family_of_differences_is_that_of_each_by_itself():
    rng = np.random.default_rng(14)
    members = [drawn(rng, 4, 60, apart=0.1 * n) for n in range(6)]
    each = [combined([(1.0, one), (-1.0, other)]) for one, other in permutations(members, 2)]
    found, expected = Family.of_differences(aligned(members)), Family.of(aligned(each))

    assert 30 == found.number == expected.number
    for share in (0.5, 0.2, 0.05):
        assert expected.any(share / 10) == pytest.approx(found.any(share / 10), rel=0.1)
        assert expected.each(share) == pytest.approx(found.each(share), rel=0.1)
    assert 20 == Family.of_differences(members[:1] * 5).number  # nothing differs


# --- the bootstrap


def test_the_bootstrap_varies_as_much_as_the_components_say():
    one = drawn(np.random.default_rng(11), 40, 200, apart=0.5)
    ends, closed = percentile(Linear(one), 0.95), interval(components(one), 0.95)

    assert pytest.approx(closed.high - closed.low, rel=0.1) == ends.high - ends.low
    by = resamples([one])
    assert np.allclose(1.0, by.items.sum(axis=0))
    assert np.allclose(1.0, by.seeds[0].sum(axis=0))
