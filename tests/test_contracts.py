"""The import contracts catch what they forbid: each is broken once, on purpose, in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BREAKS = {
    "one direction": ("compiler/bag.py", "import runtime.errors"),
    "the runtime sees plans, not passes": ("runtime/errors.py", "import compiler.lower"),
    "the language and the compiler load no ML library": ("compiler/bag.py", "import torch"),
    "only the parser reaches lark": ("compiler/bag.py", "import lark"),
    "previews and the store load no ML library": ("runtime/store/io.py", "import torch"),
    "only the hub's own package asks the hub": ("runtime/models.py", "import huggingface_hub"),
    "only the face draws": ("runtime/errors.py", "import rich"),
}


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_caught(tmp_path, contract):
    for package in ("dsl", "compiler", "runtime", "xfer"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "babel-mini"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    path, line = BREAKS[contract]
    broken = tmp_path / path
    broken.write_text(broken.read_text() + f"\n\ndef broken():\n    {line}\n")

    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert 1 == done.returncode, done.stdout + done.stderr
    verdicts = [text for text in done.stdout.splitlines() if text.startswith(contract)]
    assert any(text.endswith("BROKEN") for text in verdicts), done.stdout
