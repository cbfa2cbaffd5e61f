"""Claims against the axes of their experiments; what is wrong with one stands in tests/cases/compiler/claims.xfer."""

import pytest

from tests.compiling import PRELUDE, compiled, found

STUDY = """
let early = {skip | a | b(lr: {1e-4 | 2e-4})}
study: {m | n} -> early -> c @ x(under: {clean | light: typos(rate: 10%) | heavy: casing}) with (seeds: 3)
lone: m -> c @ x[en, de] with (seeds: 3)
pairs: m -> c @ y with (seeds: 3)
benchmark y : c { data: hf("in/y") languages: [en.en, de.sw, sw.de] }
"""


@pytest.fixture
def codes(folder):
    """The codes that a claim gives, or several."""
    return lambda *claims: [
        code for code, _ in found(PRELUDE + STUDY + "\n".join(f'claim "{c}": {c}' for c in claims), folder)
    ]


RIGHT = [
    "mean(lone) > 50",
    "50 < mean(lone)",
    "lone > 50",
    "mean(lone[language: en]) - mean(lone[language: de]) < 10",
    "gap(lone) <= 10 at 90%",
    "gap(pairs) <= 10",
    "every first: mean(pairs) > 50",
    "worst(pairs, over: second) > 50",
    "spread(mean(lone), over: language) < 5%",
    "mean(study[early: skip, model: m, under: clean]) - mean(lone) >= -2",
    "every model: gain(study[early: a, under: clean]) > 0",
    "some model, language: gain(study[early: a, under: clean]) > 0",
    "every model: gain(study[early: b, lr: 1e-4, under: clean]) > 0",
    "every model: gain(study[early: a, under: light], against: { under: clean }) > -3",
    "every model: gain(study[early: skip, under: light]) - gain(study[early: skip, under: heavy]) > 0",
    "every model: best(mean(study[early: [skip, a], under: clean]), over: early) > 50",
    "every model: retained(study[early: a, under: light]) > 90%",
    "every model, under: retained(study[early: a, under: [light, heavy]]) > 90%",
    "every model: mean(retained(study[early: a, under: light]), over: language) - 5% > 80%",
    "every model: gain(gain(study[early: a, under: light], against: { early: skip }), against: { under: clean }) > -2",
    "every model, early: mean(study[lr: 1e-4, under: clean]) > 50",
]


def test_what_users_write_is_right(codes):
    assert [] == codes(*RIGHT)


def test_every_claim_that_is_wrong_is_told_of_in_one_go(codes):
    assert ["X0329", "X0325", "X0302"] == codes("gain(lone) > 0", "mean(lone) > 0", "every early: mean(lone) > 0 at 3%")


def test_all_parts_of_a_claim_are_looked_at_whatever_else_is_wrong(folder):
    text = PRELUDE + STUDY + 'claim "all" expect wrong: man(lon[modle: m]) - worst(lone[language: sw]) > 3h at 1'

    assert [
        ("X0302", "wrong"),
        ("X0201", "man"),
        ("X0201", "lon"),
        ("X0303", "worst"),
        ("X0326", "sw"),
        ("X0302", "3h"),
        ("X0302", "1"),
    ] == found(text, folder)


@pytest.mark.parametrize(
    ("pins", "left"),
    [
        ("", {"model", "early", "lr", "under"}),
        ("early: skip", {"model", "under"}),
        ("early: skip, under: clean", {"model"}),
        ("early: b, model: m", {"lr", "under"}),
        ("early: [skip, a], model: m, under: [light]", {"early"}),
        ("early: a, model: n, under: heavy", set()),
    ],
)
def test_what_a_selection_leaves_open_is_told_by_name(pins, left, folder):
    said = compiled(f'{PRELUDE}{STUDY}claim "C": mean(study[{pins}]) > 1' if pins else OPEN, folder).diagnostics

    assert left == {d.message.split("`")[1] for d in said if d.code == "X0328"}


OPEN = f'{PRELUDE}{STUDY}claim "C": mean(study) > 1'


@pytest.mark.parametrize(("seeds", "warned"), [("1", 1), ("2", 1), ("3", 0), ("5", 0)])
def test_fewer_than_three_seeds_are_told_of_once_a_claim(seeds, warned, folder):
    chains = f"e: m -> {{skip | a}} -> c @ x with (seeds: {seeds})\n"
    claim = 'claim "C": gain(e[stage-1: a]) - mean(e[stage-1: skip]) > mean(e[stage-1: a])\n'

    assert warned == [code for code, _ in found(PRELUDE + chains + claim, folder)].count("X0333")


def test_seeds_that_are_gone_over_are_one_each(codes):
    assert ["X0333"] == codes("spread(mean(lone), over: seed) < 5%")


def test_the_seeds_of_every_run_are_counted_by_themselves(folder):
    """`a` has three learning rates with one seed each, `b` one run with three seeds."""
    arms = "{a(lr: {1e-4 | 2e-4 | 3e-4}) | b(seeds: 3)}"
    claims = 'claim "A": every lr: mean(e[stage-1: a]) > 1\nclaim "B": mean(e[stage-1: b]) > 1'
    text = f"{PRELUDE}e: m -> {arms} -> c @ x\n{claims}"

    assert [("X0333", "e[stage-1: a]")] == found(text, folder)


def test_a_statistic_within_another_needs_what_it_needs(codes):
    assert ["X0331"] == codes("worst(gap(pairs[language: de.sw]), over: benchmark) > 0")
    assert ["X0332"] == codes("mean(retained(lone), over: language) > 0%")
    assert ["X0329"] == codes("worst(gain(lone), over: language) > 0")


def test_numbers_beside_shares_are_shares_on_both_sides_and_within(codes):
    share = "retained(study[model: m, early: a, under: light])"

    assert [] == codes(f"1% + {share} - 5% > 90%")
    assert ["X0334"] == codes(f"5 < {share}")
    assert ["X0334"] == codes(f"mean({share} - 5) > 90%")
    assert ["X0334"] == codes(f"{share} > mean(lone)")
    assert ["X0334"] == codes(f"{share} - gain(study[model: m, early: a, under: clean]) > 3%")


def test_points_may_be_written_in_per_cent_and_below_nought(codes):
    assert [] == codes("mean(lone) > 50%", "mean(lone) - 3 > -2.5")
    assert ["X0302"] * 2 == codes("mean(lone) > 50k", "mean(lone - 3min) > 1")
