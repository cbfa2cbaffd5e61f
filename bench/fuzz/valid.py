"""One process with its share of the valid specs: `python -m bench.fuzz.valid`, its task as JSON on standard input."""

from __future__ import annotations

import json
import sys

from bench.fuzz.again import keep_plans_small
from bench.fuzz.trial import Breach, Task, begin
from tests.fuzzing import valid


def try_all(task: Task) -> int:
    """Try the specs and write the tally; 1 after a breach."""
    trials = begin(task)
    try:
        for seed in range(task.seed, task.seed + task.count):
            trials.one("valid", valid(seed))
    except Breach:
        return 1
    finally:
        trials.write()
    return 0


def main() -> int:
    """Read the task and work."""
    keep_plans_small()
    return try_all(Task(**json.load(sys.stdin)))


if __name__ == "__main__":
    sys.exit(main())
