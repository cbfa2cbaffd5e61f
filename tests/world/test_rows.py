"""What the rows promise: purity, splits that share nothing, combinations held out of training, parallel languages."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from math import exp
from statistics import fmean
from unicodedata import name

import pytest

from runtime.world import LANGUAGES, TASKS, VERSION, World, rows
from runtime.world.causes import ROWS as CAUSES
from runtime.world.lexicon import lexicon
from runtime.world.morphology import forms
from runtime.world.reality import ASPECTS, SOMETHING, Combination, aspect, reality
from runtime.world.telling import UNNAMED
from runtime.world.texts import BORROWED, DESCRIBED, ROWS, contact
from tests.world.meanings import WORLD, combinations, concepts, kinds, sentences, texts, words

# A digest that differs is a change of the rows: raise VERSION and add its digests.
GOLDEN: dict[int, dict[str, str]] = {
    5: {
        "text": "d187c98704306b710fe6325c3a5215afe9cb630292afffb209e9c564df400abf",
        "stories": "fdaa90bb71d28bcf6f48ffe7e0278da7e27c1aedde4bbaae9dbf486cd9b9add2",
        "causes": "700a9699c6d22301cb7abfbcd146e269a9f341edbebf27b58cd73b43b7ec20e7",
        "entail": "86118f46feea0d5cfc927ebb202255cc64c3447400f91e2683bebc8ba45bc6f9",
        "words": "e56266219e63d86daa42a66a5a8289d21eeee03b896c7586f0d2e8f59d662414",
        "mining": "ea2e3c0319d8fbfdbd32798cb973eadf5fbf06f4e4b009a4685c1942f9b2bac4",
        "spans": "4a6f339bb00c193ed0e6cd7ccd2232ddee54b6494325ac9401c23807d977d372",
        "tags": "ab2b7121f5cadd41c2ef1710adc202cd53297c9b0b741f7257e3a310e384a2f3",
        "similar": "988129c40d323ffba2548eb1e2fd9ec47ccb5644e803f989a8839981bf60f587",
        "pool": "5a4ac4ee7a06c3d31214cfd45cd02616e16425140fc8050e1151aa948beece57",
    },
}
QUESTIONS = {"stories": ("context", "ending"), "causes": ("premise", "choice")}
TRAINING = [(task, code) for task, splits in TASKS.items() for code in splits.get("train", ())]
PARALLEL = [(task, split) for task, splits in TASKS.items() for split in splits if split != "train" and task != "text"]
REAL = reality(WORLD)


def asked(task, row):
    """The premise, the choices and the right choice of a question."""
    premise, choice = QUESTIONS[task]
    choices = [str(value) for name, value in row.items() if name.startswith(choice)]
    return str(row[premise]), choices, choices[int(str(row["label"]))]


def read(task, row):
    """What names a combination: the premise with one choice, or the whole row; a sentence, where each tells another."""
    if task in ("spans", "similar"):
        return [sentence for text in texts(row) for sentence in sentences(text)]
    if task not in QUESTIONS:
        return [" ".join(texts(row))]
    premise, choices, _ = asked(task, row)
    return [f"{premise} {choice}" for choice in choices]


@pytest.mark.parametrize("task", TASKS)
def test_rows_change_only_with_the_version(task):
    listed = [rows(task, split, code) for split, codes in TASKS[task].items() for code in codes]

    assert GOLDEN[VERSION][task] == hashlib.sha256(json.dumps(listed).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_rows_do_not_depend_on_the_process(hash_seed):
    code = "import json; from runtime.world import rows; print(json.dumps([rows(t, 'dev', 'qad') for t in %r]))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    said = subprocess.run(
        [sys.executable, "-c", code % (tuple(TASKS),)], env=environment, capture_output=True, text=True, check=True
    )

    assert [rows(task, "dev", "qad") for task in TASKS] == json.loads(said.stdout)


def test_a_caller_may_change_the_rows_it_got():
    rows("causes", "dev", "qab")[0]["label"] = 7
    rows("causes", "dev", "qab").clear()

    assert {0, 1} == {row["label"] for row in rows("causes", "dev", "qab")}


@pytest.mark.parametrize("task", TASKS)
def test_another_seed_is_another_world(task):
    code = TASKS[task]["dev"][-1]
    one, other = ({json.dumps(row) for row in rows(task, "dev", code, World(seed=seed))} for seed in (1, 2))

    assert set() == one & other


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", [1, 2, 100])
def test_no_item_is_shared_between_splits_or_stands_twice(task, seed):
    """Choices in another order are the same item; premise and hypothesis may stand the other way round."""
    kept = list if task == "entail" else sorted
    codes = [code for code in ("qaa", "qag") if code in TASKS[task]["dev"]]
    for code in codes:
        splits = [split for split, listed in TASKS[task].items() if code in listed]
        items = [tuple(kept(texts(row))) for split in splits for row in rows(task, split, code, World(seed=seed))]

        assert len(items) == len(set(items))


@pytest.mark.parametrize(("task", "code"), TRAINING)
def test_no_training_row_of_any_task_names_a_held_out_combination(task, code):
    """Of every task in every language; in a text with words of several languages, too."""
    named = {pair for row in rows(task, "train", code) for text in read(task, row) for pair in combinations(text)}

    assert task == "words" or len(named) > (100 if task in ("causes", "tags") else 300)
    assert set() == named & REAL.held_out


@pytest.mark.parametrize("split", ["dev", "test"])
@pytest.mark.parametrize("task", QUESTIONS)
def test_every_choice_of_dev_and_test_is_held_out(task, split):
    for row in rows(task, split, "qae"):
        premise, choices, _ = asked(task, row)
        named = {pair for choice in choices for pair in combinations(f"{premise} {choice}")}

        assert named
        assert named <= REAL.held_out


def told(task, row):
    """The sentences of the row that say what it is about."""
    match task:
        case "mining":
            return [row["source"]]
        case "pool":
            return [*row["sentences"], *row["sources"]]
        case "spans":
            before, after = row["context"][: row["answer_start"]], row["context"][row["answer_start"] :]
            return [before.split(".")[-1] + after.split(".")[0]]
        case "tags":
            return [" ".join(row["tokens"])]
        case "similar":
            return [row["sentence1"]]
        case _:
            return [" ".join(asked(task, row)[::2])]


@pytest.mark.parametrize("task", [*QUESTIONS, "spans", "tags", "similar", "mining", "pool"])
def test_dev_and_test_ask_about_different_combinations(task):
    dev, test = (
        {pair for row in rows(task, split, "qab") for text in told(task, row) for pair in combinations(text)}
        for split in ("dev", "test")
    )

    assert dev
    assert test
    assert set() == dev & test
    assert dev | test <= REAL.held_out


@pytest.mark.parametrize("task", QUESTIONS)
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_the_right_choice_alone_obeys_the_rules(task, split):
    for row in rows(task, split, "qaa"):
        premise, choices, right = asked(task, row)

        assert [right] == [choice for choice in choices if obeys(f"{premise} {choice}")]


def obeys(text):
    """Whether the outcome that the text names comes of the one event and thing that it names."""
    (told,) = combinations(text)
    return {REAL.outcome(told)} == kinds(text)["outcome"]


@pytest.mark.parametrize("task", QUESTIONS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_most_wrong_choices_are_of_the_same_event(task, split):
    """Of an effect one that the event has upon other things, of a cause the event upon another thing."""
    near = {"effect": [], "cause": []}
    for premise, choices, right in [asked(task, row) for row in rows(task, split, "qaa")]:
        (told,) = combinations(f"{premise} {right}")
        for choice in {*choices} - {right}:
            if "event" in kinds(premise):
                near["effect"].append(kinds(choice)["outcome"] <= set(REAL.rules[told.event]))
            else:
                near["cause"].append(kinds(choice)["event"] == {told.event})

    few = task == "stories"  # an event has two other effects, and three wrong ones are wanted
    assert (0.5 if few else 0.75) < fmean(near["effect"]) < (0.7 if few else 0.93)
    assert 0.75 < fmean(near["cause"]) < 0.93


@pytest.mark.parametrize("task", QUESTIONS)
def test_a_question_for_the_cause_names_its_thing_in_the_choices_alone(task):
    """The outcome alone would tell of which aspect the event is; the things tell which of them."""
    premises = [concepts(asked(task, row)[0]) for row in rows(task, "test", "qaa")]
    backwards = [premise for premise in premises if not any(said.startswith("event") for said in premise)]

    assert 0.4 < len(backwards) / len(premises) < 0.6
    assert {SOMETHING} == {premise[0] for premise in backwards}


def test_texts_tell_of_something_as_the_questions_do():
    listed = [concepts(str(row["text"])) for row in rows("text", "train", "qaa", World(mixed=0))]

    shares = [UNNAMED, 1 - (1 - UNNAMED) ** 2]  # of texts that tell one episode, and of those that tell two
    expected = DESCRIBED * shares[0] + (1 - DESCRIBED) * shares[1]

    assert expected == pytest.approx(fmean(SOMETHING in text for text in listed), abs=0.02)


@pytest.mark.parametrize(("task", "split"), PARALLEL)
def test_items_are_parallel_across_languages(task, split):
    first, *others = TASKS[task][split]
    source = rows(task, split, first)
    for code in others:
        other = rows(task, split, code)

        assert [given(row) for row in source] == [given(row) for row in other]
        assert [meant(row) for row in source] == [meant(row) for row in other]


def given(row):
    """What is no text and the same in every language."""
    return [row.get(name) for name in ("idx", "label", "value", "gold")]


def meant(row):
    """The concepts of each field in no order; whether a place has a preposition is the language's affair."""
    return [sorted(concept for concept in concepts(text) if concept not in ("at", "ADP")) for text in texts(row)]


