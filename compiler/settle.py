"""The cascade: shapes to runs, in which every setting of every stage and target has one value and a place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.catalog import KINDS, OF_KINDS, OF_TARGETS, SETTINGS, SLOT, Kind
from compiler.declare import ModelDecl, TaskDecl
from compiler.suites import Taken
from compiler.values import Given, Options, Scalar
from dsl.diagnostics import Label
from dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.bag import Bag
    from compiler.plan import Written

Level = tuple[Given, ...]


class Setting(Struct, frozen=True):
    """A settled value: the key it was written with, and where; `place` is None for a built-in."""

    key: str
    value: Scalar | None
    place: Span | None
    chosen: str = ""  # what the value is called, where it was one of a choice


Settings = Mapping[str, Setting]  # by slot


class Open(Struct, frozen=True):
    """A stage or target before its choices of values are settled: each slot's nearest Given."""

    task: TaskDecl
    languages: tuple[str, ...]
    span: Span
    name_span: Span
    givens: Mapping[str, Given]


class Settled(Struct, frozen=True):
    """A stage or a target with all its values."""

    task: TaskDecl
    languages: tuple[str, ...]
    span: Span
    name_span: Span
    settings: Settings

    def __getitem__(self, slot: str) -> Scalar | None:
        return self.settings[slot].value


class OpenStage(Struct, frozen=True):
    """A training run before its choices of values are settled: the settings of its parts, and those of the run."""

    parts: tuple[Open, ...]
    givens: Mapping[str, Given]
    span: Span

    @property
    def name(self) -> str:
        """What its settings are called by where two stages have one key."""
        return "-".join(part.task.name for part in self.parts)


class Stage(Struct, frozen=True):
    """A training run with all its values; those of the parts stand at the parts.

    With `best {…}` among its settings it is trained with each of `candidates`, and goes on from the best; `settings`
    are then the first, in which a value that is looked for is called by all that it may be.
    """

    parts: tuple[Settled, ...]
    settings: Settings
    span: Span
    candidates: tuple[Settings, ...] = ()

    def __getitem__(self, slot: str) -> Scalar | None:
        return self.settings[slot].value


class Earlier(Struct, frozen=True):
    """A part of a stage, by their numbers, that `@ previous` evaluates as `target`, after its stage and the last."""

    stage: int
    part: int
    target: Settled


class Run(Struct, frozen=True):
    """One chain with nothing left to choose. `axes` maps each place of a choice that it reaches to what was taken."""

    experiment: str
    model: ModelDecl
    model_span: Span
    stages: tuple[Stage, ...]
    targets: tuple[Settled, ...]
    axes: Mapping[Span, Taken]
    previous: tuple[Earlier, ...] = ()
    previous_span: Span | None = None  # of `@ previous`
    written: tuple[Written, ...] = ()  # its stages as the chain has them


def has_key(key: str, kind: Kind, *, target: bool) -> bool:
    """Whether a stage (or target) of this kind has the key."""
    where = SETTINGS[key].where
    if (where == "kind" or key in OF_KINDS) and key not in kind.settings:
        return False
    if target:
        return where in ("target", "kind") or key in OF_TARGETS
    return where in ("run", "part")


def is_of_run(key: str) -> bool:
    """Whether a key stands on a whole stage, and not on its parts."""
    return SETTINGS[key].where == "run"


def nearest(levels: Iterable[Level], kind: Kind, *, target: bool) -> dict[str, Given]:
    """For each slot the Given of the nearest level that has it. `levels` come nearest first."""
    found: dict[str, Given] = {}
    for level in levels:
        for given in level:
            if has_key(given.key, kind, target=target):
                found.setdefault(given.slot, given)
    return found


class ShapeInSettings(Struct, frozen=True):
    """A shape whose stages and targets know their nearest Givens."""

    experiment: str
    model: ModelDecl
    model_span: Span
    stages: tuple[OpenStage, ...]
    targets: tuple[Open, ...]
    taken: Mapping[Span, Taken]
    previous: tuple[tuple[int, int, Open], ...] = ()  # as in a Run
    previous_span: Span | None = None
    written: tuple[Written, ...] = ()

    def places(self) -> dict[Span, tuple[str, str, Options]]:
        """Each open choice of values: its key, the part that first reaches it, and its options."""
        found: dict[Span, tuple[str, str, Options]] = {}
        stages = [g for s in self.stages for g in ((s.name, s.givens), *((p.task.name, p.givens) for p in s.parts))]
        targets = (*self.targets, *(target for _, _, target in self.previous))
        for name, givens in (*stages, *((t.task.name, t.givens) for t in targets)):
            for given in givens.values():
                if isinstance(given.value, Options) and not given.value.best:
                    found.setdefault(given.value.place, (_single(given.key), name, given.value))
        return found

    def runs(self) -> int:
        """How many runs it stands for, each candidate of a stage counted as one."""
        candidates = (prod(len(o.options) for o in _best_options(s).values()) for s in self.stages)
        return prod(len(options.options) for _, _, options in self.places().values()) * max(candidates, default=1)


