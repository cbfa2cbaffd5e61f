"""A plan against a store: what is cached, what will run, and why. Reads only; loads no ML library."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from compiler.ops import inputs
from compiler.plan import Place
from compiler.schedule import needed
from runtime.store.leases import holder, leased
from runtime.store.states import saved_keys, saved_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.ops import Key
    from compiler.plan import Node, Plan
    from runtime.store.leases import Holder
    from runtime.store.manifest import Manifest
    from runtime.store.objects import Store


class Mark(Enum):
    """What will happen to a node, as the sign that `plan` shows."""

    CACHED = "="
    NEW = "+"
    CHANGED = "~"
    RESUMED = ">"
    HELD = "*"
    UNPINNED = "?"
    UNASKED = "."

    @property
    def word(self) -> str:
        """The sign in words."""
        return _WORDS[self]


_WORDS = {
    Mark.CACHED: "cached",
    Mark.NEW: "new",
    Mark.CHANGED: "re-run",
    Mark.RESUMED: "resume",
    Mark.HELD: "held by another run",
    Mark.UNPINNED: "unpinned",
    Mark.UNASKED: "not needed",
}

_INPUT_FIELDS = {"model", "parent", "data", "weights", "predictions"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node runs; `code` is one of an enumerated, stable list (docs/keys.md)."""

    code: str
    path: str = ""
    before: str = ""
    after: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change and the nodes that it re-runs, those downstream included."""

    reason: Reason
    nodes: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What `run` would do now."""

    marks: Mapping[Key, Mark]
    reasons: Mapping[Key, tuple[Reason, ...]]
    changes: tuple[Change, ...]
    to_run: tuple[Node, ...]
    resumed: Mapping[Key, int]  # the step that a training goes on from
    held: Mapping[Key, Holder]  # who works on a node now

    def count(self, mark: Mark) -> int:
        """How many nodes have the mark."""
        return sum(1 for m in self.marks.values() if m is mark)


def preview(plan: Plan, store: Store) -> Preview:
    """Marks and reasons of every node of the plan."""
    present = store.present(n.key for n in plan.nodes if n.pinned)
    to_run = needed(plan, present)
    wanted = {n.key for n in to_run}
    relatives = _Relatives(store)
    resumed = {k: step for k in saved_keys(store.root) & wanted if (step := saved_step(store.root, k))}
    held = {k: by for k in leased(store.leases) & wanted if (by := holder(store.leases, k)) is not None}
    marks: dict[Key, Mark] = {}
    reasons: dict[Key, tuple[Reason, ...]] = {}
    for node in plan.nodes:
        if node.key not in wanted:
            marks[node.key] = Mark.CACHED if node.key in present else Mark.UNASKED
        else:
            reasons[node.key] = _reasons(node, store, relatives)
            marks[node.key] = _mark(node, reasons[node.key], node.key in resumed, node.key in held)
    return Preview(marks, reasons, _changes(to_run, reasons), to_run, resumed, held)


def _mark(node: Node, reasons: tuple[Reason, ...], resumed: bool, held: bool) -> Mark:
    if not node.pinned:
        return Mark.UNPINNED
    if held:
        return Mark.HELD
    if resumed:
        return Mark.RESUMED
    return Mark.NEW if reasons[0].code == "new" else Mark.CHANGED


