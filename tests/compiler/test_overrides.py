"""`--set KEY=VALUE` and the one experiment that is wanted."""

import pytest

from compiler.ops import Data, Train
from compiler.pipeline import Wanted, compile_text
from compiler.places import Places
from dsl.diagnostics import Severity
from dsl.source import Source
from tests.compiling import CPU, EMBEDDED, PRELUDE, nodes, plan_of


@pytest.fixture
def over(folder):
    """What the chains compile to with settings from outside."""

    def compiled(text, *settings, experiment=None):
        places = Places(folder, embedded=EMBEDDED)
        return compile_text(Source("spec.xfer", PRELUDE + text), places, CPU, Wanted(experiment, settings))

    return compiled


def errors(result):
    return [(d.code, d.primary.span.text) for d in result.diagnostics if d.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("chains", "settings", "same"),
    [
        ("m -> a(lr: 1e-4) -> c @ x[de]", ["lr=3e-5"], "m -> a(lr: 3e-5) -> c(lr: 3e-5) @ x[de]"),
        ("m -> a -> c @ x[de] with (seeds: 3)", ["seed=2"], "m -> a -> c @ x[de] with (seed: 2)"),
        ("m -> a -> c @ x[de] with (epochs: 3)", ["steps=5"], "m -> a -> c @ x[de] with (steps: 5)"),
        ("m -> a(lr: 1e-4) -> c @ x[de]", ["a.lr=3e-5"], "m -> a(lr: 3e-5) -> c @ x[de]"),
        ("m -> a -> t @ t", ["masked-lm.lr=3e-5"], "m -> a -> t(lr: 3e-5) @ t"),
        ("m -> a -> t @ t", ["lr=3e-5", "t.lr=1e-4"], "m -> a(lr: 3e-5) -> t(lr: 1e-4) @ t"),
        ("m -> (a + b)(lr: 1e-4) @ a[de]", ["lr=3e-5"], "m -> (a + b)(lr: 3e-5) @ a[de]"),
        ("m -> a + b(max-length: 9) @ a[de]", ["b.max-length=8"], "m -> a + b(max-length: 8) @ a[de]"),
        ("m -> c(max-length: 9) @ x[de]", ["max-length=16"], "m -> c(max-length: 16) @ x[de]"),
        ("m -> c @ x[de](max-length: 9)", ["x.max-length=16"], "m -> c @ x[de](max-length: 16)"),
        ("m -> c(limit: 9) @ x[de]", ["c.limit=5"], "m -> c(limit: 5) @ x[de]"),
        ("defaults { lr: 1e-4 }\nm -> c @ x[de]", ["lr={1e-5 | 3e-5}"], "m -> c(lr: {1e-5 | 3e-5}) @ x[de]"),
    ],
)
def test_a_setting_from_outside_is_nearer_than_all_that_stands_in_the_spec(over, folder, chains, settings, same):
    result = over(chains, *settings)

    assert [] == errors(result)
    assert {n.key for n in plan_of(PRELUDE + same, folder).nodes} == {n.key for n in result.plan.nodes}


def test_a_task_of_the_spec_itself_may_be_named(over):
    result = over("task own : c { }\nm -> own @ x[de]", "own.lr=3e-5")

    assert [3e-5] == [n.op.lr for n in nodes(result.plan, Train)]


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        (["lrr=1"], ("X0301", "lrr")),
        (["lr=x"], ("X0302", "x")),
        (["lr=@"], ("X0101", "@")),
        (["nothing.lr=1e-5"], ("X0201", "nothing")),
        (["m.lr=1e-5"], ("X0206", "m")),
        (["limit=3"], ("X0206", "limit: 3")),
        (["mask=20%"], ("X0305", "mask: 20%")),
        (["b.lr=1e-5"], ("X0305", "lr: 1e-5")),
        (["lr=1e-5, batch: 3"], ("X0302", "defaults { lr: 1e-5, batch: 3 }")),
        (["lr=1e-5 } m -> c defaults { batch: 3"], ("X0302", "defaults { lr: 1e-5 }")),
        (["lr=1e-5", "lr=3e-5"], ("X0304", "lr: 3e-5")),
    ],
)
def test_one_mistake_is_one_finding_at_the_option(over, settings, finding):
    result = over("m -> c @ x[de]", *settings)

    assert [finding] == errors(result)
    assert "--set" == result.diagnostics[0].primary.span.source.name


def test_one_experiment_alone_is_planned_and_its_data_alone_are_looked_for(over):
    chains = "one: m -> c @ x[de]\ntask gone : a { data: files('none/{{ split }}.jsonl') }\ntwo: m -> gone @ x[de]"
    chains = chains.replace("'", '"')

    assert [] == errors(over(chains, experiment="one"))
    assert errors(over(chains))
    assert {"one"} == {c.experiment for c in over(chains, experiment="one").plan.cells}


def test_an_experiment_without_a_label_has_its_number(over):
    result = over("m -> c @ x[de]\nm -> a @ a[de]", experiment="#2")

    assert ("#1", "#2") == result.experiments
    assert {"a"} == {c.benchmark for c in result.plan.cells}
    assert all("x" not in n.label.split() for n in nodes(result.plan, Data))


def test_the_whole_spec_is_checked_whatever_is_wanted(over):
    assert [("X0201", "nothing")] == errors(over("one: m -> c @ x[de]\ntwo: m -> nothing", experiment="one"))
