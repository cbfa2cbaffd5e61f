"""Questions about causes and effects, as meanings: what `stories` and `causes` render in each language."""

import random
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import TypeVar

from msgspec import Struct

from runtime.world.grammar import Clause, Phrase
from runtime.world.parameters import World
from runtime.world.reality import AGENTS, EVENTS, OUTCOMES, SOMETHING, Combination, Reality, reality

T = TypeVar("T")

NEAR = 0.8  # share of the wrong choices that are of the same event: only the hidden properties of things tell
DEV_EVERY = 5  # of the held-out combinations one in so many is dev's, the others are test's
LINK = {"cause": "because", "effect": "so"}

Topic = tuple[Combination, str]  # what happened, and "cause" or "effect": which of the two is asked for


class Question(Struct, frozen=True):
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
    task: str, world: World, split: str, *, count: int, choices: int, events: Collection[str] = EVENTS
) -> tuple[Question, ...]:
    """So many different questions about the events, with labels and topics as even as the count allows."""
    rng = random.Random(f"world/{world.seed}/{task}/{split}")
    labels = rng.sample([n % choices for n in range(count)], count)
    topics = _topics(rng, world, split, events)
    found: dict[object, Question] = {}
    while len(found) < count:
        question = _question(rng, reality(world), next(topics), split, choices - 1, labels[len(found)])
        found.setdefault((question.premise, frozenset(question.choices)), question)
    return tuple(found.values())


def _topics(rng: random.Random, world: World, split: str, events: Collection[str]) -> Iterator[Topic]:
    """All topics of the split with these events in random order, over and over."""
    topics = [(told, asked) for told in combinations(world, split) if told.event in events for asked in LINK]
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
    """To ask for a cause, the premise says what came of it to something, and each choice names a thing."""
    told, asks = topic
    happens, comes = cause(rng.choice(AGENTS), told), real.outcome(told)
    if asks == "effect":
        premise, right = happens, effect(told.thing, comes)
        others = [effect(told.thing, other) for other in _other_effects(rng, real, told, wrong)]
    else:
        premise, right = effect(SOMETHING, comes), happens
        others = [cause(happens.subject.noun, other) for other in _other_causes(rng, real, told, split, wrong)]
    return Question(asks, premise, (*others[:label], right, *others[label:]), label)


def _other_effects(rng: random.Random, real: Reality, told: Combination, count: int) -> list[str]:
    """So many outcomes that the combination does not have: near are those that the event has upon other things."""
    wrong = [other for other in OUTCOMES if other != real.outcome(told)]
    return _mostly_near(rng, wrong, set(real.rules[told.event]), count)


def _other_causes(rng: random.Random, real: Reality, told: Combination, split: str, count: int) -> list[Combination]:
    """So many combinations that have other outcomes: near are those of the same event and another thing.

    Right and wrong ones are alike in being trained or held out, so that having been read tells nothing.
    """
    alike = real.combinations(held_out=split != "train")
    wrong = [other for other in alike if real.outcome(other) != real.outcome(told)]
    return _mostly_near(rng, wrong, {other for other in wrong if other.event == told.event}, count)


def _mostly_near(rng: random.Random, wrong: Sequence[T], near: AbstractSet[T], count: int) -> list[T]:
    """So many different ones, each with probability NEAR a near one if there is one left, else any."""
    drawn: list[T] = []
    while len(drawn) < count:
        left = [other for other in wrong if other not in drawn]
        close = [other for other in left if other in near]
        drawn.append(rng.choice(close if close and rng.random() < NEAR else left))
    return drawn
