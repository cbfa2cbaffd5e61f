"""`tags`: the part of speech of every word, by the names of Universal Dependencies (as in UD POS).

A third of the agents, events, things, sorts and adjectives stand in no training item: learning words by heart is not
enough. Dev and test tell of held-out combinations, of these and of all others.
"""

import random
from collections.abc import Mapping
from functools import cache

from runtime.world.grammar import spoken
from runtime.world.languages import SOURCE, Language
from runtime.world.parameters import World
from runtime.world.questions import combinations
from runtime.world.reality import (
    ADJECTIVES,
    AGENTS,
    EVENTS,
    OUTCOMES,
    PLACES,
    SOMETHING,
    SORTS,
    THINGS,
    Combination,
    Reality,
    reality,
)  # fmt: skip
from runtime.world.telling import Sentences, description, episode

ROWS = {"train": 1_000, "dev": 200, "test": 500}
DESCRIBED = 0.5  # share of the items that describe the thing beside telling what befalls it
WITHHELD = frozenset(concept for kind in (AGENTS, EVENTS, THINGS, SORTS, ADJECTIVES) for concept in kind[::3])

_TAGS: Mapping[str, str] = {
    **dict.fromkeys(AGENTS, "PROPN"),
    **dict.fromkeys((*EVENTS, *OUTCOMES, "lies"), "VERB"),
    **dict.fromkeys((*THINGS, *SORTS, *PLACES), "NOUN"),
    **dict.fromkeys(ADJECTIVES, "ADJ"),
    **dict.fromkeys((SOMETHING, "what"), "PRON"),
    "so": "CCONJ",
    "because": "SCONJ",
    "not": "PART",
    "at": "ADP",
    "is": "AUX",
}


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The texts of the split, parallel across languages: `idx tokens tags`, two lists of one length."""
    return [_row(idx, told, language, world) for idx, told in enumerate(_texts(split, world))]


def _row(idx: int, told: Sentences, language: Language, world: World) -> dict[str, object]:
    tagged: list[tuple[str, str]] = []
    for clauses, mark in told:
        words = (said for clause in clauses for said in spoken(world, language, clause))
        tagged += [*((said.text, tag(said.concept)) for said in words), (mark, "PUNCT")]
    return {"idx": idx, "tokens": [word for word, _ in tagged], "tags": [name for _, name in tagged]}


def tag(concept: str) -> str:
    """The part of speech of the words for the concept."""
    return "NUM" if concept.isdecimal() else _TAGS[concept]


@cache
def _texts(split: str, world: World) -> tuple[Sentences, ...]:
    """So many different texts; of train those without a withheld concept."""
    rng = random.Random(f"world/{world.seed}/tags/{split}")
    listed = combinations(world, split)
    found: dict[Sentences, None] = {}
    while len(found) < ROWS[split]:
        told = _text(rng, reality(world), rng.choice(listed))
        if split != "train" or not WITHHELD & _concepts(world, told):
            found[told] = None
    return tuple(found)


def _text(rng: random.Random, real: Reality, told: Combination) -> Sentences:
    """What befalls the thing, perhaps with what the thing is or where it is kept, before it or after."""
    if rng.random() >= DESCRIBED:
        return episode(rng, real, told)
    return sum(rng.sample([description(rng, real, told.thing), episode(rng, real, told)], 2), ())


def _concepts(world: World, told: Sentences) -> set[str]:
    said = (spoken(world, SOURCE, clause) for clauses, _ in told for clause in clauses)
    return {word.concept for words in said for word in words}
