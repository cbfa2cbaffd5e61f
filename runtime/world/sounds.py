"""Sounds: the roots of proto-languages, the laws by which they changed in each language, and the scripts.

A root is written in Latin letters, one a sound. A law changes every sound that it fits, wherever it stands: cognates
differ, and always in the same way.
"""

import random
import re
from collections.abc import Mapping

from runtime.world.languages import Language, Script

CONSONANTS = "ptkbdgmnslrv"
VOWELS = "aeiou"

Law = tuple[str, str]  # a pattern, and what takes its place; applied in order

FAMILY_LAWS: Mapping[str, tuple[Law, ...]] = {
    "north": (),  # the source's: proto-words of the north are those of the source
    "east": (("p", "f"), ("k(?=[ei])", "c"), ("d", "z"), ("u", "y")),
    "south": (("([ptk])(?=[aeiou]$)", r"\1h"), ("g", "j"), ("s", "x"), ("e", "ie")),
    "west": (("b", "w"), ("l", "r"), ("t", "q"), ("o", "u"), ("v", "h")),
}
LAWS: Mapping[str, tuple[Law, ...]] = {  # after those of the family
    "qaa": (),
    "qab": (("k", "g"),),
    "qac": (("p", "f"), ("o", "u")),
    "qad": (("s", "z"), ("e$", "a")),
    "qae": (("d", "t"), ("i", "y")),
    "qaf": (("b", "v"),),
    "qag": (("m", "n"), ("a$", "o")),
    "qah": (("v", "b"), ("e", "i")),
    "qai": (("r", "l"),),
    "qaj": (("n(?=[aeiou])", "m"), ("b", "p")),
    "qak": (("k", "g"),),
    "qal": (("s", "c"), ("a$", "e")),
}

_LETTERS: Mapping[Script, str] = {  # a letter for each of the Latin ones
    "latin": "abcdefghijklmnopqrstuvwxyz",
    "cyrillic": "абцдефгхийклмнопщрстувжшыз",
    "greek": "αβψδεφγηιξκλμνοπςρστυϋωχύζ",
    "georgian": "აბცდეფგჰიჯკლმნოპქრსტუვშხყზ",
}


def root(rng: random.Random) -> str:
    """A root: two syllables or three, of a consonant and a vowel each."""
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.choice((2, 2, 3))))


def changed(word: str, laws: tuple[Law, ...]) -> str:
    """The word after the laws."""
    for pattern, to in laws:
        word = re.sub(pattern, to, word)
    return word


def spelled(word: str, script: Script) -> str:
    """The word in the letters of the script; other signs stay."""
    return word.translate(str.maketrans(_LETTERS["latin"], _LETTERS[script]))


def of_language(form: str, language: Language) -> str:
    """What became of a form of the proto-language of the language's family, as it is written."""
    return spelled(changed(form, (*FAMILY_LAWS[language.family], *LAWS[language.code])), language.script)
