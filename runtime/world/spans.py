"""`spans`: who did it, what it was done to, or where: the phrase of the context that says so (as in SQuAD).

The context tells three happenings, and what came of one of them. The question says one happening and leaves out what it
asks for. Each of the other two has one part of what the question says, another one each: of the three parts that it
says, two mislead when read alone.
"""

import random
from collections import Counter
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from runtime.world.grammar import Clause, Part, Phrase, sentence, spoken
from runtime.world.languages import Language
from runtime.world.parameters import World
from runtime.world.questions import LINK, cause, combinations, effect
from runtime.world.reality import AGENTS, PLACES, Combination, Reality, reality
from runtime.world.telling import decorated

ROWS = {"train": 8_000, "dev": 200, "test": 500}
HAPPENINGS = 3  # in a context
PARTS: tuple[Part, ...] = ("subject", "verb", "object", "place")
ASKS: tuple[Part, ...] = ("subject", "object", "place")

Sentence = tuple[Clause, ...]  # what happens, and perhaps what comes of it


class Happening(Struct, frozen=True):
    """Who does what to which thing, and where."""

    agent: str
    told: Combination
    place: str


class Item(Struct, frozen=True):
    """Sentences, and a question that one of them answers."""

    context: tuple[Sentence, ...]
    question: Clause
    asks: Part  # what of the sentence's first clause answers
    answered: int  # index of the sentence


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The items of the split, parallel across languages: `idx context question answer answer_start`."""
    return [_row(idx, item, language, world) for idx, item in enumerate(_items(split, world))]


def _row(idx: int, item: Item, language: Language, world: World) -> dict[str, object]:
    told = [sentence(world, language, *clauses) for clauses in item.context]
    words = spoken(world, language, item.context[item.answered][0])
    answer = [said.text for said in words if said.part == item.asks]
    before = [said.text for said in words[: [said.part for said in words].index(item.asks)]]
    return {
        "idx": idx,
        "context": " ".join(told),
        "question": sentence(world, language, item.question, mark="?"),
        "answer": " ".join(answer),
        "answer_start": len(" ".join([*told[: item.answered], *before, ""])),
    }


@cache
def _items(split: str, world: World) -> tuple[Item, ...]:
    """So many different items, which ask for each part as often as the count allows."""
    count, real = ROWS[split], reality(world)
    rng = random.Random(f"world/{world.seed}/spans/{split}")
    asks = rng.sample([ASKS[n % len(ASKS)] for n in range(count)], count)
    alike = real.combinations(held_out=split != "train")
    befalls = Counter(told.event for told in alike)
    listed = [told for told in combinations(world, split) if befalls[told.event] > 1]  # another thing, too
    found: dict[Item, None] = {}
    while len(found) < count:
        asked = Happening(rng.choice(AGENTS), rng.choice(listed), rng.choice(PLACES))
        found[_item(rng, real, asked, asks[len(found)], alike)] = None
    return tuple(found)


def _item(rng: random.Random, real: Reality, asked: Happening, asks: Part, alike: tuple[Combination, ...]) -> Item:
    shared = rng.sample([part for part in PARTS if part != asks], HAPPENINGS - 1)
    happenings = [asked, *(_other(rng, asked, part, alike) for part in shared)]
    order, followed = rng.sample(range(HAPPENINGS), HAPPENINGS), rng.randrange(HAPPENINGS)
    context = tuple(_told(rng, real, happenings[n], followed=n == followed) for n in order)
    return Item(context, _question(asked, asks), asks, order.index(0))


def _other(rng: random.Random, asked: Happening, shared: Part, alike: tuple[Combination, ...]) -> Happening:
    """A happening that has this part of the asked one, and no other."""
    event, thing = asked.told.event, asked.told.thing
    fit = [o for o in alike if (o.event == event) == (shared == "verb") and (o.thing == thing) == (shared == "object")]
    agents = [agent for agent in AGENTS if (agent == asked.agent) == (shared == "subject")]
    places = [place for place in PLACES if (place == asked.place) == (shared == "place")]
    return Happening(rng.choice(agents), rng.choice(fit), rng.choice(places))


def _told(rng: random.Random, real: Reality, what: Happening, *, followed: bool) -> Sentence:
    """What happens, perhaps with an adjective and a number; followed, what comes of it."""
    happens = replace(decorated(rng, cause(what.agent, what.told)), place=what.place)
    comes = replace(effect(what.told.thing, real.outcome(what.told)), link=LINK["effect"])
    return (happens, comes) if followed else (happens,)


def _question(asked: Happening, asks: Part) -> Clause:
    """All that happens but what is asked for."""
    happens = replace(cause(asked.agent, asked.told), place=asked.place)
    match asks:
        case "subject":
            return replace(happens, subject=Phrase("what"))
        case "object":
            return replace(happens, object=Phrase("what"))
        case _:
            return replace(happens, place="what")