class _Relatives:
    """Recorded objects of the same op and label, the latest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_op: dict[str, dict[str, Manifest]] = {}

    def nearest(self, node: Node) -> Manifest | None:
        """The latest recorded object that was called the same."""
        op = str(node.preimage["op"])
        if op not in self._by_op:
            latest: dict[str, Manifest] = {}
            for manifest in self._store.index.of_op(op):
                latest.setdefault(manifest.label, manifest)
            self._by_op[op] = latest
        return self._by_op[op].get(node.label)


def _reasons(node: Node, store: Store, relatives: _Relatives) -> tuple[Reason, ...]:
    if not node.pinned:
        return (Reason("unpinned"),)
    if store.index.get(node.key) is not None or store.path(node.key).exists():
        return (Reason("object_damaged" if store.path(node.key).exists() else "object_missing"),)
    relative = relatives.nearest(node)
    if relative is None:
        return (Reason("new"),)
    return tuple(_differences(node, relative)) or (Reason("new"),)


def _differences(node: Node, relative: Manifest) -> Iterable[Reason]:
    if relative.preimage.get("schema") != node.preimage["schema"]:
        yield Reason("key_schema_changed")
    if relative.preimage.get("version") != node.preimage["version"]:
        yield Reason(
            "op_version_changed", "version", str(relative.preimage.get("version")), str(node.preimage["version"])
        )
    before, after = relative.preimage["fields"], node.preimage["fields"]
    for field in fields(node.op):
        old, new = before.get(field.name), after[field.name]
        if field.name not in before or old == new:
            continue  # what an older version did not record is told by its number
        if field.name == "parts":
            yield from _part_differences(old or [], new, node)
        elif field.name in _INPUT_FIELDS:
            yield Reason("upstream", field.name)
        elif field.name in ("sources", "source"):
            yield Reason("data_changed" if field.name == "sources" else "model_changed", field.name, place=node.place)
        else:
            yield from _settings(field.name, old, new, node)


def _settings(name: str, old: Any, new: Any, node: Node) -> Iterable[Reason]:  # noqa: ANN401
    """A reason for the field, or for each setting that it holds several of."""
    if name == "vectors" and isinstance(old, dict) and isinstance(new, dict):
        for key in new:
            if old.get(key) != new[key]:
                yield Reason("param_changed", key, _shown(old.get(key)), _shown(new[key]), node.places.get(key))
        return
    path, place = _setting(name, new, node)
    yield Reason("param_changed", path, _shown(old), _shown(new), place)


def _part_differences(before: list[Any], after: list[Any], node: Node) -> Iterable[Reason]:
    """What differs between the parts of two trainings, whatever their order."""
    gone, come = ([p for p in some if p not in others] for some, others in ((before, after), (after, before)))
    if len(before) != len(after) or len(gone) != len(come):
        yield Reason("param_changed", "parts", str(len(before)), str(len(after)), node.place)
        return
    for old, new in zip(sorted(gone, key=_likeness), sorted(come, key=_likeness), strict=True):
        for name in (n for n in new if old.get(n) != new[n]):
            if name in _INPUT_FIELDS:
                yield Reason("upstream", name)
            else:
                path, place = _setting(name, new[name], node)
                yield Reason("param_changed", path, _shown(old.get(name)), _shown(new[name]), place)


def _likeness(part: dict[str, Any]) -> str:
    """Orders parts by what they are before what they read."""
    return str([part["kind"], part["labels"], part["head"], part["mask"], part["data"]])


def _setting(name: str, value: Any, node: Node) -> tuple[str, Place]:  # noqa: ANN401
    """The settings key behind an op's field, and where it was set."""
    key = value[0] if name == "length" else "input" if name == "fields" else name.replace("_", "-")
    return key, node.places.get(key, node.place)


def _shown(value: Any) -> str:  # noqa: ANN401
    match value:
        case [unit, number] if unit in ("epochs", "steps"):
            return f"{number} {unit}"
        case {"type": "Limit", "count": count}:
            return str(count)
        case {"type": "Mix", "rule": rule, "cap": cap, "temperature": temperature, "weights": weights}:
            inside = str(cap or temperature or ", ".join(f"{w:.3g}" for w in weights))
            return f"{rule}({inside})" if inside else str(rule)
        case None:
            return "none"
        case _:
            return str(value) if len(str(value)) <= 40 else "…"  # noqa: PLR2004


def _changes(to_run: tuple[Node, ...], reasons: Mapping[Key, tuple[Reason, ...]]) -> tuple[Change, ...]:
    """Each change at its root, once, with everything that it re-runs."""
    roots: dict[Key, set[Reason]] = {}
    reruns: dict[Reason, list[Key]] = {}
    for node in to_run:
        own = {r for r in reasons[node.key] if r.code not in ("new", "upstream", "unpinned")}
        above = {r for key in inputs(node.op) for r in roots.get(key, ())}
        roots[node.key] = own | above
        for reason in roots[node.key]:
            reruns.setdefault(reason, []).append(node.key)
    return tuple(Change(reason, tuple(keys)) for reason, keys in reruns.items())
