"""Sentences: the order in which a language says the words of a clause."""

from collections.abc import Callable

from msgspec import Struct

from runtime.world.languages import Language
from runtime.world.lexicon import lexicon
from runtime.world.morphology import Case, noun, verb
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


def sentence(world: World, language: Language, *clauses: Clause, mark: str = ".") -> str:
    """One sentence that says the clauses, and ends in the mark."""

    def word(concept: str) -> tuple[str, Language]:
        return lexicon(world, language.code)[concept], language

    return phrased(language, word, *clauses, mark=mark)


def phrased(language: Language, word: Word, *clauses: Clause, mark: str = ".") -> str:
    """The same, with words that may be of another language than the grammar."""
    return " ".join(w for clause in clauses for w in _clause(language, word, clause)) + mark


def _clause(language: Language, word: Word, clause: Clause) -> list[str]:
    """The words in order."""
    subject = _noun(language, word, clause.subject, "subject")
    said = ([word("not")[0]] if clause.negated else []) + [_verb(word, clause)]
    thing = _noun(language, word, clause.object, "object") if clause.object is not None else []
    place = _place(language, word, clause.place) if clause.place is not None else []
    link = [word(clause.link)[0]] if clause.link is not None else []
    match language.order:
        case "SVO":
            return link + subject + said + thing + place
        case "SOV":
            return link + subject + place + thing + said
        case "VSO":
            return link + said + subject + thing + place


def _noun(language: Language, word: Word, phrase: Phrase, case: Case) -> list[str]:
    stem, owner = word(phrase.noun)
    inflected = [noun(stem, owner, case, plural=phrase.is_plural)]
    number = [str(phrase.number)] if phrase.number is not None else []
    adjective = [word(phrase.adjective)[0]] if phrase.adjective is not None else []
    return number + (adjective + inflected if language.adjective_first else inflected + adjective)


def _place(language: Language, word: Word, place: str) -> list[str]:
    """With a preposition where nouns have no cases."""
    stem, owner = word(place)
    inflected = noun(stem, owner, "place", plural=False)
    return [word("at")[0], inflected] if language.morphology == "isolating" else [inflected]


def _verb(word: Word, clause: Clause) -> str:
    stem, owner = word(clause.verb)
    return verb(stem, owner, plural=clause.subject.is_plural)
