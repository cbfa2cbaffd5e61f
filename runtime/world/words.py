"""`words`: of what sort a thing is, or where it is kept (as in CommonsenseQA): one word of five.

No two items, of one split or of two, ask the same of the same thing among the same words.
"""

import random
from functools import cache

from msgspec import Struct

from runtime.world.grammar import sentence
from runtime.world.languages import Language
from runtime.world.lexicon import lexicon
from runtime.world.parameters import World
from runtime.world.reality import PLACES, SORTS, THINGS, reality
from runtime.world.telling import being, lying

ROWS = {"train": 1_500, "dev": 200, "test": 500}
CHOICES = 5


class Query(Struct, frozen=True):
    """A thing, what is asked of it, and five words of which one is right."""

    thing: str
    asks: str  # "sort" or "place"
    choices: tuple[str, ...]
    label: int


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The queries of the split, parallel across languages: `idx question choice0 … choice4 label`."""
    return [_row(idx, query, language, world) for idx, query in enumerate(_queries(split, world))]


def _row(idx: int, query: Query, language: Language, world: World) -> dict[str, object]:
    asked = being(query.thing, "what") if query.asks == "sort" else lying(query.thing, "what")
    words = lexicon(world, language.code)
    choices = {f"choice{n}": words[choice] for n, choice in enumerate(query.choices)}
    return {"idx": idx, "question": sentence(world, language, asked, mark="?"), **choices, "label": query.label}


def _queries(split: str, world: World) -> tuple[Query, ...]:
    """Those of the split, with labels as even as the count allows."""
    names = list(ROWS)
    first = sum(ROWS[name] for name in names[: names.index(split)])
    return _all(world)[first : first + ROWS[split]]


@cache
def _all(world: World) -> tuple[Query, ...]:
    """The queries of all splits."""
    rng = random.Random(f"world/{world.seed}/words")
    found: dict[tuple[str, str, frozenset[str]], Query] = {}
    while len(found) < sum(ROWS.values()):
        query = _query(rng, rng.choice(THINGS), len(found) % CHOICES, world)
        found.setdefault((query.thing, query.asks, frozenset(query.choices)), query)
    return tuple(found.values())


def _query(rng: random.Random, thing: str, label: int, world: World) -> Query:
    asks, all_of = rng.choice((("sort", SORTS), ("place", PLACES)))
    right = (reality(world).sorts if asks == "sort" else reality(world).places)[thing]
    others = rng.sample([word for word in all_of if word != right], CHOICES - 1)
    return Query(thing, asks, (*others[:label], right, *others[label:]), label)
