"""What differs between architectures of encoders: a row for each `model_type` that can be trained.

All that anybody must know of one stands in its row (docs/adding-an-architecture.md): the compiler reads sizes from its
configuration, the runtime (`runtime.architectures`) loads it, cuts it, and puts heads on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

_Config = Mapping[str, Any]  # a `config.json`


class Architecture(Struct, frozen=True, kw_only=True):
    """One architecture; what is not said is as BERT has it."""

    sizes: tuple[str, str, str] = ("num_hidden_layers", "hidden_size", "intermediate_size")  # keys of its configuration
    positions: int = 512  # `max_position_embeddings` where a configuration has none
    from_pad: bool = False  # the first position is pad + 1
    matrices: int = 2  # of a feed-forward layer
    beside: Callable[[_Config], int] = lambda _: 0  # weights in other matrices than those of attention and feed-forward
    attention: str = "sdpa"  # of transformers' implementations the one that is right on every device
    pooler: bool = True  # it takes `add_pooling_layer`
    segments: bool = True  # it takes `token_type_ids`
    layers: str = "encoder.layer"  # where in the module its layers are
    norm: str | None = None  # where the one norm behind the last layer is
    dropouts: tuple[str, ...] = ("hidden_dropout_prob", "attention_probs_dropout_prob")  # all that `dropout` sets
    head_dropout: str = "hidden_dropout_prob"  # in heads: what its own head of classification has
    eps: str | float = "layer_norm_eps"  # of norms: a key of its configuration, or the number where it has none
    fixed: Mapping[str, bool] = field(default_factory=dict)  # what its configuration must say, whatever its file does


def _relative(config: _Config) -> int:
    """DeBERTa's projections of relative positions unless shared and of embeddings of another width; its convolution."""
    width, ways = _number(config, "hidden_size"), str(config.get("pos_att_type"))  # a list or `p2c|c2p`
    shared = config.get("share_att_key") or not config.get("relative_attention")
    projections = 0 if shared else _number(config, "num_hidden_layers") * (("c2p" in ways) + ("p2c" in ways))
    embedding = _number(config, "embedding_size") or width
    return (projections + _number(config, "conv_kernel_size")) * width**2 + (embedding != width) * embedding * width


def _projected(config: _Config) -> int:
    """RemBERT's projection of narrow embeddings."""
    return _number(config, "input_embedding_size") * _number(config, "hidden_size")


def _number(config: _Config, key: str) -> int:
    found = config.get(key)
    return found if isinstance(found, int) else 0


_ROBERTA = Architecture(from_pad=True)

ENCODERS = {
    "xlm-roberta": _ROBERTA,
    "roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "bert": Architecture(),
    "xlm-roberta-xl": Architecture(from_pad=True, positions=514, norm="encoder.LayerNorm"),
    "rembert": Architecture(
        attention="eager",  # it has no other
        beside=_projected,
        dropouts=("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob"),
        head_dropout="classifier_dropout_prob",
    ),
    "deberta-v2": Architecture(
        attention="eager",  # it has no other
        beside=_relative,
        pooler=False,
    ),
    "modernbert": Architecture(
        positions=8192,
        matrices=3,  # a gated unit
        # Padding that is further than a window from any token attends to nothing. The softmax of `eager` makes
        # something finite of that; with `sdpa` it depends on the kernel, and a NaN would go on to all tokens.
        attention="eager",
        pooler=False,
        segments=False,
        layers="layers",
        norm="final_norm",
        dropouts=("embedding_dropout", "attention_dropout", "mlp_dropout", "classifier_dropout"),
        head_dropout="classifier_dropout",
        eps="norm_eps",
        fixed={"reference_compile": False},  # early releases of transformers 5 compile it where they can
    ),
    "distilbert": Architecture(
        sizes=("n_layers", "dim", "hidden_dim"),
        pooler=False,
        segments=False,
        layers="transformer.layer",
        dropouts=("dropout", "attention_dropout", "seq_classif_dropout"),
        head_dropout="seq_classif_dropout",
        eps=1e-12,
    ),
}
