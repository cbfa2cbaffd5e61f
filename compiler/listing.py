"""What there is to write in a spec: declarations, languages and settings, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.catalog import KINDS, OF_TARGETS, SETTINGS, SLOT, SettingRule
from compiler.declare import spoken
from compiler.known import Known, Origin, known, place_of
from compiler.resolve import merge
from compiler.writing import written
from dsl.syntax import Declaration, String

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.bag import Bag
    from compiler.resolve import Merged, Names


class ModelRow(Struct, frozen=True):
    """A model that a chain may start with."""

    name: str
    weights: str  # as they are written
    licence: str | None
    declared: str  # FILE:LINE
    origin: Origin
    hides: tuple[str, ...]  # FILE:LINE of declarations that it hides


class TaskRow(Struct, frozen=True):
    """A task or a benchmark."""

    name: str
    word: str
    kind: str
    parent: str | None  # whom it inherits from, unless that is the kind
    source: str
    languages: tuple[str, ...]
    licence: str | None
    declared: str
    origin: Origin
    hides: tuple[str, ...]


class LanguageRow(Struct, frozen=True):
    """A language, and who has data of it."""

    code: str
    tasks: tuple[str, ...]
    benchmarks: tuple[str, ...]


class SettingRow(Struct, frozen=True):
    """A settings key."""

    key: str
    meaning: str
    nodes: tuple[str, ...]  # "run", "part", "target"
    kinds: tuple[str, ...]  # of these kinds alone; () for all
    built_in: str  # "" where there is none
    allowed: str
    not_yet: tuple[str, ...]  # words of the language that this version cannot run
    available: bool
    instead_of: str | None  # the key whose slot it shares


def models(names: Names, bag: Bag) -> tuple[ModelRow, ...]:
    """The models that a spec sees, by name."""
    return tuple(_model(name, found, merged) for name, found, merged in _merged(names, bag) if found.word == "model")


def tasks(names: Names, bag: Bag) -> tuple[TaskRow, ...]:
    """The tasks and benchmarks that a spec sees, by name."""
    return tuple(_task(n, found, merged, bag) for n, found, merged in _merged(names, bag) if found.word != "model")


def languages(names: Names, bag: Bag) -> tuple[LanguageRow, ...]:
    """The languages of those, by code."""
    rows = tasks(names, bag)
    return tuple(
        LanguageRow(
            code,
            tuple(r.name for r in rows if r.word == "task" and code in r.languages),
            tuple(r.name for r in rows if r.word == "benchmark" and code in r.languages),
        )
        for code in sorted({code for r in rows for code in r.languages})
    )


def settings() -> tuple[SettingRow, ...]:
    """Every settings key, in the order of the catalogue."""
    return tuple(_setting(key, rule) for key, rule in SETTINGS.items())


def _merged(names: Names, bag: Bag) -> Iterator[tuple[str, Known, Merged]]:
    for name, found in sorted(known(names).items()):
        if isinstance(found.named, Declaration) and (merged := merge(found.named, names, bag)) is not None:
            yield name, found, merged


def _model(name: str, found: Known, merged: Merged) -> ModelRow:
    weights = merged.nearest("weights")
    shown = written(weights.value) if weights is not None else ""
    return ModelRow(name, shown, _licence(merged), found.place, found.origin, _hidden(found))


def _task(name: str, found: Known, merged: Merged, bag: Bag) -> TaskRow:
    source, spoken_ = spoken(merged, bag)
    parent = merged.ancestry[1] if len(merged.ancestry) > 1 else None
    return TaskRow(
        name,
        found.word,
        merged.kind or "",
        parent,
        source,
        spoken_,
        _licence(merged),
        found.place,
        found.origin,
        _hidden(found),
    )


def _licence(merged: Merged) -> str | None:
    pair = merged.nearest("licence")
    if pair is None:
        return None
    return pair.value.value if isinstance(pair.value, String) else written(pair.value)


def _hidden(found: Known) -> tuple[str, ...]:
    return tuple(place_of(named.name.span) for named in found.hides)


def _setting(key: str, rule: SettingRule) -> SettingRow:
    kinds = tuple(k.name for k in KINDS.values() if key in k.settings)
    return SettingRow(
        key=key,
        meaning=rule.meaning,
        nodes=_nodes(key, rule),
        kinds=kinds,
        built_in=rule.built_in(),
        allowed=replace(rule, later=()).allowed(),
        not_yet=rule.later,
        available=rule.available,
        instead_of=SLOT.get(key),
    )


def _nodes(key: str, rule: SettingRule) -> tuple[str, ...]:
    where = "target" if rule.where == "kind" else rule.where
    return (where, "target") if key in OF_TARGETS else (where,)
