"""`make bench-plan`: every tool is given one graph, and what xfer records of it is there for `plan` and `run`."""

import re

import pytest

from bench.plan import dvc, ninja, snakemake
from bench.plan.graph import Graph, of_size
from bench.plan.measure import Command, Run, run
from bench.plan.record import document, table
from bench.plan.recording import record
from bench.plan.rounds import EVERYTHING, NOTHING, Bench, Measured, measure
from bench.plan.tools import Tool, environment, xfer
from bench.study import write_study
from tests.compiling import counts
from xfer import api
from xfer.opening import Options


def test_a_study_is_a_model_trainings_and_evaluations(tmp_path):
    plan = api.compile(write_study(tmp_path, 900), Options(store=tmp_path / "store")).plan

    assert (1, 29, 110, 900, 900) == counts(plan)
    assert 900 == len(plan.cells)


def test_the_graph_of_the_others_has_as_many_jobs_each_after_what_it_reads():
    graph, made = of_size(1011), set()
    for job in graph.jobs():
        assert job.reads is None or job.reads in made
        made.add(job.makes)

    assert 900 == graph.evaluations
    assert 1011 == graph.size == len(made)


@pytest.mark.parametrize("size", [0, 111, 1000, -89])
def test_a_size_whose_evaluations_do_not_come_out_even_is_refused(size):
    with pytest.raises(ValueError, match="a multiple of 100"):
        of_size(size)


def test_ninja_is_told_of_every_job(tmp_path):
    graph = Graph(200)
    ninja.write_builds(tmp_path, graph)
    text = (tmp_path / "build.ninja").read_text()

    assert 311 == text.count("\nbuild ")
    assert "\nbuild scores/i9/t9/e1.txt: make target/i9/t9.txt\n" in text


def test_snakemake_and_dvc_are_told_how_many_evaluations_follow_each_training(tmp_path):
    for write in (snakemake.write_wildcards, snakemake.write_rules):
        write(tmp_path, Graph(200))

        assert '\nEVALUATION = [f"e{n}" for n in range(2)]\n' in (tmp_path / "Snakefile").read_text()
    dvc.write_stages(tmp_path, Graph(200))

    assert "\n  - evaluation: [e0, e1]\n" in (tmp_path / "dvc.yaml").read_text()


def test_what_is_recorded_is_all_there_and_every_score_can_be_read(tmp_path):
    spec, store = write_study(tmp_path, 100), tmp_path / "store"
    record(spec, store)
    study = api.compile(spec, Options(store=store))
    rows, missing = api.rows(study)

    assert () == study.preview().to_run
    assert (100, 0) == (len(rows), missing)


def test_xfer_answers_what_the_measurement_waits_for(tmp_path):
    tool, graph = xfer(), Graph(100)
    tool.lay(tmp_path, graph)
    done = run(Command(tool.preview, tmp_path, environment(tmp_path)), 60)

    assert 0 == done.code
    assert re.search(tool.says(graph)[0], done.said)
    assert 0 < done.cpu
    assert 20 < done.mib < 200


def test_a_process_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    done = run(Command(("sh", "-c", "echo begun; sleep 60 & wait"), tmp_path, environment(tmp_path)), 0.3)

    assert -9 == done.code
    assert "begun\n" == done.said
    assert done.seconds < 30


def _shell(name, preview, **changes):
    """A tool that is told nothing, and records by making a file."""
    made = {
        "lay": lambda *_: None,
        "record": lambda _: [("touch", "made")],
        "how": "touch",
        "says": lambda _: ("none", "all"),
    }
    return Tool(name=name, preview=("sh", "-c", preview), **made | changes)


def test_each_tool_previews_nothing_and_everything_and_what_answers_wrongly_is_named(tmp_path):
    right = "if test -e made; then echo all; else echo none; fi"
    tools = [
        _shell("right", right),
        _shell("wrong", "echo none"),
        _shell("small", right, most=210),
        _shell("forgetful", right, most_recorded=210),
        _shell("asleep", right, record=lambda _: [("sleep", "60")]),
    ]
    found = measure(Graph(100), tools, Bench(tmp_path, environment(tmp_path), 60, 1.0))

    both, first = {NOTHING: 5, EVERYTHING: 5}, {NOTHING: 5}
    rounds = {tool.name: {s: len(r) for (t, s), r in found.rounds.items() if t == tool.name and r} for tool in tools}
    assert {"right": both, "wrong": first, "small": {}, "forgetful": first, "asleep": first} == rounds
    assert [("wrong", EVERYTHING)] == list(found.broken)
    assert [] == list(tmp_path.iterdir())


def test_the_document_has_medians_ratios_of_each_round_and_bars():
    runs = {
        ("xfer", NOTHING): [_run(0.5), _run(0.4), _run(2.0)],
        ("snakemake", NOTHING): [_run(6.0), _run(2.0), _run(8.0)],
        ("snakemake-rules", NOTHING): [_run(70.0)],
    }
    found = document([Measured(Graph(9900), {}, runs)], 0.0)

    assert [0.5, 6.0, 70.0] == [f["seconds"] for f in found["figures"]]
    assert [1, 5, 140] == [f["times xfer"] for f in found["figures"]]
    assert [("0.5 s, 100 MiB", True), ("5 times", False)] == [(b["found"], b["met"]) for b in found["bars"]]
    assert "| 10,011 | snakemake | nothing | 6.00 |" in table(found)


def _run(seconds):
    return Run(seconds, seconds, 100.0, 0, "")
