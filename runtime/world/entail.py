"""`entail`: whether what is told entails the hypothesis, contradicts it or leaves it open (as in MNLI).

The hypothesis claims one of the outcomes that the event can bring about. Of the same thing, the one by the rules is
entailed and any other is contradicted. Of another thing it is neutral, and true of that thing as often as not. So
neither half of a pair tells the label by itself.
"""

import random
from dataclasses import dataclass
from functools import cache

from runtime.world.languages import Language, render
from runtime.world.questions import Clause, combinations
from runtime.world.reality import AGENTS, Combination, outcome, possible_outcomes

LABELS = ("entailment", "neutral", "contradiction")
ROWS = {"train": 3_000, "dev": 300, "test": 600}


@dataclass(frozen=True, slots=True)
class Pair:
    """A premise, and a hypothesis with what the premise says of it."""

    premise: Clause
    hypothesis: Clause
    label: str


def rows(split: str, language: Language) -> list[dict[str, object]]:
    """The pairs of the split, parallel across languages: `idx premise hypothesis label`."""
    return [_row(idx, pair, language) for idx, pair in enumerate(_pairs(split))]


def _row(idx: int, pair: Pair, language: Language) -> dict[str, object]:
    premise, hypothesis = render(pair.premise, language), render(pair.hypothesis, language)
    return {"idx": idx, "premise": premise, "hypothesis": hypothesis, "label": pair.label}


@cache
def _pairs(split: str) -> tuple[Pair, ...]:
    """So many different pairs, with labels as even as the count allows."""
    count = ROWS[split]
    rng = random.Random(f"world/entail/{split}")
    labels = rng.sample([LABELS[n % len(LABELS)] for n in range(count)], count)
    topics = _topics(split)
    found: dict[tuple[Clause, Clause], Pair] = {}
    while len(found) < count:
        told, others = rng.choice(topics)
        pair = _pair(rng, told, others, labels[len(found)])
        found.setdefault((pair.premise, pair.hypothesis), pair)
    return tuple(found.values())


@cache
def _topics(split: str) -> tuple[tuple[Combination, tuple[Combination, ...]], ...]:
    """Each combination of the split with those of the same event and another thing, if there are any.

    A pair may name two things: with its event both are combinations of the split.
    """
    listed = combinations(split)
    same = {told: tuple(other for other in listed if other.event == told.event and other != told) for told in listed}
    return tuple((told, others) for told, others in same.items() if others)


def _pair(rng: random.Random, told: Combination, others: tuple[Combination, ...], label: str) -> Pair:
    premise = (rng.choice(AGENTS), told.event, told.thing)
    claimed = rng.choice(others) if label == "neutral" else told
    obeys = label == "entailment" or (label == "neutral" and rng.random() < 1 / 2)
    return Pair(premise, ("so", claimed.thing, outcome(claimed) if obeys else _wrong(rng, claimed)), label)


def _wrong(rng: random.Random, told: Combination) -> str:
    """An outcome that the event has with other things."""
    return rng.choice([other for other in possible_outcomes(told.event) if other != outcome(told)])
