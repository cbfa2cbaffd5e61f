"""What is known of the languages holds of their words."""

import hashlib
import json
import subprocess
import sys
from itertools import pairwise

import pytest

from runtime.world import LANGUAGES, SOURCE, VERSION, Language, rows, vocabulary
from runtime.world.languages import lexicon, render
from runtime.world.reality import CONCEPTS

# The place of a word is its id in every model of the world: another digest needs another VERSION.
GOLDEN = {1: "60ee6ec2afc6fe67bcb352431195a143d57d67f2529e6cc27816ce11fde5f1fd"}
EVERY_CONCEPT = [concept for kind in CONCEPTS for concept in kind]


def overlap(language: Language) -> float:
    """The measured share of concepts that have the word of the source."""
    source, own = lexicon(SOURCE.code), lexicon(language.code)
    return sum(source[concept] == own[concept] for concept in EVERY_CONCEPT) / len(EVERY_CONCEPT)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_lexicon_shares_what_the_language_says(code: str) -> None:
    assert LANGUAGES[code].shared == pytest.approx(overlap(LANGUAGES[code]), abs=0.01)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_distance_grows_as_the_overlap_falls(is_reversed: bool) -> None:
    alike = [language for language in LANGUAGES.values() if language.is_reversed == is_reversed]
    by_distance = sorted(alike, key=lambda language: language.distance)

    assert all(overlap(near) > overlap(far) for near, far in pairwise(by_distance))


def test_the_source_is_at_distance_zero_and_all_others_are_farther() -> None:
    others = [language for language in LANGUAGES.values() if language != SOURCE]

    assert SOURCE.distance == 0
    assert all(0 < language.distance <= 1 for language in others)


def test_a_word_means_one_thing_in_all_languages() -> None:
    meanings = {(word, concept) for code in LANGUAGES for concept, word in lexicon(code).items()}

    assert len(meanings) == len({word for word, _ in meanings})


def test_a_reversed_language_says_it_from_the_end() -> None:
    told = ("agent-00", "event-00", "thing-00")
    words = {code: [lexicon(code)[concept] for concept in told] for code in LANGUAGES}

    assert [*words["qac"], "."] == render(told, LANGUAGES["qac"]).split()
    assert [*reversed(words["qaf"]), "?"] == render(told, LANGUAGES["qaf"], "?").split()


def test_the_vocabulary_holds_every_word_once() -> None:
    said = {word for code in LANGUAGES for row in rows("text", "train", code) for word in str(row["text"]).split()}

    assert said == set(vocabulary())
    assert len(vocabulary()) == len(set(vocabulary()))


def test_the_words_and_their_order_change_only_with_the_version() -> None:
    assert GOLDEN[VERSION] == hashlib.sha256(json.dumps(vocabulary()).encode()).hexdigest()


def test_the_world_loads_no_ml_library() -> None:
    code = "import sys, runtime.world; print(*sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "" == said.stdout.strip()
