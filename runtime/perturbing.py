"""`under: …`: texts with typos, in capitals, or with words left out (docs/language.md, section 6).

What befalls a text depends on the seed, the index of its row and its field alone: the same in every run, and for any
`limit`. Kinds of typo as in Pruthi et al. 2019 (swap, drop, add, and one letter for another), upon single letters.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compiler.ops import Perturbation

_WORD = re.compile(r"\S+\s*")


def perturbed(values: Mapping[str, Any], fields: tuple[str, ...], under: Perturbation, row: int) -> dict[str, Any]:
    """The values of a row's fields, of which those of `fields` that are texts or lists of texts are perturbed."""

    def change(value: object, name: str) -> object:
        match value:
            case list() | tuple():
                return [change(item, f"{name}/{n}") for n, item in enumerate(value)]
            case str() if value:
                rng = random.Random(f"under/{under.seed}/{row}/{name}")
                return METHODS[under.method](value, under.rate, rng)
        return value

    return {name: change(value, name) if name in fields else value for name, value in values.items()}


def typos(text: str, rate: float, rng: random.Random) -> str:
    """Each letter, with probability `rate`, changes places with the next, is left out, gets a neighbour or is replaced.

    New letters are drawn from the text itself, so they are of its script. A text of letters alone never gets empty.
    """
    letters = [character for character in text if _is_letter(character)]
    made: list[str] = []
    rest = list(text)
    while rest:
        character = rest.pop(0)
        if not _is_letter(character) or rng.random() >= rate:
            made.append(character)
            continue
        match rng.choice(("swap", "drop", "add", "replace")):
            case "swap" if rest and _is_letter(rest[0]):
                made += [rest.pop(0), character]
            case "drop":
                pass
            case "add":
                made += [character, rng.choice(letters)]
            case _:
                made.append(rng.choice([letter for letter in letters if letter != character] or letters))
    return "".join(made) or text


def casing(text: str, rate: float, rng: random.Random) -> str:
    """Each word in capitals with probability `rate`; scripts without case stay as they are."""
    return "".join(word.upper() if rng.random() < rate else word for word in _words(text))


def word_drop(text: str, rate: float, rng: random.Random) -> str:
    """Each word, as white space parts them, left out with probability `rate`; one always stays."""
    words = _words(text)
    kept = [word for word in words if rng.random() >= rate]
    if len(kept) == len(words):
        return text
    return "".join(kept or [rng.choice(words)]).rstrip()


METHODS: Mapping[str, Callable[[str, float, random.Random], str]] = {
    "typos": typos,
    "casing": casing,
    "word-drop": word_drop,
}


def _is_letter(character: str) -> bool:
    """Marks such as the vowels of Thai and Hindi count, too."""
    return unicodedata.category(character)[0] in "LM"


def _words(text: str) -> list[str]:
    """With the white space behind each; what is before the first stands with it."""
    start = len(text) - len(text.lstrip())
    words = _WORD.findall(text)
    return [text[:start] + words[0], *words[1:]] if words else [text]
