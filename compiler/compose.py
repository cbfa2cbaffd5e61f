"""Experiments to runs: each shape meets the declarations and the levels of the cascade."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from compiler import codes
from compiler.catalog import KINDS, MOST_RUNS, SETTINGS
from compiler.declare import ModelDecl, TaskDecl, declare_model, declare_task
from compiler.expand import Shape, StageUse, Use, expand, report_too_many
from compiler.languages import select
from compiler.mixes import check_weights
from compiler.overlaps import closed, read_overlaps
from compiler.overrides import OPTION
from compiler.resolve import Names, merge
from compiler.settle import (
    Level,
    Open,
    OpenStage,
    Run,
    ShapeInSettings,
    axis_names,
    has_key,
    is_of_run,
    nearest,
    settle,
)
from compiler.stages import alike, split, weights_given
from compiler.suggest import did_you_mean
from compiler.values import Given, read_settings, report_twice
from dsl.diagnostics import Diagnostic, Label, Severity
from dsl.syntax import Declaration, Defaults, Experiment, Let, Name, Ref, Suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compiler.bag import Bag
    from compiler.declare import TaskDecl as Task
    from compiler.overlaps import Rows
    from compiler.places import Places
    from dsl.source import Span
    from dsl.syntax import Pair

PREVIOUS = "previous"  # the target that stands for every earlier part
_STAGE_OR_TARGET = "a stage, a target or a task"


_Scoped = tuple["Span | str | None", Level]  # settings, and what they are for: see `Composer._scope`


def _of_scope(said: list[_Scoped], scope: Span | str | None) -> Level:
    return tuple(g for s, level in said if s == scope for g in level)


@dataclass
class Composer:
    """Reads each declaration once, and each list of settings where it stands."""

    names: Names
    places: Places
    bag: Bag
    models: dict[Span, ModelDecl | None] = field(default_factory=dict)  # by the place of the name
    tasks: dict[Span, TaskDecl | None] = field(default_factory=dict)
    defaults: list[_Scoped] = field(default_factory=list)  # by `_scope`
    overrides: list[_Scoped] = field(default_factory=list)  # likewise
    read: dict[tuple[Span, ...], Level] = field(default_factory=dict)
    opened: dict[tuple[object, ...], Open | None] = field(default_factory=dict)  # of one experiment
    chains: list[Level] = field(default_factory=list)  # what stands in each `with`, and behind mixtures
    used: set[Span] = field(default_factory=set)  # settings whose key some node has

    def compose(self) -> tuple[Run, ...]:
        """Every run of every experiment; faults are in the bag."""
        self._declare_own()
        self.defaults = [self._read_defaults(d, "defaults") for d in self.names.defaults]
        self.overrides = [self._read_defaults(d, OPTION) for d in self.names.overrides]
        for said in (self.defaults, self.overrides):
            self._check_twice(said)
        runs = [r for n, e in enumerate(self.names.experiments, 1) for r in self._experiment(e, n)]
        if self.names.experiments and not self.bag.failed():
            self._report_unused()
        return tuple(runs)

    # --- declarations

    def _declare_own(self) -> None:
        """The file's own declarations are read even when no chain names them, so that their faults show."""
        for found in self.names.own.values():
            if isinstance(found, Declaration):
                self.model(found) if found.word == "model" else self.task(found)

    def model(self, declaration: Declaration) -> ModelDecl | None:
        """The declared model, read once."""
        place = declaration.name.span
        if place not in self.models:
            merged = merge(declaration, self.names, self.bag)
            self.models[place] = declare_model(merged, self.bag) if merged else None
        return self.models[place]

    def task(self, declaration: Declaration) -> TaskDecl | None:
        """The declared task or benchmark, read once."""
        place = declaration.name.span
        if place not in self.tasks:
            self.tasks[place] = None  # while it is read: two tasks may say of each other that they overlap
            merged = merge(declaration, self.names, self.bag)
            declared = declare_task(merged, self.places, self.bag) if merged else None
            if merged is not None and declared is not None:
                said = read_overlaps(merged, self.names, self.bag)
                self.tasks[place] = replace(declared, shared=closed(said, self._shared))
        return self.tasks[place]

    def _shared(self, declaration: Declaration) -> Mapping[str, Mapping[Rows, Span]]:
        task = self.task(declaration)
        return task.shared if task is not None else {}

    def _read_defaults(self, defaults: Defaults, where: str) -> _Scoped:
        scope = defaults.scope
        if scope is not None and self.names.is_model(scope):
            message = f"`{scope.text}` is a model, and `{where}` takes a kind, a task or a benchmark"
            hint = f"write `settings: {{ … }}` in `model {scope.text}`"
            self.bag.error(codes.WRONG_SORT, scope.span, message, hint)
        elif scope is not None and scope.text not in KINDS and not self._is_task(scope):
            hint = did_you_mean(scope.text, [*KINDS, *self.names.tasks(scope)])
            self.bag.error(codes.UNKNOWN_NAME, scope.span, f"there is no kind or task `{scope.text}`", hint)
        level = read_settings(defaults.record.pairs, "", self.bag)
        if scope is None or scope.text in KINDS:
            self._no_limit(level, where)
        return (self._scope(scope), level)

    def _is_task(self, name: Name) -> bool:
        return isinstance(self.names.get(name), Declaration) or self.names.is_refused(name)

    def _scope(self, scope: Name | None) -> Span | str | None:
        """What `defaults` are for: a kind by its name, a task by its declaration's place, None for all."""
        found = self.names.get(scope) if scope is not None else None
        return found.name.span if isinstance(found, Declaration) else scope.text if scope is not None else None

    def _check_twice(self, said: list[_Scoped]) -> None:
        """One slot in two `defaults` of one scope would hide one of them in silence."""
        seen: dict[tuple[Span | str | None, str], Given] = {}
        for scope, level in said:
            for given in level:
                if (first := seen.setdefault((scope, given.slot), given)) is not given:
                    report_twice(first.span, given.span, given.slot, self.bag)

    def _no_limit(self, level: Level, where: str) -> None:
        for given in level:
            if given.key == "limit":
                message = f"`limit` stands at {_STAGE_OR_TARGET}, not in `{where}`"
                self.bag.error(codes.WRONG_SORT, given.span, message)

    def _report_unused(self) -> None:
        for given in (
            g for level in (*self.chains, *(level for _, level in (*self.defaults, *self.overrides))) for g in level
        ):
            if given.span not in self.used:
                message = f"no node of this spec has `{given.key}`"
                self.bag.error(codes.KEY_WITHOUT_NODE, given.span, message, "take it out, or set it where it applies")

    # --- experiments

    def _experiment(self, experiment: Experiment, number: int) -> list[Run]:
        label = experiment.label.text if experiment.label else f"#{number}"
        level = read_settings(experiment.chain.settings, "", self.bag)
        self._no_limit(level, "with")
        self._targets(experiment.chain.targets)
        if isinstance(experiment.chain.model, Name):
            self._model_at(experiment.chain.model)
        self.opened.clear()
        shapes = [
            s
            for shape in expand(experiment.chain, self.names, self.bag)
            if (s := self._shape(label, shape, level)) is not None
        ]
        self.chains.append(level)
        check_weights((use for s in shapes for stage in s.stages for use in weights_given(stage)), self.bag)
        if sum(s.runs() for s in shapes) > MOST_RUNS:
            report_too_many(experiment.chain.span, self.bag)
            return []
        axes = axis_names(shapes, self.bag)
        return [run for shape in shapes for run in settle(shape, axes)]

    def _targets(self, refs: tuple[Ref, ...]) -> tuple[Use, ...]:
        """The targets of a chain, `previous` apart, which is none that has a name."""
        seen: dict[str, Span] = {}
        for ref in refs:
            if (first := seen.get(ref.name.text)) is not None:
                label = Label(first, "first here")
                message = f"`{ref.name.text}` is evaluated twice in one chain"
                self.bag.error(codes.LABEL_TWICE, ref.span, message, "join the languages in one list", label)
            seen[ref.name.text] = ref.name.span
            if ref.name.text == PREVIOUS:
                self._check_previous(ref)
            else:
                self._task_at(ref.name, target=True)
        return tuple(Use(r.name, r.languages, r.settings, r.span) for r in refs if r.name.text != PREVIOUS)

    def _check_previous(self, ref: Ref) -> None:
        if ref.languages is not None or ref.settings:
            message = (
                "`previous` takes neither languages nor settings: each part is evaluated in those that it trained on"
            )
            hint = "settings of every target stand in `with (…)`"
            self.bag.error(codes.WRONG_SORT, ref.span, message, hint)

    def _shape(self, label: str, shape: Shape, chain: Level) -> ShapeInSettings | None:
        model = self._model_at(shape.model)
        stages = [self._open_stage(s, model, chain) for s in shape.stages]
        opened = [self._open(t, model, chain, target=True) for t in self._targets(shape.targets)]
        if model is None or None in stages or None in opened:
            return None
        known = tuple(s for s in stages if s is not None)
        span = next((r.span for r in shape.targets if r.name.text == PREVIOUS), None)
        return ShapeInSettings(
            label,
            model,
            shape.model.span,
            known,
            tuple(t for t in opened if t is not None),
            shape.taken,
            tuple(self._previous(known, model, chain, span)) if span is not None else (),
            span,
        )

    def _previous(
        self, stages: tuple[OpenStage, ...], model: ModelDecl, chain: Level, span: Span
    ) -> Iterator[tuple[int, int, Open]]:
        """Each part of each stage as a target on its dev split, in the languages that it trains on."""
        for number, stage in enumerate(stages):
            for position, part in enumerate(stage.parts):
                givens = self._target_givens((), part.task, self._nearest((), part.task, model, chain, target=True))
                givens["split"] = Given("split", "dev", span, "")
                yield number, position, Open(part.task, part.languages, span, span, givens)

    def _nearest(
        self, near: Level, task: Task, model: ModelDecl, chain: Level, *, target: bool, mixed: bool = False
    ) -> dict[str, Given]:
        """Each slot's nearest Given, of what stands at a place (`near`) and of all levels around it."""
        scopes = (task.span, task.kind.name, None)
        nearest_of_all = [_of_scope(self.overrides, scope) for scope in scopes]
        defaults = [_of_scope(self.defaults, scope) for scope in scopes]
        levels = (*nearest_of_all, near, chain, *defaults, task.settings, model.settings)
        if mixed:
            levels = tuple(tuple(g for g in level if not is_of_run(g.key)) for level in levels)
        self.used |= {g.span for level in levels for g in level if has_key(g.key, task.kind, target=target)}
        return nearest(levels, task.kind, target=target)

    def _model_at(self, name: Name) -> ModelDecl | None:
        found = self.names.get(name)
        if isinstance(found, Declaration) and found.word == "model":
            return self.model(found)
        if self.names.is_refused(name):
            return None  # reported where it is declared
        models = self.names.models(name)
        if found is None:
            hint = did_you_mean(name.text, models)
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no model `{name.text}`", hint)
        else:
            label = Label(found.name.span, "declared here")
            message = f"a chain starts with a model, and `{name.text}` is none"
            self.bag.error(codes.WRONG_SORT, name.span, message, did_you_mean(name.text, models), label)
        return None

    def _open_stage(self, stage: StageUse, model: ModelDecl | None, chain: Level) -> OpenStage | None:
        """A stage with the nearest of each setting; equal parts of a mixture count once."""
        if not stage.mixed:
            whole = self._open(stage.parts[0], model, chain, target=False)
            return split(whole, stage.span) if whole is not None else None
        level = self._level_of_mixture(stage)
        opened = [self._open(use, model, chain, target=False, around=level, mixed=True) for use in stage.parts]
        parts = {alike(part): part for part in opened if part is not None}
        if None in opened:
            return None
        if len(parts) == 1:
            whole = self._open(stage.parts[0], model, chain, target=False, around=level)
            return split(whole, stage.span) if whole is not None else None
        return self._mixture(tuple(parts.values()), level, chain, model, stage.span)

    def _mixture(
        self, parts: tuple[Open, ...], level: Level, chain: Level, model: ModelDecl | None, span: Span
    ) -> OpenStage:
        """Several parts, with the settings of the run from what is no part's own."""
        kinds = {p.task.kind.name for p in parts}
        scopes = [*(kinds if len(kinds) == 1 else ()), None]
        nearest_of_all = (_of_scope(self.overrides, s) for s in scopes)
        defaults = (_of_scope(self.defaults, s) for s in scopes)
        levels = (*nearest_of_all, level, chain, *defaults, model.settings if model else ())
        of_run = [tuple(g for g in given if is_of_run(g.key)) for given in levels]
        self.used |= {g.span for given in of_run for g in given}
        return OpenStage(parts, nearest(of_run, parts[0].task.kind, target=False), span)

    def _level_of_mixture(self, stage: StageUse) -> Level:
        """The settings behind the parentheses of a mixture; those of its parts are none of a run."""
        for part in stage.parts:
            for given in self._written(part):
                if is_of_run(given.key):
                    message = f"`{given.key}` is a setting of the run, and `{part.name.text}` is one part of a mixture"
                    hint = f"write it behind the whole: `(… + …)({given.span.text})`"
                    self.bag.error(codes.WRONG_SORT, given.span, message, hint)
        level = self._read(stage.settings)
        for given in level:
            if not is_of_run(given.key) and SETTINGS[given.key].where != "part":
                message = f"a mixture has no `{given.key}`"
                known = [k for k in SETTINGS if is_of_run(k) or SETTINGS[k].where == "part"]
                self.bag.error(codes.UNKNOWN_KEY, given.span, message, did_you_mean(given.key, known))
        if level and level not in self.chains:
            self.chains.append(level)
        return level

    def _read(self, pairs: tuple[Pair, ...]) -> Level:
        """Settings where they stand, read once."""
        place = tuple(p.span for p in pairs)
        if place not in self.read:
            self.read[place] = read_settings(pairs, "", self.bag)
        return self.read[place]

    def _written(self, use: Use) -> Level:
        return self._read(use.settings)

    def _open(
        self,
        use: Use,
        model: ModelDecl | None,
        chain: Level,
        *,
        target: bool,
        around: Level = (),
        mixed: bool = False,
    ) -> Open | None:
        """A stage, a target, or (`mixed`) one part of several; `around` stands behind the parentheses around it."""
        places = (use.span, *(p.span for p in use.settings), *(g.span for g in around))
        known = (places, model.name if model else None, target, mixed)
        if known not in self.opened:
            self.opened[known] = self._open_new(use, model, chain, around, target=target, mixed=mixed)
        return self.opened[known]

    def _open_new(
        self, use: Use, model: ModelDecl | None, chain: Level, around: Level, *, target: bool, mixed: bool
    ) -> Open | None:
        task = self._task_at(use.name, target=target)
        if task is None or model is None:
            return None
        if not (target or task.kind.trains):
            message = f"`{task.name}` is a {task.kind.name} task, which trains nothing"
            self.bag.error(codes.WRONG_SORT, use.name.span, message, f"evaluate it: `@ {task.name}[*]`")
            return None
        own = self._written(use)
        self._foreign_settings(own, task, target=target)
        givens = self._nearest((*own, *around), task, model, chain, target=target, mixed=mixed)
        if target:
            givens = self._target_givens(own, task, givens)
        self._note_hidden(givens, task)
        languages = self._languages(use, task, target=target)
        return Open(task, languages, use.span, use.name.span, givens) if languages else None

    def _target_givens(self, own: Level, task: Task, givens: dict[str, Given]) -> dict[str, Given]:
        """A target reads `max-length` and `precision` from its stage, if its kind has any, unless it sets its own."""
        if not task.kind.trains:
            return givens
        override, named = (_of_scope(said, task.span) for said in (self.overrides, self.defaults))
        mine = nearest((override, own, named, task.own_settings), task.kind, target=True)
        return {slot: g for slot, g in givens.items() if slot not in ("max-length", "precision") or slot in mine} | {
            slot: mine[slot] for slot in ("max-length", "precision") if slot in mine
        }

    def _foreign_settings(self, own: Level, task: Task, *, target: bool) -> None:
        for given in own:
            if not has_key(given.key, task.kind, target=target):
                of_kinds = SETTINGS[given.key].where == "kind"
                what = (
                    "a target" if target and not of_kinds else f"a {task.kind.name} {'target' if target else 'stage'}"
                )
                known = [k for k in SETTINGS if has_key(k, task.kind, target=target)]
                message = f"{what} has no `{given.key}`"
                self.bag.error(codes.UNKNOWN_KEY, given.span, message, did_you_mean(given.key, known))

    def _note_hidden(self, givens: dict[str, Given], task: Task) -> None:
        own = {g.slot: g for g in task.settings}
        defaults = {g.span for _, level in self.defaults for g in level}
        for slot, given in givens.items():
            if given.span in defaults and (hidden := own.get(slot)) is not None and hidden.value != given.value:
                message = f"this hides the own `{slot}` of `{task.name}`"
                label = Label(hidden.span, "the task's own")
                note = Diagnostic(codes.HIDES_VALUE, message, Label(given.span), (label,), None, Severity.NOTE)
                self.bag.add(note)

    def _task_at(self, name: Name, *, target: bool) -> TaskDecl | None:
        found = self.names.get(name)
        if isinstance(found, Declaration) and found.word != "model":
            task = self.task(found)
            if task is not None and not task.kind.available:
                message = f"`{name.text}` is a {task.kind.name} task, a kind that is not available yet"
                available = ", ".join(k for k, v in KINDS.items() if v.available)
                self.bag.error(codes.NOT_YET, name.span, message, f"available: {available}")
                return None
            return task
        if not target:
            return None  # reported by `expand`
        if self.names.is_refused(name):
            return None  # reported where it is declared
        if found is None:
            hint = did_you_mean(name.text, self.names.tasks(name))
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no benchmark or task `{name.text}`", hint)
        else:
            sort = {Let: "a let", Declaration: "a model", Suite: "a suite"}.get(type(found), "a group")
            message = f"`{name.text}` is {sort}, and behind `@` stand benchmarks and tasks"
            self.bag.error(codes.WRONG_SORT, name.span, message)
        return None

    def _languages(self, use: Use, task: Task, *, target: bool) -> tuple[str, ...]:
        if use.languages is not None:
            return select(use.languages, task.languages, task.name, self.names, self.bag)
        if target:
            return task.languages
        if task.source_language not in task.languages:
            hint = "write the languages: `" + f"{task.name}[{task.languages[0]}]`"
            message = f"`{task.name}` has no data in its source language `{task.source}`"
            self.bag.error(codes.NO_LANGUAGE, use.name.span, message, hint)
            return ()
        return (task.source_language,)
