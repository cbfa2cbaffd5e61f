"""What declarations say of themselves: read as written, in no key, and of use where nothing better is known."""

from compiler.bag import Bag
from compiler.declarations import Declarations
from compiler.facts import MEAN
from compiler.ops import Data, Train
from compiler.pipeline import LIBRARY, library, library_alone
from compiler.places import Places
from runtime.estimates import estimate
from runtime.preview import Mark, preview
from runtime.store.objects import Store
from tests.compiling import PRELUDE, compiled, plan_of
from xfer.opening import imagined

SPEC = """\
task t : multiple-choice {
  data: hf("in/t")  %s
  input: { choices: ["{{ a }}", "{{ b }}"], label: "{{ l }}" }
}
model m { weights: hf("in/m") %s }
m -> t(epochs: 2, batch: 10) @ t(split: dev)
"""
SIZES = ("size: { train: 1000, dev: 50, tokens: 20 }", "size: { layers: 2, width: 8, vocabulary: 100, parameters: 5k }")


def keys(text):
    return [n.key for n in plan_of(text).nodes]


def test_nothing_of_it_is_in_a_key():
    more = f'{SIZES[0]} unverified: [columns] obtain: "ask" published: {{ system: "x", accuracy: 3, source: "y" }}'

    assert keys(SPEC % ("", "")) == keys(SPEC % (more, SIZES[1]))


def test_declared_sizes_are_what_an_estimate_has_of_what_is_not_pinned(tmp_path):
    device, workers = imagined("H100")
    plan = compiled(SPEC % SIZES, device=device).plan
    store = Store(tmp_path, write=False)
    found = estimate(plan, store, plan.nodes, workers)
    (train,) = [n for n in plan.nodes if isinstance(n.op, Train)]

    # 2 epochs of 1,000 rows, two sequences each of 20 * (1 + 2) / 4 tokens and 3 of its own
    assert 2 * 1000 * 2 * (15 + 3) == found.works[train.key].tokens
    assert 5_000 * 4 == found.works[train.key].size
    assert found.works[train.key].flops and not found.unknown
    nothing = compiled(SPEC % ("", ""), device=device).plan
    assert estimate(nothing, store, nothing.nodes, workers).unknown


def test_what_must_be_obtained_blocks_what_reads_it_and_nothing_else(tmp_path):
    text = """\
task far : w-causes { data: files("@nowhere/{{ language }}/{{ split }}.jsonl")  obtain: "Ask for it." }
a: babel-mini -> far @ w-xcauses[qab]
b: babel-mini -> w-causes @ w-xcauses[qab]
"""
    plan = plan_of(text)
    found = preview(plan, Store(tmp_path, write=False))
    blocked = {n.label for n in plan.nodes if found.marks[n.key] is Mark.BLOCKED}

    assert {"data far train[qaa]"} == {n.label for n in found.absent}
    assert "babel-mini -> far (seed 1)" in blocked and "babel-mini -> w-causes (seed 1)" not in blocked
    assert 4 == len(blocked)  # data, training, prediction, score
    (node,) = found.absent
    assert isinstance(node.op, Data)
    assert "Ask for it. Then say where it lies: `--root nowhere=DIR`, or in xfer.toml" == plan.obtaining(
        node.op.rows[0]
    )


def test_labels_that_must_be_obtained_block_their_task_and_are_nobody_elses(tmp_path):
    text = """\
task one : tagging {
  data: world(tags)  source: qaa  obtain: "Ask."  labels: files("@one/tags.txt")
  input: { tokens: "{{ tokens }}", tags: "{{ tags }}" }
}
task two : one { labels: files("@two/tags.txt") }
babel-mini -> one @ %s(split: dev)
"""
    plan = plan_of(text % "one")
    found = preview(plan, Store(tmp_path, write=False))

    assert {"data one train[qaa]", "data one dev[qaa]"} == {n.label for n in found.absent}
    assert ["X0307"] == [d.code for d in compiled(text % "two").diagnostics if d.severity.value == "error"]


def test_published_scores_are_read_by_language_and_mean():
    declarations = Declarations(library_alone(), Places(LIBRARY), Bag())
    scores = declarations.task(library()["xcopa"]).facts.published
    best = [s for s in scores if s.system == "XLM-R Large" and s.language in (MEAN, "et")]

    assert [("mean", 68.69, "xlmr-large"), ("et", 71.4, "xlmr-large")] == [(s.language, s.score, s.model) for s in best]
    assert all(s.source and s.metric == "accuracy" for s in scores)
    assert () == declarations.task(library()["xcopa-repaired"]).facts.published  # not inherited


def test_every_published_mean_is_that_of_its_languages():
    """Where all languages of a declaration are given: a figure that was copied wrongly shows."""
    declarations = Declarations(library_alone(), Places(LIBRARY), Bag())
    checked = 0
    for found in library().values():
        task = declarations.task(found) if getattr(found, "word", "") in ("task", "benchmark") else None
        for system in {s.system for s in task.facts.published} if task else ():
            scores = {s.language: s.score for s in task.facts.published if s.system == system}
            if {MEAN, *task.languages} <= scores.keys():
                mean = sum(scores[c] for c in task.languages) / len(task.languages)
                assert abs(mean - scores[MEAN]) <= 0.06, (task.name, system, mean)
                checked += 1
    assert checked >= 10


def test_what_nobody_has_seen_is_told_of_what_a_plan_uses():
    plan = plan_of("xlmr-large -> hellaswag @ m-hellaswag[de]\n")

    assert {"m-hellaswag": ("columns", "size")} == plan.unverified
    assert {} == plan_of(f"{PRELUDE}xlmr-large -> copa @ xcopa[it]\n").unverified
