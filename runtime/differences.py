"""The difference of two pre-images, leaf by leaf, and each leaf as a reason: what changed, from what to what, where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from compiler.embedded import WORLD_PARAMETERS
from compiler.keys import later
from compiler.plan import Place
from runtime.contents import Content, Names

if TYPE_CHECKING:
    from compiler.plan import Node

# Fields that hold keys of other nodes.
INPUTS = ("model", "parent", "weights", "predictions", "train", "data", "candidates", "head_of", "tuned_on")
_WORLD = ("task", *(key.replace("-", "_") for key in WORLD_PARAMETERS))  # fields that `world(…)` says
_WHOLE = {"length", "mix", "limit"}  # fields that are shown as one value
_UNSET = {"select": "last", "tune": "full", "match": "forward"}  # what a field means that is not there
_WIDTH = 72  # of a shown value; a longer one is cut around the difference


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node runs; `code` is one of an enumerated, stable list (docs/node-keys.md)."""

    code: str
    path: str = ""
    before: str = ""
    after: str = ""
    place: Place | None = None
    about: str = "setting"  # what `path` names: "setting", "file" or "revision" (a repository)
    detail: str = field(default="", compare=False)  # the files by which a revision shows; others in each node


class Leaf(Struct, frozen=True):
    """One value that differs; a list of steps leads to it. None where a side has nothing."""

    path: tuple[str, ...]
    before: Any
    after: Any


def leaves(before: object, after: object, path: tuple[str, ...] = ()) -> list[Leaf]:
    """Every value that differs between two records of JSON, as deep as both have one shape; never none where any does.

    A list of (name, value) is the record that it stands for; where only its order differs, the list is the leaf.
    """
    if _text(before) == _text(after):
        return []
    return list(_inside(_by_name(before), _by_name(after), path)) or [Leaf(path, before, after)]


