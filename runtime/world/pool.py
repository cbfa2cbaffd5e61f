"""`pool`: which sentences of two pools are translations of each other (as in BUCC).

Half of the sentences of the source have a translation in the other pool. All others, of both pools, are near misses of
these: the same by another agent, or told in the same way of the same event and another thing, or of the same thing and
another event.
"""

import random
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from runtime.world.grammar import Clause, Phrase, sentence
from runtime.world.languages import SOURCE, Language
from runtime.world.parameters import World
from runtime.world.questions import combinations
from runtime.world.reality import AGENTS, Combination, reality
from runtime.world.telling import episode

PAIRS = {"dev": 100, "test": 250}
SENTENCES = {"dev": 160, "test": 400}
SOURCES = {"dev": 200, "test": 500}

Meaning = tuple[Clause, ...]


class Telling(Struct, frozen=True):
    """What is told, and the seed of how: by whom, in which order, with what beside."""

    way: int
    told: Combination


class Pools(Struct, frozen=True):
    """Two pools of meanings, and where those stand that are in both."""

    sentences: tuple[Meaning, ...]
    sources: tuple[Meaning, ...]

    @property
    def gold(self) -> list[list[int]]:
        """Of each pair its number in either pool, counted from 1."""
        at = {meaning: n for n, meaning in enumerate(self.sources, start=1)}
        return [[n, at[meaning]] for n, meaning in enumerate(self.sentences, start=1) if meaning in at]


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """One row, parallel across languages: `sentences sources gold`."""
    pools = _pools(split, world)
    sentences = [sentence(world, language, *meaning) for meaning in pools.sentences]
    sources = [sentence(world, SOURCE, *meaning) for meaning in pools.sources]
    return [{"sentences": sentences, "sources": sources, "gold": pools.gold}]


@cache
def _pools(split: str, world: World) -> Pools:
    rng = random.Random(f"world/{world.seed}/pool/{split}")
    meanings = _meanings(rng, world, split)
    sentences, sources = meanings[: SENTENCES[split]], meanings[: PAIRS[split]] + meanings[SENTENCES[split] :]
    return Pools(tuple(rng.sample(sentences, len(sentences))), tuple(rng.sample(sources, len(sources))))


def _meanings(rng: random.Random, world: World, split: str) -> list[Meaning]:
    """Different ones: first those of both pools, then near misses of these."""
    listed, count = combinations(world, split), SENTENCES[split] + SOURCES[split] - PAIRS[split]
    common: dict[Meaning, Telling] = {}
    while len(common) < PAIRS[split]:
        telling = Telling(rng.getrandbits(32), rng.choice(listed))
        common.setdefault(_meaning(world, telling), telling)
    found, tellings = dict.fromkeys(common), tuple(common.values())
    while len(found) < count:
        found[_near(rng, world, rng.choice(tellings), listed)] = None
    return list(found)


def _near(rng: random.Random, world: World, telling: Telling, listed: tuple[Combination, ...]) -> Meaning:
    """The same by any agent, or the event upon another thing, or another event upon the thing."""
    told = telling.told
    close = [other for other in listed if (other.event == told.event) != (other.thing == told.thing)]
    if close and rng.random() < 1 / 2:
        return _meaning(world, replace(telling, told=rng.choice(close)))
    return _by(rng.choice(AGENTS), _meaning(world, telling))


def _meaning(world: World, telling: Telling) -> Meaning:
    said = episode(random.Random(telling.way), reality(world), telling.told)
    return tuple(clause for clauses, _ in said for clause in clauses)


def _by(agent: str, meaning: Meaning) -> Meaning:
    """Done by this agent."""
    return tuple(replace(c, subject=Phrase(agent)) if c.object is not None else c for c in meaning)
