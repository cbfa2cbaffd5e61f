"""Questions about causes and effects, as meanings: what `stories` and `causes` render in each language."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from runtime.world.grammar import Clause, Phrase
from runtime.world.parameters import World
from runtime.world.reality import AGENTS, OUTCOMES, Combination, Reality, reality

NEAR = 0.8  # share of the wrong effects that the event has upon other things: only hidden properties tell
DEV_EVERY = 5  # of the held-out combinations one in so many is dev's, the others are test's
LINK = {"cause": "because", "effect": "so"}

Topic = tuple[Combination, str]  # what happened, and "cause" or "effect": which of the two is asked for


@dataclass(frozen=True, slots=True)
class Question:
    """A premise and choices, of which one obeys the rules."""

    asks: str  # "cause" or "effect"
    premise: Clause
    choices: tuple[Clause, ...]
    label: int  # index of the right choice


def cause(agent: str, told: Combination) -> Clause:
    """What happens to the thing."""
    return Clause(Phrase(agent), told.event, Phrase(told.thing))


def effect(thing: str, outcome: str) -> Clause:
    """What comes of it."""
    return Clause(Phrase(thing), outcome)


def questions(
    task: str, world: World, split: str, *, count: int, choices: int, asks: tuple[str, ...] = ("cause", "effect")
) -> tuple[Question, ...]:
    """So many different questions, with labels and topics as even as the count allows."""
    rng = random.Random(f"world/{world.seed}/{task}/{split}")
    labels = rng.sample([n % choices for n in range(count)], count)
    topics = _topics(rng, world, split, asks)
    found: dict[object, Question] = {}
    while len(found) < count:
        question = _question(rng, reality(world), next(topics), split, choices - 1, labels[len(found)])
        found.setdefault((question.premise, frozenset(question.choices)), question)
    return tuple(found.values())


def _topics(rng: random.Random, world: World, split: str, asks: tuple[str, ...]) -> Iterator[Topic]:
    """All topics of the split in random order, over and over."""
    topics = [(told, asked) for told in combinations(world, split) for asked in asks]
    while True:
        yield from rng.sample(topics, len(topics))


def combinations(world: World, split: str) -> tuple[Combination, ...]:
    """The combinations that the split asks about."""
    return _combinations(world.seed, split)


@cache
def _combinations(seed: int, split: str) -> tuple[Combination, ...]:
    real = reality(World(seed=seed))
    if split == "train":
        return real.combinations(held_out=False)
    held_out = sorted(real.combinations(held_out=True), key=lambda told: (told.thing, told.event))
    return tuple(told for n, told in enumerate(held_out) if (n % DEV_EVERY == 0) == (split == "dev"))


def _question(rng: random.Random, real: Reality, topic: Topic, split: str, wrong: int, label: int) -> Question:
    told, asks = topic
    agent = rng.choice(AGENTS)
    happens, comes = cause(agent, told), effect(told.thing, real.outcome(told))
    if asks == "effect":
        premise, right, others = happens, comes, _other_effects(rng, real, told, wrong)
    else:
        premise, right, others = comes, happens, rng.sample(_other_causes(real, told, split, agent), wrong)
    return Question(asks, premise, (*others[:label], right, *others[label:]), label)


def _other_effects(rng: random.Random, real: Reality, told: Combination, count: int) -> list[Clause]:
    """So many outcomes that the combination does not have, each with probability NEAR one of the event's."""
    wrong = [other for other in OUTCOMES if other != real.outcome(told)]
    drawn: list[str] = []
    while len(drawn) < count:
        left = [other for other in wrong if other not in drawn]
        near = [other for other in left if other in real.rules[told.event]]
        drawn.append(rng.choice(near if near and rng.random() < NEAR else left))
    return [effect(told.thing, other) for other in drawn]


def _other_causes(real: Reality, told: Combination, split: str, agent: str) -> list[Clause]:
    """Events that do not bring the outcome upon the thing, nor upon any other.

    Right and wrong choices are alike in being trained or held out, so that having been read tells nothing.
    """
    alike = real.combinations(held_out=split != "train")
    others = [other for other in alike if other.thing == told.thing and real.outcome(other) != real.outcome(told)]
    return [cause(agent, other) for other in others]