def axis_names(shapes: Iterable[ShapeInSettings], bag: Bag) -> dict[Span, str]:
    """What the axes of values are called: the key, or PART.KEY where one run has two of one key."""
    parts: dict[Span, tuple[str, str]] = {}
    ambiguous: set[str] = set()
    for shape in shapes:
        keys: dict[str, Span] = {}
        for place, (key, part, _) in shape.places().items():
            parts.setdefault(place, (key, part))
            if keys.setdefault(key, place) != place:
                ambiguous.add(key)
    names = {place: f"{part}.{key}" if key in ambiguous else key for place, (key, part) in parts.items()}
    for shape in shapes:
        _check_apart(shape, names, bag)
    return names


def _check_apart(shape: ShapeInSettings, names: Mapping[Span, str], bag: Bag) -> None:
    """Two axes of one run must not have one name."""
    seen = {taken.axis: place for place, taken in shape.taken.items()}
    for place in shape.places():
        if (first := seen.setdefault(names[place], place)) != place:
            message = f"two choices of one chain would both be called `{names[place]}`"
            hint = "write them as one choice with `with (…)`, or give one task a second name: `task NAME : TASK { }`"
            bag.error(codes.NO_REFERENCE, place, message, hint, Label(first, "the other choice"))


def settle(shape: ShapeInSettings, names: Mapping[Span, str]) -> Iterable[Run]:
    """One run for each combination of the open choices of values."""
    places = shape.places()
    for combination in product(*(options.options for _, _, options in places.values())):
        values = dict(zip(places, combination, strict=True))
        taken = {p: Taken(names[p], label) for p, (label, _) in zip(places, combination, strict=True)}
        yield Run(
            shape.experiment,
            shape.model,
            shape.model_span,
            tuple(_close_stage(s, values) for s in shape.stages),
            tuple(_close_target(t, values) for t in shape.targets),
            {**shape.taken, **taken},
            tuple(Earlier(stage, part, _close_target(t, values)) for stage, part, t in shape.previous),
            shape.previous_span,
            shape.written,
        )


_Chosen = Mapping[Span, tuple[str, Scalar]]


def _close_stage(stage: OpenStage, values: _Chosen) -> Stage:
    parts = tuple(_close(p, values, _slots(p.task.kind.name, "part")) for p in stage.parts)
    slots, best = _slots(stage.parts[0].task.kind.name, "run"), _best_options(stage)
    if not best:
        return Stage(parts, _values(stage.givens, values, slots), stage.span)
    combinations = product(*(options.options for options in best.values()))
    candidates = [_values(stage.givens, {**values, **dict(zip(best, c, strict=True))}, slots) for c in combinations]
    named = {place: (_called_best(options), options.options[0][1]) for place, options in best.items()}
    return Stage(parts, _values(stage.givens, {**values, **named}, slots), stage.span, tuple(candidates))


def _best_options(stage: OpenStage) -> dict[Span, Options]:
    """What the stage looks for the best of, by place."""
    values = [given.value for given in stage.givens.values()]
    return {v.place: v for v in values if isinstance(v, Options) and v.best}


def _called_best(options: Options) -> str:
    return f"best of {', '.join(name for name, _ in options.options)}"


def _close_target(target: Open, values: _Chosen) -> Settled:
    return _close(target, values, _slots(target.task.kind.name, "target"))


def _close(part: Open, values: _Chosen, slots: tuple[str, ...]) -> Settled:
    return Settled(part.task, part.languages, part.span, part.name_span, _values(part.givens, values, slots))


def _values(givens: Mapping[str, Given], values: _Chosen, slots: tuple[str, ...]) -> Settings:
    settings: dict[str, Setting] = {}
    for slot in slots:
        given = givens.get(slot)
        if given is None:
            settings[slot] = Setting(slot, SETTINGS[slot].default, None)
        elif isinstance(given.value, Options):
            chosen, value = values[given.value.place]
            settings[slot] = Setting(_single(given.key), value, given.span, chosen)
        else:
            settings[slot] = Setting(_single(given.key), given.value, given.span)
    return settings


@cache
def _slots(kind: str, role: str) -> tuple[str, ...]:
    """What every target, stage ("run") or part of a stage of a kind has a value of."""
    keys = [k for k in SETTINGS if k not in SLOT and has_key(k, KINDS[kind], target=role == "target")]
    return tuple(k for k in keys if role == "target" or is_of_run(k) == (role == "run"))


def _single(key: str) -> str:
    return "seed" if key == "seeds" else key
