"""`entail`: whether what is told entails the hypothesis, contradicts it or leaves it open (as in MNLI).

The premise tells what somebody does to a thing, or does not. The hypothesis says the same or less, or denies it; or it
speaks of another thing or another event, which leaves it open. Neither half of a pair tells the label by itself.
"""

import random
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from runtime.world.grammar import Clause, Phrase, sentence
from runtime.world.languages import Language
from runtime.world.parameters import World
from runtime.world.questions import cause, combinations
from runtime.world.reality import AGENTS, Combination, reality
from runtime.world.telling import decorated

LABELS = ("entailment", "neutral", "contradiction")
ROWS = {"train": 3_000, "dev": 300, "test": 600}
BY_SORT = 0.3  # share of the hypotheses that name the sort of the thing and not the thing


class Pair(Struct, frozen=True):
    """A premise, and a hypothesis with what the premise says of it."""

    premise: Clause
    hypothesis: Clause
    label: str


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The pairs of the split, parallel across languages: `idx premise hypothesis label`."""
    return [_row(idx, pair, language, world) for idx, pair in enumerate(_pairs(split, world))]


def _row(idx: int, pair: Pair, language: Language, world: World) -> dict[str, object]:
    premise, hypothesis = (sentence(world, language, half) for half in (pair.premise, pair.hypothesis))
    return {"idx": idx, "premise": premise, "hypothesis": hypothesis, "label": pair.label}


@cache
def _pairs(split: str, world: World) -> tuple[Pair, ...]:
    """So many different pairs, with labels as even as the count allows."""
    count = ROWS[split]
    rng = random.Random(f"world/{world.seed}/entail/{split}")
    labels = rng.sample([LABELS[n % len(LABELS)] for n in range(count)], count)
    listed = combinations(world, split)
    found: dict[tuple[Clause, Clause], Pair] = {}
    while len(found) < count:
        pair = _pair(rng, world, listed, labels[len(found)])
        found.setdefault((pair.premise, pair.hypothesis), pair)
    return tuple(found.values())


def _pair(rng: random.Random, world: World, listed: tuple[Combination, ...], label: str) -> Pair:
    told, agent, negated = rng.choice(listed), rng.choice(AGENTS), rng.random() < 1 / 2
    premise = decorated(rng, cause(agent, told)) if not negated else cause(agent, told)
    claimed = _another(rng, told, listed) if label == "neutral" else told
    denied = rng.random() < 1 / 2 if label == "neutral" else negated != (label == "contradiction")
    hypothesis = replace(cause(agent, claimed), negated=denied)
    if not negated and rng.random() < BY_SORT and _tells_by_sort(world, told, claimed, label):
        hypothesis = replace(hypothesis, object=Phrase(reality(world).sorts[claimed.thing]))
    return Pair(replace(premise, negated=negated), hypothesis, label)


def _another(rng: random.Random, told: Combination, listed: tuple[Combination, ...]) -> Combination:
    """The same with another thing or another event, if the split has one."""
    others = [other for other in listed if other != told]
    by_thing = rng.random() < 1 / 2
    close = [o for o in others if (o.event == told.event if by_thing else o.thing == told.thing)]
    return rng.choice(close or others)


def _tells_by_sort(world: World, told: Combination, claimed: Combination, label: str) -> bool:
    """Whether the label stays where the hypothesis names the sort: of things of one sort, one is not left open."""
    sorts = reality(world).sorts
    return label != "neutral" or told.event != claimed.event or sorts[told.thing] != sorts[claimed.thing]
