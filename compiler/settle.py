"""The cascade: shapes to runs, in which every setting of every stage and target has one value and a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from compiler.catalog import SETTINGS, SLOT, Kind
from compiler.declare import ModelDecl, TaskDecl
from compiler.expand import Taken
from compiler.values import Given, Options, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsl.source import Span

Level = tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A settled value: the key it was written with, and where; `place` is None for a built-in."""

    key: str
    value: Scalar | None
    place: Span | None


Settings = Mapping[str, Setting]  # by slot


@dataclass(frozen=True, slots=True)
class Open:
    """A stage or target before its choices of values are settled: each slot's nearest Given."""

    task: TaskDecl
    languages: tuple[str, ...]
    span: Span
    name_span: Span
    givens: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Settled:
    """A stage or a target with all its values."""

    task: TaskDecl
    languages: tuple[str, ...]
    span: Span
    name_span: Span
    settings: Settings

    def __getitem__(self, slot: str) -> Scalar | None:
        return self.settings[slot].value


@dataclass(frozen=True, slots=True)
class Run:
    """One chain with nothing left to choose. `axes` maps each place of a choice that it reaches to what was taken."""

    experiment: str
    model: ModelDecl
    model_span: Span
    stages: tuple[Settled, ...]
    targets: tuple[Settled, ...]
    axes: Mapping[Span, Taken]


def has_key(key: str, kind: Kind, *, target: bool) -> bool:
    """Whether a stage (or target) of this kind has the key."""
    where = SETTINGS[key].where
    if where == "kind" or (key == "mask" and key not in kind.settings):
        return False
    if target:
        return where == "target" or key in ("limit", "max-length", "precision", "mask")
    return where in ("run", "part")


def nearest(levels: Iterable[Level], kind: Kind, *, target: bool) -> dict[str, Given]:
    """For each slot the Given of the nearest level that has it. `levels` come nearest first."""
    found: dict[str, Given] = {}
    for level in levels:
        for given in level:
            if has_key(given.key, kind, target=target):
                found.setdefault(given.slot, given)
    return found


@dataclass(frozen=True, slots=True)
class ShapeInSettings:
    """A shape whose stages and targets know their nearest Givens."""

    experiment: str
    model: ModelDecl
    model_span: Span
    stages: tuple[Open, ...]
    targets: tuple[Open, ...]
    taken: Mapping[Span, Taken]

    def places(self) -> dict[Span, tuple[str, str, Options]]:
        """Each open choice of values: its slot, the part that first reaches it, and its options."""
        found: dict[Span, tuple[str, str, Options]] = {}
        for part in (*self.stages, *self.targets):
            for slot, given in part.givens.items():
                if isinstance(given.value, Options):
                    found.setdefault(given.value.place, (slot, part.task.name, given.value))
        return found


def axis_names(shapes: Iterable[ShapeInSettings]) -> dict[Span, str]:
    """What the axes of values are called: the key, or PART.KEY where one run has two of one key."""
    parts: dict[Span, tuple[str, str]] = {}
    ambiguous: set[str] = set()
    for shape in shapes:
        slots: dict[str, Span] = {}
        for place, (slot, part, _) in shape.places().items():
            parts.setdefault(place, (slot, part))
            if slots.setdefault(slot, place) != place:
                ambiguous.add(slot)
    return {place: f"{part}.{slot}" if slot in ambiguous else slot for place, (slot, part) in parts.items()}


def settle(shape: ShapeInSettings, names: Mapping[Span, str]) -> Iterable[Run]:
    """One run for each combination of the open choices of values."""
    places = shape.places()
    for combination in product(*(options.options for _, _, options in places.values())):
        values = {place: value for place, (_, value) in zip(places, combination, strict=True)}
        taken = {p: Taken(names[p], label) for p, (label, _) in zip(places, combination, strict=True)}
        yield Run(
            shape.experiment,
            shape.model,
            shape.model_span,
            tuple(_close(s, values, target=False) for s in shape.stages),
            tuple(_close(t, values, target=True) for t in shape.targets),
            {**shape.taken, **taken},
        )


def _close(part: Open, values: Mapping[Span, Scalar], *, target: bool) -> Settled:
    settings: dict[str, Setting] = {}
    for key, rule in SETTINGS.items():
        slot = SLOT.get(key, key)
        if key != slot or not has_key(key, part.task.kind, target=target):
            continue
        given = part.givens.get(slot)
        if given is None:
            settings[slot] = Setting(slot, rule.default, None)
        elif isinstance(given.value, Options):
            settings[slot] = Setting(_single(given.key), values[given.value.place], given.span)
        else:
            settings[slot] = Setting(_single(given.key), given.value, given.span)
    return Settled(part.task, part.languages, part.span, part.name_span, settings)


def _single(key: str) -> str:
    return "seed" if key == "seeds" else key


def with_settings(part: Settled, **changes: Setting) -> Settled:
    """The same with other settings; hyphens are written as underscores here."""
    new = {**part.settings, **{k.replace("_", "-"): v for k, v in changes.items()}}
    return replace(part, settings=new)
