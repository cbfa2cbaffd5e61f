"""`causes`: which of two is the cause, or the effect, of the premise (as in COPA)."""

from functools import cache

from runtime.world.grammar import sentence
from runtime.world.languages import Language
from runtime.world.lexicon import lexicon
from runtime.world.parameters import World
from runtime.world.questions import LINK, Question, questions

ROWS = {"train": 200, "dev": 100, "test": 500}


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The questions of the split, parallel across languages: `idx premise question ask choice0 choice1 label`."""
    return [_row(idx, question, language, world) for idx, question in enumerate(_questions(split, world))]


@cache
def _questions(split: str, world: World) -> tuple[Question, ...]:
    return questions("causes", world, split, count=ROWS[split], choices=2)


def _row(idx: int, question: Question, language: Language, world: World) -> dict[str, object]:
    return {
        "idx": idx,
        "premise": sentence(world, language, question.premise),
        "question": question.asks,
        "ask": lexicon(world, language.code)[LINK[question.asks]],
        **{f"choice{n}": sentence(world, language, choice) for n, choice in enumerate(question.choices)},
        "label": question.label,
    }
