"""What the pairs of `entail` promise: labels that follow from the rules, and that neither half tells alone."""

from collections import Counter

import pytest

from runtime.world import LANGUAGES, TASKS, rows
from runtime.world.entail import LABELS, ROWS
from runtime.world.languages import lexicon
from runtime.world.reality import Combination, held_out_combinations, outcome, possible_outcomes, trained_combinations

SPLITS = ("train", "dev", "test")
CONCEPTS = {word: concept for code in LANGUAGES for concept, word in lexicon(code).items()}


def meaning(text):
    """The event, thing and outcome that a sentence names, by kind."""
    concepts = [CONCEPTS[word] for word in text.split() if word in CONCEPTS]
    return {concept.split("-")[0]: concept for concept in concepts}


def pairs(split, language="qaa"):
    return [
        (meaning(row["premise"]), meaning(row["hypothesis"]), row["label"]) for row in rows("entail", split, language)
    ]


def named(split):
    """The event of each premise with every thing of its pair."""
    return {Combination(told["event"], half["thing"]) for told, said, _ in pairs(split) for half in (told, said)}


@pytest.mark.parametrize("split", SPLITS)
def test_labels_are_balanced(split):
    assert dict.fromkeys(LABELS, ROWS[split] // 3) == Counter(label for _, _, label in pairs(split))


@pytest.mark.parametrize(("split", "language"), [("train", "qaa"), ("dev", "qad"), ("test", "qae")])
def test_the_label_follows_from_the_rules(split, language):
    for told, said, label in pairs(split, language):
        happened = Combination(told["event"], told["thing"])

        assert said["outcome"] in possible_outcomes(told["event"])
        if said["thing"] != told["thing"]:
            assert "neutral" == label
        else:
            assert ("entailment" if said["outcome"] == outcome(happened) else "contradiction") == label


@pytest.mark.parametrize("split", SPLITS)
def test_half_of_the_neutral_hypotheses_are_true_of_their_thing(split):
    neutral = [(told, said) for told, said, label in pairs(split) if label == "neutral"]
    true = [said["outcome"] == outcome(Combination(told["event"], said["thing"])) for told, said in neutral]

    assert 0.4 <= sum(true) / len(true) <= 0.6


@pytest.mark.parametrize("half", [0, 1])
def test_one_half_of_a_pair_hardly_tells_the_label(half):
    """Guessing the label that training shows most with the same event and thing, or thing and outcome."""
    seen: dict[tuple[str, ...], Counter[str]] = {}
    key = [lambda told, _: (told["event"], told["thing"]), lambda _, said: (said["thing"], said["outcome"])][half]
    for told, said, label in pairs("train"):
        seen.setdefault(key(told, said), Counter())[label] += 1
    right = [
        label == seen[key(told, said)].most_common(1)[0][0]
        for told, said, label in pairs("test")
        if key(told, said) in seen
    ]

    assert sum(right) <= 0.5 * len(rows("entail", "test", "qaa"))


def test_training_names_trained_combinations_and_no_other():
    assert named("train") <= set(trained_combinations())


def test_dev_and_test_share_no_combination_and_have_only_held_out_ones():
    assert named("dev") | named("test") <= set(held_out_combinations())
    assert set() == named("dev") & named("test")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_asks_about_many_combinations(split):
    """Most of its share: an event that has one thing in the split is left out."""
    asked = {Combination(told["event"], told["thing"]) for told, _, _ in pairs(split)}
    share = {"train": len(trained_combinations()), "dev": 72, "test": len(held_out_combinations()) - 72}

    assert 0.8 * share[split] <= len(asked) <= share[split]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_pairs_are_parallel_across_languages(split):
    assert tuple(LANGUAGES) == TASKS["entail"][split]
    for code in LANGUAGES:
        assert pairs(split) == pairs(split, code)
        assert [row["idx"] for row in rows("entail", split, code)] == list(range(ROWS[split]))
