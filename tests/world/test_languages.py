"""What is known of the languages holds of their words."""

import hashlib
import json
import re
import subprocess
import sys
import unicodedata
from itertools import pairwise

import pytest

from runtime.world import LANGUAGES, SOURCE, VERSION, World, vocabulary
from runtime.world.lexicon import lexicon, origins
from runtime.world.morphology import forms
from runtime.world.reality import CONCEPTS
from tests.world.meanings import WORLD, meanings

# Another digest needs another VERSION.
GOLDEN = {5: "d6b5e9b017b637e8ec610e360e0ddae804fe0f0975d0ff8abef804c0ea51e1d2"}
EVERY_CONCEPT = [concept for kind in CONCEPTS for concept in kind]
OTHERS = [language for language in LANGUAGES.values() if language != SOURCE]


def common(code: str, world: World = WORLD) -> float:
    """The measured share of concepts whose word is the source's by descent or loan."""
    from_where = origins(world, LANGUAGES[code])
    return sum(from_where[concept] in {"cognate", "loan"} for concept in EVERY_CONCEPT) / len(EVERY_CONCEPT)


def test_the_world_has_what_transfer_depends_on() -> None:
    languages = LANGUAGES.values()

    assert len(languages) >= 12
    assert {"SVO", "SOV", "VSO"} == {language.order for language in languages}
    assert {"isolating", "fusional", "agglutinating"} == {language.morphology for language in languages}
    assert {"latin", "cyrillic", "greek", "georgian"} == {language.script for language in languages}
    assert 2 == sum(language.low_resource for language in languages)
    assert all(sum(other.family == language.family for other in languages) > 1 for language in languages)


def test_the_source_is_at_distance_zero_and_all_others_are_farther() -> None:
    assert SOURCE.distance == 0
    assert all(0 < language.distance <= 1 for language in OTHERS)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_lexicon_shares_what_the_language_says(code: str) -> None:
    language = LANGUAGES[code]

    assert language.cognates + language.loans == pytest.approx(common(code), abs=0.03)


@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.code)
def test_a_loan_is_the_word_of_the_source_in_the_language_s_letters(language) -> None:
    own, source = lexicon(WORLD, language.code), lexicon(WORLD, SOURCE.code)
    loans = [concept for concept, origin in origins(WORLD, language).items() if origin == "loan"]

    assert loans
    assert all(len(own[concept]) == len(source[concept]) for concept in loans)
    if language.script == SOURCE.script:
        assert [source[concept] for concept in loans] == [own[concept] for concept in loans]


@pytest.mark.parametrize(
    ("code", "sound", "became"),
    [
        ("qab", "k", "g"),
        ("qac", "p", "f"),
        ("qad", "s", "z"),
        ("qae", "[pb]", "[пб]"),
        ("qaf", "p", "f"),
        ("qal", "[lr]", "რ"),
    ],
)
def test_a_sound_of_cognates_changes_in_the_same_way_everywhere(code: str, sound: str, became: str) -> None:
    own, source = lexicon(WORLD, code), lexicon(WORLD, SOURCE.code)
    cognates = [concept for concept, origin in origins(WORLD, LANGUAGES[code]).items() if origin == "cognate"]
    with_sound = [concept for concept in cognates if re.search(sound, source[concept])]

    assert with_sound
    assert all(re.search(became, own[concept]) for concept in with_sound)


def test_languages_of_a_family_share_words_that_the_source_has_not() -> None:
    one, other = (origins(WORLD, LANGUAGES[code]) for code in ("qaf", "qag"))
    both = [concept for concept in EVERY_CONCEPT if one[concept] == other[concept] == "family"]
    alike = [c for c in both if lexicon(WORLD, "qaf")[c][0] == lexicon(WORLD, "qag")[c][0]]

    assert len(both) > 10
    assert len(alike) > 0.7 * len(both)


@pytest.mark.parametrize("code", [language.code for language in OTHERS])
def test_more_cognates_only_add_to_fewer(code: str) -> None:
    found = [origins(World(cognates=factor), LANGUAGES[code]) for factor in (0, 0.5, 1, 2)]
    cognates = [{c for c, origin in by_concept.items() if origin == "cognate"} for by_concept in found]

    assert set() == cognates[0]
    assert all(fewer <= more for fewer, more in pairwise(cognates))
    assert 0 == common(code, World(cognates=0))


def test_a_form_means_one_thing_in_all_languages() -> None:
    said: dict[str, set[str]] = {}
    for code, language in LANGUAGES.items():
        for concept, word in lexicon(WORLD, code).items():
            for form in forms(word, language):
                said.setdefault(form, set()).add(concept)

    assert {} == {form: means for form, means in said.items() if len(means) > 1}
    assert said.keys() == meanings().keys()


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_are_in_the_letters_of_the_script(code: str) -> None:
    letters = {letter for word in lexicon(WORLD, code).values() for letter in word}

    assert all(unicodedata.name(x).startswith(LANGUAGES[code].script.upper()) for x in letters)


def test_another_seed_has_other_words() -> None:
    one, other = (set(lexicon(World(seed=seed), "qaa").values()) for seed in (1, 2))

    assert len(one & other) < 0.2 * len(one)


def test_the_words_and_their_order_change_only_with_the_version() -> None:
    assert GOLDEN[VERSION] == hashlib.sha256(json.dumps(vocabulary(WORLD)).encode()).hexdigest()


def test_the_world_loads_no_ml_library() -> None:
    code = "import sys, runtime.world; print(*sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "" == said.stdout.strip()
