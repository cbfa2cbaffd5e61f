"""What is known of a model before anything is loaded: the longest sequence it takes, and its layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from compiler.architectures import ENCODERS, Architecture

if TYPE_CHECKING:
    from pathlib import Path

_USUAL = Architecture()


class ModelShape(Struct, frozen=True):
    """Sizes of a model, as far as they are known."""

    positions: int | None = None  # longest sequence in tokens
    layers: int | None = None
    width: int | None = None
    feedforward: int | None = None
    vocabulary: int | None = None
    parameters: int | None = None  # of all weights, where somebody counted them
    matrices: int | None = None  # weights of the encoder's matrices, of an architecture that has others than BERT's

    def counted(self) -> ModelShape:
        """With its weights counted by its sizes, as far as these are known."""
        if self.encoder is None or not self.vocabulary or self.width is None:
            return self
        return replace(self, parameters=self.encoder + (self.vocabulary + (self.positions or 0)) * self.width)

    @property
    def encoder(self) -> int | None:
        """Weights of the layers' matrices, without embeddings."""
        if self.matrices is not None:
            return self.matrices
        if self.layers is None or self.width is None:
            return self.parameters
        return self.layers * (4 * self.width**2 + 2 * self.width * (self.feedforward or 4 * self.width))


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """What a configuration says; of a model that cannot be trained here what stands under the usual names."""
    row = ENCODERS.get(str(config.get("model_type")), _USUAL)
    layers, width, feedforward, vocabulary = (_whole(config.get(key)) for key in (*row.sizes, "vocab_size"))
    found = ModelShape(positions(config), layers, width, feedforward, vocabulary)
    beside = row.beside(config)
    if layers is None or width is None or feedforward is None or (row.matrices == _USUAL.matrices and not beside):
        return found
    return replace(found, matrices=layers * (4 * width**2 + row.matrices * width * feedforward) + beside)


def positions(config: Mapping[str, Any]) -> int | None:
    """The longest sequence of a configuration, as long as those of its pretraining.

    RoBERTa's kin count positions from pad + 1. DeBERTa and ModernBERT have no weights that would end there, and yet it
    is their end: a distance that no sequence of the pretraining had reads a row that was never learned (DeBERTa), or an
    angle that was never met (ModernBERT), and nobody would be told.
    """
    row = ENCODERS.get(str(config.get("model_type")))
    if row is None:
        return None
    most, pad = config.get("max_position_embeddings", row.positions), config.get("pad_token_id") or 0
    if not isinstance(most, int) or not isinstance(pad, int):
        return None
    return most - pad - 1 if row.from_pad else most


def read_shape(path: Path) -> ModelShape:
    """The shape that a `config.json` says; a broken one is told of when the model is made."""
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return ModelShape()
    return shape_of(config) if isinstance(config, dict) else ModelShape()


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
