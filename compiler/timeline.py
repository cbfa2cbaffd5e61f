"""When groups of nodes would run on so many workers, and what would lie on the disk meanwhile.

Whoever has the longest way to the end before it starts first (critical-path list scheduling; Graham 1969 bounds what
any such order takes by (2 - 1 / workers) of the best).
"""

from __future__ import annotations

import heapq
from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.ops import Data, Model, Select, Train
from compiler.schedule import groups

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from compiler.ops import Key
    from compiler.plan import Node

Group = tuple["Node", ...]
_EVALUATED = 1e15  # more than the seconds of any plan
_WORTH = 0.1  # the share of the time that more workers have to save


class Timeline(Struct, frozen=True):
    """What running takes: seconds, and bytes beside what is on the disk already."""

    makespan: float  # from the first start to the last end
    critical: float  # the longest chain of nodes that wait for each other
    path: tuple[Node, ...]  # that chain
    work: float  # all of them, one after the other
    kept: float  # all that is left at the end, and so the peak
    dropped: float  # the peak where checkpoints go once nothing to run reads them any more
    faster: tuple[tuple[int, float], ...] = ()  # more workers, and the makespan with them


def ranks(waiting: Sequence[Group], seconds: Mapping[Key, float]) -> list[float]:
    """Of each group the seconds from its start to the end of the longest chain that waits for it.

    The groups stand so that inputs come first.
    """
    home = {node.key: number for number, group in enumerate(waiting) for node in group}
    found = [0.0] * len(waiting)
    for number in range(len(waiting) - 1, -1, -1):
        found[number] += sum(seconds.get(node.key, 0.0) for node in waiting[number])
        for before in _before(waiting[number], home):
            found[before] = max(found[before], found[number])
    return found


def priorities(waiting: Sequence[Group], seconds: Mapping[Key, float]) -> list[float]:
    """Of groups that could start now the one with the highest does, the first of equals.

    Models and data are before all: a fault in them shows before the first step of a training. Then what evaluates a
    checkpoint: scores come early, and a checkpoint that nothing else reads may go. Then trainings.
    """
    return [_first(group[0]) + rank for group, rank in zip(waiting, ranks(waiting, seconds), strict=True)]


def _first(node: Node) -> float:
    return inf if isinstance(node.op, Model | Data) else 0.0 if isinstance(node.op, Train) else _EVALUATED


def _before(group: Group, home: Mapping[Key, int]) -> set[int]:
    """The groups that one waits for."""
    own = home[group[0].key]
    return {number for node in group for key in node.inputs if (number := home.get(key, own)) != own}


def timeline(
    nodes: Sequence[Node], seconds: Mapping[Key, float], sizes: Mapping[Key, float | None], workers: int, most: int = 1
) -> Timeline:
    """The simulated run of `nodes`, in topological order; a node without a time takes none.

    With what more workers would make of it, up to `most`.
    """
    waiting = groups(nodes)
    kept = sum(sizes.get(n.key) or 0.0 for n in nodes)
    if not seconds:
        return Timeline(0.0, 0.0, (), 0.0, kept, _peak(waiting, [0.0] * len(waiting), nodes, sizes))
    order = priorities(waiting, seconds)
    ends = _simulated(waiting, order, seconds, workers)
    path = _longest(nodes, seconds)
    critical, took = sum(seconds.get(n.key, 0.0) for n in path), max(ends, default=0.0)
    total = sum(seconds.get(n.key, 0.0) for n in nodes)
    dropped = _peak(waiting, ends, nodes, sizes)
    more = _faster(workers, most, took, critical, lambda n: max(_simulated(waiting, order, seconds, n), default=0.0))
    return Timeline(took, critical, path, total, kept, dropped, tuple(more))


def _faster(
    workers: int, most: int, took: float, critical: float, simulate: Callable[[int], float]
) -> Iterator[tuple[int, float]]:
    """Four times as many workers, and again, as long as they save a tenth of the time, up to the longest chain."""
    while 4 * workers <= most and took > critical * (1 + _WORTH):
        workers, before = 4 * workers, took
        took = simulate(workers)
        if took > before * (1 - _WORTH):
            return
        yield workers, took


def _simulated(
    waiting: Sequence[Group], order: Sequence[float], seconds: Mapping[Key, float], workers: int
) -> list[float]:
    """When each group ends."""
    home = {node.key: number for number, group in enumerate(waiting) for node in group}
    lacks = [_before(group, home) for group in waiting]
    readers: dict[int, list[int]] = {}
    for number, before in enumerate(lacks):
        for other in before:
            readers.setdefault(other, []).append(number)
    ready = [(-order[n], n) for n, before in enumerate(lacks) if not before]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    ends, now = [0.0] * len(waiting), 0.0
    while ready or running:
        while ready and len(running) < workers:
            _, number = heapq.heappop(ready)
            ends[number] = now + sum(seconds.get(node.key, 0.0) for node in waiting[number])
            heapq.heappush(running, (ends[number], number))
        now, done = heapq.heappop(running)
        for number in readers.get(done, ()):
            lacks[number].discard(done)
            if not lacks[number]:
                heapq.heappush(ready, (-order[number], number))
    return ends


def _longest(nodes: Sequence[Node], seconds: Mapping[Key, float]) -> tuple[Node, ...]:
    """The chain of nodes that takes the longest."""
    ends: dict[Key, float] = {}
    last: dict[Key, Node | None] = {}
    known = {node.key: node for node in nodes}
    for node in nodes:
        before = max((known[k] for k in node.inputs if k in known), key=lambda n: ends[n.key], default=None)
        ends[node.key] = (ends[before.key] if before is not None else 0.0) + seconds.get(node.key, 0.0)
        last[node.key] = before
    at = max(nodes, key=lambda n: ends[n.key], default=None)
    path: list[Node] = []
    while at is not None:
        path.append(at)
        at = last[at.key]
    return tuple(reversed(path))


def droppable(nodes: Collection[Node]) -> dict[Key, int]:
    """Checkpoints that some of `nodes` make and others read: by how many, until they may go."""
    readers: dict[Key, int] = {}
    for node in nodes:
        for key in set(node.inputs):
            readers[key] = readers.get(key, 0) + 1
    made = {node.key for node in nodes if isinstance(node.op, Train | Select | Model)}
    return {key: count for key, count in readers.items() if key in made}


def _peak(
    waiting: Sequence[Group], ends: Sequence[float], nodes: Sequence[Node], sizes: Mapping[Key, float | None]
) -> float:
    """The most bytes at once where checkpoints go after their last reader."""
    left, now, most = droppable(nodes), 0.0, 0.0
    for number in sorted(range(len(waiting)), key=lambda n: (ends[n], n)):
        for node in waiting[number]:
            now += sizes.get(node.key) or 0.0
            most = max(most, now)
            for key in set(node.inputs):
                if key in left:
                    left[key] -= 1
                    now -= (sizes.get(key) or 0.0) if not left[key] else 0.0
    return most
