"""`causes`: which of two is the cause, or the effect, of the premise (as in COPA)."""

from functools import cache

from runtime.world.languages import Language, render
from runtime.world.questions import Question, questions

ROWS = {"train": 400, "dev": 100, "test": 500}


def rows(split: str, language: Language) -> list[dict[str, object]]:
    """The questions of the split, parallel across languages: `idx premise question ask choice0 choice1 label`."""
    return [_row(idx, question, language) for idx, question in enumerate(_questions(split))]


@cache
def _questions(split: str) -> tuple[Question, ...]:
    return questions("world/causes", split, count=ROWS[split], choices=2)


def _row(idx: int, question: Question, language: Language) -> dict[str, object]:
    choices = {f"choice{n}": render(choice, language) for n, choice in enumerate(question.choices)}
    return {
        "idx": idx,
        "premise": render(question.premise, language),
        "question": question.asks,
        "ask": render(question.ask, language, "?"),
        **choices,
        "label": question.label,
    }
