"""What lies where a file was looked for.

`os.path.isdir` and its like are asked, not `Path`: they answer for every text, however long or strange.
"""
# ruff: noqa: PTH112, PTH208

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from compiler.suggest import closest

if TYPE_CHECKING:
    from pathlib import Path


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, as far as one may look."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def lying_near(path: Path) -> str:
    """What lies where the file should be."""
    folder = path.parent
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    names = names_in(folder)
    if folder == path.parent and (best := closest(path.name, names)) is not None:
        return f"did you mean `{best}`? It lies in `{folder}`"
    shown = ", ".join(f"`{n}`" for n in names[:8]) + (" …" if len(names) > 8 else "")  # noqa: PLR2004
    return f"`{folder}` holds {shown}" if names else f"`{folder}` is empty"
