"""What the pairs of `similar` promise: values that follow from the two sentences, and each as often."""

from collections import Counter

import pytest

from runtime.world import LANGUAGES, rows
from runtime.world.reality import reality
from tests.world.meanings import SPLITS, WORLD, kinds

REAL = reality(WORLD)
CODES = [("train", "qaa"), *((split, code) for split in ("dev", "test") for code in LANGUAGES)]


def value(one, other):
    """One point for the agent, two for the event, two for the thing or one for its sort."""
    (first, second) = (kinds(text) for text in (one, other))
    (thing,), (another,) = first["thing"], second["thing"]
    points = 2 if thing == another else int(REAL.sorts[thing] == REAL.sorts[another])
    return points + (first["agent"] == second["agent"]) + 2 * (first["event"] == second["event"])


@pytest.mark.parametrize(("split", "code"), CODES)
def test_the_value_follows_from_what_the_two_share(split, code):
    for row in rows("similar", split, code):
        assert value(row["sentence1"], row["sentence2"]) == row["value"]
        assert isinstance(row["value"], float)


@pytest.mark.parametrize("split", SPLITS)
def test_values_are_spread_evenly(split):
    found = Counter(row["value"] for row in rows("similar", split, "qaa"))

    assert {0, 1, 2, 3, 4, 5} == found.keys()
    assert max(found.values()) - min(found.values()) <= 1


@pytest.mark.parametrize("part", ["agent", "event", "thing"])
def test_neither_sentence_tells_the_value(part):
    """The best guess from one word of the first, learnt on train, is hardly right more often than any."""
    seen = {}
    for row in rows("similar", "train", "qaa"):
        seen.setdefault(*kinds(row["sentence1"])[part], Counter())[row["value"]] += 1
    known = [(*kinds(row["sentence1"])[part], row["value"]) for row in rows("similar", "test", "qaa")]
    right = [number == seen[concept].most_common(1)[0][0] for concept, number in known]

    assert sum(right) < 0.25 * len(known)
