"""The graph for DVC: a stage for each, as a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan.graph import INTERMEDIATE, TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.graph import Graph

_STAGES = """
stages:
  model:
    cmd: echo model.txt > model.txt
    outs:
      - model.txt
  intermediate:
    matrix:
      i: ${intermediate}
    cmd: mkdir -p intermediate && echo intermediate/${item.i}.txt > intermediate/${item.i}.txt
    deps:
      - model.txt
    outs:
      - intermediate/${item.i}.txt
  target:
    matrix:
      i: ${intermediate}
      t: ${target}
    cmd: mkdir -p target/${item.i} && echo target/${item.i}/${item.t}.txt > target/${item.i}/${item.t}.txt
    deps:
      - intermediate/${item.i}.txt
    outs:
      - target/${item.i}/${item.t}.txt
  score:
    matrix:
      i: ${intermediate}
      t: ${target}
      e: ${evaluation}
    cmd: >-
      mkdir -p scores/${item.i}/${item.t} &&
      echo scores/${item.i}/${item.t}/${item.e}.txt > scores/${item.i}/${item.t}/${item.e}.txt
    deps:
      - target/${item.i}/${item.t}.txt
    outs:
      - scores/${item.i}/${item.t}/${item.e}.txt
"""


def write_stages(folder: Path, graph: Graph) -> None:
    """Its `dvc.yaml`."""
    names = {"intermediate": INTERMEDIATE, "target": TARGET, "evaluation": graph.each}
    lines = ["vars:", *(f"  - {name}: [{', '.join(values)}]" for name, values in names.items())]
    (folder / "dvc.yaml").write_text("\n".join(lines) + _STAGES, encoding="utf-8")
