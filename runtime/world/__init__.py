"""The embedded world: one made-up reality, told and asked about in twelve made-up languages.

Purpose     an instrument for cross-lingual transfer that needs no network: parallel tasks in languages whose distance
            from the source is known, small enough that a whole study takes a minute or two on two cores.
Enters      the names of a task, a split and a language, and the parameters of the world; nothing else. Every row is a
            pure function of them.
Leaves      rows of plain Python values, and the words of all languages.
Must not    know of torch, transformers, tasks' templates, plans or stores; read files, clocks or global random state.

parameters  what can be turned: the seed, cognates, mixed text, low-resource shares
reality     things, events and the rules that join them; which combinations are held out of training
languages   what is known of each language, and its distance from the source
sounds      roots, sound laws and scripts
lexicon     the words of each language: cognates, loans, others
grammar     order and inflection: clauses to sentences
telling     how episodes are told and things described
questions   questions about causes and effects, as meanings; what each split may ask about
texts, stories, causes, entail, words, spans, tags, similar, mining, pool   the rows of each task
"""

from collections.abc import Callable, Mapping

from runtime.world import causes, entail, mining, pool, similar, spans, stories, tags, texts, words
from runtime.world.languages import LANGUAGES, SOURCE, Language
from runtime.world.lexicon import vocabulary
from runtime.world.parameters import World

__all__ = ["LANGUAGES", "SOURCE", "TASKS", "VERSION", "Language", "World", "rows", "vocabulary"]

VERSION = 5  # raised when any row or word changes: results made with another version are other results

_ALL = tuple(LANGUAGES)
_SOURCE = (SOURCE.code,)
_OTHERS = tuple(code for code in LANGUAGES if code != SOURCE.code)

TASKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # the languages of each split
    "text": {"train": _ALL, "dev": _ALL},
    "stories": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "causes": {"train": _ALL, "dev": _ALL, "test": _ALL},
    "entail": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "words": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "spans": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "tags": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "similar": {"train": _SOURCE, "dev": _ALL, "test": _ALL},
    "mining": {"dev": _OTHERS, "test": _OTHERS},
    "pool": {"dev": _OTHERS, "test": _OTHERS},
}

_ROWS: Mapping[str, Callable[[str, Language, World], list[dict[str, object]]]] = {
    "text": texts.rows,
    "stories": stories.rows,
    "causes": causes.rows,
    "entail": entail.rows,
    "words": words.rows,
    "spans": spans.rows,
    "tags": tags.rows,
    "similar": similar.rows,
    "mining": mining.rows,
    "pool": pool.rows,
}


def rows(task: str, split: str, language: str, world: World | None = None) -> list[dict[str, object]]:
    """The rows of the split in the language, always the same and in the same order.

    Raises `ValueError` for a task, split or language that `TASKS` does not list.
    """
    if task not in TASKS:
        raise ValueError(_lacks("the world", "task", task, TASKS))
    if split not in TASKS[task]:
        raise ValueError(_lacks(f"world task `{task}`", "split", split, TASKS[task]))
    if language not in TASKS[task][split]:
        raise ValueError(_lacks(f"split `{split}` of world task `{task}`", "language", language, TASKS[task][split]))
    return _ROWS[task](split, LANGUAGES[language], world or World())


def _lacks(owner: str, what: str, name: str, has: Mapping[str, object] | tuple[str, ...]) -> str:
    return f"{owner} has no {what} `{name}`; it has {', '.join(has)}"
