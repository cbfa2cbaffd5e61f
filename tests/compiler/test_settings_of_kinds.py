"""Settings that one kind alone has reach the op whose result they change, and no other."""

import pytest

from compiler.ops import Data, Method, Predict, Score, Train, Vectors
from tests.compiling import nodes, plan_of, write_files

TEXT = """
model m { weights: dir("m") }
task spans : span-qa { data: files("a/{{ language }}/{{ split }}.jsonl") languages: [en, de] SETTINGS
  input: { context: "{{ c }}", question: "{{ q }}", answers: "{{ a }}" } }
benchmark pairs : retrieval { data: files("x/{{ language }}/{{ split }}.jsonl") languages: [en, de]
  metrics: [accuracy, f1] input: { query: "{{ q }}", document: "{{ d }}", gold: "{{ g }}" } }
"""
ENCODING = (("stride", 128), ("max-query", 64))
ANSWERS = (("max-answer", 30), ("n-best", 20))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    write_files(folder)
    return folder


def plan(folder, chain, settings=""):
    return plan_of(TEXT.replace("SETTINGS", settings) + chain, folder)


def ops(found, sort):
    return [n.op for n in nodes(found, sort)]


def test_what_windows_are_is_said_by_data_and_how_answers_are_taken_by_predictions(folder):
    found = plan(folder, "m -> spans @ spans[de](split: dev)")

    assert {ENCODING} == {op.own for op in ops(found, Data)}
    assert [ANSWERS] == [op.own for op in ops(found, Predict)]


@pytest.mark.parametrize(
    ("setting", "data", "training", "predictions"),
    [("stride: 64", True, True, True), ("n-best: 5", False, False, True), ("null-threshold: 0", False, False, True)],
)
def test_a_setting_changes_the_keys_that_it_must(folder, setting, data, training, predictions):
    before = plan(folder, "m -> spans @ spans[de](split: dev)")
    after = plan(folder, "m -> spans @ spans[de](split: dev)", f"settings: {{ {setting} }}")

    def changed(sort):
        return {n.key for n in nodes(before, sort)} != {n.key for n in nodes(after, sort)}

    assert (data, training, predictions) == (changed(Data), changed(Train), changed(Predict))


def test_who_judges_checkpoints_takes_answers_as_the_task_says(folder):
    chain = "m -> spans(select: best(em)) @ spans[de](split: dev)"
    (train,) = ops(plan(folder, chain, "settings: { max-answer: 9, null-threshold: -1 }"), Train)
    (judge,) = train.keep.judges

    assert ("em", (("max-answer", 9), ("n-best", 20), ("null-threshold", -1.0))) == (judge.metric, judge.own)


def test_a_threshold_of_dev_is_chosen_by_predictions_on_dev(folder):
    found = plan(folder, "m @ pairs[de](threshold: dev, similarity: margin(k: 2), match: max)")
    by_key = {n.key: n for n in found.nodes}
    accuracy, f1 = ops(found, Score)

    assert ("accuracy", None, None) == (accuracy.metric, accuracy.threshold, accuracy.tuned_on)
    assert ("f1", None) == (f1.metric, f1.threshold)
    splits = [by_key[by_key[key].op.data].op.split for key in (f1.predictions, f1.tuned_on)]
    assert ["test", "dev"] == splits
    assert {Vectors(None, "mean", Method("margin", (("k", 2),)), "max")} == {op.vectors for op in ops(found, Predict)}
    assert {f1.predictions, f1.tuned_on} == set(by_key[[n.key for n in nodes(found, Score)][1]].inputs)


def test_scored_on_dev_a_threshold_is_chosen_by_the_same_predictions(folder):
    _, f1 = ops(plan(folder, "m @ pairs[de](threshold: dev, split: dev)"), Score)

    assert f1.predictions == f1.tuned_on


def test_a_threshold_that_is_a_number_needs_no_dev(folder):
    found = plan(folder, "m @ pairs[de](threshold: 1.06)")
    _, f1 = ops(found, Score)

    assert (1.06, None) == (f1.threshold, f1.tuned_on)
    assert 1 == len(ops(found, Predict))


@pytest.mark.parametrize("threshold", ["0", "0.5", "dev"])
def test_a_score_with_a_threshold_knows_the_line_that_set_it(folder, threshold):
    _, f1 = nodes(plan(folder, f"m @ pairs[de](threshold: {threshold})"), Score)

    assert "threshold" in f1.places


def test_what_is_built_in_leaves_keys_as_they_were(folder):
    plain = plan(folder, "m @ pairs[de]")
    said = plan(folder, "m @ pairs[de](match: forward, similarity: cosine)")

    assert [n.key for n in plain.nodes] == [n.key for n in said.nodes]
    assert {Vectors(None, "mean", "cosine")} == {op.vectors for op in ops(plain, Predict)}
