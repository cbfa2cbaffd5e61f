"""The embedded model, with which the quickstart runs anywhere."""

from __future__ import annotations

import json
from pathlib import Path

from xfer.doctor.finding import Finding, ok, trouble
from xfer.opening import EMBEDDED

MODEL = "babel-mini"
_MEND = "install xfer again; its wheel carries the model"


def examine(folder: Path = EMBEDDED / MODEL) -> list[Finding]:
    """Whether the model that comes with xfer can be read, weights and all."""
    try:
        for name in ("config.json", "tokenizer.json"):
            json.loads((folder / name).read_text(encoding="utf-8"))
        parameters = _parameters(folder / "model.safetensors")
    except (OSError, ValueError, ImportError) as error:
        return [trouble("model", f"{MODEL} cannot be read: {error}", _MEND)]
    return [ok("model", f"{MODEL}, {parameters:,} parameters")]


def _parameters(path: Path) -> int:
    """The numbers in a file of weights. Raises ValueError for one that is cut short or none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return sum(file.get_tensor(name).size for name in file.keys())  # noqa: SIM118  (no mapping)
    except SafetensorError as error:
        raise ValueError(f"{path.name}: {error}") from error
