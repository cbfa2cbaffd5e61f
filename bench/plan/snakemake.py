"""The graph for Snakemake, in two forms: a rule for each stage, with wildcards, and a rule for each job.

The second makes its rules in a loop, as Snakemake's documentation does; written out they are slower still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan.graph import INTERMEDIATE, TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.graph import Graph

_NAMES = """\
INTERMEDIATE = {intermediate}
TARGET = {target}
EVALUATION = [f"e{{n}}" for n in range({each})]
"""

_WILDCARDS = """

rule all:
    input:
        expand("scores/{i}/{t}/{e}.txt", i=INTERMEDIATE, t=TARGET, e=EVALUATION),


rule model:
    output:
        "model.txt",
    shell:
        "echo {output} > {output}"


rule intermediate:
    input:
        "model.txt",
    output:
        "intermediate/{i}.txt",
    shell:
        "echo {output} > {output}"


rule target:
    input:
        "intermediate/{i}.txt",
    output:
        "target/{i}/{t}.txt",
    shell:
        "echo {output} > {output}"


rule score:
    input:
        "target/{i}/{t}.txt",
    output:
        "scores/{i}/{t}/{e}.txt",
    shell:
        "echo {output} > {output}"
"""

_RULES = """
JOBS = {"model": ([], "model.txt")}
for i in INTERMEDIATE:
    JOBS[f"intermediate_{i}"] = ("model.txt", f"intermediate/{i}.txt")
    for t in TARGET:
        JOBS[f"target_{i}_{t}"] = (f"intermediate/{i}.txt", f"target/{i}/{t}.txt")
        for e in EVALUATION:
            JOBS[f"score_{i}_{t}_{e}"] = (f"target/{i}/{t}.txt", f"scores/{i}/{t}/{e}.txt")


rule all:
    input:
        expand("scores/{i}/{t}/{e}.txt", i=INTERMEDIATE, t=TARGET, e=EVALUATION),


for job, (reads, makes) in JOBS.items():

    rule:
        name:
            job
        input:
            reads,
        output:
            makes,
        shell:
            "echo {output} > {output}"
"""


def write_wildcards(folder: Path, graph: Graph) -> None:
    """A rule for each stage."""
    _write(folder, graph, _WILDCARDS)


def write_rules(folder: Path, graph: Graph) -> None:
    """A rule for each job."""
    _write(folder, graph, _RULES)


def _write(folder: Path, graph: Graph, rules: str) -> None:
    names = _NAMES.format(intermediate=list(INTERMEDIATE), target=list(TARGET), each=len(graph.each))
    (folder / "Snakefile").write_text(names + rules, encoding="utf-8")
