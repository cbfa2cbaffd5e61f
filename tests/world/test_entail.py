"""What the pairs of `entail` promise: labels that follow from the premise, and that neither half tells alone."""

from collections import Counter

import pytest

from runtime.world import rows
from runtime.world.entail import LABELS, ROWS
from runtime.world.reality import Combination, reality
from tests.world.meanings import SPLITS, WORLD, combinations, concepts, kinds

REAL = reality(WORLD)


def pairs(split, language="qaa"):
    return [(str(r["premise"]), str(r["hypothesis"]), str(r["label"])) for r in rows("entail", split, language)]


def denies(text):
    return "not" in concepts(text)


def about(premise, hypothesis):
    """Whether both halves speak of one event and one thing; the sort of a thing stands for it."""
    told, said = kinds(premise), kinds(hypothesis)
    (thing,) = told["thing"]
    same_thing = said["thing"] == told["thing"] if "thing" in said else said["sort"] == {REAL.sorts[thing]}
    return told["event"] == said["event"] and told["agent"] == said["agent"] and same_thing


@pytest.mark.parametrize("split", SPLITS)
def test_labels_are_balanced(split):
    assert dict.fromkeys(LABELS, ROWS[split] // 3) == Counter(label for _, _, label in pairs(split))


@pytest.mark.parametrize(("split", "language"), [("train", "qaa"), ("dev", "qak"), ("test", "qae")])
def test_the_label_follows_from_the_premise(split, language):
    for premise, hypothesis, label in pairs(split, language):
        if not about(premise, hypothesis):
            assert "neutral" == label
        else:
            assert ("entailment" if denies(premise) == denies(hypothesis) else "contradiction") == label


def test_a_hypothesis_says_no_more_than_its_premise():
    """Only a premise that is not denied has an adjective, a number or a place, and only its hypothesis names a sort."""
    for premise, hypothesis, _ in pairs("train"):
        assert not kinds(hypothesis).keys() & {"adjective", "place"}
        if denies(premise):
            assert not kinds(premise).keys() & {"adjective", "place"}
            assert "sort" not in kinds(hypothesis)


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(
    "key", [denies, lambda text: frozenset(combinations(text)), lambda text: "sort" in kinds(text)]
)
def test_neither_half_tells_the_label(half, key):
    """The best guess from what one half says, learnt on train, is right of fewer than half of test."""
    seen = {}
    for *halves, label in pairs("train"):
        seen.setdefault(key(halves[half]), Counter())[label] += 1
    known = [(key(halves[half]), label) for *halves, label in pairs("test")]
    right = [label == seen[said].most_common(1)[0][0] for said, label in known if said in seen]

    assert sum(right) <= 0.5 * len(known)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_both_halves_name_held_out_combinations_of_their_split(split):
    other = "test" if split == "dev" else "dev"
    named, others = (
        {
            pair
            for premise, hypothesis, _ in pairs(which)
            for half in (premise, hypothesis)
            for pair in combinations(half)
        }
        for which in (split, other)
    )

    assert named <= REAL.held_out
    assert set() == named & others
    assert isinstance(next(iter(named)), Combination)
