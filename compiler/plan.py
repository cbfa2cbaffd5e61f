"""The plan: what the compiler hands to the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from compiler.keys import SORTS, is_pinned, key_of, preimage
from compiler.ops import Key, Op

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from compiler.asked import Claimed, Reported
    from compiler.ops import AbsentRows
    from compiler.pins import HubFile
    from compiler.shapes import ModelShape


class Place(Struct, frozen=True):
    """A place in a spec that outlives its text: `line` and `column` from 1, `text` the line itself."""

    file: str
    line: int
    column: int
    width: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Device(Struct, frozen=True):
    """Where the plan is to run; it reaches keys only through `precision: auto`."""

    kind: str  # "cpu" or "cuda"
    name: str
    bf16: bool  # compute capability 8.0 or more


class Node(Struct, frozen=True):
    """One piece of work. `key` identifies it; while `pinned` is false, the key is provisional and names no result."""

    key: Key
    op: Op
    inputs: tuple[Key, ...]  # the nodes whose results it reads
    label: str
    pinned: bool
    place: Place
    places: Mapping[str, Place]  # setting or field -> where it was set

    @property
    def sort(self) -> str:
        """What its op is called: `train`, `data`, …"""
        return SORTS[type(self.op)]

    @property
    def preimage(self) -> Mapping[str, Any]:
        """The readable record whose hash is the key."""
        return preimage(self.op)


class Cell(Struct, frozen=True):
    """One score of the results: which values its axes have, and the node that computes it."""

    experiment: str
    axes: tuple[tuple[str, str], ...]  # axis -> value, in the order of the text; without seed, benchmark, language
    seed: str
    benchmark: str
    language: str
    metric: str
    zero_shot: bool
    score: Key
    skips: tuple[str, ...] = ()  # the axes whose value trains nothing: the baseline of the others
    baseline: str = ""  # the method, of a score beside those of the arms; its axes tell such baselines apart
    selected: str = ""  # "target dev": the checkpoint was chosen by dev data of this benchmark and language
    excluded: bool = False  # whether it counts in no mean if its run is degenerate

    def scored(self, language: str, metric: str, score: Key, *, zero_shot: bool) -> Cell:
        """A cell with the same axes."""  # quicker than `replace`, and there are tens of thousands
        return Cell(
            self.experiment, self.axes, self.seed, self.benchmark, language, metric, zero_shot, score, self.skips,
            self.baseline, self.selected, self.excluded,
        )  # fmt: skip


class Written(Struct, frozen=True):
    """A stage as a chain has it: by which names, if it is no choice without one, and as how many trainings of a run."""

    name: str
    trainings: int


class Step(Struct, frozen=True):
    """A line of the tree that `plan` prints: what it is called, and the node behind it in one run."""

    title: str
    key: Key
    seed: str
    tried: tuple[Key, ...] = ()  # trainings of which `key` is the best
    language: str = ""  # of a score


class Route(Struct, frozen=True):
    """One run as the tree shows it: from the model through its stages, then its targets' scores; or a baseline."""

    experiment: str
    steps: tuple[Step, ...]
    targets: tuple[Step, ...]
    written: tuple[Written, ...] = ()  # the stages that its steps behind the first are trained for; () of a baseline
    again: bool = False  # of `@ previous`: another route has its trainings too


class Declared(Struct, frozen=True):
    """How much data there are, as a declaration says."""

    rows: int
    tokens: int | None  # of a row


class Control(Struct, frozen=True):
    """Runs that nobody wrote: those of an experiment without the stage of an axis, which somebody compares with."""

    experiment: str
    axis: str
    place: Place  # of who compares


class Plan(Struct, frozen=True):
    """A graph in topological order."""

    spec: str
    device: Device
    nodes: tuple[Node, ...]
    cells: tuple[Cell, ...]
    routes: tuple[Route, ...]
    files: Mapping[str, Path]  # where content with this digest lies on this machine; never part of a key
    hub: Mapping[str, HubFile]  # where content with this digest lies on the hub
    naive: tuple[int, int]  # trainings, and predictions, if every chain ran alone
    shapes: Mapping[Key, ModelShape] = field(default_factory=dict)  # of models, as far as they are known
    declared: Mapping[Key, Declared] = field(default_factory=dict)  # of data, what their declaration says
    obtain: Mapping[AbsentRows, str] = field(default_factory=dict)  # how to get what lies in a root that nobody named
    unverified: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of declarations, what nobody has seen
    reports: tuple[Reported, ...] = ()
    claims: tuple[Claimed, ...] = ()
    controls: tuple[Control, ...] = ()
    claimed: int = 0  # claims of the whole spec, those apart that are wrong

    def obtaining(self, absent: AbsentRows) -> str:
        """What one does about files that nobody has given."""
        root = absent.root
        return f"{self.obtain[absent].rstrip('.')}. Then say where it lies: `--root {root}=DIR`, or in xfer.toml"


def verify(plan: Plan, *, keys: bool = True) -> list[str]:
    """Broken promises of a plan, in words; empty unless the compiler has a bug. Without `keys` none is hashed anew."""
    broken: list[str] = []
    seen: dict[Key, Node] = {}
    for node in plan.nodes:
        if keys and node.key != key_of(node.preimage):
            broken.append(f"{node.label}: the key is not the hash of the op")
        if node.key in seen:
            broken.append(f"{node.label}: stands twice")
        late = [key for key in node.inputs if key not in seen]
        broken.extend(f"{node.label}: reads {key[:12]} before it is made" for key in late)
        if node.pinned != (is_pinned(node.op) and all(k in seen and seen[k].pinned for k in node.inputs)):
            broken.append(f"{node.label}: is pinned without its inputs")
        seen[node.key] = node
    broken.extend(f"a cell of {c.experiment} has no node" for c in plan.cells if c.score not in seen)
    return broken
