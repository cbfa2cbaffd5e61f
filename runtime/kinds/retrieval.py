"""Retrieval: which document belongs to a query (Tatoeba), and which sentences of two pools say the same (BUCC).

Nothing is trained: a sentence's vector is the mean over the hidden states of all its tokens, special ones included, or
that of its first token (as XTREME's `third_party/utils_retrieve.py`). Vectors are compared by cosine, or by its ratio
to the mean over both neighbourhoods (Artetxe and Schwenk 2019, section 3.2, *ratio*).
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from torch import Tensor, nn

from runtime.errors import BadInput
from runtime.kinds import mining
from runtime.kinds.kind import Batch, Coding, Encoded, Items, Kind, Measured, Own, Pools, Threshold
from runtime.kinds.sums import averaged, rows_of, stacked, whole_of
from runtime.kinds.sums import f1 as f1_of
from runtime.kinds.texts import text_encoding, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    _Flags = NDArray[np.bool_]

SIDES = ("query", "document")


class Pool(nn.Module):
    """Vectors of tokens -> one of their sentence. It has no weights."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, hidden: Tensor, attention: Tensor) -> Tensor:
        """(N, T, H), (N, T) -> (N, H) in float32."""
        if self.how == "cls":
            return hidden[:, 0].float()
        real = attention[..., None].float()
        return (hidden.float() * real).sum(dim=1) / real.sum(dim=1)


def head(_encoder: nn.Module, _labels: int) -> Pool:
    """The mean, unless a target says otherwise (`runtime.models.load_network`)."""
    return Pool("mean")


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """Two sequences, query and document, of one row; of a pool one. What is too long loses its end."""
    found = [text_encoding(values, name, coding) for name in SIDES if name in values]
    return Encoded(
        sequences=tuple(whole.ids for whole, _ in found),
        segments=tuple(whole.type_ids for whole, _ in found),
        label=-1,
        cut=any(cut for _, cut in found),
        kept={name: values[name] for name in ("side", "first", "repeated", "gold")} if "side" in values else None,
    )


# --- pools: sentences of which some belong together


class _Sentences(Struct, frozen=True):
    """A pool: its texts, their numbers from 0 by id, and how often each text without white space around it stands."""

    texts: list[str]
    numbers: Mapping[str, int]
    counts: Counter[str]
    first: Mapping[str, int]  # where each text stands first


def pool(values: Mapping[str, list[Any]]) -> list[Mapping[str, Any]]:
    """The sentences of two pools, first all queries; each query with the numbers of the documents that belong to it.

    `gold` is a list of pairs of what `query-id` and `document-id` call them; without these, sentences are numbered from
    1. `first` is where the same text stands first in its pool; one that stands twice is `repeated`.
    """
    queries, documents = (_sentences(values, name) for name in SIDES)
    gold: dict[int, list[int]] = {}
    for pair in (pair for value in values["gold"] for pair in _pairs(value)):
        query, document = _named(pair)
        gold.setdefault(_number(queries, query, pair), []).append(_number(documents, document, pair))
    return [
        *_rows("query", queries, gold),
        *_rows("document", documents, {}),
    ]


def _rows(name: str, side: _Sentences, gold: Mapping[int, list[int]]) -> list[Mapping[str, Any]]:
    return [
        {
            name: text,
            "side": SIDES.index(name),
            "first": side.first[text.strip()],
            "repeated": side.counts[text.strip()] > 1,
            "gold": gold.get(number, []),
        }
        for number, text in enumerate(side.texts)
    ]


def _sentences(values: Mapping[str, list[Any]], name: str) -> _Sentences:
    texts = [text_of({name: text}, name) for text in _items(values[name])]
    ids = _items(values.get(f"{name}-id", ())) or list(range(1, len(texts) + 1))
    if len(ids) != len(texts):
        raise BadInput(f"there are {len(texts)} of `{name}` and {len(ids)} of `{name}-id`", None, f"input.{name}-id")
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        first.setdefault(text.strip(), number)
    return _Sentences(texts, {str(key): n for n, key in enumerate(ids)}, Counter(text.strip() for text in texts), first)


def _items(values: Sequence[Any]) -> list[Any]:
    """The values, and of one that is a list its items: one row may be the whole pool."""
    return [item for value in values for item in (value if isinstance(value, list | tuple) else (value,))]


