"""What the texts of `tags` promise: the tag of every word follows from what it renders, and a third is new in test."""

from collections import Counter

import pytest

from runtime.world import LANGUAGES, rows
from runtime.world.reality import ADJECTIVES, AGENTS, EVENTS, OUTCOMES, PLACES, SORTS, THINGS
from runtime.world.tags import WITHHELD
from tests.world.meanings import SPLITS, concepts

KINDS = {
    "agent": "PROPN", "event": "VERB", "outcome": "VERB", "thing": "NOUN", "sort": "NOUN", "place": "NOUN",
    "adjective": "ADJ", "something": "PRON", "what": "PRON", "so": "CCONJ", "because": "SCONJ", "not": "PART",
    "at": "ADP", "is": "AUX", "lies": "VERB",
}  # fmt: skip
CODES = [("train", "qaa"), *((split, code) for split in ("dev", "test") for code in LANGUAGES)]


def tag(token):
    """By what the word means."""
    if token in (".", "?"):
        return "PUNCT"
    return "NUM" if token.isdecimal() else KINDS[concepts(token)[0].split("-")[0]]


def mentioned(split):
    return {concept for row in rows("tags", split, "qaa") for concept in concepts(" ".join(row["tokens"]))}


@pytest.mark.parametrize(("split", "code"), CODES)
def test_every_word_has_the_tag_of_what_it_means(split, code):
    for row in rows("tags", split, code):
        assert [tag(token) for token in row["tokens"]] == row["tags"]


def test_a_third_of_the_words_stands_in_no_training_item():
    assert set() == WITHHELD & mentioned("train")
    for kind in (AGENTS, EVENTS, THINGS, SORTS, ADJECTIVES):
        assert set(kind) - WITHHELD <= mentioned("train")
        assert 1 / 3 == pytest.approx(len(WITHHELD & {*kind}) / len(kind), abs=0.05)


def test_test_has_all_words():
    everything = {*AGENTS, *EVENTS, *OUTCOMES, *THINGS, *SORTS, *PLACES, *ADJECTIVES}

    assert everything <= mentioned("test")
    assert set(KINDS) - {c.split("-")[0] for c in mentioned("test")} == set()


@pytest.mark.parametrize("split", SPLITS)
def test_no_tag_is_half_of_all_and_each_occurs(split):
    found = Counter(name for row in rows("tags", split, "qaa") for name in row["tags"])

    assert {*KINDS.values(), "NUM", "PUNCT"} == found.keys()
    assert max(found.values()) < 0.5 * found.total()
