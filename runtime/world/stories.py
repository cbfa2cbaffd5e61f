"""`stories`: which of four endings continues the story by the rules (as in HellaSwag)."""

import random
from functools import cache

from msgspec.structs import replace

from runtime.world.grammar import sentence
from runtime.world.languages import Language
from runtime.world.parameters import World
from runtime.world.questions import LINK, Question, questions
from runtime.world.telling import decorated

ROWS = {"train": 2_000, "dev": 200, "test": 500}


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The stories of the split, parallel across languages: `idx context ending0 … ending3 label`."""
    return [_row(idx, question, language, world) for idx, question in enumerate(_questions(split, world))]


@cache
def _questions(split: str, world: World) -> tuple[Question, ...]:
    rng = random.Random(f"world/{world.seed}/stories/{split}/decoration")
    return tuple(_decorated(rng, asked) for asked in questions("stories", world, split, count=ROWS[split], choices=4))


def _decorated(rng: random.Random, question: Question) -> Question:
    """Where the premise tells what happens; what comes of it has nothing to decorate."""
    return replace(question, premise=decorated(rng, question.premise)) if question.asks == "effect" else question


def _row(idx: int, question: Question, language: Language, world: World) -> dict[str, object]:
    choices = (replace(choice, link=LINK[question.asks]) for choice in question.choices)
    endings = {f"ending{n}": sentence(world, language, choice) for n, choice in enumerate(choices)}
    return {"idx": idx, "context": sentence(world, language, question.premise), **endings, "label": question.label}
