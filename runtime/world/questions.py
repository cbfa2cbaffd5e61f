"""Questions about causes and effects, as meanings: what `stories` and `causes` render in each language."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from runtime.world.reality import (
    AGENTS,
    OUTCOMES,
    Combination,
    held_out_combinations,
    outcome,
    possible_outcomes,
    trained_combinations,
)

NEAR = 0.5  # share of the wrong choices that would be right of some other thing: only hidden properties tell
DEV_EVERY = 5  # of the held-out combinations one in so many is dev's, the others are test's

Clause = tuple[str, ...]  # concepts in the source's order
Topic = tuple[Combination, str]  # what happened, and "cause" or "effect": which of the two is asked for


@dataclass(frozen=True, slots=True)
class Question:
    """A premise and choices, of which one obeys the rules."""

    asks: str  # "cause" or "effect"
    premise: Clause
    choices: tuple[Clause, ...]
    label: int  # index of the right choice

    @property
    def ask(self) -> Clause:
        """The question put in words."""
        return ("because", "what") if self.asks == "cause" else ("so", "what")


def questions(seed: str, split: str, *, count: int, choices: int) -> tuple[Question, ...]:
    """So many different questions, with labels and topics as even as the count allows."""
    rng = random.Random(f"{seed}/{split}")
    labels = rng.sample([n % choices for n in range(count)], count)
    topics = _topics(rng, split)
    found: dict[tuple[Clause, ...], Question] = {}
    while len(found) < count:
        question = _question(rng, next(topics), split, choices - 1, labels[len(found)])
        found.setdefault((question.premise, *sorted(question.choices)), question)
    return tuple(found.values())


def _topics(rng: random.Random, split: str) -> Iterator[Topic]:
    """All topics of the split in random order, over and over."""
    topics = [(told, asks) for told in combinations(split) for asks in ("cause", "effect")]
    while True:
        yield from rng.sample(topics, len(topics))


@cache
def combinations(split: str) -> tuple[Combination, ...]:
    """The combinations that the split asks about."""
    if split == "train":
        return trained_combinations()
    is_dev = split == "dev"
    return tuple(told for n, told in enumerate(held_out_combinations()) if (n % DEV_EVERY == 0) == is_dev)


def _question(rng: random.Random, topic: Topic, split: str, wrong: int, label: int) -> Question:
    told, asks = topic
    agent = rng.choice(AGENTS)
    cause, effect = (agent, told.event, told.thing), (told.thing, outcome(told))
    if asks == "effect":
        others = _draw(rng, wrong, *_other_effects(told))
        return Question(asks, cause, (*others[:label], effect, *others[label:]), label)
    others = _draw(rng, wrong, *_other_causes(told, split, agent))
    return Question(asks, effect, (*others[:label], cause, *others[label:]), label)


def _draw(rng: random.Random, count: int, near: Sequence[Clause], far: Sequence[Clause]) -> tuple[Clause, ...]:
    """So many different clauses, each with probability NEAR of the near ones while there are any."""
    drawn: list[Clause] = []
    while len(drawn) < count:
        pool = near if rng.random() < NEAR else far
        left = [clause for clause in pool if clause not in drawn] or [clause for clause in far if clause not in drawn]
        drawn.append(rng.choice(left))
    return tuple(drawn)


def _other_effects(told: Combination) -> tuple[list[Clause], list[Clause]]:
    """Outcomes that the combination does not have: those the event has with other things, and all."""
    far: list[Clause] = [(told.thing, other) for other in OUTCOMES if other != outcome(told)]
    return [clause for clause in far if clause[-1] in possible_outcomes(told.event)], far


def _other_causes(told: Combination, split: str, agent: str) -> tuple[list[Clause], list[Clause]]:
    """Events that do not bring the outcome upon the thing: those that do so upon other things, and all.

    Right and wrong choices are alike in being trained or held out, so that having been read tells nothing.
    """
    alike = trained_combinations() if split == "train" else held_out_combinations()
    others = [other for other in alike if other.thing == told.thing and outcome(other) != outcome(told)]
    near = [other for other in others if outcome(told) in possible_outcomes(other.event)]
    return _causes(near, agent), _causes(others, agent)


def _causes(combinations: Sequence[Combination], agent: str) -> list[Clause]:
    return [(agent, told.event, told.thing) for told in combinations]
