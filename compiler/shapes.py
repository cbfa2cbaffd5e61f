"""What is known of a model before anything is loaded: the longest sequence it takes, and its layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_POSITIONS = 512  # where a configuration says nothing, as the libraries have it


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a model, as far as they are known."""

    positions: int | None = None  # longest sequence in tokens
    layers: int | None = None


def positions(config: Mapping[str, Any]) -> int | None:
    """The longest sequence of a configuration; RoBERTa's kin count positions from pad + 1."""
    most, pad = config.get("max_position_embeddings", _POSITIONS), config.get("pad_token_id") or 0
    if not isinstance(most, int) or not isinstance(pad, int):
        return None
    return most if config.get("model_type") == "bert" else most - pad - 1


def read_shape(path: Path) -> ModelShape:
    """The shape that a `config.json` says; a broken one is told of when the model is made."""
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return ModelShape()
    if not isinstance(config, dict):
        return ModelShape()
    layers = config.get("num_hidden_layers")
    known = positions(config) if "model_type" in config else None
    return ModelShape(known, layers if isinstance(layers, int) else None)
