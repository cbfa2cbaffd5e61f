"""Runs what is missing. Knows plans, a store and bodies; not torch, not the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from compiler.ops import Key, inputs
from compiler.schedule import groups, needed
from runtime.errors import DamagedObject, NodeFailed, StoreError

if TYPE_CHECKING:
    from compiler.plan import Node, Plan
    from runtime.store.objects import Store


class Outcome(Enum):
    """What became of a node."""

    STARTED = "started"
    RAN = "ran"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    step: int
    steps: int
    loss: float


Tell = Callable[["Node", "Outcome | Progress"], None]
Inputs = Mapping[Key, Path]
Write = Callable[[Path], None]


class Bodies(Protocol):
    """What the ops do. A group is computed at once; each node's files are written by the function returned for it."""

    def __call__(
        self, group: Sequence[Node], inputs: Inputs, tell: Callable[[Node, Progress], None]
    ) -> Sequence[Write]:
        """One function for each node, which writes the node's files into an empty folder."""

    def provenance(self) -> Mapping[str, Any]:
        """Who makes the objects: device, libraries."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    ran: list[Node] = field(default_factory=list)
    failed: list[NodeFailed] = field(default_factory=list)  # one for each cause, with the first node it hit
    others: dict[Key, tuple[Node, ...]] = field(default_factory=dict)  # that first node -> those it hit besides
    skipped: list[Node] = field(default_factory=list)

    @property
    def failed_nodes(self) -> tuple[Node, ...]:
        """Every node that failed, by itself or with its group."""
        return tuple(n for f in self.failed for n in (f.node, *self.others.get(f.node.key, ())))


def _silent(_node: Node, _event: Outcome | Progress) -> None:
    pass


def missing(plan: Plan, store: Store) -> tuple[Node, ...]:
    """The nodes that a run would run, in topological order."""
    return needed(plan, store.present(n.key for n in plan.nodes if n.pinned))


def run(plan: Plan, store: Store, bodies: Bodies, tell: Tell = _silent) -> Report:
    """Run what is missing. A node's failure skips what depends on it and nothing else."""
    report = Report()
    lost: set[Key] = set()
    for group in groups(missing(plan, store)):
        for node in group:
            if any(key in lost for key in inputs(node.op)):
                lost.add(node.key)
                report.skipped.append(node)
                tell(node, Outcome.SKIPPED)
        ready = [n for n in group if n.key not in lost]
        if ready:
            _run_group(ready, store, bodies, tell, report, lost)
    return report


def _run_group(group: list[Node], store: Store, bodies: Bodies, tell: Tell, report: Report, lost: set[Key]) -> None:
    for node in group:
        tell(node, Outcome.STARTED)
    try:
        paths = {key: store.read(key) for node in group for key in inputs(node.op)}
        writers = bodies(group, paths, tell)
    except Exception as error:  # noqa: BLE001  (kept in the report, with its traceback)
        _fail(group, error, tell, report, lost)
        return
    for node, write in zip(group, writers, strict=True):
        try:
            store.publish(node, write, bodies.provenance())
        except Exception as error:  # noqa: BLE001
            _fail([node], error, tell, report, lost)
        else:
            report.ran.append(node)
            tell(node, Outcome.RAN)


def _fail(nodes: list[Node], error: Exception, tell: Tell, report: Report, lost: set[Key]) -> None:
    """Record one failure for all of `nodes`; trouble of the whole store stops the run."""
    if isinstance(error, StoreError) and not isinstance(error, DamagedObject):
        raise error
    first, *others = nodes
    report.failed.append(NodeFailed(first, error))
    if others:
        report.others[first.key] = tuple(others)
    for node in nodes:
        lost.add(node.key)
        tell(node, Outcome.FAILED)