@pytest.mark.parametrize(("task", "choices"), [("stories", 4), ("causes", 2), ("words", 5)])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_labels_are_balanced(task, choices, split):
    labels = Counter(row["label"] for row in rows(task, split, "qaa"))

    assert choices == len(labels)
    assert max(labels.values()) - min(labels.values()) <= 1


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_causes_asks_for_causes_and_for_effects(split):
    asks = Counter(row["question"] for row in rows("causes", split, "qaa"))

    assert {"cause", "effect"} == asks.keys()
    assert 0.4 <= asks["cause"] / CAUSES[split] <= 0.6


@pytest.mark.parametrize(("split", "asked_about"), [("train", ASPECTS // 2), ("dev", ASPECTS), ("test", ASPECTS)])
def test_causes_trains_on_half_of_the_aspects_and_asks_about_all(split, asked_about):
    right = [asked("causes", row)[::2] for row in rows("causes", split, "qaa")]
    told = Counter(aspect(pair.event) for texts in right for pair in combinations(" ".join(texts)))

    assert set(range(asked_about)) == told.keys()
    assert min(told.values()) > 0.5 * max(told.values())


def test_texts_of_two_languages_tell_different_episodes():
    told = {
        code: {" ".join(sorted(concepts(str(row["text"])))) for row in listed}
        for code in ("qaa", "qaf")
        for listed in [rows("text", "train", code, World(mixed=0))]
    }

    assert len(told["qaa"] & told["qaf"]) < 0.1 * len(told["qaa"])


def test_texts_say_what_things_are_and_deny_what_they_are_not():
    said = Counter()
    for row in rows("text", "train", "qaa", World(mixed=0)):
        for sentence in str(row["text"]).replace("?", ".").split("."):
            told = concepts(sentence)
            match [concept for concept in told if concept not in ("not", "at")]:
                case [thing, "is" | "lies", value] if value != "what":
                    said["not" in told] += 1

                    assert ("not" in told) == (value not in (REAL.sorts[thing], REAL.places[thing])), sentence

    assert 0.2 < said[True] / said[False] < 0.5


@pytest.mark.parametrize("low_resource", [0.1, 0.5])
def test_low_resource_languages_have_their_share_of_text(low_resource):
    world = World(low_resource=low_resource)
    for code, language in LANGUAGES.items():
        share = low_resource if language.low_resource else 1

        assert round(share * ROWS["train"]) == len(rows("text", "train", code, world))
        assert ROWS["dev"] == len(rows("text", "dev", code, world))


@pytest.mark.parametrize(("code", "mixed"), [("qal", 1.0), ("qak", 1.0), ("qak", 0.5), ("qag", 0.0)])
def test_mixed_texts_borrow_from_the_source_and_less_so_far_from_it(code, mixed):
    foreign, if_all_are_mixed = foreign_words(code, mixed), foreign_words(code, 1.0)
    borrowed = mixed * BORROWED * exp(-3 * LANGUAGES[code].distance)

    assert borrowed == pytest.approx(fmean(word for text in foreign for word in text), abs=0.01)
    assert 1 - mixed + mixed * pure(if_all_are_mixed) == pytest.approx(pure(foreign), abs=0.03)


def foreign_words(code, mixed):
    """Of each text, of each word, whether it is none of the language's own."""
    return [[word not in own_forms(code) for word in words(text)] for text in texts_of(code, mixed)]


def pure(foreign):
    """The share of the texts that have no foreign word."""
    return fmean(not any(text) for text in foreign)


def test_the_source_borrows_from_all_and_most_from_the_near():
    """By script, which tells them apart: words are shared within families."""
    said = Counter(name(word[0]).split()[0].lower() for text in texts_of("qaa", 1.0) for word in words(text))
    others = [language for language in LANGUAGES.values() if language.code != "qaa"]
    for script in ("cyrillic", "greek", "georgian"):
        expected = sum(contact(o) for o in others if o.script == script) / sum(contact(o) for o in others)

        assert BORROWED * expected == pytest.approx(said[script] / said.total(), abs=0.01)


def texts_of(code, mixed):
    return [str(row["text"]) for row in rows("text", "train", code, World(mixed=mixed))][:2000]


@cache
def own_forms(code):
    return {str(n) for n in range(10)} | {
        form for word in lexicon(WORLD, code).values() for form in forms(word, LANGUAGES[code])
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("poems", "train", "qaa"),
            (
                "the world has no task `poems`; it has text, stories, causes, entail, words, spans, tags, similar, "
                "mining, pool"
            ),
        ),
        (("text", "test", "qaa"), "world task `text` has no split `test`; it has train, dev"),
        (("stories", "train", "qab"), "split `train` of world task `stories` has no language `qab`; it has qaa"),
    ],
)
def test_what_is_not_there_is_named(names, message):
    with pytest.raises(ValueError) as caught:
        rows(*names)

    assert message == str(caught.value)


def test_every_combination_is_either_trained_or_held_out():
    trained, held_out = (REAL.combinations(held_out=held) for held in (False, True))

    assert len({*trained, *held_out}) == len(trained) + len(held_out)
    assert 3 * len(held_out) == len(trained)
    assert isinstance(trained[0], Combination)