def _inside(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Leaf]:  # noqa: ANN401
    if path == ("parts",) and _are_records(old) and _are_records(new):
        yield from _parts(old, new)
    elif path == ("keep",) and _choosing(old) != _choosing(new):
        yield Leaf(path, old, new)
    elif isinstance(old, dict) and isinstance(new, dict) and old.get("type") == new.get("type") == "WorldRows":
        yield from _worlds(old, new, path)
    elif isinstance(old, dict) and isinstance(new, dict) and old.get("type") == new.get("type") and not _whole(path):
        for name in {**new, **old}:
            yield from leaves(old.get(name), new.get(name), (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _has_items(new, path):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from leaves(one, other, (*path, str(number)))
    else:
        yield Leaf(path, old, new)


def _choosing(keep: Any) -> Any:  # noqa: ANN401
    """What a spec says of how a checkpoint is chosen, without the data and the versions that it is chosen by."""
    if not isinstance(keep, dict):
        return keep
    judges = [{k: v for k, v in j.items() if k not in ("data", "metric_version")} for j in keep["judges"]]
    return {**keep, "judges": judges}


def _text(value: object) -> str:
    """Canonical: 1 and 1.0 are different values, as in a key."""
    return json.dumps(value, sort_keys=True)


def _whole(path: tuple[str, ...]) -> bool:
    return path[:1] != () and path[-1] in _WHOLE


def _has_items(values: list[Any], path: tuple[str, ...]) -> bool:
    """Whether a list is compared item by item: of records, or of the templates of one field."""
    return path[:1] == ("fields",) or (not _whole(path) and any(isinstance(v, dict | list) for v in values))


def _by_name(value: Any) -> Any:  # noqa: ANN401
    """A list of (name, value) as the record that it stands for."""
    match value:
        case [*pairs] if pairs and all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs):  # noqa: PLR2004
            named = dict(list(pairs))
            return named if len(named) == len(pairs) else value
    return value


def _worlds(before: dict[str, Any], after: dict[str, Any], path: tuple[str, ...]) -> Iterator[Leaf]:
    """What a spec says of the world is one leaf; what one record does not have, its version tells."""
    asked = {name: (before[name], after[name]) for name in _WORLD if name in before and name in after}
    if any(one != other for one, other in asked.values()):
        yield Leaf(path, before, after)
    for name in sorted({*before, *after} - {*_WORLD}):
        yield from leaves(before.get(name), after.get(name), (*path, name))


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _parts(before: list[Any], after: list[Any]) -> Iterator[Leaf]:
    """What differs between the parts of two trainings, whatever their order."""
    gone, come = ([p for p in some if p not in others] for some, others in ((before, after), (after, before)))
    if len(before) != len(after) or len(gone) != len(come):
        yield Leaf(("parts",), len(before), len(after))
        return
    for old, new in zip(sorted(gone, key=_likeness), sorted(come, key=_likeness), strict=True):
        yield from leaves(old, new, ("parts", new["kind"]))


def _likeness(part: dict[str, Any]) -> str:
    """Orders parts by what they are before what they read."""
    return str([part.get(name) for name in ("kind", "labels", "head", "mask", "data")])


# --- leaves as reasons ----------------------------------------------------------------------------------------------


def differences(node: Node, before: Mapping[str, Any], now: Names, then: Names) -> tuple[Reason, ...]:
    """Why the node is not the one whose pre-image was `before`, whose sources were called as in `then`."""
    record = node.preimage
    if before.get("schema") != (schema := record["schema"]):  # its fields mean something else
        return (Reason("key_schema_changed", "schema", str(before.get("schema")), str(schema)),)
    found = [*_version(record, before)]
    absent = dict.fromkeys(later(type(node.op)))
    old, own = {**absent, **before["fields"]}, {**absent, **record["fields"]}
    new = {k: v for k, v in own.items() if k in old}
    for leaf in leaves({k: v for k, v in old.items() if k in new}, new):  # what one did not record, its version tells
        found.extend(_reasons(leaf, node, _Files(now, then)))
    return _once(found)


def _once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Equal reasons as one, with the details of all."""
    details: dict[Reason, list[str]] = {}
    for reason in reasons:
        details.setdefault(reason, []).extend([reason.detail] if reason.detail else [])
    return tuple(replace(reason, detail=", ".join(said)) for reason, said in details.items())


def _version(record: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Reason]:
    old, new = before.get("version"), record["version"]
    if old != new:
        yield Reason("op_version_changed", "version", str(old), str(new))


def _reasons(leaf: Leaf, node: Node, files: _Files) -> Iterator[Reason]:
    match leaf.path:
        case ("tuned_on",) if None in (leaf.before, leaf.after):
            before, after = ("none" if v is None else "dev" for v in (leaf.before, leaf.after))
            yield _setting("threshold", Leaf(leaf.path, before, after), node)
        case (name,) if name in INPUTS:
            yield Reason("upstream", name)
        case ("parts", _, "data") | ("judges" | "keep", *_, "data"):
            yield Reason("upstream", "data")
        case ("source" | "sources", *_):
            yield from _source(leaf, node, files)
        case ("metric_version",) | ("judges" | "keep", *_, "metric_version"):
            yield Reason("op_version_changed", "metric-version", str(leaf.before), str(leaf.after))
        case ("fields", name, *_):
            yield _setting(f"input.{name}", leaf, node)
        case _:
            yield _setting(_key(leaf), leaf, node)


def _key(leaf: Leaf) -> str:
    """The settings key behind a field."""
    last = next(step for step in reversed(leaf.path) if not step.isdecimal())
    if leaf.path[0] in ("keep", "judges"):
        return "select"
    return str(leaf.after[0]) if last == "length" else "input" if last == "fields" else last.replace("_", "-")


def _setting(key: str, leaf: Leaf, node: Node) -> Reason:
    before, after = _cut(*(_UNSET.get(key, "none") if v is None else _shown(v) for v in (leaf.before, leaf.after)))
    return Reason("param_changed", key, before, after, node.places.get(key, node.place))


def _source(leaf: Leaf, node: Node, files: _Files) -> Iterator[Reason]:
    """A difference of weights or rows as published."""
    model = leaf.path[0] == "source"
    code, place = "model_changed" if model else "data_changed", node.places.get("weights" if model else "data")
    place = place or node.place
    match leaf.path:
        case ("source", "files" | "tokenizer", name):
            yield files.reason(code, name, leaf.before, leaf.after, place)
        case (*_, "files"):
            pairs = [*files.paired(leaf.before or [], leaf.after or [])]
            yield from (files.reason(code, *pair, place) for pair in pairs)
            if not pairs:
                yield Reason(code, "the order of the files", place=place)
        case (*_, "module"):
            yield files.reason(code, "module", leaf.before, leaf.after, place)
        case _:
            before, after = _cut(_shown(leaf.before), _shown(leaf.after))
            last = next(step for step in reversed(leaf.path) if step and not step.isdecimal())
            yield Reason(code, "data" if last == "sources" else last, before, after, place)


class _Files(Struct, frozen=True):
    """What contents are called now, and were called then."""

    now: Names
    then: Names

    def paired(self, before: list[str], after: list[str]) -> Iterator[tuple[str, str | None, str | None]]:
        """(name, old digest, new digest) of each file that differs: by name, else by position."""
        old = {self.then[d].name if d in self.then else d[:12]: d for d in before}
        new = {self.now[d].name if d in self.now else d[:12]: d for d in after}
        told_apart = all(d in self.then for d in before) and len(old) == len(before) and len(new) == len(after)
        if len(before) == len(after) and not told_apart:
            yield from (("", one, other) for one, other in zip(before, after, strict=True) if one != other)
            return
        differing = [name for name in {**new, **old} if old.get(name) != new.get(name)]
        yield from ((name, old.get(name), new.get(name)) for name in differing)

    def reason(self, code: str, name: str, before: str | None, after: str | None, place: Place) -> Reason:
        """Another revision of a repository, where both are known; else the file."""
        old, new = self.then.get(before or ""), self.now.get(after or "")
        short = (before[:12] if before else "none", after[:12] if after else "none")
        if _moved(old, new) and old is not None and new is not None:
            detail = f"`{new.file}` {short[0]} → {short[1]}"
            return Reason(code, new.repository, old.revision[:12], new.revision[:12], place, "revision", detail)
        known = new or old
        return Reason(code, known.name if known is not None else name or "a file", *short, place, "file")


def _moved(old: Content | None, new: Content | None) -> bool:
    """Whether the two are of one repository at two commits."""
    if old is None or new is None:
        return False
    return old.repository == new.repository != "" and old.revision != new.revision


# --- values as text -------------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:  # noqa: ANN401
    match value:
        case [unit, number] if unit in ("epochs", "steps"):
            return f"{number} {unit}"
        case {"type": "Limit", "count": count, "order": order}:
            return str(count) if order == "fixed" else f"{count} in the data's own order"
        case {"type": "Mix" | "Keep" | "Method"}:
            name, inside = _called(value)
            return f"{name}({inside})" if inside else name
        case {"type": "FileRows", "format": form, "files": files}:
            return f"{len(files)} {form} file{'s' if len(files) != 1 else ''}"
        case {"type": "WorldRows", "task": task}:
            return f"world({', '.join([task, *_parameters(value)])})"
        case {"type": sort, **fields}:
            return f"{sort}({', '.join(f'{k}: {_shown(v)}' for k, v in fields.items())})"
        case [*values]:
            return ", ".join(_shown(v) for v in values) or "none"
        case None | "":
            return "none"
        case _:
            return str(value)


def _called(value: dict[str, Any]) -> tuple[str, str]:
    """What a spec writes as a call: its name, and what stands in the parentheses."""
    match value:
        case {"type": "Mix", "rule": rule, "cap": cap, "temperature": temperature, "weights": weights}:
            return rule, str(cap or temperature or ", ".join(f"{w:.3g}" for w in weights))
        case {"type": "Keep", "every": every, "judges": judges, "patience": patience}:
            said = {"every": every, "patience": patience, "on": None if judges else "target"}
            return "best", ", ".join(f"{k}: {v}" for k, v in said.items() if v is not None)
        case _:
            return str(value.get("name")), ", ".join(f"{k}: {v}" for k, v in value.get("arguments", ()))


def _parameters(world: dict[str, Any]) -> Iterator[str]:
    """What is not as in the plain world, as a spec writes it."""
    for key, rule in WORLD_PARAMETERS.items():
        number = world.get(key.replace("-", "_"))
        if number not in (None, rule.default):
            said = f"{100 * number:.15g}%" if rule.is_share else str(number).removesuffix(".0")
            yield f"{key}: {said}"


def _cut(before: str, after: str) -> tuple[str, str]:
    """Two texts, each cut to where they begin to differ when it is long."""
    same = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    return _window(before, same), _window(after, same)


def _window(text: str, at: int) -> str:
    if len(text) <= _WIDTH:
        return text
    start = max(0, min(at - 20, len(text) - _WIDTH))
    return f"{'…' if start else ''}{text[start : start + _WIDTH]}{'…' if start + _WIDTH < len(text) else ''}"
