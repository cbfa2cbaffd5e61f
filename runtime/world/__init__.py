"""The embedded world: one made-up reality, told and asked about in six made-up languages.

Purpose     an instrument for cross-lingual transfer that needs no network: parallel tasks in languages whose distance
            from the source is known, small enough that a whole study takes less than a minute on one core.
Enters      the names of a task, a split and a language; nothing else. Every row is a pure function of them.
Leaves      rows of plain Python values, the words of all languages, and the files of a tokenizer.
Must not    know of torch, transformers, tasks' templates, plans or stores; read files, clocks or global random state.

reality     things, events and the rules that join them; which combinations are held out of training
languages   the words and the word order of each language, and its distance from the source
questions   questions about causes and effects, as meanings; what each split may ask about
texts, stories, causes, entail   the rows of each task
tokenizer   the files of a word-level tokenizer in the conventions of XLM-R
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.world import causes, entail, stories, texts
from runtime.world.languages import LANGUAGES, SOURCE, Language, vocabulary
from runtime.world.tokenizer import write_tokenizer

__all__ = ["LANGUAGES", "SOURCE", "TASKS", "VERSION", "Language", "World", "rows", "vocabulary", "write_tokenizer"]

VERSION = 1  # raised when any row or word changes: results made with another version are other results

_ALL = tuple(LANGUAGES)

TASKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # the languages of each split
    "text": {"train": _ALL, "dev": _ALL},
    "stories": {"train": (SOURCE.code,), "dev": _ALL, "test": _ALL},
    "causes": {"train": _ALL, "dev": _ALL, "test": _ALL},
    "entail": {"train": (SOURCE.code,), "dev": _ALL, "test": _ALL},
}

_ROWS: Mapping[str, Callable[[str, Language], list[dict[str, object]]]] = {
    "text": texts.rows,
    "stories": stories.rows,
    "causes": causes.rows,
    "entail": entail.rows,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Which world: another seed is another one."""

    seed: int = 1
    cognates: float = 1.0  # factor on each language's share of cognates and loanwords
    mixed: float = 0.05  # share of texts with words of other languages
    low_resource: float = 0.1  # how much text the low-resource languages have, relative to the others


def rows(task: str, split: str, language: str, world: World = World()) -> list[dict[str, object]]:
    """The rows of the split in the language, always the same and in the same order.

    Raises `ValueError` for a task, split or language that `TASKS` does not list, and for any world but the plain one.
    """
    if world != World():
        raise ValueError(f"there is no {world} yet")
    if task not in TASKS:
        raise ValueError(_lacks("the world", "task", task, TASKS))
    if split not in TASKS[task]:
        raise ValueError(_lacks(f"world task `{task}`", "split", split, TASKS[task]))
    if language not in TASKS[task][split]:
        raise ValueError(_lacks(f"split `{split}` of world task `{task}`", "language", language, TASKS[task][split]))
    return _ROWS[task](split, LANGUAGES[language])


def _lacks(owner: str, what: str, name: str, has: Mapping[str, object] | tuple[str, ...]) -> str:
    return f"{owner} has no {what} `{name}`; it has {', '.join(has)}"
