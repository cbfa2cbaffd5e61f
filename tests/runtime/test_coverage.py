"""Intervals cover as often as docs/statistics.md prints: a thin part of its grid is simulated again."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from bench.coverage import extremes, grid, levels, outside, page
from bench.coverage.methods import METHODS, arm_effect, samples, satterthwaite, seed_names
from bench.coverage.world import World, even, scores, truth
from runtime.evidence.components import Components, components
from runtime.evidence.effects import combined, of_items
from runtime.evidence.intervals import half_width
from runtime.evidence.paired import signs

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
RUNS = 2_000
NEAR = 0.015  # of the share that is printed, of 4,000 runs: two and a half standard errors
CLOSED = ("xfer", "satterthwaite")

# What a wrong formula would show in: few seeds (normal quantiles, Satterthwaite's degrees of freedom), seeds that vary
# much (their part left out), that do not (the items' part left out; the rest taken twice, which covers too often).
THIN = {
    "2 seeds, 100 items, 1 languages, SD 0.05": 0.985,  # and the most that is allowed
    "2 seeds, 100 items, 11 languages, SD 0.1": 0.98,
    "3 seeds, 100 items, 1 languages, SD 0.2": 0.98,
    "3 seeds, 100 items, 11 languages, SD 0.05": 0.98,
    "5 seeds, 100 items, 11 languages, SD 0": 0.98,
    "10 seeds, 100 items, 1 languages, SD 0": 0.98,
    "10 seeds, 500 items, 1 languages, SD 0": 0.98,
}


@pytest.fixture(autouse=True)
def _one_thread():
    """Two threads on small tables are slower."""
    with threadpool_limits(1):
        yield


def printed(section):
    """The rows of the tables in one place of the page, as lists of cells."""
    text = PAGE.partition(f"<!-- coverage: {section} -->")[2].partition(f"<!-- coverage: end of {section} -->")[0]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def printed_grid():
    """The share of xfer's interval, by name of the cell and statistic."""
    rows = [row for row in printed("grid") if re.fullmatch(r"\d+", row[0])]
    places = [(s, languages) for s in grid.STATISTICS for languages in grid.LANGUAGES for _ in range(len(rows) // 4)]
    return {
        (grid.name(int(row[0]), int(row[1]), languages, float(row[2])), statistic): float(row[3].strip("*")) / 100
        for row, (statistic, languages) in zip(rows, places, strict=True)
    }


@pytest.mark.parametrize("cell", THIN)
def test_intervals_cover_as_is_printed(cell):
    for found in grid.cover(cell, grid.cells()[cell], RUNS, asked=CLOSED):
        assert grid.LEAST <= found.covered["xfer"] <= THIN[cell]
        assert pytest.approx(printed_grid()[cell, found.statistic], abs=NEAR) == found.covered["xfer"]


def test_the_page_prints_every_cell_and_says_how_many_fail():
    shares = printed_grid()
    cells = grid.cells()

    assert {(cell, statistic) for cell in cells for statistic in grid.STATISTICS} == set(shares)
    failed = sum(grid.fails(share, cells[cell].deviation) for (cell, _), share in shares.items())
    assert f"fails: {failed} of {len(shares)}." in PAGE
    assert set(outside.cases()) == {row[0] for row in printed("outside")} - {""}


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_normal_parts_are_covered_as_the_page_says(seeds):
    """The part of seeds follows a chi-square distribution, that of items is known; by the seeds' share of both."""
    drawn = stats.chi2.ppf((np.arange(600) + 0.5) / 600, seeds - 1) / (seeds - 1)
    found = {"xfer": [], "satterthwaite": []}
    for share in np.linspace(0, 1, 41):
        parts = [Components(0.0, ((share * x, seeds),), 1 - share, 0.0, 10**9) for x in drawn]
        halves = {"xfer": [half_width(p, 0.95) for p in parts], "satterthwaite": [satterthwaite(p) for p in parts]}
        for method, half in halves.items():
            found[method].append(2 * stats.norm.cdf(half).mean() - 1)

    (row,) = [line for line in PAGE.splitlines() if re.match(rf"\| {seeds} \| [\d.]+ to [\d.]+ \| [\d.]+ to", line)]
    told = [float(number) for number in re.findall(r"\d+\.\d", row)]
    ends = [100 * end for shares in found.values() for end in (min(shares), max(shares))]
    assert pytest.approx(told, abs=0.15) == ends


# --- the worlds


@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.2])
def test_the_truth_is_what_many_seeds_and_items_give(deviation):
    world = World(seeds=4_000, items=50, levels=((0.6, 0.9),), deviation=deviation, apart=0.1, collapse=0.1)
    (table,) = scores(world, np.random.default_rng(1))

    assert pytest.approx(truth(world)[0], abs=0.03) == table[0].mean(axis=(0, 2))


def test_without_seeds_that_vary_the_truth_is_the_level():
    assert [[0.6, 0.9]] == truth(World(seeds=2, items=1, levels=((0.6, 0.9),), deviation=0.0)).tolist()
    assert pytest.approx(0.98) == truth(World(seeds=2, items=1, levels=((1.2,),), deviation=0.01)).item()


