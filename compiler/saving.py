"""What makes a readable folder of a model with pickled weights, or with a tokenizer of sentencepiece alone."""

from __future__ import annotations

from collections.abc import Iterable

_BOTH = ("AutoModel", "AutoTokenizer")
_VOCABULARIES = (".model", "vocab.txt", "vocab.json")  # what a `tokenizer.json` can be written from
_SENTENCEPIECE = "after `pip install sentencepiece protobuf` where it has a tokenizer of sentencepiece"


def command(source: str, target: str, revision: str | None = None, classes: tuple[str, ...] = _BOTH) -> str:
    """One line for a shell: it reads a repository or folder once with transformers, and writes the folder `target`.

    A pooler that the weights lack is drawn anew, and equally each time: the same bytes make the same keys.
    """
    names = f"({', '.join(classes)},)" if len(classes) == 1 else f"({', '.join(classes)})"
    at = f", revision={revision!r}" if revision else ""
    code = f"[c.from_pretrained({source!r}{at}).save_pretrained({target!r}) for c in {names}]"
    return f'python -c "from transformers import {", ".join(classes)}, set_seed; set_seed(0); {code}"'


def of_repository(name: str, revision: str | None) -> str:
    """The hint at a repository that lacks a file."""
    target = f"models/{name.rpartition('/')[2]}"
    return f'save it once, and read that: `dir("{target}")`: `{command(name, target, revision)}`, {_SENTENCEPIECE}'


def of_pickled(path: str, folder: str) -> str:
    """The hint at a folder of pickled weights; `path` is how the spec calls it."""
    made, read = (f"{name.rstrip('/')}-safetensors" for name in (folder, path))
    return f'save them as safetensors once, and read `dir("{read}")`: `{command(folder, made)}`'


def of_missing(name: str, folder: str, listed: Iterable[str]) -> str:
    """The hint at a folder that lacks a file."""
    if name != "tokenizer.json":
        return "write it with `model.save_pretrained(folder)`"
    if not any(other.endswith(_VOCABULARIES) for other in listed):  # of nothing, transformers makes an empty tokenizer
        return 'write one with `AutoTokenizer.from_pretrained("REPOSITORY").save_pretrained(folder)`'
    return f"write it once: `{command(folder, folder, None, ('AutoTokenizer',))}`, {_SENTENCEPIECE}"
