"""The measured rounds of one graph: every tool in both states, one after the other, again and again."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.plan.graph import make_files
from bench.plan.measure import Command, run
from bench.plan.tools import SPEC, STORE, XFER

if TYPE_CHECKING:
    from bench.plan.graph import Graph
    from bench.plan.measure import Run
    from bench.plan.tools import Tool, Words

NOTHING, EVERYTHING = "nothing", "everything"  # recorded
AGAIN, TORCH = "xfer run", "import torch"  # measured beside the tools: a run with nothing to do, and a yardstick
YARDSTICKS = 5000  # jobs; in larger graphs these two are not measured
SLOW = 60.0  # seconds after which a preview is not measured again


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: a tool's command in one state of its records, and what it must say."""

    tool: str
    recorded: str
    words: Words
    folder: Path
    says: str = ""


@dataclass(slots=True)
class Measured:
    """What became of one graph."""

    graph: Graph
    recordings: dict[str, str] = field(default_factory=dict)  # how each tool recorded everything, or why not
    rounds: dict[tuple[str, str], list[Run]] = field(default_factory=dict)  # tool, what is recorded -> each round
    broken: dict[tuple[str, str], str] = field(default_factory=dict)  # those whose preview failed, and how


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long."""

    folder: Path
    environment: Mapping[str, str]
    limit: float  # seconds that a preview may take
    patience: float  # seconds that recording may take

    def command(self, words: Words, folder: Path) -> Command:
        """A command of a tool."""
        return Command(words, folder, self.environment)


def measure(graph: Graph, tools: Sequence[Tool], bench: Bench) -> Measured:
    """Tell every tool of the graph, record all of it, and preview both, some rounds."""
    measured = Measured(graph)
    cases = [case for tool in tools for case in _prepare(tool, bench, measured)]
    if graph.size < YARDSTICKS and any(tool.name == "xfer" for tool in tools):
        cases += _yardsticks(bench.folder / f"{graph.size}-xfer-{EVERYTHING}")
    for number in range(_rounds(graph.size)):
        for case in cases:
            done = measured.rounds.setdefault((case.tool, case.recorded), [])
            if len(done) < number or any(r.seconds > SLOW for r in done):
                continue  # too slow, or broken
            print(f"{graph.size:,} round {number + 1}: {case.tool}, {case.recorded} recorded", file=sys.stderr)
            _once(case, bench, measured)
    for path in bench.folder.glob(f"{graph.size}-*"):
        shutil.rmtree(path)
    return measured


def _rounds(size: int) -> int:
    return 5 if size < 5000 else 3 if size < 50_000 else 2


def _prepare(tool: Tool, bench: Bench, measured: Measured) -> Iterable[Case]:
    """Both states of a tool; only the first where the second takes too long, none where the graph is too large."""
    graph = measured.graph
    if tool.most is not None and graph.size > tool.most:
        measured.recordings[tool.name] = f"not measured: more than {tool.most:,} jobs"
        return
    folders = [bench.folder / f"{graph.size}-{tool.name}-{state}" for state in (NOTHING, EVERYTHING)]
    for folder in folders:
        folder.mkdir()
        tool.lay(folder, graph)
        for words in tool.begin:
            _checked(run(bench.command(words, folder), bench.patience), words)
    fresh, full = tool.says(graph)
    yield Case(tool.name, NOTHING, tool.preview, folders[0], fresh)
    if _record(tool, folders[1], bench, measured):
        yield Case(tool.name, EVERYTHING, tool.preview, folders[1], full)


def _record(tool: Tool, folder: Path, bench: Bench, measured: Measured) -> bool:
    """Record everything with the tool's own commands; False where it takes too long."""
    if tool.most_recorded is not None and measured.graph.size > tool.most_recorded:
        measured.recordings[tool.name] = f"nothing: more than {tool.most_recorded:,} jobs"
        return False
    print(f"{measured.graph.size:,}: {tool.name} records everything", file=sys.stderr)
    if not tool.makes:
        make_files(folder, measured.graph)
    taken = 0.0
    for words in tool.record(measured.graph):
        done = run(bench.command(words, folder), bench.patience - taken)
        taken += done.seconds
        if taken >= bench.patience:
            measured.recordings[tool.name] = f"nothing: {tool.how} takes more than {bench.patience:,.0f} s"
            return False
        _checked(done, words)
    measured.recordings[tool.name] = f"{tool.how} ({taken:,.0f} s)"
    return True


def _checked(done: Run, words: Words) -> None:
    if done.code:
        raise RuntimeError(f"{words} ended with {done.code}:\n{done.said[-2000:]}")


def _yardsticks(folder: Path) -> list[Case]:
    again = (*XFER, "run", SPEC, "--store", STORE)
    return [
        Case(AGAIN, EVERYTHING, again, folder, r"\b0 to run\b"),
        Case(TORCH, EVERYTHING, (sys.executable, "-c", "import torch"), folder),
    ]


def _once(case: Case, bench: Bench, measured: Measured) -> None:
    """One run; one that fails, or does not say what it must, is kept as broken."""
    done = run(bench.command(case.words, case.folder), bench.limit)
    if done.code == 0 and re.search(case.says, done.said):
        measured.rounds[case.tool, case.recorded].append(done)
        return
    slow = done.seconds >= bench.limit
    measured.broken[case.tool, case.recorded] = (
        f"more than {bench.limit:,.0f} s" if slow else f"ended with {done.code}: {done.said[-300:]}"
    )
