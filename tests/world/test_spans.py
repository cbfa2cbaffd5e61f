"""What the items of `spans` promise: answers that stand where they are said to, and contexts that mislead."""

from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from runtime import world
from runtime.world import LANGUAGES, World, rows
from runtime.world.reality import reality
from runtime.world.spans import ROWS
from runtime.world.tokenizer import MAX_LENGTH
from tests.world.meanings import SPLITS, concepts, sentences

MODEL = Path(world.__file__).parent / "babel-mini"
CODES = [("train", "qaa"), *((split, code) for split in ("dev", "test") for code in LANGUAGES)]


def said(sentence):
    """The concepts of a sentence that a question could name."""
    return {c for c in concepts(sentence) if c.split("-")[0] in ("agent", "event", "thing", "place")}


def kind(answer):
    """Of what kind the answer is: its noun's."""
    (noun,) = (c.split("-")[0] for c in concepts(answer) if c.split("-")[0] in ("agent", "thing", "place"))
    return noun


@pytest.mark.parametrize(("split", "code"), CODES)
def test_the_answer_stands_where_it_is_said_to(split, code):
    for row in rows("spans", split, code):
        start, context = row["answer_start"], f" {row['context']} "

        assert row["answer"] == row["context"][start : start + len(row["answer"])]
        assert " " == context[start]
        assert context[start + 1 + len(row["answer"])] in " ."


@pytest.mark.parametrize("split", SPLITS)
def test_each_part_is_asked_for_as_often(split):
    asked = Counter(kind(row["answer"]) for row in rows("spans", split, "qaa"))

    assert {"agent", "thing", "place"} == asked.keys()
    assert max(asked.values()) - min(asked.values()) <= 1


@pytest.mark.parametrize(("split", "code"), [("train", "qaa"), ("test", "qaa"), ("dev", "qak"), ("test", "qag")])
def test_one_sentence_alone_answers_the_question(split, code):
    """The question says three of its four parts; each of the others has one of the three, and another one each."""
    for row in rows("spans", split, code):
        told = sentences(row["context"])
        shared = [said(sentence) & said(row["question"]) for sentence in told]
        answering = next(n for n, parts in enumerate(shared) if len(parts) == 3)
        start = sum(len(sentence) for sentence in told[:answering])

        assert [1, 1, 3] == sorted(len(parts) for parts in shared)
        assert 2 == len(set().union(*(parts for n, parts in enumerate(shared) if n != answering)))
        assert start <= row["answer_start"] < start + len(told[answering])


@pytest.mark.parametrize("code", ["qaa", "qac", "qai", "qaj"])
def test_the_answer_is_the_whole_phrase_that_the_question_leaves_out(code):
    """A thing with its adjective and number; a place without its preposition."""
    for row in rows("spans", "test", code):
        (told,) = (s for s in sentences(row["context"]) if said(row["question"]) <= said(s))
        beside = [c for c in concepts(told) if c.isdecimal() or c.startswith("adjective")]
        answer = concepts(row["answer"])

        assert "what" in concepts(row["question"])
        assert said(told) == said(row["question"]) | said(row["answer"])
        assert (beside if kind(row["answer"]) == "thing" else []) == [c for c in answer if c not in said(told)]


def test_the_answer_is_in_every_sentence_as_often():
    """Where it stands tells nothing."""
    found = Counter(row["context"][: row["answer_start"]].count(".") for row in rows("spans", "train", "qaa"))

    assert {0, 1, 2} == found.keys()
    assert min(found.values()) > 0.9 * ROWS["train"] / 3


def test_a_world_may_hold_an_event_out_for_one_thing_alone():
    """Nothing else is like it: it is not asked about."""
    held_out = Counter(told.event for told in reality(World(seed=57)).combinations(held_out=True))

    assert 1 == min(held_out.values())
    assert ROWS["test"] == len(rows("spans", "test", "qaa", World(seed=57)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_question_and_context_fit_into_the_embedded_model(code):
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    longest = max(len(tokenizer.encode(row["question"], row["context"])) for row in rows("spans", "test", code))

    assert longest <= MAX_LENGTH
