"""Encoders of transformers, by the rows of `compiler.architectures`: nothing else here knows their insides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from compiler.architectures import ENCODERS
from runtime.errors import BadInput

if TYPE_CHECKING:
    from compiler.architectures import Architecture


def of(config: Any) -> Architecture:  # noqa: ANN401  (transformers has no types)
    """The row of a loaded configuration."""
    return ENCODERS[config.model_type]


def head_dropout(config: Any) -> float:  # noqa: ANN401
    """The dropout of heads: that of the architecture's own head, or what the setting `dropout` made of it."""
    return float(getattr(config, of(config).head_dropout))


def norm_eps(config: Any) -> float:  # noqa: ANN401
    """The epsilon of its norms."""
    eps = of(config).eps
    return float(eps if isinstance(eps, float) else getattr(config, eps))


def takes_segments(config: Any) -> bool:  # noqa: ANN401
    """Whether it tells a second text from the first by more than what stands between them."""
    return of(config).segments and getattr(config, "type_vocab_size", 1) > 1


def loading(row: Architecture) -> dict[str, Any]:
    """What `from_pretrained` is told of an architecture: attention, and no pooler."""
    return {"attn_implementation": row.attention, **({"add_pooling_layer": False} if row.pooler else {})}


def up_to(encoder: nn.Module, layer: int | None) -> nn.Module:
    """The encoder whose last hidden states are those of `layer`: `hidden_states[layer]` of transformers.

    0 is the output of the embeddings; the number of layers the encoder's own output, behind the norm that some end in.
    """
    row = of(encoder.config)
    stack: Any = encoder.get_submodule(row.layers)
    if layer is None or layer == len(stack):
        return encoder
    if layer > len(stack):
        message = f"`layer` is {layer}, and the model has {len(stack)}"
        raise BadInput(message, f"`layer: 0` is the output of the embeddings, `layer: {len(stack)}` the last", "layer")
    _put(encoder, row.layers, stack[: max(1, layer)])
    if row.norm is not None:
        _put(encoder, row.norm, nn.Identity())
    return encoder if layer else _Embedded(encoder)


def _put(encoder: nn.Module, path: str, module: nn.Module) -> None:
    """Let `module` stand at a place such as `encoder.layer`."""
    parent, _, name = path.rpartition(".")
    setattr(encoder.get_submodule(parent), name, module)


class _Embedded(nn.Module):
    """The output of an encoder's embeddings, as what goes into its first layer: some encoders cannot be without one."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config

    def forward(self, **given: Any) -> Any:  # noqa: ANN401
        """What the encoder gives, with other last hidden states."""
        found = self.encoder(**given, output_hidden_states=True)
        found.last_hidden_state = found.hidden_states[0]
        return found
