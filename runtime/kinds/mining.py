"""Which vectors of two sets belong together: nearest neighbours by cosine or margin, in one direction or both.

The candidates of a vector are its `k` nearest by cosine; of these the best by the margin counts, cosine divided by the
mean of the cosines of both vectors' `k` nearest (Artetxe and Schwenk 2019, equation 2 with *ratio*). As `mine_bitext`
of LASER and of XTREME's `third_party/utils_retrieve.py`, whose words for `match` are fwd, bwd, intersect and max.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from runtime.kinds.kind import Own

    Vectors = NDArray[np.float32]  # (N, H)
    Near = tuple[NDArray[np.int64], NDArray[np.float32]]  # indices and cosines (N, k) of neighbours, nearest first

Pair = tuple[int, int, float]  # a query, a document, how similar they are
_AT_ONCE = 1024  # queries whose similarities to all documents are held at one time


def pairs(queries: Vectors, documents: Vectors, own: Own) -> list[Pair]:
    """The pairs that are found, in the manner that the settings of a target say.

    `k` is how many neighbours a margin takes, 0 for the cosine alone; `match` is forward (the best document of each
    query), backward (the best query of each document), intersection (those that are in both), or max: of both together
    the best first, none of a query or document that is taken.
    """
    direction, k = own.get("match", "forward"), own.get("k", 0)
    queries, documents = _unit(queries), _unit(documents)
    there = neighbours(queries, documents, max(1, k)) if k or direction != "backward" else None
    back = neighbours(documents, queries, max(1, k)) if k or direction != "forward" else None
    forward = _best(there, back if k else None) if there is not None and direction != "backward" else []
    backward = _best(back, there if k else None) if back is not None and direction != "forward" else []
    backward = [(query, document, score) for document, query, score in backward]
    match direction:
        case "forward":
            return forward
        case "backward":
            return backward
        case "intersection":
            mutual = {(q, d) for q, d, _ in backward}
            return [pair for pair in forward if pair[:2] in mutual]
        case _:
            return list(_greedy([*forward, *backward]))


def _greedy(found: Iterable[Pair]) -> Iterator[Pair]:
    """The best first, as long as neither half is taken; only what is above 0 counts."""
    queries: set[int] = set()
    documents: set[int] = set()
    for query, document, score in sorted(found, key=lambda pair: -pair[2]):
        if query not in queries and document not in documents:
            queries.add(query)
            documents.add(document)
            if score > 0:
                yield query, document, score


def _best(near: Near, back: Near | None) -> list[Pair]:
    """For each vector the best of its neighbours: by cosine, or with the others' neighbours `back` by the margin."""
    nearest, score = near
    if back is not None:
        score = score / ((score.mean(axis=1)[:, None] + back[1].mean(axis=1)[nearest]) / 2)
    at, chosen = np.arange(len(nearest)), score.argmax(axis=1)
    return list(zip(at.tolist(), nearest[at, chosen].tolist(), score[at, chosen].tolist(), strict=True))


def neighbours(asking: Vectors, others: Vectors, k: int) -> Near:
    """Indices and cosines (N, k) of the nearest of the others, nearest first, of equally near ones the first.

    Vectors have length 1. There are fewer than `k` where there are fewer others.
    """
    found = [_among(asking[n : n + _AT_ONCE], others, min(k, len(others))) for n in range(0, len(asking), _AT_ONCE)]
    return np.concatenate([index for index, _ in found]), np.concatenate([cosine for _, cosine in found])


def _among(asking: Vectors, others: Vectors, k: int) -> Near:
    if torch.cuda.is_available():  # pools of hundreds of thousands take hours without; of ties any may come first there
        return _on_gpu(asking, others, k)
    similar = asking @ others.T
    if k == 1:
        index = similar.argmax(axis=1)[:, None]
    else:
        index = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        last = np.take_along_axis(similar, index, axis=1).min(axis=1, keepdims=True)
        crowded = (similar >= last).sum(axis=1) > k  # of more that are as near as the last, a partition has any
        index[crowded] = np.argsort(-similar[crowded], axis=1, kind="stable")[:, :k]
        index = np.sort(index, axis=1)
        order = np.argsort(-np.take_along_axis(similar, index, axis=1), axis=1, kind="stable")
        index = np.take_along_axis(index, order, axis=1)
    return index, np.take_along_axis(similar, index, axis=1)


def _on_gpu(asking: Vectors, others: Vectors, k: int) -> Near:
    similar = torch.from_numpy(asking).cuda() @ torch.from_numpy(others).cuda().T
    found = similar.topk(k, dim=1)
    return found.indices.cpu().numpy(), found.values.cpu().numpy()


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
