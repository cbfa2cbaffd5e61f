"""The made-up languages: each renders the same meanings in its own words and word order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from runtime.world.reality import CONCEPTS

MARKS = (".", "?")  # the same in every language


@dataclass(frozen=True, slots=True)
class Language:
    """A rendering of meanings, and how far it is from the source."""

    code: str  # of the codes ISO 639-2 reserves for local use
    shared: float  # share of the lexicon that is the source's
    is_reversed: bool = False  # word order: the source's, read from the end

    @property
    def distance(self) -> float:
        """Distance from the source in [0, 1]: half for the words that differ, half for the word order."""
        return (1.0 - self.shared + self.is_reversed) / 2


SOURCE = Language("qaa", shared=1.0)
LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        SOURCE,
        Language("qab", shared=0.5),
        Language("qac", shared=0.3),
        Language("qad", shared=0.1),
        Language("qae", shared=0.4, is_reversed=True),
        Language("qaf", shared=0.2, is_reversed=True),
    )
}

_SOUNDS: Mapping[str, tuple[str, str]] = {  # consonants and vowels, so that a language has a look of its own
    "qaa": ("ptkmnslr", "aeiou"),
    "qab": ("ptkmnslrbd", "aeiou"),
    "qac": ("bdgmnvzlr", "aeio"),
    "qad": ("fhkjnswxt", "aiuy"),
    "qae": ("ptcmnshr", "aeiouö"),
    "qaf": ("bghvzqdw", "aäouy"),
}


def render(concepts: Sequence[str], language: Language, mark: str = ".") -> str:
    """One sentence that says the concepts, given in the source's order, and ends in the mark."""
    words = [lexicon(language.code)[concept] for concept in concepts]
    return in_order(words, language, mark)


def in_order(words: Sequence[str], language: Language, mark: str) -> str:
    """The words, given in the source's order, as a sentence in the order of the language."""
    return " ".join([*(reversed(words) if language.is_reversed else words), mark])


def lexicon(code: str) -> Mapping[str, str]:
    """The word of the language for each concept; no word means two things, in one language or across two."""
    return _lexicons()[code]


def vocabulary() -> tuple[str, ...]:
    """The marks and the words of all languages, each once, in a fixed order."""
    words = (word for code in LANGUAGES for word in lexicon(code).values())
    return MARKS + tuple(dict.fromkeys(words))


@cache
def _lexicons() -> Mapping[str, Mapping[str, str]]:
    taken: set[str] = set()
    source = {concept: _new_word(SOURCE.code, concept, taken) for kind in CONCEPTS for concept in kind}
    others = {code: _derived(language, source, taken) for code, language in LANGUAGES.items() if language != SOURCE}
    return {SOURCE.code: source, **others}


def _derived(language: Language, source: Mapping[str, str], taken: set[str]) -> dict[str, str]:
    """The lexicon of a language: of each kind of concept the same share has the source's word."""
    words = {}
    for kind in CONCEPTS:
        rng = random.Random(f"world/shared/{language.code}/{kind[0]}")
        shared = rng.sample(kind, round(language.shared * len(kind)))
        for concept in kind:
            words[concept] = source[concept] if concept in shared else _new_word(language.code, concept, taken)
    return words


def _new_word(code: str, concept: str, taken: set[str]) -> str:
    """A word of two or three syllables that is not taken; it is taken afterwards."""
    rng = random.Random(f"world/word/{code}/{concept}")
    consonants, vowels = _SOUNDS[code]
    while True:
        syllables = [rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.choice((2, 2, 3)))]
        word = "".join(syllables)
        if word not in taken:
            taken.add(word)
            return word
