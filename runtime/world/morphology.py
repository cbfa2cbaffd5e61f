"""Affixes: how the nouns and verbs of a language change with case and number."""

from collections.abc import Iterator, Mapping
from typing import Literal

from runtime.world.languages import Language
from runtime.world.sounds import of_language

Case = Literal["subject", "object", "place"]
_CASES: tuple[Case, ...] = ("subject", "object", "place")

# Endings of nouns where one ending says case and number, and where each has one of its own; an ending of verbs.
_FUSED: Mapping[tuple[Case, bool], str] = {
    ("subject", False): "", ("subject", True): "i",
    ("object", False): "", ("object", True): "i",
    ("place", False): "em", ("place", True): "em",
}  # fmt: skip
_CASE: Mapping[Case, str] = {"subject": "", "object": "ke", "place": "da"}
_PLURAL = "lar"
_PAST = "ti"
_VERB = {False: "r", True: "n"}  # by the number of the subject


def noun(stem: str, language: Language, case: Case, *, plural: bool) -> str:
    """The noun in a case and a number."""
    match language.morphology:
        case "isolating":
            return stem
        case "fusional":
            return stem + of_language(_FUSED[case, plural], language)
        case "agglutinating":
            return stem + of_language((_PLURAL if plural else "") + _CASE[case], language)


def verb(stem: str, language: Language, *, plural: bool) -> str:
    """The verb with a subject of that number."""
    match language.morphology:
        case "isolating":
            return stem
        case "fusional":
            return stem + of_language(_VERB[plural], language)
        case "agglutinating":
            return stem + of_language(_PAST + (_PLURAL if plural else ""), language)


def forms(stem: str, language: Language) -> frozenset[str]:
    """Everything that the word may look like."""
    return frozenset(_forms(stem, language))


def _forms(stem: str, language: Language) -> Iterator[str]:
    for plural in (False, True):
        yield from (noun(stem, language, case, plural=plural) for case in _CASES)
        yield verb(stem, language, plural=plural)
