"""Encoders: from a folder, or from scratch; and the files of a weights node.

A weights node is a folder: `encoder/` (config and safetensors, readable by `AutoModel.from_pretrained`),
`tokenizer.json` and its companions, and after a training `head.safetensors`. The node of a local folder holds the
tokenizer and config alone; its weights stay where they are and are checked by digest when they are read.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from compiler.ops import Folder, HubModel, Model, Scratch
from runtime.errors import BadInput, MissingInput
from runtime.files import checked
from runtime.kinds import kinds
from runtime.kinds.kind import Special

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENCODER, HEAD, EXTERNAL = "encoder", "head.safetensors", "external.json"
TOKENIZER = "tokenizer.json"


def quiet() -> None:
    """Keep the libraries' own warnings and progress bars off the terminal."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


# --- making a model node


def make(op: Model, files: Mapping[str, Path], folder: Path) -> None:
    """Write the model node of `op` into `folder`."""
    match op.source:
        case Folder(files=named):
            _make_external(named, files, folder)
        case Scratch():
            _make_scratch(op.source, files, folder)
        case HubModel(repository=name):
            raise MissingInput(f"`{name}` cannot be reached: hub sources are not available yet")


def _make_external(named: tuple[tuple[str, str | None], ...], files: Mapping[str, Path], folder: Path) -> None:
    for name, digest in named:
        if not name.endswith(".safetensors"):
            shutil.copyfile(checked(digest, files, "weights"), folder / name)
    (folder / EXTERNAL).write_text(json.dumps(dict(named), indent=1), encoding="utf-8")


def _make_scratch(source: Scratch, files: Mapping[str, Path], folder: Path) -> None:
    from transformers import AutoConfig, AutoModel

    quiet()
    for name, digest in source.tokenizer:
        shutil.copyfile(checked(digest, files, "weights"), folder / name)
    special = read_special(folder, None)
    config = AutoConfig.for_model(
        source.architecture,
        vocab_size=special.size,
        num_hidden_layers=source.layers,
        hidden_size=source.width,
        num_attention_heads=source.heads,
        intermediate_size=source.feedforward,
        max_position_embeddings=source.positions + special.pad + 1,  # XLM-R counts positions from pad + 1
        type_vocab_size=1,
        pad_token_id=special.pad,
    )
    torch.manual_seed(source.seed)
    AutoModel.from_config(config, add_pooling_layer=False).save_pretrained(folder / ENCODER)


# --- reading weights


def load_encoder(folder: Path, files: Mapping[str, Path], dropout: float | None) -> nn.Module:
    """The encoder of a weights node, in float32.

    Raises BadInput for weights that cannot be read or lack tensors of the architecture.
    """
    from transformers import AutoConfig, AutoModel

    quiet()
    source = _weights_folder(folder, files)
    changes = {} if dropout is None else {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=True, **changes)
        model, report = AutoModel.from_pretrained(
            source,
            config=config,
            add_pooling_layer=False,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        message = f"the weights in {source} cannot be read: {str(error).splitlines()[0]}"
        raise BadInput(message, "take them again from where they came", "weights") from error
    if missing := sorted(report["missing_keys"]):
        raise BadInput(f"the weights in {source} lack {len(missing)} tensors, `{missing[0]}` first", None, "weights")
    encoder: nn.Module = model
    return encoder


def _weights_folder(folder: Path, files: Mapping[str, Path]) -> Path:
    """Where the safetensors lie: in the node, or where the spec's local folder is."""
    if not (folder / EXTERNAL).is_file():
        return folder / ENCODER
    named: dict[str, str] = json.loads((folder / EXTERNAL).read_text(encoding="utf-8"))
    weights = [checked(digest, files, "weights") for name, digest in named.items() if name.endswith(".safetensors")]
    return weights[0].parent


def read_special(folder: Path, config: Any) -> Special:  # noqa: ANN401
    """The token ids with a meaning; the model's config decides where the tokenizer's is silent."""
    tokenizer = load_tokenizer(folder)
    pad = next((i for t in ("<pad>", "[PAD]") if (i := tokenizer.token_to_id(t)) is not None), None)
    pad = config.pad_token_id if config is not None and config.pad_token_id is not None else pad
    mask = next((i for t in ("<mask>", "[MASK]") if (i := tokenizer.token_to_id(t)) is not None), None)
    added = frozenset(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    return Special(int(pad or 0), mask, tokenizer.get_vocab_size(with_added_tokens=True), added)


def load_tokenizer(folder: Path) -> Any:  # noqa: ANN401  (tokenizers has no types)
    """The `tokenizers.Tokenizer` of a weights node."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare Exception
        raise BadInput(f"the tokenizer in {folder} cannot be read: {error}", None, "weights") from error


# --- networks


class Network(nn.Module):
    """An encoder with the head of one kind."""

    def __init__(self, encoder: nn.Module, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.encoder = encoder
        self.head = kinds()[kind].head(encoder)

    def forward(self, tokens: torch.Tensor, attention: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """(N, T) ids -> (N, T, H) hidden states."""
        config: Any = self.encoder.config
        typed = {"token_type_ids": segments} if getattr(config, "type_vocab_size", 1) > 1 else {}
        hidden: torch.Tensor = self.encoder(input_ids=tokens, attention_mask=attention, **typed).last_hidden_state
        return hidden

    @property
    def masks(self) -> bool:
        """Whether its kind hides tokens."""
        return kinds()[self.kind].masks

    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())


def save(network: Network, parent: Path, folder: Path) -> None:
    """Write a trained network as a weights node, with its parent's tokenizer."""
    encoder: Any = network.encoder
    encoder.save_pretrained(folder / ENCODER)
    save_file({k: v.contiguous().cpu() for k, v in network.head.state_dict().items()}, folder / HEAD)
    for name in (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json"):
        if (parent / name).is_file():
            shutil.copyfile(parent / name, folder / name)


def load_network(folder: Path, files: Mapping[str, Path], kind: str) -> Network:
    """A trained network with its head."""
    network = Network(load_encoder(folder, files, None), kind)
    network.head.load_state_dict(load_file(folder / HEAD))
    return network
