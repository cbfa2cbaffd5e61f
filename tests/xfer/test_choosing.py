"""`select: best(…)`, `best {…}` and `@ previous` on the world: each does what it says, by what stands in the store."""

import json

import pytest

import xfer
from compiler.ops import Predict, Select, Train
from runtime import columns, evaluation, models, selecting
from runtime.kinds import kinds
from tests.compiling import nodes

pytestmark = pytest.mark.ml

SPEC = """\
defaults { batch: 16, warmup: 30%, lr: 6e-4 }
early: babel-mini -> w-causes(epochs: 4, lr: 4e-3, select: best(every: 10, patience: 2)) @ w-causes[qaa](split: dev)
own: babel-mini -> w-causes(epochs: 4, select: best(accuracy, on: target)) @ w-xcauses[* - qaa]
tuned: babel-mini -> w-causes(epochs: 3, lr: best {1e-7 | 6e-4}) @ w-xcauses[qab]
both: babel-mini -> w-causes(epochs: 3, lr: best {1e-7 | 6e-4}, select: best(on: target)) @ w-xcauses[qab]
kept: babel-mini -> w-words(steps: 150, lr: 2e-3, batch: 32) -> w-causes(epochs: 2, lr: 1e-12) @ previous
lost: babel-mini -> w-words(steps: 150, lr: 2e-3, batch: 32) -> w-causes(epochs: 2, lr: 2e-3) @ previous
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study after its run."""
    folder = tmp_path_factory.mktemp("choosing")
    (folder / "study.xfer").write_text(SPEC)
    done = xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store"))
    report = xfer.run(done)
    assert [] == report.failed
    return done


def cells(study, experiment):
    return [r for r in xfer.rows(study)[0] if r.cell.experiment == experiment]


def node(study, key):
    return next(n for n in study.plan.nodes if n.key == key)


def choice_behind(study, cell):
    """The choice whose weights a cell scores."""
    return node(study, node(study, node(study, cell.score).op.predictions).op.weights)


def records(study, choice):
    """What a choice recorded of each candidate, and the chosen one's."""
    found = json.loads((study.store().path(choice.key) / selecting.SELECTED).read_text())
    (chosen,) = [r for r in found if r["chosen"]]
    return found, chosen


def weights(folder):
    return (folder / "encoder" / "model.safetensors").read_bytes(), (folder / "heads" / "0.safetensors").read_bytes()


def accuracy(study, folder, data, head_of=None):
    """Of a checkpoint in a folder on a data node, without what chooses."""
    network = models.load_network(folder, {}, "multiple-choice", 0, None, head_of)
    special = models.read_special(folder, network.encoder.config)
    examples = columns.read(study.store().path(data))
    table = evaluation.predict(network, examples, special, device="cpu", precision="fp32", mask=None)
    return kinds()["multiple-choice"].metrics["accuracy"](table).value


def test_early_stopping_keeps_the_best_candidate_and_scores_as_it_did(study):
    training = next(n for n in nodes(study.plan, Train) if n.op.keep and n.op.keep.patience)
    text = (study.store().path(training.key) / selecting.DEV).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    (best,) = [number for number, line in enumerate(lines) if line["chosen"]]
    values = [line["score"] for line in lines]

    assert best == values.index(max(values))
    assert [10 * (number + 1) for number in range(len(lines))] == [line["step"] for line in lines]
    assert len(lines) == best + 1 + 2 < 10  # it ended before its four epochs of 25 steps
    # these dev data chose it: scored again as a target they give the same
    assert [max(values)] == [r.value for r in cells(study, "early")]


def test_each_target_language_gets_the_checkpoint_that_is_best_on_its_own_dev_split(study):
    steps = {}
    for row in cells(study, "own"):
        choice = choice_behind(study, row.cell)
        found, chosen = records(study, choice)
        (data,) = choice.op.judges[0].data
        training = study.store().path(choice.op.candidates[0])
        by_hand = [accuracy(study, path, data) for path in selecting.checkpoints(training).values()]

        assert ("dev", row.cell.language) == (node(study, data).op.split, node(study, data).op.language)
        assert [25, 50, 75, 100] == [r["step"] for r in found]
        assert by_hand == [r["score"] for r in found]
        assert chosen["step"] == found[by_hand.index(max(by_hand))]["step"]
        assert weights(study.store().path(choice.key)) == weights(training / "candidates" / str(chosen["step"]))
        assert "target dev" == row.cell.selected
        steps[row.cell.language] = chosen["step"]
    assert len(set(steps.values())) > 1, steps  # the languages do not agree


def test_best_goes_on_from_the_training_that_is_best_on_dev_data(study):
    (row,) = cells(study, "tuned")
    choice = choice_behind(study, row.cell)
    found, chosen = records(study, choice)
    by_lr = {node(study, r["training"]).op.lr: r["score"] for r in found}

    assert {1e-7, 6e-4} == set(by_lr)
    assert by_lr[6e-4] > by_lr[1e-7]
    assert 6e-4 == node(study, chosen["training"]).op.lr
    assert weights(study.store().path(choice.key)) == weights(study.store().path(chosen["training"]))
    assert {"dev"} == {node(study, k).op.split for j in choice.op.judges for k in j.data}


def test_a_target_chooses_among_all_checkpoints_of_all_that_best_tries(study):
    (row,) = cells(study, "both")
    found, chosen = records(study, choice_behind(study, row.cell))

    assert 6 == len(found)
    assert 6e-4 == node(study, chosen["training"]).op.lr
    assert chosen["score"] == max(r["score"] for r in found)


def previous(study, experiment):
    return {(r.cell.benchmark, dict(r.cell.axes)["after"]): r.value for r in cells(study, experiment)}


def test_a_stage_that_learns_nothing_forgets_nothing_and_one_that_learns_does(study):
    kept, lost = previous(study, "kept"), previous(study, "lost")

    assert kept["w-words", "w-words"] == kept["w-words", "w-causes"] == lost["w-words", "w-words"]
    assert kept["w-words", "w-words"] > 0.4  # of five choices
    assert lost["w-words", "w-causes"] < lost["w-words", "w-words"]
    assert lost["w-causes", "w-causes"] > kept["w-causes", "w-causes"]


def test_the_old_head_answers_on_the_new_encoder(study):
    row = next(r for r in cells(study, "lost") if "w-words" == r.cell.benchmark != dict(r.cell.axes)["after"])
    predict = node(study, node(study, row.cell.score).op.predictions).op
    last, first = study.store().path(predict.weights), study.store().path(predict.head_of)

    assert row.value == accuracy(study, last, predict.data, head_of=first)
    assert node(study, predict.weights).op.parent == predict.head_of


def test_right_after_its_stage_a_part_scores_as_a_target_of_its_own(study):
    """The same node: nothing is predicted twice."""
    text = "babel-mini -> w-words(steps: 150, lr: 2e-3, batch: 32, warmup: 30%) @ w-words[qaa](split: dev)"
    path = study.path.with_name("plain.xfer")
    path.write_text(text)
    plain = xfer.compile(path, xfer.Options(store=study.store_root)).plan

    assert {n.key for n in nodes(plain, Predict)} < {n.key for n in nodes(study.plan, Predict)}


def test_nothing_is_left_to_do(study):
    assert () == study.preview().to_run
    assert nodes(study.plan, Select)
