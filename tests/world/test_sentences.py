"""How languages order and inflect: one clause, told in each."""

import pytest

from runtime.world import LANGUAGES
from runtime.world.grammar import Clause, Phrase, sentence, spoken
from runtime.world.lexicon import lexicon
from runtime.world.morphology import noun, verb
from tests.world.meanings import WORLD, concepts

TOLD = Clause(
    Phrase("agent-00"), "event-00", Phrase("thing-00", "adjective-0", 3), place="place-0", negated=True, link="so"
)
ORDERS = {
    "qaa": "so agent-00 not event-00 3 adjective-0 thing-00 at place-0",
    "qac": "so agent-00 not event-00 3 thing-00 adjective-0 place-0",
    "qag": "so agent-00 place-0 3 adjective-0 thing-00 not event-00",
    "qaj": "so not event-00 agent-00 3 thing-00 adjective-0 place-0",
    "qak": "so not event-00 agent-00 3 thing-00 adjective-0 place-0",
}


@pytest.mark.parametrize("code", ORDERS)
def test_a_clause_is_said_in_the_order_of_the_language(code: str) -> None:
    assert ORDERS[code] == " ".join(concepts(sentence(WORLD, LANGUAGES[code], TOLD)))


@pytest.mark.parametrize(
    ("code", "case", "plural", "ending"),
    [
        ("qaa", "object", True, ""), ("qac", "object", True, "i"), ("qac", "place", False, "em"),
        ("qag", "object", False, "ce"), ("qag", "object", True, "larce"), ("qai", "object", True, "лалкхие"),
    ],
)  # fmt: skip
def test_nouns_take_the_endings_of_the_language(code: str, case, plural: bool, ending: str) -> None:
    stem = lexicon(WORLD, code)["thing-00"]

    assert stem + ending == noun(stem, LANGUAGES[code], case, plural=plural)


@pytest.mark.parametrize(
    ("code", "plural", "ending"),
    [("qaa", True, ""), ("qac", False, "r"), ("qac", True, "n"), ("qag", False, "ti"), ("qak", True, "ქირარ")],
)
def test_verbs_agree_with_their_subject(code: str, plural: bool, ending: str) -> None:
    stem = lexicon(WORLD, code)["event-00"]

    assert stem + ending == verb(stem, LANGUAGES[code], plural=plural)


def test_the_mark_ends_the_sentence() -> None:
    assert sentence(WORLD, LANGUAGES["qaa"], Clause(Phrase("thing-00"), "is", Phrase("what")), mark="?").endswith("?")


@pytest.mark.parametrize("code", ORDERS)
def test_the_words_of_a_clause_are_told_with_what_they_render(code: str) -> None:
    said = spoken(WORLD, LANGUAGES[code], TOLD)

    assert sentence(WORLD, LANGUAGES[code], TOLD, mark="") == " ".join(word.text for word in said)
    assert ORDERS[code] == " ".join(word.concept for word in said)
    assert {"thing-00": "object", "adjective-0": "object", "3": "object", "so": "link", "event-00": "verb"}.items() <= {
        word.concept: word.part for word in said
    }.items()
