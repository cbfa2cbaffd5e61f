"""What a kind of task is to the rest of the runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray
from torch import Tensor, nn

IGNORED = -100  # a target that is none, as in torch's cross_entropy


class Batch(Struct, frozen=True):
    """B examples as N padded sequences on the model's device."""

    tokens: Tensor  # (N, T) int64, padded with the model's pad id
    attention: Tensor  # (N, T) int64, 1 on real tokens
    segments: Tensor  # (N, T) int64
    choices: Tensor  # (B,) int64 on the CPU, sequences of each example; they stand one after the other
    labels: Tensor  # (B,) int64, of a kind whose labels are numbers float32
    rows: Tensor  # (B,) int64, index in the source
    targets: Tensor | None = None  # (N, T) int64, what the kind says of each token; -100 of one that it is silent of


Own = Mapping[str, Any]  # settings that the kind alone has, by key


class Coding(Struct, frozen=True):
    """How the rows of a data set become token ids."""

    tokenizer: Any  # a `tokenizers.Tokenizer`
    max_length: int
    labels: tuple[str, ...] = ()
    scored: bool = False  # the rows of a target, not of a training
    own: Own = field(default_factory=dict)


class Encoded(Struct, frozen=True):
    """One example as token ids, and whether something was cut off to fit."""

    sequences: tuple[list[int], ...]
    segments: tuple[list[int], ...]
    label: int | float | None  # None: it has none, and is no example to train on; -1 where the kind has no labels
    cut: bool
    targets: tuple[list[int], ...] | None = None  # parallel to `sequences`, as in a Batch
    kept: Mapping[str, Any] | None = None  # what predictions are made with and the network does not see, by name


class Special(Struct, frozen=True):
    """Token ids with a meaning, from the tokenizer."""

    pad: int
    mask: int | None
    size: int  # of the vocabulary
    special: frozenset[int]


# What `predict` gave of a whole data set, the Arrow table of what was kept of its rows (none: None), settings
# -> columns of predictions
Finish = Callable[[Mapping[str, list[Any]], Any, Own], dict[str, list[Any]]]


class Pools(Struct, frozen=True):
    """Where `input:` has `field`, the values of a field are a set by themselves, and not those of rows in common."""

    field: str
    rows: Callable[[Mapping[str, list[Any]]], list[Mapping[str, Any]]]  # all values of each field -> what to encode


class Threshold(Struct, frozen=True):
    """How a similarity is chosen on some predictions, and how others are without what is below one."""

    tune: Callable[[Any], float]
    above: Callable[[Any, float], Any]  # a table of predictions -> another


class Kind(Struct, frozen=True):
    """A kind's functions; its head is a module that takes the encoder's last hidden states."""

    name: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    texts: tuple[str, ...]  # fields that a perturbation changes
    encode: Callable[[Mapping[str, Any], Coding], Encoded]  # the fields of one row
    head: Callable[[nn.Module, int], nn.Module]  # encoder, how many labels are declared -> head
    loss: Callable[[nn.Module, Tensor, Batch], Tensor]  # head, (N, T, H) hidden, batch -> sum over its units
    predict: Callable[[nn.Module, Tensor, Batch], dict[str, list[Any]]]  # -> columns of predictions, B rows
    metrics: Mapping[str, Callable[[Any], Measured]]  # name -> function of a table of predictions
    items: Mapping[str, Callable[[Any], Items]]  # the same names -> what each item of such a table gives
    finish: Finish | None = None
    masks: bool = False  # tokens are hidden at random before the encoder sees them
    by_token: bool = False  # a loss is the mean over tokens that have a target, not over examples
    apart: bool = False  # to train on, each sequence of a row is an example of its own
    pools: Pools | None = None
    threshold: Threshold | None = None


class Measured(Struct, frozen=True):
    """A metric's value over predictions."""

    value: float  # in the metric's own unit; proportions in [0, 1]
    n: int  # what it averages over
    chance: float | None  # expected of guessing
    threshold: float | None = None  # at or above which predictions counted


class Items(Struct, frozen=True):
    """What each of I items of one data set gives to a metric, which is a function of the K sums over them.

    Items of two tables of one data set are paired by their rows; one that a table does not have gives zeros there.
    """

    rows: NDArray[np.int64]  # (I,) index of each item in its source; of pools that of the query
    sums: NDArray[np.float64]  # (I, K) contributions
    whole: Callable[[NDArray[np.float64]], NDArray[np.float64]]  # (…, K) sums -> (…) the metric; 0 where undefined
    pseudo: NDArray[np.float64] | None = None  # (I,) where `sums` do not tell what an item does: resample these instead
