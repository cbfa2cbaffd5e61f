"""Sentences: the order in which a language says the words of a clause."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from runtime.world.languages import Language
from runtime.world.lexicon import lexicon
from runtime.world.morphology import noun, verb
from runtime.world.parameters import World

PLURAL_FROM = 2


class Phrase(Struct, frozen=True):
    """A noun with what is said of it."""

    noun: str
    adjective: str | None = None
    number: int | None = None

    @property
    def is_plural(self) -> bool:
        """More than one."""
        return self.number is not None and self.number >= PLURAL_FROM


class Clause(Struct, frozen=True):
    """Who does what to what, and where; a concept each."""

    subject: Phrase
    verb: str
    object: Phrase | None = None
    place: str | None = None
    negated: bool = False
    link: str | None = None  # "so" or "because" before it


Word = Callable[[str], tuple[str, Language]]  # the word for a concept, and the language whose word it is
Part = Literal["link", "subject", "not", "verb", "object", "at", "place"]


class Said(Struct, frozen=True):
    """A word of a sentence, as it stands there, and what it renders."""

    text: str
    concept: str  # a number is its own
    part: Part


def sentence(world: World, language: Language, *clauses: Clause, mark: str = ".") -> str:
    """One sentence that says the clauses, and ends in the mark."""
    return phrased(language, _native(world, language), *clauses, mark=mark)


def phrased(language: Language, word: Word, *clauses: Clause, mark: str = ".") -> str:
    """The same, with words that may be of another language than the grammar."""
    return " ".join(said.text for clause in clauses for said in _clause(language, word, clause)) + mark


def spoken(world: World, language: Language, clause: Clause) -> tuple[Said, ...]:
    """The words of the clause, in the order in which the language says them."""
    return tuple(_clause(language, _native(world, language), clause))


def _native(world: World, language: Language) -> Word:
    return lambda concept: (lexicon(world, language.code)[concept], language)


def _clause(language: Language, word: Word, clause: Clause) -> list[Said]:
    subject = _noun(language, word, clause.subject, "subject")
    said = [*_plain(word, "not" if clause.negated else None, "not"), _verb(word, clause)]
    thing = _noun(language, word, clause.object, "object") if clause.object is not None else []
    place = _place(language, word, clause.place) if clause.place is not None else []
    link = _plain(word, clause.link, "link")
    match language.order:
        case "SVO":
            return link + subject + said + thing + place
        case "SOV":
            return link + subject + place + thing + said
        case "VSO":
            return link + said + subject + thing + place


def _plain(word: Word, concept: str | None, part: Part) -> list[Said]:
    """The word of the concept as it is, if there is one to say."""
    return [Said(word(concept)[0], concept, part)] if concept is not None else []


def _noun(language: Language, word: Word, phrase: Phrase, case: Literal["subject", "object"]) -> list[Said]:
    stem, owner = word(phrase.noun)
    inflected = [Said(noun(stem, owner, case, plural=phrase.is_plural), phrase.noun, case)]
    number = [Said(str(phrase.number), str(phrase.number), case)] if phrase.number is not None else []
    adjective = _plain(word, phrase.adjective, case)
    return number + (adjective + inflected if language.adjective_first else inflected + adjective)


def _place(language: Language, word: Word, place: str) -> list[Said]:
    """With a preposition where nouns have no cases."""
    stem, owner = word(place)
    inflected = [Said(noun(stem, owner, "place", plural=False), place, "place")]
    return _plain(word, "at", "at") + inflected if language.morphology == "isolating" else inflected


def _verb(word: Word, clause: Clause) -> Said:
    stem, owner = word(clause.verb)
    return Said(verb(stem, owner, plural=clause.subject.is_plural), clause.verb, "verb")
