"""Perturbed texts: a rate of 0 changes nothing, what changes is what is promised, and the same row always alike."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.catalog import PERTURBATIONS
from compiler.ops import Perturbation
from runtime.kinds import kinds
from runtime.perturbing import METHODS, casing, perturbed, typos, word_drop

TEXTS = st.text(st.sampled_from("abc XYZ 12,.ßéไทยकमल你好\n"), max_size=40)
SEEDS = st.integers(0, 1000)
ROW = {"context": "The jar fell.", "choices": ["It broke.", "It sang."], "label": 1, "question": None}
ALWAYS = Perturbation("casing", 1.0, 1)


def test_the_language_offers_the_perturbations_there_are():
    assert set(PERTURBATIONS) == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
@given(TEXTS, SEEDS)
def test_a_rate_of_zero_changes_nothing(method, text, seed):
    assert text == METHODS[method](text, 0.0, random.Random(seed))


@pytest.mark.parametrize("method", METHODS)
@given(TEXTS.filter(str.strip), SEEDS, st.floats(0, 1))
def test_no_text_gets_empty(method, text, seed, rate):
    assert METHODS[method](text, rate, random.Random(seed))


@given(TEXTS, SEEDS, st.floats(0, 1))
def test_typos_bring_letters_of_the_text_alone_and_leave_the_rest(text, seed, rate):
    made = typos(text, rate, random.Random(seed))

    assert set(made) <= set(text)
    assert [c for c in made if c in " 12,.\n"] == [c for c in text if c in " 12,.\n"]


def test_typos_befall_as_many_letters_as_the_rate_says():
    """Letters that all differ, one to a word: each is replaced, left out, or has got another behind it."""
    letters = [chr(0x4E00 + n) for n in range(4000)]
    made = typos(" ".join(letters), 0.3, random.Random(1)).split(" ")

    assert 0.27 < sum(m != letter for m, letter in zip(made, letters, strict=True)) / len(letters) < 0.33


def test_typos_are_of_four_kinds():
    made = Counter(typos("ab", 0.5, random.Random(seed)) for seed in range(400))

    assert made.keys() >= {"ab", "ba", "a", "b", "bb", "aa", "aab", "abb"}


@given(TEXTS, SEEDS, st.floats(0, 1))
def test_casing_changes_case_alone(text, seed, rate):
    made = casing(text, rate, random.Random(seed))

    assert text.upper() == made.upper()
    assert text.upper() == casing(text, 1.0, random.Random(seed))


@given(TEXTS, SEEDS, st.floats(0, 1))
def test_word_drop_leaves_words_out_and_changes_none(text, seed, rate):
    words, kept = iter(text.split()), word_drop(text, rate, random.Random(seed)).split()

    assert all(word in words for word in kept)
    assert kept or not text.split()


def test_word_drop_leaves_out_as_many_as_the_rate_says():
    words = word_drop(" ".join("ab" for _ in range(4000)), 0.25, random.Random(1)).split()

    assert 0.70 < len(words) / 4000 < 0.80


def test_texts_and_lists_of_texts_of_the_fields_are_changed_and_nothing_else():
    made = perturbed(ROW, kinds()["multiple-choice"].texts, ALWAYS, 0)

    assert {**ROW, "context": "THE JAR FELL.", "choices": ["IT BROKE.", "IT SANG."]} == made


def test_what_befalls_a_row_depends_on_seed_row_and_field_alone():
    under = Perturbation("typos", 0.5, 1)
    one = perturbed({"text": "some words here"}, ("text",), under, 3)
    beside = perturbed({"pair": "others", "text": "some words here"}, ("pair", "text"), under, 3)
    others = [
        perturbed({"text": "some words here"}, ("text",), Perturbation("typos", 0.5, 2), 3)["text"],
        perturbed({"text": "some words here"}, ("text",), under, 4)["text"],
        perturbed({"pair": "some words here"}, ("pair",), under, 3)["pair"],
    ]

    assert one["text"] == beside["text"]
    assert 4 == len({one["text"], *others})
