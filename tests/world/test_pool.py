"""What the pools of `pool` promise: pairs that mean the same, and near misses beside them."""

import pytest

from runtime.world import TASKS, rows
from runtime.world.pool import PAIRS, SENTENCES, SOURCES
from tests.world.meanings import combinations, concepts

SPLITS = ("dev", "test")


def pools(split, code="qac"):
    (row,) = rows("pool", split, code)
    return row["sentences"], row["sources"], row["gold"]


def meant(text):
    return tuple(sorted(concept for concept in concepts(text) if concept != "at"))


@pytest.mark.parametrize("split", SPLITS)
def test_pools_have_their_sizes_and_no_sentence_twice(split):
    sentences, sources, gold = pools(split)

    assert SENTENCES[split] == len(sentences) == len(set(sentences))
    assert SOURCES[split] == len(sources) == len(set(sources))
    assert PAIRS[split] == len(gold) == SOURCES[split] // 2


@pytest.mark.parametrize(("split", "code"), [(split, code) for split in SPLITS for code in TASKS["pool"][split]])
def test_gold_pairs_mean_the_same(split, code):
    sentences, sources, gold = pools(split, code)

    assert all(meant(sentences[i - 1]) == meant(sources[j - 1]) for i, j in gold)


@pytest.mark.parametrize("split", SPLITS)
def test_a_sentence_is_in_one_pair_at_most_and_pools_are_shuffled(split):
    sentences, sources, gold = pools(split)
    first, second = ([pair[side] for pair in gold] for side in (0, 1))

    assert len(gold) == len(set(first)) == len(set(second))
    assert sorted(second) != second
    assert max(first) > 0.9 * len(sentences)
    assert max(second) > 0.9 * len(sources)


@pytest.mark.parametrize("split", SPLITS)
def test_what_has_no_translation_is_near_to_what_has(split):
    """It tells of the event or of the thing of a sentence that has one."""
    sentences, sources, gold = pools(split)
    common = {pair for i, _ in gold for pair in combinations(sentences[i - 1])}
    events, things = {pair.event for pair in common}, {pair.thing for pair in common}
    others = [text for n, text in enumerate(sentences, start=1) if n not in {i for i, _ in gold}]
    others += [text for n, text in enumerate(sources, start=1) if n not in {j for _, j in gold}]

    assert SENTENCES[split] + SOURCES[split] - 2 * PAIRS[split] == len(others)
    for text in others:
        (told,) = combinations(text)

        assert told.event in events or told.thing in things


def test_no_sentence_is_in_the_pools_of_both_splits():
    dev, test = ({*sentences, *sources} for sentences, sources, _ in map(pools, SPLITS))

    assert set() == dev & test
