"""`text`: what is told in each language, for masked-language-model pretraining; no text is a translation of another."""

import math
import random
from functools import cache

from runtime.world.grammar import phrased
from runtime.world.languages import LANGUAGES, SOURCE, Language
from runtime.world.lexicon import lexicon
from runtime.world.parameters import World
from runtime.world.reality import THINGS, Combination, reality
from runtime.world.telling import Sentences, description, episode

ROWS = {"train": 10_000, "dev": 200}  # in each language that is not low-resource
DESCRIBED = 0.3  # share of the texts that describe a thing beside telling what befalls it
RETOLD = 0.6  # share of the others that tell one episode twice, in other words or the same
BORROWED = 0.5  # share of the words of a mixed text that are of another language, which is as near as can be
FALL = 3.0  # how fast that falls with the distance between the two: to a twentieth at distance 1


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The texts of the split in the language: `text`."""
    train = round(ROWS["train"] * (world.low_resource if language.low_resource else 1))
    first, count = (0, train) if split == "train" else (train, ROWS["dev"])
    return [{"text": text} for text in _texts(language.code, world, train + ROWS["dev"])[first : first + count]]


@cache
def _texts(code: str, world: World, count: int) -> tuple[str, ...]:
    """So many different texts, train first."""
    rng = random.Random(f"world/{world.seed}/text/{code}")
    texts: dict[str, None] = {}
    while len(texts) < count:
        texts[_text(rng, LANGUAGES[code], world)] = None
    return tuple(texts)


def _text(rng: random.Random, language: Language, world: World) -> str:
    """Told in words of the language; a mixed text borrows from the source, and the source from all others."""
    borrowed = BORROWED * contact(language) if rng.random() < world.mixed else 0.0
    others = [SOURCE] if language != SOURCE else [other for other in LANGUAGES.values() if other != SOURCE]
    contacts = [contact(other) for other in others]

    def word(concept: str) -> tuple[str, Language]:
        owner = rng.choices(others, contacts)[0] if rng.random() < borrowed else language
        return lexicon(world, owner.code)[concept], owner

    return " ".join(phrased(language, word, *clauses, mark=mark) for clauses, mark in _told(rng, world))


def contact(language: Language) -> float:
    """How much the language and the source borrow from each other; 1 for one at no distance."""
    return math.exp(-FALL * language.distance)


def _told(rng: random.Random, world: World) -> Sentences:
    """Two passages about one thing; the second may tell the first again."""
    thing, real = rng.choice(THINGS), reality(world)
    first, second = rng.sample(_episodes_of(world.seed, thing), 2)
    if rng.random() < DESCRIBED:
        passages = [description(rng, real, thing), episode(rng, real, first)]
        return sum(rng.sample(passages, 2), ())
    return episode(rng, real, first) + episode(rng, real, first if rng.random() < RETOLD else second)


@cache
def _episodes_of(seed: int, thing: str) -> tuple[Combination, ...]:
    """What may be told of the thing."""
    return tuple(told for told in reality(World(seed=seed)).combinations(held_out=False) if told.thing == thing)
