"""Tagging of words (UD POS, PAN-X, CCG): the label of a word is predicted from its first sub-token.

Each word is tokenised by itself, as jiant and XTREME do (`jiant/tasks/lib/udpos.py`, `third_party/utils_tag.py`); a
sentence that is too long goes on in another sequence, between two words, so that every word has a tag. The head is
dropout and a linear layer.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from runtime.architectures import head_dropout
from runtime.columns import common
from runtime.errors import BadInput
from runtime.kinds.kind import IGNORED, Batch, Coding, Encoded, Items, Kind, Measured, Own
from runtime.kinds.labels import index_of
from runtime.kinds.sums import f1 as f1_of
from runtime.kinds.sums import ratio, rows_of, stacked, whole_of
from runtime.kinds.texts import room_of, unknown_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


class Head(nn.Module):
    """Each token's vector -> one score a label."""

    def __init__(self, width: int, labels: int, dropout: float, deviation: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(width, labels)
        nn.init.normal_(self.score.weight, std=deviation)
        nn.init.zeros_(self.score.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(M, H) -> (M, labels)."""
        scores: Tensor = self.score(self.dropout(hidden))
        return scores


def head(encoder: nn.Module, labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    config: Any = encoder.config
    return Head(config.hidden_size, labels, head_dropout(config), config.initializer_range)


# --- words to token ids


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """One sequence, or several where the words are too many for one; the targets are the labels of first sub-tokens."""
    words, tags = _words(values), _listed(values, "tags")
    if len(words) != len(tags):
        raise BadInput(f"`tokens` has {len(words)} items and `tags` {len(tags)}", "each token has a tag", "input.tags")
    known = [index_of(tag, coding.labels, "a tag", "tags") for tag in tags]
    labels = [label for label in known if label is not None]
    words, lengths = _with_pieces(words, coding.tokenizer)
    parts = list(_parts(lengths, room_of(coding)))
    found = [_sequence(words[a:b], known[a:b], coding) for a, b in parts]
    return Encoded(
        sequences=tuple(whole.ids for whole, _ in found),
        segments=tuple(whole.type_ids for whole, _ in found),
        label=-1 if words and len(labels) == len(words) else None,
        cut=len(parts) > 1,
        targets=tuple(targets for _, targets in found),
        kept={"tags": [coding.labels[label] for label in labels]},
    )


def _words(values: Mapping[str, Any]) -> list[str]:
    words = _listed(values, "tokens")
    bad = [word for word in words if not isinstance(word, str | int | float) or isinstance(word, bool)]
    if bad:
        raise BadInput(f"a token is {bad[0]!r:.40}", "each token is a text", "input.tokens")
    return [str(word) for word in words]


def _listed(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values[name]
    if not isinstance(value, list | tuple):
        hint = "one item a word: `{{ text.split() }}` makes a list of a text"
        raise BadInput(f"`{name}` is {value!r:.40} and no list", hint, f"input.{name}")
    return list(value)


def _lengths(words: list[str], tokenizer: Any) -> list[int]:  # noqa: ANN401
    """How many sub-tokens each word has."""
    counts = [0] * len(words)
    for word in tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False).word_ids:
        counts[word] += 1
    return counts


def _with_pieces(words: list[str], tokenizer: Any) -> tuple[list[str], list[int]]:  # noqa: ANN401
    """The words, each with its sub-tokens; one without any, as a lone control character, is unknown (as XTREME)."""
    lengths = _lengths(words, tokenizer)
    if all(lengths):
        return words, lengths
    unknown = unknown_token(tokenizer) or "?"
    words = [w if n else unknown for w, n in zip(words, lengths, strict=True)]
    return words, _lengths(words, tokenizer)


def _parts(lengths: list[int], room: int) -> Iterator[tuple[int, int]]:
    """The words of each sequence, as (first, behind the last): as many as there is room for."""
    start = used = 0
    for index, length in enumerate(lengths):
        if index > start and used + length > room:
            yield start, index
            start, used = index, 0
        used += length
    yield start, len(lengths)


def _sequence(words: list[str], labels: list[int | None], coding: Coding) -> tuple[Any, list[int]]:
    """The encoding and the targets of some words; of a word that alone is too long the first sub-tokens stay."""
    encoding = coding.tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
    encoding.truncate(room_of(coding))
    whole = coding.tokenizer.post_process(encoding, None, add_special_tokens=True)
    targets, before = [], None
    for word in whole.word_ids:
        label = labels[word] if word is not None and word != before else None
        targets.append(IGNORED if label is None else label)
        before = word
    return whole, targets


# --- loss and predictions


def _scores(head: nn.Module, hidden: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Scores (M, labels) and targets (M,) of the first sub-tokens of all words, and the sequence (M,) of each."""
    if batch.targets is None:
        raise ValueError("a batch of tagging has targets")
    sequence, position = (batch.targets != IGNORED).nonzero(as_tuple=True)
    return head(hidden[sequence, position]).float(), batch.targets[sequence, position], sequence


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the labels of words, summed over the batch."""
    scores, targets, _ = _scores(head, hidden, batch)
    return functional.cross_entropy(scores, targets, reduction="sum")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example the index of the best label of each word."""
    scores, _, sequence = _scores(head, hidden, batch)
    example = torch.repeat_interleave(torch.arange(len(batch.choices)), batch.choices)[sequence.cpu()]
    ends = torch.bincount(example, minlength=len(batch.choices)).cumsum(0)[:-1]
    best = np.split(scores.argmax(dim=-1).cpu().numpy(), ends.numpy())
    return {"row": batch.rows.tolist(), "prediction": [part.tolist() for part in best]}


def finish(found: Mapping[str, list[Any]], kept: Any, _own: Own) -> dict[str, list[Any]]:  # noqa: ANN401
    """For each example the tags of its words, and those that were predicted, by name."""
    labels = common(kept)["labels"]
    predicted = [[labels[index] for index in row] for row in found["prediction"]]
    return {"row": found["row"], "label": kept.column("tags").to_pylist(), "prediction": predicted}


# --- metrics


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of words whose tag is right."""
    found = accuracy_items(table)
    return Measured(whole_of(found), int(found.sums[:, 1].sum()), None)


def accuracy_items(table: Any) -> Items:  # noqa: ANN401
    """How many words of each sentence have the right tag, and how many words it has."""
    words = _tagged(table)
    return Items(rows_of(table), stacked(words.count(words.gold == words.said), words.lengths), ratio)


def f1(table: Any) -> Measured:  # noqa: ANN401
    """F1 over spans, as conlleval and seqeval count them (micro average)."""
    from seqeval.metrics import f1_score

    gold, predicted = ([_spans(r) for r in table.column(name).to_pylist()] for name in ("label", "prediction"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no spans at all: the score is 0
        return Measured(float(f1_score(gold, predicted, zero_division=0)), len(gold), None)


_PREFIXES = ("B-", "I-", "E-", "S-")


def _spans(tags: list[str]) -> list[str]:
    """Tags as seqeval reads them today, with the meaning that XTREME and jiant score them by (seqeval 0.0.12).

    There a tag without a prefix is of the type of its name, and its first letter counts as its prefix: equal
    neighbours are one span, but each of a tag that begins with S (as SCONJ), B or E is one, or begins or ends one.
    """
    return [
        tag if tag == "O" or tag.startswith(_PREFIXES) else f"{tag[0] if tag[:1] in ('B', 'E', 'S') else 'I'}-{tag}"
        for tag in tags
    ]


def f1_items(table: Any) -> Items:  # noqa: ANN401
    """How many spans of each sentence are right, are predicted, and are there."""
    words = _tagged(table)
    tags = _spans(words.names)
    names = [tag[2:] or "_" for tag in tags]  # as seqeval calls a type without a name
    types = {name: number for number, name in enumerate(names)}
    forms = np.array([_FORMS.find(tag[0]) for tag in tags], dtype=np.int64)
    type_of = np.array([types[name] for name in names], dtype=np.int64)
    opens = np.diff(words.sentence, prepend=-1) > 0
    gold, said = (_closes(forms[side], type_of[side], opens) for side in (words.gold, words.said))
    right = (gold == said) & (type_of[words.gold] == type_of[words.said])
    counts = (words.count(side > 0) for side in (gold * right, said, gold))
    return Items(rows_of(table), stacked(*counts), f1_of)


class _Tagged(Struct, frozen=True):
    """The W words of I sentences, one after the other: their tags, as numbers of names."""

    names: list[str]
    gold: NDArray[np.int32]  # (W,)
    said: NDArray[np.int32]  # (W,)
    lengths: NDArray[np.int32]  # (I,) words of each sentence
    sentence: NDArray[np.int64]  # (W,)

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(I,) how many words of each sentence are such, of (W,)."""
        return np.bincount(self.sentence[which], minlength=len(self.lengths))


def _tagged(table: Any) -> _Tagged:  # noqa: ANN401
    import pyarrow as pa

    gold, said = (table.column(name).combine_chunks() for name in ("label", "prediction"))
    both = pa.concat_arrays([side.flatten().cast(pa.string()) for side in (gold, said)]).dictionary_encode()
    lengths = gold.value_lengths().to_numpy(zero_copy_only=False)
    one, other = np.split(both.indices.to_numpy(), [int(lengths.sum())])
    return _Tagged(both.dictionary.to_pylist(), one, other, lengths, np.repeat(np.arange(len(lengths)), lengths))


_FORMS = "IBES"  # the number of a form has two bits: whether it begins a span, and whether it ends one; O has -1


def _closes(forms: NDArray[np.int64], types: NDArray[np.int64], opens: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(W,) of each word that begins a span the word behind its last, counted over all sentences; of others 0.

    As `get_entities` of seqeval, without a loop over words: a span goes on with an I or E of its type behind an I or B.
    """
    inside, begins, ends = forms >= 0, (forms & 1) > 0, (forms & 2) > 0
    goes_on = np.zeros(len(forms), dtype=bool)
    goes_on[1:] = (inside & ~begins & ~opens)[1:] & (inside & ~ends)[:-1] & (types[1:] == types[:-1])
    at = np.flatnonzero(~goes_on)
    closes = np.zeros(len(forms), dtype=np.int64)
    closes[at] = np.append(at[1:], len(forms)) * inside[at]
    return closes


KIND = Kind(
    name="tagging",
    fields=("tokens", "tags"),
    required=("tokens", "tags"),
    texts=("tokens",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    finish=finish,
    metrics={"f1": f1, "accuracy": accuracy},
    items={"f1": f1_items, "accuracy": accuracy_items},
    by_token=True,
    apart=True,
)
