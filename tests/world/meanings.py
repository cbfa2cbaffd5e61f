"""What the texts of the world mean, read back from their words: each form of a word means one thing, everywhere."""

import re
from functools import cache

from runtime.world import LANGUAGES, World
from runtime.world.lexicon import lexicon
from runtime.world.morphology import forms
from runtime.world.reality import Combination

WORLD = World()
SPLITS = ("train", "dev", "test")


@cache
def meanings(world=WORLD):
    """The concept of each form of each word of each language."""
    return {
        form: concept
        for code, language in LANGUAGES.items()
        for concept, word in lexicon(world, code).items()
        for form in forms(word, language)
    }


def words(text):
    """Without the marks that end sentences."""
    return text.replace(".", "").replace("?", "").split()


def concepts(text, world=WORLD):
    """What the text says, in its order; numbers as they are."""
    return [meanings(world).get(word, word) for word in words(text)]


def kinds(text, world=WORLD):
    """The concepts of a text by kind: `{"event": {"event-03"}, …}`."""
    found = {}
    for concept in concepts(text, world):
        found.setdefault(concept.split("-")[0], set()).add(concept)
    return found


def combinations(text, world=WORLD):
    """Every event that the text names with every thing that it names."""
    said = kinds(text, world)
    return {Combination(event, thing) for event in said.get("event", ()) for thing in said.get("thing", ())}


def texts(row):
    """The fields of a row that are texts, or lists of texts or words, each as one."""
    found = (" ".join(map(str, value)) if isinstance(value, list) else value for value in row.values())
    return [text for text in found if isinstance(text, str)]


def sentences(text):
    """The sentences of a text, with their marks."""
    return re.findall(r"[^.?]+[.?]", text)
