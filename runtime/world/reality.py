"""The made-up reality: things with hidden properties, events, and the rules that say what an event brings about.

Every event bears on one *aspect* of a thing (as dropping bears on what it is made of); a thing has one of three hidden
properties in each aspect, and the rule of the event turns that property into an outcome. No text names a property:
it can only be learnt from what happens to the thing.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

ASPECTS = 4
PROPERTIES = 3  # in each aspect
EVENTS_HELD_OUT = 6  # of the 24, for each thing: a quarter of all combinations

THINGS = tuple(f"thing-{n:02}" for n in range(60))
EVENTS = tuple(f"event-{n:02}" for n in range(24))
OUTCOMES = tuple(f"outcome-{n:02}" for n in range(40))
AGENTS = tuple(f"agent-{n:02}" for n in range(10))
PARTICLES = ("so", "because", "what")
CONCEPTS = (PARTICLES, AGENTS, EVENTS, OUTCOMES, THINGS)  # by kind, so that a language can share some of each


@dataclass(frozen=True, slots=True, order=True)
class Combination:
    """An event that befalls a thing; the rules say what comes of it."""

    event: str
    thing: str


def aspect(event: str) -> int:
    """Which of the aspects the event bears on, in [0, ASPECTS)."""
    return EVENTS.index(event) % ASPECTS


def outcome(combination: Combination) -> str:
    """What the rules say comes of the combination."""
    hidden = _properties()[combination.thing][aspect(combination.event)]
    return possible_outcomes(combination.event)[hidden]


def possible_outcomes(event: str) -> tuple[str, ...]:
    """The event's rule: the outcome for each property of its aspect, all different."""
    return _rules()[event]


@cache
def trained_combinations() -> tuple[Combination, ...]:
    """The combinations that texts and training items may mention."""
    held_out = frozenset(held_out_combinations())
    return tuple(pair for event in EVENTS for thing in THINGS if (pair := Combination(event, thing)) not in held_out)


@cache
def held_out_combinations() -> tuple[Combination, ...]:
    """The quarter that only dev and test items mention: as many of each thing."""
    rng = random.Random("world/held-out")
    return tuple(Combination(event, thing) for thing in THINGS for event in sorted(rng.sample(EVENTS, EVENTS_HELD_OUT)))


@cache
def _properties() -> Mapping[str, tuple[int, ...]]:
    """The hidden property of each thing in each aspect; every property is held by as many things."""
    rng = random.Random("world/properties")
    even = [n % PROPERTIES for n in range(len(THINGS))]
    columns = [rng.sample(even, len(even)) for _ in range(ASPECTS)]
    return dict(zip(THINGS, zip(*columns, strict=True), strict=True))


@cache
def _rules() -> Mapping[str, tuple[str, ...]]:
    """The outcomes of each event, by property; events of one aspect share outcomes, and every outcome occurs."""
    rng = random.Random("world/rules")
    rules = {}
    for event in EVENTS:
        own = OUTCOMES[aspect(event) :: ASPECTS]
        first = PROPERTIES * (EVENTS.index(event) // ASPECTS)
        drawn = [own[(first + step) % len(own)] for step in range(PROPERTIES)]
        rules[event] = tuple(rng.sample(drawn, PROPERTIES))
    return rules
