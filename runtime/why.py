"""Why a node runs, or does not: one node explained down to what somebody changed. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from compiler.keys import is_pinned
from compiler.ops import Key
from runtime.contents import names
from runtime.differences import INPUTS
from runtime.preview import Mark, preview
from runtime.relatives import Relatives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from compiler.plan import Node, Plan
    from runtime.differences import Reason
    from runtime.store.leases import Holder
    from runtime.store.manifest import Manifest
    from runtime.store.objects import Store


class Cached(Struct, frozen=True):
    """Its object is there."""

    manifest: Manifest
    folder: Path


class Unasked(Struct, frozen=True):
    """Its object is missing, and nobody asks for it."""


class Unpinned(Struct, frozen=True):
    """Its key is not known yet; `own` says whether by its own source."""

    own: bool


class Gone(Struct, frozen=True):
    """It was recorded, and its files are gone."""

    manifest: Manifest
    folder: Path


class Damaged(Struct, frozen=True):
    """Its files are there and are not what was recorded; `faults` says of each file what is wrong."""

    folder: Path
    faults: Mapping[str, str]


class PutAside(Struct, frozen=True):
    """It was damaged, and a run moved it out of the way."""

    folder: Path


class Trace(Struct, frozen=True):
    """The inputs of a node against those of an object."""

    moved: tuple[tuple[Key, Manifest | None], ...] = ()  # its inputs that are others, with what stood in their place
    came: tuple[str, ...] = ()  # labels of what it reads besides
    went: tuple[str, ...] = ()  # labels of what it reads no more


class Changed(Struct, frozen=True):
    """It differs from `relative`, which was recorded under its label, or stood in its place before.

    Without reasons where `relative` is of another op: nothing can be compared.
    """

    relative: Manifest
    reasons: tuple[Reason, ...]
    trace: Trace


class New(Struct, frozen=True):
    """Nothing was recorded under its label; `relative` is the object of its op in which the least differs."""

    relative: Manifest | None
    reasons: tuple[Reason, ...]
    trace: Trace


State = Cached | Unasked | Unpinned | Gone | Damaged | PutAside | Changed | New


class Cause(Struct, frozen=True):
    """A node upstream at which something changed, and the nodes between it and the explained one."""

    node: Node
    mark: Mark
    state: State
    through: tuple[Node, ...]


class Why(Struct, frozen=True):
    """One node explained."""

    node: Node
    mark: Mark
    state: State
    step: int  # that a training goes on from; 0: from the start
    holder: Holder | None  # who works on it now
    causes: tuple[Cause, ...]


def explain(plan: Plan, store: Store, key: Key) -> Why:
    """Why the node of that key runs, or does not."""
    found = preview(plan, store)
    explainer = _Explainer(plan, store, found.marks)
    node = explainer.nodes[key]
    state = explainer.state(node)
    causes = tuple(explainer.causes(node, state))
    return Why(node, found.marks[key], state, found.resumed.get(key, 0), found.held.get(key), causes)


class _Explainer:
    """Compares nodes with what was recorded, from one node upwards; explains each node once."""

    def __init__(self, plan: Plan, store: Store, marks: Mapping[Key, Mark]) -> None:
        self.nodes = {n.key: n for n in plan.nodes}
        self._store, self._marks = store, marks
        self._relatives = Relatives(store, names(plan))
        self._aside = store.put_aside()
        self._seen: set[Key] = set()

    def state(self, node: Node, before: Manifest | None = None) -> State:
        """What is so of the node; compared with the object `before`, if that stood in its place."""
        if not node.pinned:
            return Unpinned(not is_pinned(node.op))
        if before is not None and before.key != node.key:
            alike = before.op == node.sort
            return self._differing(node, before) if alike else Changed(before, (), Trace())
        mark, folder = self._marks[node.key], self._store.path(node.key)
        if (manifest := self._store.manifest(node.key)) is not None:
            return Cached(manifest, folder)
        if folder.exists():
            return Damaged(folder, self._store.faults(node.key))
        if (recorded := self._store.index.get(node.key)) is not None:
            return Gone(recorded, folder)
        if (aside := self._aside.get(node.key)) is not None:
            return PutAside(aside)
        return Unasked() if mark is Mark.UNASKED else self._compared(node)

    def _compared(self, node: Node) -> State:
        latest = self._relatives.latest(node)
        if latest is not None:
            return self._differing(node, latest)
        closest = self._relatives.closest(node)
        if closest is None:
            return New(None, (), Trace())
        return New(closest, self._relatives.reasons(node, closest), self._trace(node, closest))

    def _differing(self, node: Node, relative: Manifest) -> Changed:
        return Changed(relative, self._relatives.reasons(node, relative), self._trace(node, relative))

    def causes(self, node: Node, state: State, through: tuple[Node, ...] = ()) -> Iterator[Cause]:
        """The nodes upstream at which something changed, each once, the nearest first."""
        for key, before in self._moved(node, state):
            if key in self._seen:
                continue
            self._seen.add(key)
            above = self.nodes[key]
            found = self.state(above, before)
            if _is_root(found):
                yield Cause(above, self._marks[key], found, through)
            yield from self.causes(above, found, (*through, above))

    def _moved(self, node: Node, state: State) -> tuple[tuple[Key, Manifest | None], ...]:
        """The inputs to look at, each with the object that stood in its place."""
        match state:
            case Unpinned():
                return tuple((key, None) for key in node.inputs if not self.nodes[key].pinned)
            case Changed(trace=trace) | New(trace=trace):
                return trace.moved
        return ()

    def _trace(self, node: Node, relative: Manifest) -> Trace:
        if relative.preimage.get("schema") != node.preimage["schema"]:
            return Trace()
        old, new = _inputs(relative.preimage["fields"]), _inputs(node.preimage["fields"])
        traces = [self._traced(old.get(name, []), keys) for name, keys in new.items()]
        moved, came, went = zip(*((t.moved, t.came, t.went) for t in traces), strict=True) if traces else ((), (), ())
        return Trace(sum(moved, ()), sum(came, ()), sum(went, ()))

    def _traced(self, old: list[Key], new: list[Key]) -> Trace:
        """Keys that came, each with one that went: of the same label, else in order; and what is left of either."""
        went = {k: self._store.index.get(k) for k in old if k not in new}
        called = {m.label: k for k, m in went.items() if m is not None}
        come = {k: called.get(self.nodes[k].label) for k in new if k not in old}
        rest = iter([k for k in went if k not in come.values()])
        pairs = {key: before or next(rest, None) for key, before in come.items()}
        return Trace(
            tuple((key, went[before]) for key, before in pairs.items() if before is not None),
            tuple(self.nodes[key].label for key, before in pairs.items() if before is None),
            tuple(m.label if (m := went[k]) is not None else k[:12] for k in rest),
        )


def _inputs(fields: Mapping[str, Any]) -> dict[str, list[Key]]:
    """The keys in a pre-image, also one of an older version, by the field that holds them."""
    found = {name: _keys(fields[name]) for name in INPUTS if fields.get(name) is not None}
    judges = [*fields.get("judges", ()), *((fields.get("keep") or {}).get("judges", ()))]
    read = [k for reader in (*fields.get("parts", ()), *judges) for k in _keys(reader.get("data", []))]
    return found | ({"data": read} if read else {})


def _keys(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _is_root(state: State) -> bool:
    """Whether something is told of the node itself, and not only of its inputs."""
    match state:
        case Changed(reasons=reasons, trace=trace) | New(reasons=reasons, trace=trace):
            return bool(not reasons or trace.came or trace.went) or any(r.code != "upstream" for r in reasons)
        case Unpinned(own=own):
            return own
    return True
