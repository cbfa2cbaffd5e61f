"""`stories`: which of four endings continues the story by the rules (as in HellaSwag)."""

from functools import cache

from runtime.world.languages import Language, render
from runtime.world.questions import Question, questions

ROWS = {"train": 2_000, "dev": 200, "test": 500}


def rows(split: str, language: Language) -> list[dict[str, object]]:
    """The stories of the split, parallel across languages: `idx context ending0 … ending3 label`."""
    return [_row(idx, question, language) for idx, question in enumerate(_questions(split))]


@cache
def _questions(split: str) -> tuple[Question, ...]:
    return questions("world/stories", split, count=ROWS[split], choices=4)


def _row(idx: int, question: Question, language: Language) -> dict[str, object]:
    context = f"{render(question.premise, language)} {render(question.ask, language, '?')}"
    endings = {f"ending{n}": render(choice, language) for n, choice in enumerate(question.choices)}
    return {"idx": idx, "context": context, **endings, "label": question.label}
