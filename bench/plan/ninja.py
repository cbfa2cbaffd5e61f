"""The graph for ninja: a build statement for each job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.graph import Graph


def write_builds(folder: Path, graph: Graph) -> None:
    """Its `build.ninja`."""
    lines = ["rule make", "  command = echo $out > $out", ""]
    lines += [f"build {job.makes}: make {job.reads or ''}".rstrip() for job in graph.jobs()]
    (folder / "build.ninja").write_text("\n".join([*lines, ""]), encoding="utf-8")
