"""What the rows promise: purity, splits that share nothing, combinations held out of training, parallel languages."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from runtime.world import LANGUAGES, TASKS, VERSION, rows
from runtime.world.languages import MARKS, lexicon
from runtime.world.reality import Combination, held_out_combinations, outcome
from runtime.world.texts import BORROWED, CODE_SWITCHED

# A digest that differs is a change of the rows: raise VERSION and add its digests.
GOLDEN: dict[int, dict[str, str]] = {
    1: {
        "text": "c5d661281e6a21133067f0151eb6266ad19886a3b6e069f3e86175e7317cc169",
        "stories": "6bd95e37318e7153563281329751731876b52d9e9dee69e4577545c28b98ec93",
        "causes": "974fe06dadf89830da7ef2c6d0a59c044fca557ba5a5b4debffd5b6dd00a6751",
        "entail": "c645a9139ffb3ff2fe712628a7f6188c6b561dfb1412bf14f6c6acf3f556aa61",
    },
}
QUESTIONS = {"stories": ("context", "ending"), "causes": ("premise", "choice")}
TRAINING = [(task, code) for task in TASKS for code in TASKS[task]["train"]]
CONCEPTS = {word: concept for code in LANGUAGES for concept, word in lexicon(code).items()}


def digest(task: str) -> str:
    listed = [rows(task, split, code) for split, codes in TASKS[task].items() for code in codes]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def texts(row: dict[str, object]) -> Iterator[str]:
    return (value for value in row.values() if isinstance(value, str))


def combinations(text: str) -> set[Combination]:
    """Every event that the text names with every thing that it names."""
    concepts = [CONCEPTS[word] for word in text.split() if word in CONCEPTS]
    things = {concept for concept in concepts if concept.startswith("thing")}
    return {Combination(event, thing) for event in concepts if event.startswith("event") for thing in things}


def asked(task: str, row: dict[str, object]) -> tuple[str, list[str], str]:
    """The premise, the choices and the right choice of a question."""
    premise, choice = QUESTIONS[task]
    choices = [str(value) for name, value in row.items() if name.startswith(choice) and name != choice]
    return str(row[premise]), choices, choices[int(str(row["label"]))]


@pytest.mark.parametrize("task", TASKS)
def test_rows_change_only_with_the_version(task: str) -> None:
    assert GOLDEN[VERSION][task] == digest(task)


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_rows_do_not_depend_on_the_process(hash_seed: str) -> None:
    code = "import json; from runtime.world import rows; print(json.dumps([rows(t, 'dev', 'qad') for t in %r]))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    said = subprocess.run(
        [sys.executable, "-c", code % (tuple(TASKS),)], env=environment, capture_output=True, text=True, check=True
    )

    assert [rows(task, "dev", "qad") for task in TASKS] == json.loads(said.stdout)


def test_a_caller_may_change_the_rows_it_got() -> None:
    rows("causes", "dev", "qab")[0]["label"] = 7
    rows("causes", "dev", "qab").clear()

    assert {0, 1} == {row["label"] for row in rows("causes", "dev", "qab")}


@pytest.mark.parametrize("task", TASKS)
def test_no_two_rows_of_a_task_are_alike(task: str) -> None:
    for code in LANGUAGES:
        splits = [split for split, codes in TASKS[task].items() if code in codes]
        items = [" | ".join(sorted(texts(row))) for split in splits for row in rows(task, split, code)]

        assert len(items) == len(set(items))


@pytest.mark.parametrize(("task", "code"), TRAINING)
def test_no_training_row_names_a_held_out_combination(task: str, code: str) -> None:
    named = {pair for row in rows(task, "train", code) for pair in combinations(" ".join(texts(row)))}

    assert named
    assert set() == named & set(held_out_combinations())


@pytest.mark.parametrize("task", QUESTIONS)
@pytest.mark.parametrize("split", ["dev", "test"])
def test_every_choice_of_dev_and_test_is_held_out(task: str, split: str) -> None:
    for row in rows(task, split, "qae"):
        premise, choices, _ = asked(task, row)
        named = {pair for choice in choices for pair in combinations(f"{premise} {choice}")}

        assert named
        assert named <= set(held_out_combinations())


@pytest.mark.parametrize("task", QUESTIONS)
def test_dev_and_test_ask_about_different_combinations(task: str) -> None:
    dev, test = (
        {
            pair
            for row in rows(task, split, "qaa")
            for premise, _, right in [asked(task, row)]
            for pair in combinations(f"{premise} {right}")
        }
        for split in ("dev", "test")
    )

    assert set() == dev & test


@pytest.mark.parametrize("task", QUESTIONS)
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_the_right_choice_alone_obeys_the_rules(task: str, split: str) -> None:
    for row in rows(task, split, "qaa"):
        premise, choices, right = asked(task, row)

        assert [right] == [choice for choice in choices if obeys(f"{premise} {choice}")]


def obeys(text: str) -> bool:
    """Whether the outcome that the text names comes of the one event and thing that it names."""
    (told,) = combinations(text)
    return outcome(told) in {CONCEPTS.get(word) for word in text.split()}


@pytest.mark.parametrize(("task", "split"), [(task, split) for task in QUESTIONS for split in ("dev", "test")])
def test_questions_are_parallel_across_languages(task: str, split: str) -> None:
    source = rows(task, split, "qaa")
    for code in LANGUAGES:
        other = rows(task, split, code)

        assert [(row["idx"], row["label"]) for row in source] == [(row["idx"], row["label"]) for row in other]
        assert [meanings(row) for row in source] == [meanings(row) for row in other]


def meanings(row: dict[str, object]) -> list[list[str]]:
    """The concepts of each field, in no order."""
    return [sorted(CONCEPTS.get(word, word) for word in text.split()) for text in texts(row)]


@pytest.mark.parametrize("task", QUESTIONS)
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_labels_and_questions_are_balanced(task: str, split: str) -> None:
    labels = Counter(row["label"] for row in rows(task, split, "qaa"))
    causes = [row for row in rows("causes", split, "qaa") if row["question"] == "cause"]

    assert {"stories": 4, "causes": 2}[task] == len(labels)
    assert max(labels.values()) - min(labels.values()) <= 1
    assert 0.4 <= len(causes) / len(rows("causes", split, "qaa")) <= 0.6


def test_texts_of_two_languages_tell_different_episodes() -> None:
    told = {
        code: {" ".join(sorted(CONCEPTS.get(word, word) for word in str(row["text"]).split())) for row in listed}
        for code in LANGUAGES
        for listed in [rows("text", "train", code)]
    }

    assert len(told["qaa"] & told["qad"]) < 0.01 * len(told["qaa"])


@pytest.mark.parametrize("code", LANGUAGES)
def test_few_texts_borrow_words_of_other_languages(code: str) -> None:
    own = {*lexicon(code).values(), *MARKS}
    listed = [str(row["text"]).split() for row in rows("text", "train", code)]
    mixed = [words for words in listed if not own.issuperset(words)]
    foreign = sum(word not in own for words in mixed for word in words) / sum(map(len, mixed))

    assert CODE_SWITCHED == pytest.approx(len(mixed) / len(listed), abs=0.01)
    assert 0.2 < foreign < BORROWED


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("spans", "train", "qaa"), "the world has no task `spans`; it has text, stories, causes, entail"),
        (("text", "test", "qaa"), "world task `text` has no split `test`; it has train, dev"),
        (("stories", "train", "qab"), "split `train` of world task `stories` has no language `qab`; it has qaa"),
    ],
)
def test_what_is_not_there_is_named(names: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        rows(*names)

    assert message == str(caught.value)
