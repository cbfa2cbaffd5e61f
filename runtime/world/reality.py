"""The made-up reality: things with hidden properties, events, and the rules that say what an event brings about.

Every event bears on one *aspect* of a thing (as dropping and hitting bear on what it is made of); a thing has one of
three hidden properties in each aspect, and what comes of the event is the outcome of that property. No text names a
property: it can only be learnt from what happens to the thing. Beside that, each thing is of a sort and has a place
where it is kept, which texts do say and which have nothing to do with its properties.
"""

import random
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from msgspec import Struct

from runtime.world.parameters import World

T = TypeVar("T")

ASPECTS = 4
PROPERTIES = 3  # in each aspect

THINGS = tuple(f"thing-{n:02}" for n in range(40))
EVENTS = tuple(f"event-{n:02}" for n in range(16))
OUTCOMES = tuple(f"outcome-{n:02}" for n in range(ASPECTS * PROPERTIES))
AGENTS = tuple(f"agent-{n:02}" for n in range(6))
SORTS = tuple(f"sort-{n}" for n in range(8))
PLACES = tuple(f"place-{n}" for n in range(8))
ADJECTIVES = tuple(f"adjective-{n}" for n in range(6))
SOMETHING = "something"  # a thing that is not named
PARTICLES = ("so", "because", SOMETHING, "what", "not", "at", "is", "lies")
CONCEPTS = (PARTICLES, AGENTS, EVENTS, OUTCOMES, THINGS, SORTS, PLACES, ADJECTIVES)  # by kind: each is shared alike


class Combination(Struct, frozen=True, order=True):
    """An event that befalls a thing; the rules say what comes of it."""

    event: str
    thing: str


class Reality(Struct, frozen=True):
    """What holds in the worlds of one seed."""

    rules: Mapping[str, tuple[str, ...]]  # of each event the outcome for each property of its aspect, all different
    properties: Mapping[str, tuple[int, ...]]  # of each thing its property in each aspect
    sorts: Mapping[str, str]  # of each thing
    places: Mapping[str, str]  # of each thing where it is kept
    held_out: frozenset[Combination]  # a quarter, which no training text mentions

    def outcome(self, told: Combination) -> str:
        """What the rules say comes of the combination."""
        return self.rules[told.event][self.properties[told.thing][aspect(told.event)]]

    def combinations(self, *, held_out: bool) -> tuple[Combination, ...]:
        """Those that training texts and items may mention, or those that dev and test items ask about."""
        everything = (Combination(event, thing) for event in EVENTS for thing in THINGS)
        return tuple(told for told in everything if (told in self.held_out) == held_out)


def aspect(event: str) -> int:
    """Which of the aspects the event bears on, in [0, ASPECTS)."""
    return EVENTS.index(event) % ASPECTS


def reality(world: World) -> Reality:
    """The reality of a world: its seed alone decides it."""
    return _reality(world.seed)


@cache
def _reality(seed: int) -> Reality:
    return Reality(
        _rules(seed),
        _properties(seed),
        _evenly(f"world/{seed}/sorts", SORTS),
        _evenly(f"world/{seed}/places", PLACES),
        _held_out(seed),
    )


def _rules(seed: int) -> Mapping[str, tuple[str, ...]]:
    """Of each event the outcome for each property of its aspect: a property has one outcome, whatever the event."""
    shuffled = random.Random(f"world/{seed}/rules").sample(OUTCOMES, len(OUTCOMES))
    of_aspect = [tuple(shuffled[number * PROPERTIES :][:PROPERTIES]) for number in range(ASPECTS)]
    return {event: of_aspect[aspect(event)] for event in EVENTS}


def _properties(seed: int) -> Mapping[str, tuple[int, ...]]:
    """Every property is held by as many things."""
    columns = [
        _evenly(f"world/{seed}/properties/{number}", tuple(range(PROPERTIES))).values() for number in range(ASPECTS)
    ]
    return dict(zip(THINGS, zip(*columns, strict=True), strict=True))


def _held_out(seed: int) -> frozenset[Combination]:
    """Of each thing one event of each aspect."""
    rng = random.Random(f"world/{seed}/held-out")
    return frozenset(
        Combination(rng.choice(EVENTS[number::ASPECTS]), thing) for thing in THINGS for number in range(ASPECTS)
    )


def _evenly(seed: str, values: tuple[T, ...]) -> Mapping[str, T]:
    """One of the values for each thing, each for as many things as the count allows."""
    shuffled = random.Random(seed).sample(range(len(THINGS)), len(THINGS))
    return {thing: values[n % len(values)] for thing, n in zip(THINGS, shuffled, strict=True)}
