"""Runs what is missing. Knows plans, a store and an engine; not torch, not the terminal."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct, field

from compiler.ops import Key
from compiler.schedule import groups, needed
from compiler.timeline import droppable, priorities
from runtime.engine.messages import (
    Advanced,
    Died,
    Engine,
    Failed,
    Finished,
    Found,
    Group,
    Halted,
    Held,
    Message,
    Progress,
    Publishing,
    Ran,
    Started,
)
from runtime.errors import Crashed, DamagedObject, NodeFailed, StoreError
from runtime.store.leases import Holder, holder

if TYPE_CHECKING:
    from compiler.plan import Node, Plan
    from runtime.store.objects import Store

_ROUNDS = 3  # a damaged object is made again in the same run, so often
_DEATHS = 2  # of workers that one group may cost before it counts as failed
_POLL, _LOOK = 0.2, 0.5  # seconds: waiting for a message; between two looks at what others hold


class Outcome(Enum):
    """What became of a node."""

    STARTED = "started"
    PUBLISHING = "publishing"
    RAN = "ran"
    FOUND = "used from another run"
    FAILED = "failed"
    SKIPPED = "skipped"
    HALTED = "stopped"


class Waiting(Struct, frozen=True):
    """Another run works on the node; this one waits for it."""

    holder: Holder


Event = Outcome | Progress | Waiting
Tell = Callable[["Node", Event], None]


class Stop(Struct):
    """Set from outside: 1 asks every worker to finish its step and save, 2 to drop everything."""

    asked: int = 0


class Report(Struct):
    """What a run did."""

    ran: list[Node] = field(default_factory=list)
    found: list[Node] = field(default_factory=list)  # made by another run in the meantime
    failed: list[NodeFailed] = field(default_factory=list)  # one for each cause, with the first node it hit
    others: dict[Key, tuple[Node, ...]] = field(default_factory=dict)  # that first node -> those it hit besides
    skipped: list[Node] = field(default_factory=list)
    halted: dict[Key, int] = field(default_factory=dict)  # what was stopped -> the step it will go on from
    mended: list[NodeFailed] = field(default_factory=list)  # met a damaged object, which was made again
    interrupted: bool = False
    estimated: Mapping[Key, float] = field(default_factory=dict)  # seconds that were expected of nodes

    @property
    def failed_nodes(self) -> tuple[Node, ...]:
        """Every node that failed, by itself or with its group."""
        return tuple(n for f in self.failed for n in (f.node, *self.others.get(f.node.key, ())))


def _silent(_node: Node, _event: Event) -> None:
    pass


def missing(plan: Plan, store: Store) -> tuple[Node, ...]:
    """The nodes that a run would run, in topological order."""
    return needed(plan, store.present(n.key for n in plan.nodes if n.pinned))


class Manner(Struct, frozen=True):
    """How nodes are run; it changes no result."""

    seconds: Mapping[Key, float] = field(default_factory=dict)  # what nodes take, as far as it is known
    drop: bool = False  # checkpoints that this run makes go once no node to run reads them any more


_USUAL = Manner()


def run(
    plan: Plan,
    store: Store,
    engine: Engine,
    tell: Tell = _silent,
    stop: Stop | None = None,
    manner: Manner = _USUAL,
) -> Report:
    """Run what is missing, first what the longest chain waits for. A failure skips what depends on it, nothing else.

    An object that turns out to be damaged is made again. Raises StoreError for trouble of the whole store.
    """
    report, stop = Report(estimated=manner.seconds), stop or Stop()
    at_once = True
    try:
        for _ in range(_ROUNDS):
            damaged = _Round(missing(plan, store), store, engine, tell, stop, report, manner).run()
            if not damaged or report.interrupted:
                break
            report.mended += damaged
            report.skipped.clear()  # found anew in the next round, where they are not made
        else:
            report.failed += damaged  # again and again: no memory or disk to trust
        at_once = stop.asked > 1
    finally:
        engine.close(at_once=at_once)
    return report


class _Round:
    """One pass over the nodes that are missing."""

    def __init__(
        self,
        nodes: Sequence[Node],
        store: Store,
        engine: Engine,
        tell: Tell,
        stop: Stop,
        report: Report,
        manner: Manner,
    ) -> None:
        self.store, self.engine, self.tell, self.stop, self.report = store, engine, tell, stop, report
        self.lost = {n.key for n in report.failed_nodes}  # in an earlier round: once is enough
        self.nodes = {n.key: n for n in nodes if n.key not in self.lost}
        self.open = set(self.nodes)  # neither done nor given up
        self.damaged: list[NodeFailed] = []  # by objects that were set aside
        self.held: dict[Key, Holder] = {}
        self.deaths: dict[Key, int] = {}
        self.running = 0
        self.looked = 0.0
        self.groups: dict[int, Group] = {}
        self.lacks: dict[int, set[Key]] = {}
        self.readers: dict[Key, list[int]] = {}
        self.ready: list[tuple[float, int]] = []
        waiting = groups(self.nodes.values())
        order = zip(waiting, priorities(waiting, manner.seconds), strict=True)
        self.priority = {node.key: priority for group, priority in order for node in group}
        self.unread = droppable(self.nodes.values()) if manner.drop else {}
        for group in waiting:
            self._enter(group)

    def run(self) -> list[NodeFailed]:
        """Run until nothing is left; what failed only because an object was damaged."""
        while self.open:
            if self.stop.asked:
                self._halt()
                break
            self._submit()
            self._look_at_held()
            if self.open and not (self.running or self.ready or self.held):
                raise AssertionError(f"{len(self.open)} nodes wait for nothing")
            for message in self.engine.poll(_POLL):
                self._take(message)
        return self.damaged

    def _halt(self) -> None:
        """Wait for the running groups to save, unless somebody asks twice."""
        self.report.interrupted = True
        self.engine.stop()
        while self.running and self.stop.asked == 1:
            for message in self.engine.poll(_POLL):
                self._take(message)

    # --- what can start

    def _enter(self, group: Group) -> None:
        number = len(self.groups)
        self.groups[number] = group
        lacks = {key for node in group for key in node.inputs if key in self.open}
        self.lacks[number] = lacks
        for key in lacks:
            self.readers.setdefault(key, []).append(number)
        if not lacks:
            self._make_ready(number)

    def _make_ready(self, number: int) -> None:
        heapq.heappush(self.ready, (-max(self.priority[n.key] for n in self.groups[number]), number))

    def _submit(self) -> None:
        while self.ready:
            first = heapq.heappop(self.ready)
            group = [n for n in self.groups[first[1]] if n.key in self.open]
            if any(key in self.lost for node in group for key in node.inputs):
                group = self._skip(group)
            if group and not self.engine.has_room(group):
                heapq.heappush(self.ready, first)
                return
            if group:
                self.running += 1
                self.engine.submit(group)

    def _skip(self, group: Group) -> list[Node]:
        """Give up the nodes whose inputs are lost; the others."""
        kept = []
        for node in group:
            if any(key in self.lost for key in node.inputs):
                self.report.skipped.append(node)
                self.tell(node, Outcome.SKIPPED)
                self._close(node.key, lost=True)
            else:
                kept.append(node)
        return kept

    def _close(self, key: Key, *, lost: bool = False) -> None:
        """A node is done, or given up: what waited for it may start."""
        self.open.discard(key)
        self.held.pop(key, None)
        if lost:
            self.lost.add(key)
        for number in self.readers.pop(key, ()):
            self.lacks[number].discard(key)
            if not self.lacks[number]:
                self._make_ready(number)
        self._drop_unread(self.nodes[key])

    def _drop_unread(self, node: Node) -> None:
        """Let go of checkpoints of which a node that is closed was the last to read them."""
        for key in set(node.inputs) & self.unread.keys():
            self.unread[key] -= 1
            if not self.unread[key] and key not in self.lost:
                self.store.drop(key)

    # --- what others hold

    def _look_at_held(self) -> None:
        """Take over what other runs made, and try again what they let go of."""
        if not self.held or time.monotonic() - self.looked < _LOOK:
            return
        self.looked = time.monotonic()
        for key in self.store.present(self.held):
            self._found(key)
        free = [self.nodes[k] for k in self.held if holder(self.store.leases, k) is None]
        for node in free:
            del self.held[node.key]
        for group in groups(free):
            self._enter(group)

    def _found(self, key: Key) -> None:
        self.report.found.append(self.nodes[key])
        self.tell(self.nodes[key], Outcome.FOUND)
        self._close(key)

    # --- what is told

    def _take(self, message: Message) -> None:
        match message:
            case Started(keys=keys):
                self._tell(keys, Outcome.STARTED)
            case Advanced(key=key, progress=progress):
                self._tell((key,), progress)
            case Publishing(key=key):
                self._tell((key,), Outcome.PUBLISHING)
            case Finished():
                self.running -= 1
            case Died(keys=keys, how=how, log=log):
                self._died(keys, how, log)
            case _:
                self._settle(message)

    def _settle(self, message: Ran | Found | Held | Failed | Halted) -> None:
        """Take in what became of nodes."""
        match message:
            case Ran(key=key):
                self.report.ran.append(self.nodes[key])
                self._tell((key,), Outcome.RAN)
                self._close(key)
            case Found(key=key):
                self._found(key)
            case Held(key=key, holder=other):
                if key not in self.held:
                    self._tell((key,), Waiting(other))
                self.held[key] = other
            case Failed(keys=keys, error=error):
                self._fail(keys, error)
            case Halted(keys=keys, step=step):
                self.report.halted.update(dict.fromkeys(keys, step))
                self._tell(keys, Outcome.HALTED)
            case _:
                assert_never(message)

    def _tell(self, keys: tuple[Key, ...], event: Event) -> None:
        for key in keys:
            self.tell(self.nodes[key], event)

    def _died(self, keys: tuple[Key, ...], how: str, log: str) -> None:
        """A worker is gone: what it did not finish is tried again, a few times."""
        unfinished = tuple(k for k in keys if k in self.open and k not in self.held)
        if not unfinished:
            return
        self.deaths[unfinished[0]] = deaths = self.deaths.get(unfinished[0], 0) + 1
        if deaths <= _DEATHS:
            for group in groups([self.nodes[k] for k in unfinished]):
                self._enter(group)
            return
        hint = f"was it out of memory? Give it more, or fewer `--jobs`; what it said stands in {log}"
        self._fail(unfinished, Crashed(f"its worker process {how}, {deaths} times", hint))

    def _fail(self, keys: tuple[Key, ...], error: Exception) -> None:
        """Record one failure for all of `keys`; trouble of the whole store stops the run."""
        if isinstance(error, StoreError) and not isinstance(error, DamagedObject):
            raise error
        nodes = [self.nodes[key] for key in keys]
        mending = isinstance(error, DamagedObject)
        (self.damaged if mending else self.report.failed).append(NodeFailed(nodes[0], error))
        if len(nodes) > 1 and not mending:
            self.report.others[nodes[0].key] = tuple(nodes[1:])
        for node in nodes:
            self.tell(node, Outcome.FAILED)
            self._close(node.key, lost=True)
