"""The tools beside which xfer is measured, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PINNED = {"snakemake": "9.27.1", "dvc": "3.67.1", "ninja": "1.13.2"}


def install(package: str, folder: Path) -> str:
    """The command of a peer, which is installed from the package index if it is not there yet."""
    home = folder / f"{package}-{PINNED[package]}"
    installed = home / ".installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, f"{package}=={PINNED[package]}"], check=True, stdout=sys.stderr)
        installed.touch()
    return str((home / "bin" / package).absolute())
