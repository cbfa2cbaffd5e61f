"""What is known of a model before anything is loaded: the longest sequence it takes, and its layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from pathlib import Path

_POSITIONS = 512  # where a configuration says nothing, as the libraries have it


class ModelShape(Struct, frozen=True):
    """Sizes of a model, as far as they are known."""

    positions: int | None = None  # longest sequence in tokens
    layers: int | None = None
    width: int | None = None
    feedforward: int | None = None
    vocabulary: int | None = None
    parameters: int | None = None  # of all weights, where somebody counted them

    def counted(self) -> ModelShape:
        """With its weights counted by its sizes, as far as these are known."""
        if self.encoder is None or not self.vocabulary or self.width is None:
            return self
        return replace(self, parameters=self.encoder + (self.vocabulary + (self.positions or 0)) * self.width)

    @property
    def encoder(self) -> int | None:
        """Weights of the layers' matrices, without embeddings."""
        if self.layers is None or self.width is None:
            return self.parameters
        return self.layers * (4 * self.width**2 + 2 * self.width * (self.feedforward or 4 * self.width))


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
    return ModelShape(positions(config) if "model_type" in config else None, *sizes(config))


def sizes(config: Mapping[str, Any]) -> tuple[int | None, int | None, int | None, int | None]:
    """Layers, width, width of the feed-forward layers and vocabulary of a configuration."""
    said = (config.get(k) for k in ("num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size"))
    layers, width, feedforward, vocabulary = (n if isinstance(n, int) else None for n in said)
    return layers, width, feedforward, vocabulary
