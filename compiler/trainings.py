"""Stages to trainings, and where several are tried to the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.heads import kept
from compiler.judging import BY_FIRST_METRIC, Judging
from compiler.mixes import MixRule, mix_of, weights_of
from compiler.ops import Keep, Key, Method, Mix, Part, Select, Train
from compiler.parts import Ordered, ordered
from compiler.selection import SelectRule
from compiler.titles import called
from compiler.values import as_number, as_real, as_text, as_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from compiler.data import DataLowering
    from compiler.graph import Graph
    from compiler.plan import Device, Place
    from compiler.settle import Setting, Settings, Settled, Stage
    from compiler.values import Scalar
    from dsl.source import Span


class Weights(Struct, frozen=True):
    """What a stage leaves: a weights node, and which of its heads each part of the stage trained."""

    key: Key  # unless `open`: then nobody reads it, and each target chooses
    heads: tuple[tuple[Settled, int], ...]
    trainings: tuple[Key, ...] = ()  # those of the stage, several with `best {…}`
    open: bool = False  # whether the trainings keep all their checkpoints, for each target to choose one
    chosen_on: frozenset[object] = frozenset()  # rows that chose a checkpoint, up to here, as `rows_of` tells them

    def head(self, part: Settled) -> int:
        """The index of a part's head."""
        return next(index for trained, index in self.heads if trained is part)


def precision_of(setting: Setting, device: Device) -> str:
    """The precision once the device is known."""
    precision = as_text(setting.value)
    if precision == "auto":
        return "bf16" if device.bf16 else "fp32"
    return precision


def setting_places(settings: Settings, graph: Graph) -> dict[str, Place]:
    """Where each setting was said."""
    return {s.key: graph.place(s.place) for s in settings.values() if s.place is not None}


