"""The table as people see it: distances, rank correlations, and the orientation that a terminal has room for."""

import io

import pytest
from rich.console import Console

from compiler.plan import Cell
from runtime import distances, world
from runtime.results import Row
from xfer.render.table import show_results

LANGUAGES = tuple(world.LANGUAGES)
SEEDS = ("1", "2", "3")
NOTE = "ρ: Spearman rank correlation of the score with the distance from qaa, over the zero-shot languages"


def row(arm, language, value, seed="1", baseline="", axes=None):
    axes = (("model", "m"), ("arm", arm)) if axes is None else axes
    skips = ("arm",) * (arm == "skip")
    trained = language in ("qaa", "en")
    return Row(Cell("#1", axes, seed, "x", language, "accuracy", not trained, "k", skips, baseline), value, 500, 0.5)


def arms(languages=LANGUAGES, step=-0.02):
    """Scores that fall along the languages as they stand, those of `long` with a spread over seeds."""
    return [
        row(arm, code, 0.8 + step * n + shift * int(seed), seed)
        for arm, shift in (("skip", 0.0), ("long", 0.01))
        for n, code in enumerate(languages)
        for seed in SEEDS
    ]


def beside(method, value, languages=LANGUAGES, axes=()):
    return [row("", code, value(n), "", method, axes) for n, code in enumerate(languages)]


def shown(rows, width=None):
    """The lines without what ends in blanks; in a terminal where a width is given."""
    out = io.StringIO()
    console = Console(file=out, width=width or 500, force_terminal=width is not None, no_color=True, color_system=None)
    show_results(console, rows, 0)
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip(" ─")]


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def by_distance():
    return sorted(LANGUAGES, key=lambda code: world.LANGUAGES[code].distance)


def test_the_distances_are_those_of_the_world():
    assert {code: distances.distance(code) for code in LANGUAGES} == {
        code: language.distance for code, language in world.LANGUAGES.items()
    }
    assert (0.0, None) == (distances.distance(distances.SOURCE), distances.distance("en"))


def test_the_distance_stands_below_the_header_and_its_rank_correlation_behind_the_mean():
    lines = shown([*arms(by_distance()), *beside("majority", lambda _: 0.5)])

    title, head, far, skip, long, gain, majority, *notes = lines
    assert title.startswith("x · accuracy")
    assert ["zero-shot mean", "ρ distance"] == cells(head)[-2:]
    assert ["distance", *(f"{world.LANGUAGES[c].distance:.2f}" for c in by_distance())] == cells(far)
    assert ["-1.00", "-1.00"] == [cells(line)[-1] for line in (skip, long)]
    assert "[" in cells(gain)[-1], "a gain has no rank correlation"
    assert ["majority", *["50.0"] * (len(LANGUAGES) + 1), "–"] == cells(majority)
    assert NOTE == notes[-1]


def test_ranks_are_of_the_means_over_seeds():
    """The scores of the first seed rise with the distance, and the means fall."""
    slopes = {"1": 0.01, "2": -0.02, "3": -0.02}
    rows = [row("skip", c, 0.6 + slopes[s] * n, s) for n, c in enumerate(by_distance()) for s in SEEDS]

    assert ["-1.00", "+1.00"] == [
        cells(shown(found)[3])[-1] for found in (rows, [r for r in rows if r.cell.seed == "1"])
    ]


@pytest.mark.parametrize(
    ("languages", "far", "column"),
    [(LANGUAGES[:5], True, True), (LANGUAGES[:4], True, False), (("en", "de", "sw", "ta", "th"), False, False)],
    ids=["four zero-shot", "three zero-shot", "unknown"],
)
def test_where_little_is_known_less_is_shown(languages, far, column):
    text = "\n".join(shown(arms(languages)))

    assert (far, column, column) == ("distance" in text.replace("ρ distance", ""), "ρ distance" in text, NOTE in text)


def test_one_language_of_unknown_distance_is_enough_to_show_none():
    assert "distance" not in "\n".join(shown(arms((*LANGUAGES, "en"))))


def test_an_arm_without_all_languages_has_no_rank_correlation():
    rows = [r for r in arms() if (r.cell.axes[1][1], r.cell.language) != ("long", LANGUAGES[-1])]

    _, _, _, skip, long, *_ = shown(rows)
    assert ("–", True) == (cells(long)[-1], cells(skip)[-1] != "–")


def test_baselines_are_called_by_their_method_and_what_tells_them_apart():
    several = [r for n in ("10", "20") for r in beside("bag-of-words", lambda k: 0.4 + k / 100, axes=(("limit", n),))]

    lines = shown([*arms(), *beside("majority", lambda _: 0.5), *several])
    assert ["majority", "bag of words · 10", "bag of words · 20"] == [cells(line)[0] for line in lines[6:9]]


def test_a_narrow_terminal_has_the_languages_downwards():
    rows = [*arms(), *beside("majority", lambda _: 0.5), *beside("bag-of-words", lambda n: 0.4 + n / 100)]
    wide, narrow = shown(rows, 400), shown(rows, 110)

    assert ["arm", "distance", "skip", "long", "gain over skip", "majority", "bag of words"] == cells(narrow[1])
    assert [*(f"{c}*" if c == "qaa" else c for c in LANGUAGES), "zero-shot mean", "ρ distance"] == [
        cells(line)[0] for line in narrow[2 : 4 + len(LANGUAGES)]
    ]
    assert wide[-3:] == narrow[-3:]
    numbers = [sorted(c for line in lines for c in cells(line)) for lines in (wide, narrow)]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("width", [*range(60, 160, 7), 118])
def test_no_line_is_wider_than_a_terminal_that_has_room_for_the_table(width):
    rows = [*arms(), *beside("majority", lambda _: 0.5), *beside("bag-of-words", lambda n: 0.4 + n / 100)]
    grid = shown(rows, width)[1 : 3 + len(LANGUAGES)]
    room = 100  # of the narrower orientation

    assert max(map(len, grid)) <= max(width, room)


def test_twelve_languages_can_be_read_in_118_columns(monkeypatch):
    twelve = [f"q{letter}{other}" for letter in "ab" for other in "abcdef"]
    monkeypatch.setattr("runtime.tables.distance", lambda code: twelve.index(code) / 11)
    rows = [*arms(twelve), *beside("majority", lambda _: 0.5, twelve), *beside("bag-of-words", lambda n: 0.5, twelve)]

    lines = shown(rows, 118)
    assert max(map(len, lines[1:17])) <= 118
    assert ["qab", "0.09", "78.0 ±0.0", "80.0 ±1.0", "+2.0", "50.0", "50.0"] == cells(lines[3])
    assert ["ρ distance", "-1.00", "-1.00", "–", "–"] == cells(lines[15])
