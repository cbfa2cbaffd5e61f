"""Plans: the verifier sees broken promises, the schedule keeps order, and nothing of it is slow or heavy."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.ops import Data, Model, Predict, Score, Train, inputs
from compiler.pipeline import library
from compiler.plan import verify
from compiler.schedule import groups, needed
from tests.compiling import PRELUDE, compiled, nodes, plan_of
from tests.strategies import studies

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plan(folder):
    return plan_of(PRELUDE + "m -> {skip | a} -> c @ x[*] with (seeds: 2)", folder)


def test_the_verifier_sees_each_broken_promise(plan):
    first, *rest = plan.nodes

    assert [] == verify(plan)
    assert any("before it is made" in b for b in verify(replace(plan, nodes=tuple(rest))))
    assert any("stands twice" in b for b in verify(replace(plan, nodes=(*plan.nodes, first))))
    assert any("not the hash" in b for b in verify(replace(plan, nodes=(replace(first, key="0" * 64), *rest))))
    assert any("pinned" in b for b in verify(replace(plan, nodes=(replace(first, pinned=False), *rest))))
    assert any("has no node" in b for b in verify(replace(plan, cells=(replace(plan.cells[0], score="0" * 64),))))


def test_every_place_is_one_of_the_text(plan):
    lines = (PRELUDE + "m -> {skip | a} -> c @ x[*] with (seeds: 2)").split("\n")
    for node in plan.nodes:
        for place in (node.place, *node.places.values()):
            assert "spec.xfer" == place.file
            assert lines[place.line - 1] == place.text
            assert 1 <= place.width <= len(place.text) - place.column + 1


def test_routes_and_cells_are_the_runs(plan):
    assert [["m", "c"], ["m", "c"], ["m", "a", "c"], ["m", "a", "c"]] == [
        [s.title for s in r.steps] for r in plan.routes
    ]
    assert 2 * 2 * 4 == len(plan.cells) == sum(len(r.targets) for r in plan.routes)
    assert {c.score for c in plan.cells} == {n.key for n in nodes(plan, Score)}


@given(studies(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_what_is_missing_runs_after_its_inputs_and_once(folder, study, random):
    plan = plan_of(study.text(), folder)
    present = {n.key for n in plan.nodes if random.random() < 0.5}
    wanted = needed(plan, present)
    done = set(present)
    for group in groups(wanted):
        assert all(key in done or key in {n.key for n in wanted} for n in group for key in inputs(n.op))
        assert all(key in done for n in group for key in inputs(n.op))
        done |= {n.key for n in group}

    assert {n.key for n in wanted} == done - present
    assert {c.score for c in plan.cells} <= done


def test_a_missing_checkpoint_whose_scores_are_there_is_not_trained(plan):
    assert () == needed(plan, {n.key for n in nodes(plan, Score)})


def test_evaluations_of_one_checkpoint_run_together(plan):
    found = [g for g in groups(plan.nodes) if isinstance(g[0].op, Predict)]

    assert [4, 4, 4, 4] == [len(g) for g in found]
    assert all(1 == len({n.op.weights for n in g}) for g in found)


def test_data_come_before_the_first_training(plan):
    order = [type(n.op) for g in groups(plan.nodes) for n in g]

    assert order.index(Train) > max(i for i, sort in enumerate(order) if sort in (Model, Data))


def test_every_name_of_the_library_can_be_compiled():
    text = "".join(
        f"task my-{n} : {n} {{ }}\n" for n, d in library().items() if getattr(d, "word", "") in ("task", "benchmark")
    )
    models = [n for n, d in library().items() if getattr(d, "word", "") == "model"]

    assert models
    assert {"X0207"} == {
        d.code for d in compiled(text + f"{{{' | '.join(models)}}} -> copa(max-length: 32)").diagnostics
    }


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.xfer")), ids=lambda p: p.stem)
def test_the_shipped_studies_compile(path):
    assert plan_of(path.read_text(encoding="utf-8")).cells


def test_ten_thousand_nodes_are_no_work_to_speak_of():
    """A guard against work that grows with the square, not a measurement: it takes 0.5 s here."""
    import time

    start = time.process_time()
    plan = plan_of("xlmr-large -> {skip | hellaswag} -> copa @ xcopa[*] with (seeds: 300)")

    assert 10_000 < len(plan.nodes)
    assert time.process_time() - start < 5


def test_compiling_loads_no_ml_library():
    script = (
        "import sys; from tests.compiling import plan_of; plan_of('xlmr-large -> copa @ xcopa[*]');"
        "print({'torch', 'transformers', 'datasets', 'rich', 'numpy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "set()" == result.stdout.strip()


def test_a_wrong_spec_has_no_plan_and_a_warning_stops_nothing(folder):
    assert compiled("nothing -> copa", folder).plan is None
    assert compiled("xlmr-large -> copa @ copa", folder).plan is not None
