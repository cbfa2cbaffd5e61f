"""Other worlds: the question of the quickstart, asked in worlds of other seeds, each with a model of its own.

    python -m bench.worlds [--store DIR] [--seeds FIRST-LAST] WORLD ...

Pretrains what the store lacks (several minutes on one core for each world) and prints a table as Markdown, in points:
means over the zero-shot languages, with gains over `skip` and their intervals (Student's t over seeds of fine-tuning).
The parameters of the world were fixed on worlds and seeds from 100 on (docs/world.md).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import xfer
from runtime.tables import tables
from runtime.world import SOURCE, World
from runtime.world.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from runtime.statistics import Estimate
    from runtime.tables import Table

SPEC = """
task text : w-text {{ data: world(text, seed: {world}) }}
task stories : w-stories {{ data: world(stories, seed: {world}) }}
task words : w-words {{ data: world(words, seed: {world}) }}
task causes : w-causes {{ data: world(causes, seed: {world}) }}

model new {{
  weights: scratch(layers: 2, width: 64, heads: 4, feedforward: 256, positions: 96, dropout: 0, seed: {world},
                   tokenizer: dir("tokenizer"))
}}

let pretrained = text[*](steps: 16000, batch: 64, lr: 3e-3, warmup: 5%, mask: 40%, seed: {world})
let intermediate = {{ skip | stories | words }}

transfer: new -> pretrained -> intermediate -> causes @ causes[*] with (seed: {{{seeds}}})
"""
HEADER = "| world | `skip` in the source | `skip` | gain of `w-stories` | gain of `w-words` | ρ with distance |"


def table(world: int, seeds: str, store: Path | None) -> Table | None:
    """The scores of one world; None where a node failed."""
    with tempfile.TemporaryDirectory() as folder:
        train_tokenizer(Path(folder) / "tokenizer", World(seed=world))
        spec = Path(folder) / "world.xfer"
        spec.write_text(SPEC.format(world=world, seeds=seeds), encoding="utf-8")
        study = xfer.compile(spec, xfer.Options(store=store))
        report = xfer.run(study)
    if report.failed:
        print(report.failed[0], file=sys.stderr)
        return None
    return tables(xfer.rows(study)[0])[0]


def line(world: int, scores: Table) -> str:
    """One row of the printed table."""
    skip, stories, words = scores.arms
    gains = [_gain(arm.average_gain) for arm in (stories, words)]
    rho = " · ".join(f"{arm.correlation:+.2f}" for arm in scores.arms if arm.correlation is not None)
    return f"| {world} | {_mean(skip.by_language[SOURCE.code])} | {_mean(skip.average)} | {' | '.join(gains)} | {rho} |"


def _mean(shown: Estimate | None) -> str:
    return f"{100 * shown.mean:.1f} ±{100 * (shown.deviation or 0):.1f}" if shown else "–"


def _gain(shown: Estimate | None) -> str:
    if shown is None or shown.low is None or shown.high is None:
        return "–"
    return f"{100 * shown.mean:+.1f} [{100 * shown.low:+.1f}, {100 * shown.high:+.1f}]"


def main() -> int:
    """Run, and print the table; 1 where a node failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--seeds", default="100-104")
    parser.add_argument("worlds", type=int, nargs="+")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split("-"))
    seeds = " | ".join(str(seed) for seed in range(first, last + 1))
    lines = [HEADER, "| --- " * (HEADER.count("|") - 1) + "|"]
    for world in arguments.worlds:
        scores = table(world, seeds, arguments.store)
        if scores is None:
            return 1
        lines.append(line(world, scores))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
