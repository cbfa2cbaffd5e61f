"""One process with inputs that atheris chooses by what they reach in `dsl` and `compiler`.

`python -m bench.fuzz.guided`, its task as JSON on standard input.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["dsl", "compiler"]):
    from bench.fuzz import inputs
    from bench.fuzz.again import keep_plans_small
    from bench.fuzz.trial import Breach, Task, Trials, begin, work

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Never


def try_all(task: Task) -> Never:
    """Hand over to libFuzzer, which ends the process: the last input, or a breach, writes the tally."""
    trials, left = begin(task), task.count

    def one(data: bytes) -> None:
        nonlocal left
        try:
            trials.one(*inputs.read(data))
        except Breach:
            _stop(trials)
        left -= 1
        if not left:
            trials.write()

    atheris.Setup(["fuzz", *_options(task, work(task))], one)
    atheris.Fuzz()
    raise AssertionError("libFuzzer ends the process")


def _options(task: Task, folder: Path) -> list[str]:
    """Options of libFuzzer. Time, memory and leaks are not its affair, and no clock has it read its corpus anew."""
    words, corpus = folder / "words.dict", folder / "corpus"
    words.write_text(inputs.dictionary(), encoding="ascii")
    corpus.mkdir()
    seeds = list(inputs.seeds())
    every = -(-len(seeds) // max(1, task.count // 4))  # a short run begins with some of each sort
    for index, data in enumerate(seeds[::every]):
        (corpus / f"{index:05}").write_bytes(data)
    stated = {
        "runs": task.count,
        "seed": task.seed,
        "max_len": inputs.LONGEST,
        "dict": words,
        "artifact_prefix": f"{task.out}/libfuzzer-{task.number}-",
        "timeout": 3600,  # atheris takes 0 for none at all
        "rss_limit_mb": 0,
        "detect_leaks": 0,
        "reload": 0,
    }
    return [*(f"-{name}={value}" for name, value in stated.items()), str(corpus)]


def _stop(trials: Trials) -> Never:
    """End at once after a breach: libFuzzer would take an exception for a finding of its own."""
    trials.write()
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    """Read the task and work."""
    keep_plans_small()
    try_all(Task(**json.load(sys.stdin)))


if __name__ == "__main__":
    main()