def test_scores_of_one_item_go_together_and_those_of_two_do_not():
    (table,) = scores(World(seeds=2, items=20_000, levels=even(2, 2), deviation=0.0), np.random.default_rng(2))
    of_seeds, of_languages, of_arms, of_two_items = (
        np.corrcoef(one, other)[0, 1]
        for one, other in (
            (table[0, 0, 0], table[0, 1, 0]),
            (table[0, 0, 0], table[0, 0, 1]),
            (table[0, 0, 0], table[1, 0, 0]),
            (table[0, 0, 0], np.roll(table[0, 0, 0], 1)),
        )
    )

    assert 0.3 < of_seeds < 0.45
    assert 0.25 < of_languages < 0.4
    assert 0.2 < of_arms < 0.35
    assert abs(of_two_items) < 0.03


def test_the_mean_over_languages_is_that_of_effects_of_each():
    (table,) = scores(World(seeds=3, items=40, levels=even(2, 5), deviation=0.1), np.random.default_rng(3))
    each = [of_items(np.arange(40), list(table[0, :, n].astype(float)), seed_names(3)) for n in range(5)]
    one, other = components(combined([(1 / 5, e) for e in each])), components(arm_effect([table], 0))

    assert pytest.approx(one.value, rel=1e-12) == other.value
    assert pytest.approx(one.seeds[0][0], rel=1e-12) == other.seeds[0][0]
    assert pytest.approx((one.items, one.rest), rel=1e-12) == (other.items, other.rest)


def test_items_of_a_language_of_its_own_and_passages_are_rows():
    own = World(seeds=2, items=0, levels=even(2, 3), deviation=0.0, own=(10, 20, 30))
    passages = World(seeds=2, items=20, levels=even(2, 1), deviation=0.0, passage=5)
    rng = np.random.default_rng(4)

    assert [30, 60] == [samples(own, rng, taken)[1].found.number for taken in ("rows", "apart")]
    assert [20, 4] == [samples(passages, rng, taken)[1].found.number for taken in ("rows", "passages")]


def test_translations_taken_for_independent_are_covered_too_rarely():
    world = World(seeds=5, items=100, levels=even(2, 11), deviation=0.0)
    mean, gain = grid.cover("parallel languages taken apart", world, 300, "apart", ("xfer",))

    assert 0.6 < mean.covered["xfer"] < 0.78
    assert gain.covered["xfer"] < 0.88


# --- the other methods


def test_every_method_gives_what_it_says():
    world = World(seeds=5, items=200, levels=even(2, 4), deviation=0.05)
    rng = np.random.default_rng(5)
    mean, gain = samples(world, rng)
    ends = {m: method.make(mean.effect)(mean, rng) for m, method in METHODS.items()}
    half = {m: (high - low) / 2 for m, (low, high) in ends.items()}
    shares, size = mean.found.value, 5 * 200 * 4

    assert pytest.approx(1.96 * (shares * (1 - shares) / size) ** 0.5, rel=1e-3) == half["items"]
    assert pytest.approx(half["items"], rel=0.1) == half["pooled"]
    assert pytest.approx(1.96 * np.std(mean.languages, ddof=1) / 2, rel=1e-3) == half["languages"]
    assert half["satterthwaite"] < half["xfer"]
    assert half["seeds"] < half["xfer"]
    assert pytest.approx((mean.counts[2] - mean.counts[0]) / size) == shares
    assert pytest.approx((gain.counts[2] - gain.counts[0]) / size) == gain.found.value


# --- extremes, and tests where nothing is there


@pytest.mark.parametrize(("statistic", "languages"), [("worst", "equal"), ("correlation", "spread out")])
def test_extremes_cover_and_their_bootstrap_does_not(statistic, languages):
    found = extremes.cell(statistic, languages, 5, 150)

    assert found.covered >= 0.94
    assert found.drawn < 0.9


def test_signs_are_uniform_over_all_signs():
    """Of eight differences each p-value 2k/256 comes of two of the 256 choices of signs."""
    sizes = np.array([1.0, 2.1, 4.3, 8.7, 16.9, 33.3, 66.1, 130.7])
    choices = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    found = sorted(signs(sizes * choice) for choice in choices)

    assert pytest.approx(np.repeat(np.arange(1, 129) / 128, 2)) == found


def test_tests_hold_their_level():
    found = {row.test: row.shares for row in levels.levels(300)}

    for test, shares in found.items():
        for level, share in zip(levels.LEVELS, shares, strict=True):
            noise = 3 * (level * (1 - level) / 300) ** 0.5
            assert (share > level + noise) is test.startswith("without correction"), test


# --- the page


def test_tables_are_put_where_the_page_has_a_place_for_them():
    marks = "".join(
        f"<!-- coverage: {n} -->\nold\n<!-- coverage: end of {n} -->\n"
        for n in ("run", "summary", "grid", "outside", "extremes", "levels")
    )
    record = {"machine": {"cpu": "c", "cores": 2}, "seconds": 1.0, "date": "d", "commit": "abc"}
    record |= dict.fromkeys(("python", "numpy", "scipy"), "1") | {
        "grid": [],
        "outside": [],
        "extremes": [],
        "levels": [],
    }
    found = page.put(f"head\n{marks}tail\n", record)

    assert "old" not in found
    assert found.startswith("head\n")
    assert found.endswith("tail\n")
    assert found == page.put(found, record)
    with pytest.raises(ValueError, match="no place for `run`"):
        page.put("head\n", record)
