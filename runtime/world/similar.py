"""`similar`: how much two sentences have in common, from 0 to 5 (as in STS-B).

Each says who did what to which thing. The same agent counts one point, the same event two, the same thing two, and
another thing of the same sort one.
"""

import random
from functools import cache
from itertools import product

from msgspec import Struct

from runtime.world.grammar import Clause, sentence
from runtime.world.languages import Language
from runtime.world.parameters import World
from runtime.world.questions import cause, combinations
from runtime.world.reality import AGENTS, Combination, Reality, reality

ROWS = {"train": 2_000, "dev": 200, "test": 500}
AGENT, EVENT, THING, SORT = 1, 2, 2, 1  # points
HIGHEST = AGENT + EVENT + THING


class Common(Struct, frozen=True):
    """What two sentences have in common."""

    agent: bool
    event: bool
    thing: str  # "same", "sort" or "other"

    @property
    def value(self) -> float:
        """Its points."""
        return float(AGENT * self.agent + EVENT * self.event + {"same": THING, "sort": SORT, "other": 0}[self.thing])


COMMON = tuple(Common(*each) for each in product((True, False), (True, False), ("same", "sort", "other")))


class Pair(Struct, frozen=True):
    """Two clauses, and how much they have in common."""

    one: Clause
    other: Clause
    value: float


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The pairs of the split, parallel across languages: `idx sentence1 sentence2 value`."""
    return [_row(idx, pair, language, world) for idx, pair in enumerate(_pairs(split, world))]


def _row(idx: int, pair: Pair, language: Language, world: World) -> dict[str, object]:
    one, other = (sentence(world, language, clause) for clause in (pair.one, pair.other))
    return {"idx": idx, "sentence1": one, "sentence2": other, "value": pair.value}


@cache
def _pairs(split: str, world: World) -> tuple[Pair, ...]:
    """So many different pairs, of each value as many as the count allows."""
    count, real = ROWS[split], reality(world)
    rng = random.Random(f"world/{world.seed}/similar/{split}")
    values = rng.sample([n % (HIGHEST + 1) for n in range(count)], count)
    listed = combinations(world, split)
    alike = real.combinations(held_out=True) if split == "dev" else listed  # those of dev are too few to pair
    found: dict[frozenset[Clause], Pair] = {}
    while len(found) < count:
        common = rng.choice([each for each in COMMON if each.value == values[len(found)]])
        told = rng.choice(listed)
        others = [other for other in alike if _fits(real, told, other, common)]
        if others:
            pair = _pair(rng, told, rng.choice(others), common)
            found.setdefault(frozenset((pair.one, pair.other)), pair)
    return tuple(found.values())


def _fits(real: Reality, told: Combination, other: Combination, common: Common) -> bool:
    """Whether the two have of event and thing in common what is wanted."""
    by_sort = "sort" if real.sorts[told.thing] == real.sorts[other.thing] else "other"
    thing = "same" if told.thing == other.thing else by_sort
    return thing == common.thing and (told.event == other.event) == common.event


def _pair(rng: random.Random, told: Combination, other: Combination, common: Common) -> Pair:
    agent, another = rng.sample(AGENTS, 2)
    return Pair(cause(agent, told), cause(agent if common.agent else another, other), common.value)
