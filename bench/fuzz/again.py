"""One input tried again in a fresh process, without atheris: `python -m bench.fuzz.again FILE [MODULE:FUNCTION]`.

Prints as JSON what came of it; what it raises is raised. Instrumented code takes about twice as long as it does here.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from compiler import compose, expand
from tests.compiling import write_files
from tests.fuzzing import Tried

if TYPE_CHECKING:
    from collections.abc import Callable

    Trier = Callable[[str, Path], Tried]

RUNS = 400  # of one experiment at the most, while fuzzing: plans of the language's 20,000 take half a minute each


def keep_plans_small() -> None:
    """Have the compiler of this process refuse experiments of more than RUNS runs."""
    for module in (compose, expand):
        setattr(module, "MOST_RUNS", RUNS)  # noqa: B010  (to a type checker it is a constant)


def trier(name: str) -> Trier:
    """What `MODULE:FUNCTION` names."""
    module, _, function = name.partition(":")
    found: Trier = getattr(importlib.import_module(module), function)
    return found


def ready(tries: Trier, folder: Path) -> Path:
    """The folder with the files that specs may name; what is loaded once is loaded then, and counts for no input."""
    folder.mkdir(exist_ok=True, parents=True)
    write_files(folder)
    tries("m -> a", folder)
    return folder


def again(path: Path, name: str) -> Tried | None:
    """What came of the input in a process of its own; None where it raised, or took more than a minute."""
    try:
        said = subprocess.run(
            [sys.executable, "-m", "bench.fuzz.again", path, name], capture_output=True, timeout=60, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return Tried(**json.loads(said.stdout))


def main() -> None:
    """Try the file and print what came of it."""
    keep_plans_small()
    path, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "tests.fuzzing:tried"
    tries, text = trier(name), path.read_bytes().decode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asdict(tries(text, ready(tries, Path(folder))))))


if __name__ == "__main__":
    main()