class Trainings:
    """Enters the nodes of stages."""

    def __init__(self, graph: Graph, data: DataLowering, device: Device, bag: Bag) -> None:
        self._graph, self._data, self._device = graph, data, device
        self.judging = Judging(graph, data, bag)
        self.naive = 0  # trainings if every chain ran alone

    def enter(self, stage: Stage, before: tuple[Stage, ...], parent: Weights, model: Key, title: str) -> Weights | None:
        """The weights that a stage leaves, on from `parent`; None after a finding. `title` is of what stands before it.

        Its checkpoint is chosen for each target where `select: best(on: target)` of the stage says so: the caller has
        settled where that means nothing.
        """
        tried: list[Key] = []
        chosen_on = parent.chosen_on
        for one in _tried(stage):
            given = self._parts(one, parent, model)  # what draws the parts may be one of the things to find the best of
            if given is None:
                return None
            found, mix = given
            keep = self._keep(one, found, before, model)
            if keep is None and isinstance(one["select"], SelectRule):
                return None
            op = self._op(one, parent.key, found, mix, keep)
            label = f"{title} -> {called(one)} (seed {one['seed']})"
            tried.append(self._graph.enter(op, label, one.span, self._places(one)))
            self.naive += 1
            chosen_on |= self.judging.rows(keep.judges) if keep is not None else frozenset()
        heads = tuple(zip(stage.parts, found.head_of, strict=True))
        trainings = tuple(sorted(dict.fromkeys(tried)))
        weights = Weights(trainings[0], heads, trainings, _is_open(stage), chosen_on)
        if len(trainings) == 1 or weights.open:
            return weights
        return self._select(stage, before, weights, found, model, title)

    def _parts(self, stage: Stage, parent: Weights, model: Key) -> tuple[Ordered, Mix | None] | None:
        data = [self._data.of_part(part, model) for part in stage.parts]
        known = [(part, keys) for part, keys in zip(stage.parts, data, strict=True) if keys is not None]
        if len(known) < len(data):
            return None
        rule = stage["mix"] if isinstance(stage["mix"], MixRule) else None
        written = [_part(part, keys, parent) for part, keys in known]
        found = ordered(written, weights_of(rule, [part.task.name for part in stage.parts]))
        return found, mix_of(rule, found.weights, [len(part.data) for part in found.parts])

    def _keep(self, stage: Stage, found: Ordered, before: tuple[Stage, ...], model: Key) -> Keep | None:
        """Which checkpoints a training keeps; None for the last alone, and after a finding."""
        rule = stage["select"]
        if not isinstance(rule, SelectRule):
            return None
        if rule.on_target:
            return Keep(rule.every, (), None)
        place = _place(stage, "select")
        judges = self.judging.of_stage(stage, found.head_of, model, rule, place)
        if judges is None:
            return None
        self.judging.check_unseen(judges, stage.parts, _labelled(before, stage), model, place)
        return Keep(rule.every, judges, rule.patience)

    def _select(
        self, stage: Stage, before: tuple[Stage, ...], weights: Weights, found: Ordered, model: Key, title: str
    ) -> Weights | None:
        """The choice among what `best {…}` tries."""
        place = _place(stage, next(s for s in stage.settings if len({c[s].value for c in stage.candidates}) > 1))
        judges = self.judging.of_stage(stage, found.head_of, model, BY_FIRST_METRIC, place)
        if judges is None:
            return None
        self.judging.check_unseen(judges, stage.parts, _labelled(before, stage), model, place)
        op = Select(weights.trainings, judges, precision_of(stage.settings["precision"], self._device))
        label = f"choose {title} -> {called(stage)} (seed {stage['seed']})"
        key = self._graph.enter(op, label, stage.span, self._places(stage))
        return replace(weights, key=key, chosen_on=weights.chosen_on | self.judging.rows(judges))

    def _op(self, stage: Stage, parent: Key, found: Ordered, mix: Mix | None, keep: Keep | None) -> Train:
        length = stage.settings["epochs"]
        return Train(
            parent=parent,
            parts=found.parts,
            mix=mix,
            length=(length.key, as_whole(length.value)),
            batch=as_whole(stage["batch"]),
            lr=as_real(stage["lr"]),
            warmup=as_number(stage["warmup"]),
            schedule=as_text(stage["schedule"]),
            weight_decay=as_real(stage["weight-decay"]),
            eps=as_real(stage["eps"]),
            clip=as_real(stage["clip"]),
            optimizer=as_text(stage["optimizer"]),
            dropout=None if stage["dropout"] is None else as_real(stage["dropout"]),
            seed=as_whole(stage["seed"]),
            precision=precision_of(stage.settings["precision"], self._device),
            keep=keep,
            tune=_tuned(stage["tune"]),
            robust=stage["robust"] if isinstance(stage["robust"], Method) else None,
            restarts=_restarts(stage["degenerate"]),
        )

    def _places(self, stage: Stage) -> Mapping[str, Place]:
        """Where each setting of a training was said; of one key in several parts the first."""
        places: dict[str, Place] = {}
        for settings in (stage.settings, *(part.settings for part in stage.parts)):
            places = {**setting_places(settings, self._graph), **places}
        return places


def _restarts(value: Scalar | None) -> int | None:
    """How often a training that collapsed begins anew."""
    return int(dict(value.arguments)["tries"]) if isinstance(value, Method) else None


def _tuned(value: Scalar | None) -> str | Method | None:
    return value if isinstance(value, Method) else None if value == "full" else as_text(value)


def _tried(stage: Stage) -> tuple[Stage, ...]:
    """The stage with each of the values that it is to find the best of."""
    return tuple(replace(stage, settings=s, candidates=()) for s in stage.candidates) or (stage,)


def _is_open(stage: Stage) -> bool:
    return isinstance(stage["select"], SelectRule) and stage["select"].on_target


def _place(stage: Stage, slot: str) -> Span:
    return stage.settings[slot].place or stage.span


def _labelled(before: tuple[Stage, ...], stage: Stage) -> list[Settled]:
    """What was trained on labels before a checkpoint of `stage` is chosen, and all of `stage` itself."""
    return [*stage.parts, *(p for s in before for p in s.parts if p.task.kind.labelled)]


def _part(part: Settled, data: tuple[Key, ...], parent: Weights) -> Part:
    keeps = kept([p for p, _ in parent.heads], part) if part["head"] == "keep" else ()
    return Part(
        kind=part.task.kind.name,
        labels=part.task.labels,
        data=data,
        head=parent.head(keeps[0]) if keeps else "new",
        mask=as_real(part["mask"]) if "mask" in part.settings else None,
    )
