"""Choices to shapes: every chain that an experiment stands for, with the alternative taken at each place."""

from __future__ import annotations

from itertools import islice
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.catalog import DEEPEST, MOST_PARTS, MOST_RUNS, SLOT
from compiler.controls import SKIP
from compiler.plan import Written
from compiler.resolve import Names
from compiler.suggest import did_you_mean
from compiler.suites import Taken, read_tails
from dsl.diagnostics import Label
from dsl.source import Span
from dsl.syntax import Alternative, Chain, Choice, Declaration, Let, Name, Part, Ref, Skip, Stage, Suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from compiler.bag import Bag
    from dsl.syntax import Languages, Pair


class Use(Struct, frozen=True):
    """A task in a chain, as a stage or as a target."""

    name: Name
    languages: Languages | None
    settings: tuple[Pair, ...]
    span: Span
    by_choice: bool = False  # whether it is a part of a mixture by a choice or a `let`, and may stand alone elsewhere


class StageUse(Struct, frozen=True):
    """A training run: its parts, and of a mixture the settings behind its parentheses."""

    parts: tuple[Use, ...]
    settings: tuple[Pair, ...]
    mixed: bool  # written with `+`: the keys of the run stand behind the parentheses alone
    span: Span


class Shape(Struct, frozen=True):
    """A chain without choices among its stages; choices of values are still open."""

    model: Name
    stages: tuple[StageUse, ...]
    written: tuple[Written, ...]
    targets: tuple[Ref, ...]
    taken: Mapping[Span, Taken]  # in the order of the text


_Taken = dict[Span, Taken]
_Way = tuple[tuple[StageUse, ...], _Taken]
_Counted = tuple[tuple[StageUse, ...], _Taken, tuple[int, ...]]


class _TooManyError(Exception):
    """The choices of a chain multiply beyond what can be planned."""


def expand(chain: Chain, names: Names, bag: Bag, controls: Mapping[str, Span] | None = None) -> tuple[Shape, ...]:
    """Every shape of `chain`; a place that a shape reaches twice has one value. Faults are reported once.

    `controls` are axes of stages that get a `skip` beside their alternatives, and who asks for it.
    """
    stages, tails = read_tails(chain, names, bag)
    before = len(stages) - (1 if any(not tail.stages for tail in tails) else 0)
    walker = _Walker(names, bag, controls or {}, before)
    shapes: list[Shape] = []
    try:
        walker.check_number(stages)
        for model, taken in walker.models(chain.model):
            for uses, after, counts in walker.counted(stages, taken, 1):
                for tail in tails:
                    written = [_written(stage) for stage in (*stages, *tail.stages)]
                    for more, last, others in walker.counted(tail.stages, {**after, **tail.taken}, len(stages) + 1):
                        as_written = tuple(map(Written, written, (*counts, *others)))
                        shapes.append(Shape(model, uses + more, as_written, tail.targets, last))
    except _TooManyError:
        shapes = []
        report_too_many(chain.span, bag)
    return tuple(shapes)


def report_too_many(span: Span, bag: Bag) -> None:
    """An experiment whose axes multiply beyond MOST_RUNS."""
    message = f"this chain stands for more than {MOST_RUNS:,} runs"
    bag.error(codes.TOO_MANY, span, message, "its axes multiply: take one out, or write several chains")


