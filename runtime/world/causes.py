"""`causes`: which of two is the cause, or the effect, of the premise (as in COPA).

Its training questions are about the events of two of the four aspects alone; dev and test ask about all, as a small
training set of common sense covers little of what is asked.
"""

from functools import cache

from runtime.world.grammar import sentence
from runtime.world.languages import Language
from runtime.world.lexicon import lexicon
from runtime.world.parameters import World
from runtime.world.questions import LINK, Question, questions
from runtime.world.reality import ASPECTS, EVENTS, aspect

ROWS = {"train": 400, "dev": 100, "test": 500}
TAUGHT = tuple(event for event in EVENTS if aspect(event) < ASPECTS // 2)  # what training questions are about


def rows(split: str, language: Language, world: World) -> list[dict[str, object]]:
    """The questions of the split, parallel across languages: `idx premise question ask choice0 choice1 label`."""
    return [_row(idx, question, language, world) for idx, question in enumerate(_questions(split, world))]


@cache
def _questions(split: str, world: World) -> tuple[Question, ...]:
    events = TAUGHT if split == "train" else EVENTS
    return questions("causes", world, split, count=ROWS[split], choices=2, events=events)


def _row(idx: int, question: Question, language: Language, world: World) -> dict[str, object]:
    return {
        "idx": idx,
        "premise": sentence(world, language, question.premise),
        "question": question.asks,
        "ask": lexicon(world, language.code)[LINK[question.asks]],
        **{f"choice{n}": sentence(world, language, choice) for n, choice in enumerate(question.choices)},
        "label": question.label,
    }
