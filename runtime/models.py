"""Encoders: from a folder, or from scratch; and the files of a weights node.

A weights node is a folder: `encoder/` (config and safetensors, readable by `AutoModel.from_pretrained`),
`tokenizer.json` and its companions, and after a training `heads/`, one file a part. The node of a local folder holds
the tokenizer and config alone; its weights stay where they are and are checked by digest when they are read.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from compiler.architectures import ENCODERS
from compiler.ops import Folder, HubModel, Model, Scratch, Vectors
from compiler.shapes import positions, shape_of
from runtime import architectures
from runtime.errors import BadInput, MissingInput
from runtime.files import checked
from runtime.kinds import kinds
from runtime.kinds.kind import Special
from runtime.kinds.retrieval import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compiler.architectures import Architecture

ENCODER, HEADS, EXTERNAL = "encoder", "heads", "external.json"
TOKENIZER = "tokenizer.json"
_FEWEST = 16  # tokens of a tokenizer


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
    config = read_config(folder)
    if (found := config.get("model_type")) not in ENCODERS:
        message = f"`model_type` of the model is {found!r}, which cannot be trained here yet"
        raise BadInput(message, f"what can be: {', '.join(ENCODERS)}", "weights")


def _make_scratch(source: Scratch, files: Mapping[str, Path], folder: Path) -> None:
    from transformers import AutoConfig, AutoModel

    quiet()
    for name, digest in source.tokenizer:
        shutil.copyfile(checked(digest, files, "weights"), folder / name)
    special, architecture = read_special(folder, None), ENCODERS[source.architecture]
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
        **dict.fromkeys(architecture.dropouts, source.dropout),
    )
    torch.manual_seed(source.seed)
    AutoModel.from_config(config, **architectures.loading(architecture)).save_pretrained(folder / ENCODER)


# --- reading weights


def load_encoder(folder: Path, files: Mapping[str, Path], dropout: float | None) -> nn.Module:
    """The encoder of a weights node, in float32, with the model's own dropout unless another is given.

    Raises BadInput for weights that cannot be read or lack tensors of the architecture.
    """
    with _weights(folder, files) as (source, shown):
        model, missing = _from_pretrained(source, shown, ENCODERS[read_config(folder)["model_type"]], dropout)
    if missing:
        raise BadInput(f"the weights in {shown} lack {len(missing)} tensors, `{missing[0]}` first", None, "weights")
    return model


def _from_pretrained(
    source: Path, shown: Path, row: Architecture, dropout: float | None
) -> tuple[nn.Module, list[str]]:
    """The encoder in `source`, and the names of the tensors that it lacks."""
    from transformers import AutoConfig, AutoModel

    quiet()
    changes = {**row.fixed, **({} if dropout is None else dict.fromkeys(row.dropouts, dropout))}
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=True, **changes)
        model, report = AutoModel.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **architectures.loading(row),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        message = f"the weights in {shown} cannot be read: {str(error).splitlines()[0]}"
        raise BadInput(message, "take them again from where they came", "weights") from error
    return model, sorted(report["missing_keys"])


@contextmanager
def _weights(folder: Path, files: Mapping[str, Path]) -> Iterator[tuple[Path, Path]]:
    """A folder that holds the node's configuration and weights alone, and the folder to name in messages.

    Weights that stay outside the store are checked, and linked beside the node's own copy of the configuration.
    """
    if not (folder / EXTERNAL).is_file():
        yield folder / ENCODER, folder / ENCODER
        return
    named: dict[str, str] = json.loads((folder / EXTERNAL).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as linked:
        shown = folder
        for name, digest in named.items():
            inside = (folder / name).absolute()  # the store may be named relative to the working directory
            if not inside.is_file():
                inside = checked(digest, files, "weights").absolute()
                shown = inside.parent
            (Path(linked) / name).symlink_to(inside)
        yield Path(linked), shown


def weights(network: Network) -> dict[str, int]:
    """How many weights the network's encoder has without embeddings, as estimates count them (`compiler.cost`)."""
    config: Any = network.encoder.config
    found = shape_of(config.to_dict()).encoder
    return {"weights": found} if found is not None else {}


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a weights node, as it stands in its file."""
    path = folder / "config.json" if (folder / EXTERNAL).is_file() else folder / ENCODER / "config.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"the model's config.json cannot be read: {error}", None, "weights") from error
    return found


def check_length(folder: Path, tokenizer: Any, max_length: int) -> None:  # noqa: ANN401
    """Raise BadInput when sequences may be longer than the model has positions, or tokens more than it has vectors."""
    config = read_config(folder)
    most = positions(config)
    if most is not None and max_length > most:
        message = f"`max-length` is {max_length}, and the model has {most} positions"
        raise BadInput(message, f"set `max-length: {most}` or less", "max-length")
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    if (
        size < _FEWEST
    ):  # of a folder without a vocabulary transformers makes one of special tokens alone, and says nothing
        hint = "write its `tokenizer.json` again, from where its vocabulary is"
        raise BadInput(f"the model's tokenizer has {size} tokens: its vocabulary is not there", hint, "weights")
    vectors = config.get("vocab_size", size)
    if size > vectors:
        message = f"the tokenizer has {size} tokens, and the model has vectors for {vectors}"
        raise BadInput(message, "take model and tokenizer from one place", "weights")


def read_special(folder: Path, config: Any) -> Special:  # noqa: ANN401
    """The token ids with a meaning; the model's config decides where the tokenizer's is silent."""
    tokenizer = load_tokenizer(folder)
    added = frozenset(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    pad, mask = (_called(tokenizer, names, added) for names in (("<pad>", "[PAD]"), ("<mask>", "[MASK]")))
    pad = config.pad_token_id if config is not None and config.pad_token_id is not None else pad
    return Special(int(pad or 0), mask, tokenizer.get_vocab_size(with_added_tokens=True), added)


def _called(tokenizer: Any, names: tuple[str, ...], added: frozenset[int]) -> int | None:  # noqa: ANN401
    """The token of one of the names; of several a special one, for the other may be a word like others."""
    found = [i for name in names if (i := tokenizer.token_to_id(name)) is not None]
    return next((i for i in found if i in added), found[0] if found else None)


def load_tokenizer(folder: Path) -> Any:  # noqa: ANN401  (tokenizers has no types)
    """The `tokenizers.Tokenizer` of a weights node."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare Exception
        raise BadInput(f"the tokenizer in {folder} cannot be read: {error}", None, "weights") from error
    tokenizer.no_truncation()  # a published file may hold either; cutting and padding are ours
    tokenizer.no_padding()
    return tokenizer