class _Walker:
    """Walks one chain; what it remembers is which lets it is inside of, and the alternatives of each choice."""

    def __init__(self, names: Names, bag: Bag, controls: Mapping[str, Span], before: int) -> None:
        self.names, self.bag = names, bag
        self.controls, self.before = controls, before  # the stages before the last are how many
        self.number = 0  # of the stage of the chain that is walked through
        self.depth = 0  # of choices around the stages that are walked through
        self.inside: tuple[Span, ...] = ()
        self.known: dict[Span, list[tuple[str, Alternative]]] = {}

    def models(self, model: Name | Choice) -> Iterator[tuple[Name, _Taken]]:
        """The model's name, one for each alternative of a choice of models."""
        if isinstance(model, Name):
            yield model, {}
            return
        for label, alternative in self._alternatives(model):
            match alternative.stages:
                case (Stage(parts=(Ref(languages=None, settings=()) as ref,), settings=()),):
                    yield ref.name, {model.span: Taken("model", label)}
                case _:
                    message = "a choice of models holds names of models alone"
                    self.bag.error(codes.WRONG_SORT, alternative.span, message)

    def check_number(self, stages: tuple[Stage, ...]) -> None:
        """Raise _TooManyError, without walking them, for stages whose own choices alone multiply beyond MOST_RUNS."""
        choices = {c.span: c for stage in stages if (c := self._own_choice(stage)) is not None}
        if prod(len(choice.alternatives) for choice in choices.values()) > MOST_RUNS:
            raise _TooManyError

    def _own_choice(self, stage: Stage) -> Choice | None:
        """The choice that a stage is, itself or by the `let` that it names."""
        part = stage.parts[0] if len(stage.parts) == 1 else None
        found = self.names.get(part.name) if isinstance(part, Ref) else None
        if isinstance(found, Let) and len(found.stage.parts) == 1:
            part = found.stage.parts[0]
        return part if isinstance(part, Choice) else None

    def sequence(self, stages: tuple[Stage, ...], taken: _Taken, number: int) -> Iterator[_Way]:
        """All ways through `stages` of an alternative, the first of which is stage `number`."""
        self.depth += 1
        ways = self.counted(stages, taken, number)
        self.depth -= 1
        return ((uses, after) for uses, after, _ in ways)

    def counted(self, stages: tuple[Stage, ...], taken: _Taken, number: int) -> list[_Counted]:
        """All ways through `stages`, each with how many trainings stand for each stage."""
        ways: list[_Counted] = [((), taken, ())]
        for at, stage in enumerate(stages, number):
            self.number = self.number if self.depth else at
            longer = self._longer(ways, stage, f"stage-{at}")
            ways = list(islice(longer, MOST_RUNS + 1))
            if len(ways) > MOST_RUNS:
                raise _TooManyError
        return ways

    def _longer(self, ways: list[_Counted], stage: Stage, axis: str) -> Iterator[_Counted]:
        for before, taken, counts in ways:
            for uses, after in self._stage(stage, taken, axis):
                yield before + uses, after, (*counts, len(uses))

    def _stage(self, stage: Stage, taken: _Taken, axis: str) -> Iterator[_Way]:
        is_bare = not self.depth and self._own_choice(stage) is None
        if is_bare and self._wants(axis) and (name := _name_of(stage)) is not None:
            yield (), {**taken, stage.span: Taken(axis, SKIP, skip=True, control=True)}
            ways = self._ways(stage, taken, axis)
            yield from ((uses, {**after, stage.span: Taken(axis, name)}) for uses, after in ways)
        else:
            yield from self._ways(stage, taken, axis)

    def _wants(self, axis: str) -> bool:
        """Whether a control is wanted of a choice, and there is a later stage to train a head."""
        return axis in self.controls and self.number <= self.before

    def _ways(self, stage: Stage, taken: _Taken, axis: str) -> Iterator[_Way]:
        parts = [p for p in stage.parts if not isinstance(p, Skip)]
        if len(parts) > 1:
            yield from self._mixture(stage, parts, taken, axis)
            return
        if not parts:
            if stage.settings:
                self.bag.error(codes.WRONG_SORT, stage.span, "`skip` takes no settings", "nothing is trained")
            yield (), taken
            return
        for uses, after in self._part(parts[0], taken, axis):
            yield tuple(_with_settings(u, stage) for u in uses), after

    def _mixture(self, stage: Stage, parts: Sequence[Part], taken: _Taken, axis: str) -> Iterator[_Way]:
        """One run for each way through the choices among its parts; where all are skipped, none."""
        ways: list[tuple[tuple[Use, ...], _Taken]] = [((), taken)]
        if len(parts) > MOST_PARTS:
            message = f"this mixture has {len(parts):,} parts, and {MOST_PARTS:,} are the most"
            self.bag.error(codes.TOO_MANY, parts[MOST_PARTS].span, message, "write fewer, or one task over more data")
            return
        for part in parts:
            ways = [
                (before + inner, after)
                for before, known in ways
                for uses, after in self._part(part, known, axis)
                if (inner := self._as_parts(uses, part)) is not None
            ]
            if len(ways) > MOST_RUNS:
                raise _TooManyError
        for uses, after in ways:
            yield ((StageUse(uses, stage.settings, mixed=True, span=stage.span),) if uses else ()), after

    def _as_parts(self, stages: tuple[StageUse, ...], part: Part) -> tuple[Use, ...] | None:
        """What a part of a mixture adds to it; None after a finding."""
        match stages:
            case ():
                return ()
            case (stage,):
                by_choice = isinstance(part, Choice) or self._is_let(part)
                return tuple(replace(_with_pairs(p, stage.settings), by_choice=by_choice) for p in stage.parts)
            case (first, *_):
                label = Label(first.span, "its first stage")
                message = "`+` mixes tasks in one training run, and this stands for several in a row"
                hint = "take it out of the mixture, or write the choice as a whole stage"
                self.bag.error(codes.WRONG_SORT, part.span, message, hint, label)
        return None

    def _is_let(self, part: Part) -> bool:
        return isinstance(part, Ref) and isinstance(self.names.get(part.name), Let)

    def _part(self, part: Part, taken: _Taken, axis: str) -> Iterator[_Way]:
        match part:
            case Skip():
                yield (), taken
            case Choice():
                yield from self._choice(part, taken, axis)
            case Ref():
                yield from self._ref(part, taken)

    def _ref(self, ref: Ref, taken: _Taken) -> Iterator[_Way]:
        name, found = ref.name.text, self.names.get(ref.name)
        match found:
            case Let():
                yield from self._let(ref, found, taken)
            case Declaration() if found.word != "model":
                use = Use(ref.name, ref.languages, ref.settings, ref.span)
                yield (StageUse((use,), (), mixed=False, span=ref.span),), taken
            case None if self.names.is_refused(ref.name):
                return  # reported where it is declared
            case None:
                known = [*self.names.tasks(ref.name), *self.names.all(ref.name, Let)]
                hint = did_you_mean(name, known)
                self.bag.error(codes.UNKNOWN_NAME, ref.name.span, f"there is no task `{name}`", hint)
            case Suite():
                label = Label(found.name.span, "declared here")
                message = f"`{name}` is a suite, which stands alone at the end of a chain"
                self.bag.error(codes.WRONG_SORT, ref.name.span, message, f"write `-> {name}` last", label)
            case _:
                sort = "a group of languages" if not isinstance(found, Declaration) else "a model"
                label = Label(found.name.span, "declared here")
                self.bag.error(codes.WRONG_SORT, ref.name.span, f"`{name}` is {sort}, no task to train on", None, label)

    def _let(self, ref: Ref, let: Let, taken: _Taken) -> Iterator[_Way]:
        if ref.languages is not None or ref.settings:
            message = f"`{ref.name.text}` is a `let`, which takes neither languages nor settings"
            self.bag.error(codes.WRONG_SORT, ref.span, message, "write them where the tasks stand")
            return
        if let.name.span in self.inside:
            message = f"`{let.name.text}` stands for itself"
            self.bag.error(codes.INHERITANCE_CYCLE, ref.name.span, message)
            return
        if len(self.inside) >= DEEPEST:
            self.bag.error(codes.TOO_MANY, ref.name.span, f"lets stand within lets more than {DEEPEST} deep")
            return
        before, self.inside = self.inside, (*self.inside, let.name.span)
        ways = list(self._stage(let.stage, taken, let.name.text))
        self.inside = before
        yield from ways

    def _choice(self, choice: Choice, taken: _Taken, axis: str) -> Iterator[_Way]:
        alternatives = self._with_control(self._alternatives(choice), choice, axis)
        number = int(axis[6:]) if axis.startswith("stage-") else 1
        clash = next((place for place, t in taken.items() if t.axis == axis and place != choice.span), None)
        if clash is not None:
            label = Label(clash, "the other choice")
            message = f"two choices of one chain would both be called `{axis}`"
            self.bag.error(codes.NO_REFERENCE, choice.span, message, "give one of them a name: `let NAME = {…}`", label)
            return
        for name, alternative in alternatives:
            if choice.span in taken and taken[choice.span].value != name:
                continue
            control = alternative.span is choice.span  # no written one is as long
            here = Taken(axis, name, skip=_is_skip(alternative), control=control)
            yield from self.sequence(alternative.stages, {**taken, choice.span: here}, number)

    def _with_control(
        self, alternatives: list[tuple[str, Alternative]], choice: Choice, axis: str
    ) -> list[tuple[str, Alternative]]:
        if not self._wants(axis) or any(_is_skip(alternative) for _, alternative in alternatives):
            return alternatives
        span = choice.span
        return [(SKIP, Alternative(None, (Stage((Skip(span),), (), span),), span)), *alternatives]

    def _alternatives(self, choice: Choice) -> list[tuple[str, Alternative]]:
        """Each alternative with its name; a choice that is a whole alternative flattens into the outer one."""
        if choice.span not in self.known:
            self.known[choice.span] = self._named(choice)
        return self.known[choice.span]

    def _named(self, choice: Choice) -> list[tuple[str, Alternative]]:
        found: dict[str, Alternative] = {}
        for alternative in _flat(choice):
            name = _name(alternative)
            if name is None:
                message = "an alternative of several tasks has no name of its own"
                self.bag.error(codes.NEEDS_LABEL, alternative.span, message, "label it: `NAME: …`")
            elif (first := found.get(name)) is not None:
                label = Label(first.span, "first here")
                message = f"two alternatives are called `{name}`"
                self.bag.error(codes.NEEDS_LABEL, alternative.span, message, "label them: `NAME: …`", label)
            else:
                found[name] = alternative
        return list(found.items())


