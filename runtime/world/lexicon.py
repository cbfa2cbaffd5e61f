"""The words of each language for each concept: by descent, by loan, or its own.

A word of another language than the source is a *cognate* (the source's root after the laws of family and language), a
*loan* (the source's word as it is, in the language's script), or *foreign* (from a root of its family, or new).
"""

import hashlib
import random
from collections.abc import Iterator, Mapping
from functools import cache

from runtime.world.languages import LANGUAGES, SOURCE, Language
from runtime.world.morphology import forms
from runtime.world.parameters import World
from runtime.world.reality import CONCEPTS
from runtime.world.sounds import LAWS, changed, of_language, root, spelled

INHERITED = 0.7  # share of a language's foreign words that it has from its family

Lexicon = Mapping[str, str]  # concept -> word, without affixes
_Origins = Mapping[str, str]  # concept -> "cognate", "loan", "family" or "own"


def lexicon(world: World, code: str) -> Lexicon:
    """The word of the language for each concept; no form of a word means two things, in one language or across two."""
    return _lexicons(world.seed, world.cognates)[code]


def vocabulary(world: World) -> tuple[str, ...]:
    """The words of all languages without affixes, each once, in a fixed order."""
    words = (word for code in LANGUAGES for word in lexicon(world, code).values())
    return tuple(dict.fromkeys(words))


def origins(world: World, language: Language) -> _Origins:
    """Where the language has its word for each concept from. More cognates only add to fewer."""
    cognates, loans = _shares(world, language)
    found: dict[str, str] = {}
    for kind in CONCEPTS:
        by_family = _in_order(f"world/{world.seed}/cognates/{language.family}", kind)
        count = round(cognates * len(kind))
        found |= dict.fromkeys(by_family[:count], "cognate")
        others = _in_order(f"world/{world.seed}/loans/{language.code}", by_family[count:])
        borrowed = round((cognates + loans) * len(kind)) - count
        found |= dict.fromkeys(others[:borrowed], "loan")
        found |= {concept: _foreign(world, language, concept) for concept in others[borrowed:]}
    return found


def _shares(world: World, language: Language) -> tuple[float, float]:
    """Cognates and loans of the language in this world: together no more than everything."""
    cognates = min(1.0, world.cognates * language.cognates)
    return cognates, min(1.0 - cognates, world.cognates * language.loans)


def _in_order(seed: str, concepts: tuple[str, ...] | list[str]) -> list[str]:
    """The concepts in an order that no other concept has a say in."""
    return sorted(concepts, key=lambda concept: hashlib.sha256(f"{seed}/{concept}".encode()).digest())


def _foreign(world: World, language: Language, concept: str) -> str:
    inherits = random.Random(f"world/{world.seed}/inherits/{language.code}/{concept}").random() < INHERITED
    return "family" if inherits and language.family != SOURCE.family else "own"


@cache
def _lexicons(seed: int, cognates: float) -> Mapping[str, Lexicon]:
    world = World(seed=seed, cognates=cognates)
    taken: set[str] = set()
    found: dict[str, dict[str, str]] = {code: {} for code in LANGUAGES}
    by_language = {code: origins(world, language) for code, language in LANGUAGES.items()}
    for concept in (concept for kind in CONCEPTS for concept in kind):
        words = _free(_candidates(world, concept, {c: o[concept] for c, o in by_language.items()}), taken)
        taken |= _all_forms(words)
        for code, word in words.items():
            found[code][concept] = word
    return found


def _free(candidates: Iterator[dict[str, str]], taken: set[str]) -> dict[str, str]:
    """The first words for a concept of which no form means something else already."""
    return next(words for words in candidates if not taken & _all_forms(words))


def _all_forms(words: Mapping[str, str]) -> set[str]:
    return {form for code, word in words.items() for form in forms(word, LANGUAGES[code])}


def _candidates(world: World, concept: str, origin: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Words of all languages for one concept, of roots drawn anew each time."""
    attempt = 0
    while True:
        yield {code: _word(world, concept, LANGUAGES[code], origin[code], attempt) for code in LANGUAGES}
        attempt += 1


def _word(world: World, concept: str, language: Language, origin: str, attempt: int) -> str:
    owner = {"cognate": "source", "loan": "source", "family": language.family, "own": language.code}[origin]
    word = root(random.Random(f"world/{world.seed}/root/{owner}/{concept}/{attempt}"))
    match origin:
        case "loan":
            return spelled(word, language.script)
        case "own":
            return spelled(changed(word, LAWS[language.code]), language.script)
        case _:
            return of_language(word, language)