# --- networks


class Network(nn.Module):
    """An encoder with a head for each part that it was trained on, each of a kind."""

    def __init__(self, encoder: nn.Module, *kinds: str) -> None:
        super().__init__()
        self.kinds: list[str] = []
        self.encoder = encoder
        self.labels: list[int] = []
        self.heads = nn.ModuleList()
        for kind in kinds:
            self.add(kind)

    def add(self, kind: str, labels: int = 0, head: nn.Module | None = None) -> nn.Module:
        """A head behind the others: a new one for so many labels, from torch's generator as it stands, or the given."""
        head = kinds()[kind].head(self.encoder, labels) if head is None else head
        self.kinds.append(kind)
        self.labels.append(labels)
        self.heads.append(head)
        return head

    def forward(self, tokens: torch.Tensor, attention: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """(N, T) ids -> (N, T, H) hidden states."""
        config: Any = self.encoder.config
        typed = {"token_type_ids": segments} if architectures.takes_segments(config) else {}
        hidden: torch.Tensor = self.encoder(input_ids=tokens, attention_mask=attention, **typed).last_hidden_state
        return hidden

    @property
    def masks(self) -> bool:
        """Whether one of its kinds hides tokens."""
        return any(kinds()[kind].masks for kind in self.kinds)

    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())


def save(network: Network, parent: Path, folder: Path) -> None:
    """Write a trained network as a weights node, with its parent's tokenizer and own dropout."""
    encoder: Any = network.encoder
    own, usual = read_config(parent), type(encoder.config)()
    trained = {name: getattr(encoder.config, name) for name in architectures.of(encoder.config).dropouts}
    for name in trained:
        setattr(encoder.config, name, own.get(name, getattr(usual, name)))
    encoder.save_pretrained(folder / ENCODER)
    for name, value in trained.items():  # the training may go on
        setattr(encoder.config, name, value)
    (folder / HEADS).mkdir()
    for index, (head, labels) in enumerate(zip(network.heads, network.labels, strict=True)):
        tensors = {k: v.contiguous().cpu() for k, v in head.state_dict().items()}
        save_file(tensors, head_file(folder, index), {"labels": str(labels)} if labels else None)
    shutil.copyfile(parent / TOKENIZER, folder / TOKENIZER)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (parent / name).is_file():
            shutil.copyfile(parent / name, folder / name)


def head_file(folder: Path, index: int) -> Path:
    """Where the weights of one head of a weights node lie."""
    return folder / HEADS / f"{index}.safetensors"


def read_head(head: nn.Module, folder: Path, index: int) -> None:
    """Give `head` the weights of one head of a weights node."""
    head.load_state_dict(load_file(head_file(folder, index)))


def load_network(
    folder: Path,
    files: Mapping[str, Path],
    kind: str,
    head: int | None,
    vectors: Vectors | None = None,
    head_of: Path | None = None,
) -> Network:
    """A trained network with one of its heads, or one of another weights node (`head_of`) of as wide an encoder.

    With `vectors`, of any weights node: the encoder with what makes vectors of a layer.
    """
    encoder = load_encoder(folder, files, None)
    if vectors is not None:
        network = Network(architectures.up_to(encoder, vectors.layer))
        network.add(kind, head=Pool(vectors.pool))
        return network
    network = Network(encoder)
    _add_head(network, kind, head_of or folder, head or 0)
    return network


def load_heads(folder: Path, files: Mapping[str, Path], kinds: Mapping[int, str]) -> tuple[Network, dict[int, int]]:
    """A trained network with some of its heads, given by their kinds; and where in the network each stands."""
    network = Network(load_encoder(folder, files, None))
    for index, kind in kinds.items():
        _add_head(network, kind, folder, index)
    return network, {index: at for at, index in enumerate(kinds)}


def _add_head(network: Network, kind: str, folder: Path, index: int) -> None:
    """The head of a weights node, behind the others."""
    with safe_open(head_file(folder, index), "pt") as file:
        labels = int((file.metadata() or {}).get("labels", 0))
    read_head(network.add(kind, labels), folder, index)
