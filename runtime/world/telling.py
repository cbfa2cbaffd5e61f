"""How things are told: episodes and descriptions as clauses, with what may be said beside."""

import random
from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from runtime.world.grammar import Clause, Phrase
from runtime.world.questions import LINK, cause, effect
from runtime.world.reality import ADJECTIVES, AGENTS, PLACES, SOMETHING, SORTS, Combination, Reality

T = TypeVar("T")

UNNAMED = 0.3  # share of the episodes that begin with what came of it and do not say to which thing
DECORATED = 0.15  # probability of an adjective, of a number and of a place, each by itself
NUMBERS = (2, 3, 4, 5, 6, 7, 8, 9)

Sentences = tuple[tuple[tuple[Clause, ...], str], ...]  # of each sentence its clauses and its mark


def decorated(rng: random.Random, clause: Clause) -> Clause:
    """The clause, perhaps with an adjective and a number of its object, and with a place."""
    assert clause.object is not None, "what happens, happens to a thing"  # noqa: S101
    noun = Phrase(clause.object.noun, _perhaps(rng, ADJECTIVES), _perhaps(rng, NUMBERS))
    return replace(clause, object=noun, place=_perhaps(rng, PLACES))


def _perhaps(rng: random.Random, values: Sequence[T]) -> T | None:
    return rng.choice(values) if rng.random() < DECORATED else None


def episode(rng: random.Random, real: Reality, told: Combination) -> Sentences:
    """One of five ways to tell it: forwards or backwards, in one sentence or two; or backwards about something."""
    unnamed = rng.random() < UNNAMED
    happens = decorated(rng, cause(rng.choice(AGENTS), told))
    comes = effect(SOMETHING if unnamed else told.thing, real.outcome(told))
    if unnamed:
        return (((comes, replace(happens, link=LINK["cause"])), "."),)
    forwards = (happens, replace(comes, link=LINK["effect"]))
    first, then = forwards if rng.random() < 1 / 2 else (comes, replace(happens, link=LINK["cause"]))
    return (((first, then), "."),) if rng.random() < 1 / 2 else (((first,), "."), ((then,), "."))


def description(rng: random.Random, real: Reality, thing: str) -> Sentences:
    """Of what sort the thing is, or where it is kept: told, asked and answered, or told after a denial."""
    says, values, right = rng.choice(((being, SORTS, real.sorts[thing]), (lying, PLACES, real.places[thing])))
    told = ((says(thing, right),), ".")
    match rng.randrange(3):
        case 0:
            return (told,)
        case 1:
            return ((says(thing, "what"),), "?"), told
        case _:
            wrong = rng.choice([value for value in values if value != right])
            return ((replace(says(thing, wrong), negated=True),), "."), told


def being(thing: str, sort: str) -> Clause:
    """The thing is of the sort."""
    return Clause(Phrase(thing), "is", Phrase(sort))


def lying(thing: str, place: str) -> Clause:
    """The thing is kept at the place."""
    return Clause(Phrase(thing), "lies", place=place)
