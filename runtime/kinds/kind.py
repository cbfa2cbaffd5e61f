"""What a kind of task is to the rest of the runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from torch import Tensor, nn

IGNORED = -100  # a target that is none, as in torch's cross_entropy


class Batch(Struct, frozen=True):
    """B examples as N padded sequences on the model's device."""

    tokens: Tensor  # (N, T) int64, padded with the model's pad id
    attention: Tensor  # (N, T) int64, 1 on real tokens
    segments: Tensor  # (N, T) int64
    choices: Tensor  # (B,) int64 on the CPU, sequences of each example; they stand one after the other
    labels: Tensor  # (B,) int64
    rows: Tensor  # (B,) int64, index in the source
    targets: Tensor | None = None  # (N, T) int64, masked-lm: the token to predict, or -100


Encode = Callable[[Mapping[str, Any], Any, int, tuple[str, ...]], "Encoded"]  # fields, tokenizer, max length, labels


class Encoded(Struct, frozen=True):
    """One example as token ids, and whether something was cut off to fit."""

    sequences: tuple[list[int], ...]
    segments: tuple[list[int], ...]
    label: int | None  # None: the row has none, and is no example to train on; -1 where the kind has no labels
    cut: bool


class Special(Struct, frozen=True):
    """Token ids with a meaning, from the tokenizer."""

    pad: int
    mask: int | None
    size: int  # of the vocabulary
    special: frozenset[int]


class Kind(Struct, frozen=True):
    """A kind's functions; its head is a module that takes the encoder's last hidden states."""

    name: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    texts: tuple[str, ...]  # fields that a perturbation changes
    encode: Encode
    head: Callable[[nn.Module, int], nn.Module]  # encoder, how many labels are declared -> head
    loss: Callable[[nn.Module, Tensor, Batch], Tensor]  # head, (N, T, H) hidden, batch -> sum over its units
    predict: Callable[[nn.Module, Tensor, Batch], dict[str, list[Any]]]  # -> columns of predictions, B rows
    metrics: Mapping[str, Callable[[Any], Measured]]  # name -> function of a table of predictions
    finish: Callable[[Mapping[str, list[Any]]], dict[str, list[Any]]] | None = None  # columns of a whole language
    masks: bool = False  # tokens are hidden at random before the encoder sees them; a unit is then a hidden token


class Measured(Struct, frozen=True):
    """A metric's value over predictions."""

    value: float  # in the metric's own unit; proportions in [0, 1]
    n: int  # what it averages over
    chance: float | None  # expected of guessing
