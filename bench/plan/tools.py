"""The tools: how each is told of a graph, how it records all of it, how it previews it, and what it must answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.fuzz.record import ROOT
from bench.plan import dvc, ninja, peers, snakemake
from bench.plan.graph import INTERMEDIATE, TARGET
from bench.study import write_study

if TYPE_CHECKING:
    from bench.plan.graph import Graph

# As users have it: the development extra `interegular`, which they have not, costs 0.1 s where it can be imported.
XFER = (sys.executable, "-c", "import sys; sys.modules['interegular'] = None; from xfer.cli import entry; entry()")
SPEC, STORE = "study.xfer", "store"

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, in one form. Commands run in the folder that holds what it was told."""

    name: str
    preview: Words
    lay: Callable[[Path, Graph], None]  # tell it of the graph, in an empty folder
    record: Callable[[Graph], Sequence[Words]]  # the commands that record everything
    how: str  # that in words
    says: Callable[[Graph], tuple[str, str]]  # patterns of a right preview: nothing recorded, everything recorded
    begin: tuple[Words, ...] = ()  # commands before all others
    makes: bool = True  # whether recording makes the files, too; else they are made before
    most: int | None = None  # jobs that it previews; a larger graph would take it hours
    most_recorded: int | None = None  # jobs that it records


def xfer() -> Tool:
    """The tool that this is about."""
    return Tool(
        name="xfer",
        preview=(*XFER, "plan", SPEC, "--store", STORE),
        lay=_lay_study,
        record=lambda _: [("env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "bench.plan.recording", SPEC, STORE)],
        how="the executor and the store, with bodies that take no time; nothing is forced to the disk meanwhile",
        says=lambda _: (r": 0 cached", r", 0 to run\b"),
    )


def _lay_study(folder: Path, graph: Graph) -> None:
    write_study(folder, graph.evaluations)


def ninja_tool(command: str) -> Tool:
    """`ninja -n`."""
    return Tool(
        name="ninja",
        preview=(command, "-n"),
        lay=ninja.write_builds,
        record=lambda _: [(command, "-j2", "--quiet")],
        how="ninja -j2",
        says=lambda graph: (rf"\[{graph.size}/{graph.size}\]", r"no work to do"),
    )


def snakemake_tool(name: str, lay: Callable[[Path, Graph], None], most: int | None, command: str) -> Tool:
    """`snakemake --dry-run` with the summary alone, as its help advises for large workflows; the rest costs more.

    It records by running its jobs, a thousand at once: all of 10,000 together took it more than half an hour, and
    `--touch` waits a tenth of a second for each.
    """

    def batches(graph: Graph) -> list[Words]:
        count = 1 + graph.size // 1000
        return [(command, "-c2", "--quiet", "--batch", f"all={n + 1}/{count}") for n in range(count)]

    return Tool(
        name=name,
        preview=(command, "--dry-run", "--quiet", "rules"),
        lay=lay,
        record=batches,
        how="snakemake -c2, in batches of about 1,000 jobs",
        says=lambda graph: (rf"(?m)^total\s+{graph.size + 1}$", r"Nothing to be done"),
        most=most,
        most_recorded=20_000,
    )


def dvc_tool(command: str) -> Tool:
    """`dvc status`: `dvc repro --dry` fails where the result of an earlier stage is not there yet.

    Without git, without telemetry and the search for updates: all that makes it quicker.
    """
    last = f"score@{INTERMEDIATE[-1]}-{TARGET[-1]}"
    return Tool(
        name="dvc",
        preview=(command, "status"),
        lay=dvc.write_stages,
        begin=(
            (command, "init", "--no-scm", "--quiet"),
            (command, "config", "core.analytics", "false"),
            (command, "config", "core.check_update", "false"),
        ),
        record=lambda _: [(command, "commit", "--force", "--quiet")],
        how="dvc commit --force, its files made before: dvc repro writes dvc.lock anew after each of its stages",
        says=lambda graph: (rf"(?m)^{last}-{graph.each[-1]}:", r"up to date"),
        makes=False,
        most=20_000,
    )


_TOOLS: Mapping[str, tuple[str | None, Callable[..., Tool]]] = {  # name -> what to install, how it is used
    "xfer": (None, xfer),
    "ninja": ("ninja", ninja_tool),
    "snakemake": ("snakemake", partial(snakemake_tool, "snakemake", snakemake.write_wildcards, None)),
    "snakemake-rules": ("snakemake", partial(snakemake_tool, "snakemake-rules", snakemake.write_rules, 20_000)),
    "dvc": ("dvc", dvc_tool),
}
NAMES = tuple(_TOOLS)


def tools(names: Sequence[str], folder: Path) -> list[Tool]:
    """The tools of those names, installed under `folder`."""
    found = (_TOOLS[name] for name in names)
    return [make(peers.install(package, folder)) if package else make() for package, make in found]


def environment(folder: Path) -> dict[str, str]:
    """The environment of every process: as a user's, with caches under `folder`, and no word sent home.

    No variable of Python's: one that keeps compiled modules from being kept would slow what is not installed with pip.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XFER_"))}
    return kept | {"XDG_CACHE_HOME": str(folder), "DVC_SITE_CACHE_DIR": str(folder / "dvc"), "DVC_NO_ANALYTICS": "1"}
