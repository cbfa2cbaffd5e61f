"""What the queries of `words` promise."""

import pytest

from runtime.world import World, rows
from runtime.world.reality import reality
from tests.world.meanings import SPLITS, WORLD, concepts, kinds

REAL = reality(WORLD)


def queries(split, language="qaa", world=WORLD):
    for row in rows("words", split, language, world):
        choices = [concepts(str(row[f"choice{n}"]), world)[0] for n in range(5)]
        (thing,) = kinds(str(row["question"]), world)["thing"]
        yield thing, choices, int(str(row["label"]))


@pytest.mark.parametrize(("split", "language"), [("train", "qaa"), ("test", "qaa"), ("dev", "qal")])
def test_the_right_word_is_the_thing_s_sort_or_place(split, language):
    for thing, choices, label in queries(split, language):
        facts = REAL.sorts if choices[0].startswith("sort") else REAL.places

        assert [facts[thing]] == [choices[label]]
        assert 5 == len(set(choices)) == sum(choice.split("-")[0] == choices[0].split("-")[0] for choice in choices)


@pytest.mark.parametrize("seed", [1, 100])
def test_no_two_items_ask_the_same_among_the_same_words(seed):
    items = [
        (thing, frozenset(choices)) for split in SPLITS for thing, choices, _ in queries(split, "qaa", World(seed=seed))
    ]

    assert len(items) == len(set(items))


def test_sorts_and_places_tell_nothing_of_what_befalls_things():
    """Of the things of one sort no more share a property than the count of properties lets expect."""
    for facts in (REAL.sorts, REAL.places):
        things = list(facts)
        alike = [
            sum(a == b for a, b in zip(REAL.properties[one], REAL.properties[other], strict=True))
            for n, one in enumerate(things)
            for other in things[:n]
            if facts[one] == facts[other]
        ]

        assert 4 / 3 == pytest.approx(sum(alike) / len(alike), abs=0.25)
