"""`mining`: the sentence of the source that says the same (as in Tatoeba)."""

import random
from functools import cache

from runtime.world.grammar import Clause, sentence
from runtime.world.languages import SOURCE, Language
from runtime.world.parameters import World
from runtime.world.questions import combinations
from runtime.world.reality import reality
from runtime.world.telling import episode

ROWS = {"dev": 100, "test": 300}


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The sentences of the split, parallel across languages: `idx sentence source`."""
    return [
        {"idx": idx, "sentence": sentence(world, language, *said), "source": sentence(world, SOURCE, *said)}
        for idx, said in enumerate(_said(split, world))
    ]


@cache
def _said(split: str, world: World) -> tuple[tuple[Clause, ...], ...]:
    """So many different sentences of two clauses."""
    rng = random.Random(f"world/{world.seed}/mining/{split}")
    listed = combinations(world, split)
    found: dict[tuple[Clause, ...], None] = {}
    while len(found) < ROWS[split]:
        told = episode(rng, reality(world), rng.choice(listed))
        found[tuple(clause for clauses, _ in told for clause in clauses)] = None
    return tuple(found)