def _written(stage: Stage) -> str:
    """The names in a stage as it is written; nothing of a choice, which has its name where it is a `let`."""
    names = [part.name.text if isinstance(part, Ref) else "" for part in stage.parts if not isinstance(part, Skip)]
    return " + ".join(names) if all(names) else ""


def _name_of(stage: Stage) -> str | None:
    """What a stage of one task is called; None of a mixture, which has no name."""
    match stage.parts:
        case (Ref(name=name),):
            return name.text
    return None


def _with_settings(use: StageUse, stage: Stage) -> StageUse:
    """A stage with the settings behind the parentheses around it: those of one part are the part's own."""
    if use.mixed:
        return replace(use, settings=(*use.settings, *stage.settings))
    (part,) = use.parts
    return replace(use, parts=(replace(part, settings=(*part.settings, *stage.settings)),))


def _with_pairs(use: Use, pairs: tuple[Pair, ...]) -> Use:
    """A part of a mixture with what stands behind its parentheses; its own is nearer."""
    own = {SLOT.get(pair.key.text, pair.key.text) for pair in use.settings}
    added = (p for p in pairs if SLOT.get(p.key.text, p.key.text) not in own)
    return replace(use, settings=(*use.settings, *added))


def _is_skip(alternative: Alternative) -> bool:
    return all(isinstance(part, Skip) for stage in alternative.stages for part in stage.parts)


def _flat(choice: Choice) -> Iterator[Alternative]:
    for alternative in choice.alternatives:
        match alternative:
            case Alternative(label=None, stages=(Stage(parts=(Choice() as inner,), settings=()),)):
                yield from _flat(inner)
            case _:
                yield alternative


def _name(alternative: Alternative) -> str | None:
    if alternative.label is not None:
        return alternative.label.text
    match alternative.stages:
        case (Stage(parts=(Ref(name=name),)),):
            return name.text
        case (Stage(parts=(Skip(),)),):
            return "skip"
    return None