def _pairs(value: object) -> Sequence[Any]:
    """The pairs that a row's `gold` is: a list of them, or one."""
    many = isinstance(value, list | tuple) and all(isinstance(item, list | tuple | dict) for item in value)
    return value if many and isinstance(value, list | tuple) else (value,)


def _named(pair: object) -> tuple[Any, Any]:
    """What a pair of `gold` calls its query and its document."""
    match pair:
        case {"query": query, "document": document}:
            return query, document
        case [query, document]:
            return query, document
    hint = 'it must be two ids, of a query and of a document: `["{{ gold.a }}", "{{ gold.b }}"]`'
    raise BadInput(f"`gold` has {pair!r:.60}", hint, "input.gold")


def _number(side: _Sentences, name: object, pair: object) -> int:
    if (found := side.numbers.get(str(name))) is None:
        raise BadInput(f"`gold` has {pair!r:.60}, and no sentence is called {name!r:.40}", None, "input.gold")
    return found


# --- predictions


def loss(_head: nn.Module, _hidden: Tensor, _batch: Batch) -> Tensor:
    """None: nothing is trained."""
    raise AssertionError("the compiler let a stage of retrieval through")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example the vector and the tokens of each of its sequences."""
    vectors = head(hidden, batch.attention).cpu().numpy()
    texts = zip(batch.tokens.cpu().numpy(), batch.attention.cpu().numpy(), strict=True)
    tokens = [ids[attention == 1].tobytes() for ids, attention in texts]
    ends = [0, *np.cumsum(batch.choices.numpy())]
    return {
        "row": batch.rows.tolist(),
        "vectors": [vectors[a:b] for a, b in pairwise(ends)],
        "tokens": [tokens[a:b] for a, b in pairwise(ends)],
    }


def finish(found: Mapping[str, list[Any]], kept: Any, own: Own) -> dict[str, list[Any]]:  # noqa: ANN401
    """What was found: of rows a line for each query (or document, if `match` is backward), of pools one for each pair.

    A line has the row that is right (`label`), the row that was chosen (-1 for none) and the similarity.
    """
    if kept is not None:
        return _of_pools(np.concatenate(found["vectors"]), kept, own)
    queries, documents = (np.stack([v[n] for v in found["vectors"]]) for n in (0, 1))
    first: dict[bytes, int] = {}  # equal documents differ by rounding at most: the first of them stands for all
    same = [first.setdefault(tokens[1], number) for number, tokens in enumerate(found["tokens"])]
    by_document = own.get("match") == "backward"
    chosen: dict[int, tuple[int, float]] = {}
    for query, document, score in mining.pairs(queries, documents, own):
        asks, answers = (document, query) if by_document else (query, same[document])
        chosen[asks] = (answers, score)
    rows = found["row"]
    lines = [chosen.get(number) for number in range(len(rows))]
    return {
        "row": rows,
        "label": rows,
        "prediction": [-1 if line is None else rows[line[0]] for line in lines],
        "similarity": [math.nan if line is None else line[1] for line in lines],
    }


def _of_pools(vectors: NDArray[np.float32], kept: Any, own: Own) -> dict[str, list[Any]]:  # noqa: ANN401
    """A line for each pair that was found, and for each pair of `gold` that was not, without a similarity.

    Equal texts are searched for and found as one, and what is found of a text that stands twice does not count: nobody
    can tell which was meant (`read_sent2id` of XTREME's `third_party/utils_retrieve.py`). As `gold` it counts.
    """
    side, first, repeated = (np.asarray(kept.column(n).to_pylist()) for n in ("side", "first", "repeated"))
    starts = (0, int((side == 0).sum()))
    queries, documents = (np.unique(first[side == n]) for n in (0, 1))
    found = {
        (int(queries[q]), int(documents[d])): score
        for q, d, score in mining.pairs(vectors[starts[0] + queries], vectors[starts[1] + documents], own)
        if not (repeated[queries[q]] or repeated[starts[1] + documents[d]])
    }
    gold = {(q, d) for q, row in enumerate(kept.column("gold").to_pylist()) for d in row}
    lines = [*found, *sorted(gold - found.keys())]
    return {
        "query": [q for q, _ in lines],
        "document": [d for _, d in lines],
        "similarity": [found.get(line, math.nan) for line in lines],
        "gold": [line in gold for line in lines],
    }


# --- metrics


def _of_rows(table: Any) -> bool:  # noqa: ANN401
    """Whether the lines are of rows, and not of pairs of pools."""
    return "label" in table.column_names


def _found(table: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:  # noqa: ANN401
    """Of all pairs that were found the similarity and whether it is right; and how many there are to find."""
    score = table.column("similarity").to_numpy()
    there = ~np.isnan(score)
    if _of_rows(table):
        right = table.column("label").to_numpy() == table.column("prediction").to_numpy()
        return score[there], right[there], len(right)
    right = np.asarray(table.column("gold").to_pylist(), dtype=bool)
    return score[there], right[there], int(right.sum())


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of the queries that have a document whose document is found; of rows, chance is one over their number."""
    found = accuracy_items(table)
    return Measured(whole_of(found), len(found.rows), 1 / len(found.rows) if _of_rows(table) else None)


def accuracy_items(table: Any) -> Items:  # noqa: ANN401
    """Whether the document of each query that has one is found."""
    if _of_rows(table):
        label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
        return averaged(rows_of(table), label == prediction)
    query, right, _, gold = _lines(table)
    asked, index = np.unique(query[gold], return_inverse=True)
    return averaged(asked, np.bincount(index, weights=right[gold], minlength=len(asked)) > 0)


def f1_items(table: Any) -> Items:  # noqa: ANN401
    """Of each query how many pairs are found and right, are found, and are right; one that has no line gives nothing.

    What is below a threshold is not found, and stays right.
    """
    query, *counts = _lines(table)
    rows, index = np.unique(query, return_inverse=True)
    return Items(rows, stacked(*(np.bincount(index, weights=c, minlength=len(rows)) for c in counts)), f1_of)


def _lines(table: Any) -> tuple[NDArray[np.int64], _Flags, _Flags, _Flags]:  # noqa: ANN401
    """Of each line the query, or the row; whether its pair is found and right, is found, and is one that is right."""
    found = ~np.isnan(table.column("similarity").to_numpy())
    if _of_rows(table):
        right = table.column("label").to_numpy() == table.column("prediction").to_numpy()
        return rows_of(table), right & found, found, np.ones(len(right), dtype=bool)
    gold = np.asarray(table.column("gold").to_pylist(), dtype=bool)
    return table.column("query").to_numpy(), gold & found, found, gold


def f1(table: Any) -> Measured:  # noqa: ANN401
    """F1 of the pairs that were found beside those that are right."""
    _, right, gold = _found(table)
    if not right.any():
        return Measured(0.0, gold, None)
    precision, recall = float(right.mean()), float(right.sum()) / gold
    return Measured(2 * precision * recall / (precision + recall), gold, None)


def tune(table: Any) -> float:  # noqa: ANN401
    """The similarity from which pairs must count for the best F1: half way to the first that does not.

    The first such of several; as `bucc_optimize` of XTREME's `third_party/utils_retrieve.py`, which fails where all
    pairs count.
    """
    score, right, gold = _found(table)
    order = np.argsort(-score, kind="stable")
    score, hits = score[order], np.cumsum(right[order])
    if not len(hits) or not hits[-1]:
        return 0.0
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + gold)  # of whole numbers, so that equal ones are equal
    best = int(f1.argmax())
    return float(score[best] + score[min(best + 1, len(score) - 1)]) / 2


def above(table: Any, threshold: float) -> Any:  # noqa: ANN401
    """The predictions without the pairs whose similarity is below the threshold."""
    import pyarrow as pa

    columns = table.to_pydict()
    low = table.column("similarity").to_numpy() < threshold
    columns["similarity"] = [math.nan if below else s for s, below in zip(columns["similarity"], low, strict=True)]
    if "prediction" in columns:
        columns["prediction"] = [-1 if below else p for p, below in zip(columns["prediction"], low, strict=True)]
    return pa.table(columns)


KIND = Kind(
    name="retrieval",
    fields=("query", "document", "gold", "query-id", "document-id"),
    required=("query", "document"),
    texts=("query",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    finish=finish,
    metrics={"accuracy": accuracy, "f1": f1},
    items={"accuracy": accuracy_items, "f1": f1_items},
    pools=Pools("gold", pool),
    threshold=Threshold(tune, above),
)
