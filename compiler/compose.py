"""Experiments to runs: each shape meets the declarations and the levels of the cascade."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from compiler import codes
from compiler.catalog import KINDS, MOST_RUNS, SETTINGS
from compiler.declare import ModelDecl, TaskDecl, declare_model, declare_task
from compiler.expand import Shape, Use, expand, report_too_many
from compiler.languages import select
from compiler.resolve import Names, merge
from compiler.settle import Level, Open, Run, ShapeInSettings, axis_names, has_key, nearest, settle
from compiler.suggest import did_you_mean
from compiler.values import Given, read_settings, report_twice
from dsl.diagnostics import Diagnostic, Label, Severity
from dsl.syntax import Declaration, Defaults, Experiment, Let, Name, Ref

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.declare import TaskDecl as Task
    from compiler.places import Places
    from dsl.source import Span

_STAGE_OR_TARGET = "a stage, a target or a task"


@dataclass
class Composer:
    """Reads each declaration once, and each list of settings where it stands."""

    names: Names
    places: Places
    bag: Bag
    models: dict[str, ModelDecl | None] = field(default_factory=dict)
    tasks: dict[str, TaskDecl | None] = field(default_factory=dict)
    defaults: list[tuple[str | None, Level]] = field(default_factory=list)
    read: dict[tuple[Span, ...], Level] = field(default_factory=dict)
    opened: dict[tuple[object, ...], Open | None] = field(default_factory=dict)  # of one experiment
    chains: list[Level] = field(default_factory=list)  # what stands in each `with`
    used: set[Span] = field(default_factory=set)  # settings whose key some node has

    def compose(self) -> tuple[Run, ...]:
        """Every run of every experiment; faults are in the bag."""
        self._declare_own()
        self.defaults = [self._read_defaults(d) for d in self.names.defaults]
        self._check_defaults()
        runs = [r for n, e in enumerate(self.names.experiments, 1) for r in self._experiment(e, n)]
        if self.names.experiments and not self.bag.failed():
            self._report_unused()
        return tuple(runs)

    # --- declarations

    def _declare_own(self) -> None:
        """The file's own declarations are read even when no chain names them, so that their faults show."""
        for name, found in self.names.own.items():
            if isinstance(found, Declaration):
                self.model(name) if found.word == "model" else self.task(name)

    def model(self, name: str) -> ModelDecl | None:
        """The model of that name, read once."""
        if name not in self.models:
            found = self.names.get(name)
            merged = merge(found, self.names, self.bag) if isinstance(found, Declaration) else None
            self.models[name] = declare_model(merged, self.bag) if merged else None
        return self.models[name]

    def task(self, name: str) -> TaskDecl | None:
        """The task or benchmark of that name, read once."""
        if name not in self.tasks:
            found = self.names.get(name)
            merged = merge(found, self.names, self.bag) if isinstance(found, Declaration) else None
            self.tasks[name] = declare_task(merged, self.places, self.bag) if merged else None
        return self.tasks[name]

    def _read_defaults(self, defaults: Defaults) -> tuple[str | None, Level]:
        scope = defaults.scope
        if scope is not None and _is_model(self.names, scope.text):
            message = f"`{scope.text}` is a model, and `defaults` takes a kind, a task or a benchmark"
            hint = f"write `settings: {{ … }}` in `model {scope.text}`"
            self.bag.error(codes.WRONG_SORT, scope.span, message, hint)
        elif scope is not None and scope.text not in (*KINDS, *self.names.all(Declaration), *self.names.later):
            known = [*KINDS, *self._tasks()]
            hint = did_you_mean(scope.text, known)
            self.bag.error(codes.UNKNOWN_NAME, scope.span, f"there is no kind or task `{scope.text}`", hint)
        level = read_settings(defaults.record.pairs, "", self.bag)
        if scope is None or scope.text in KINDS:
            self._no_limit(level, "defaults")
        return (scope.text if scope else None, level)

    def _check_defaults(self) -> None:
        """One slot in two `defaults` of one scope would hide one of them in silence."""
        seen: dict[tuple[str | None, str], Given] = {}
        for scope, level in self.defaults:
            for given in level:
                if (first := seen.setdefault((scope, given.slot), given)) is not given:
                    report_twice(first.span, given.span, given.slot, self.bag)

    def _tasks(self) -> list[str]:
        return [n for n in self.names.all(Declaration) if not _is_model(self.names, n)]

    def _no_limit(self, level: Level, where: str) -> None:
        for given in level:
            if given.key == "limit":
                message = f"`limit` stands at {_STAGE_OR_TARGET}, not in `{where}`"
                self.bag.error(codes.WRONG_SORT, given.span, message)

    def _report_unused(self) -> None:
        for given in (g for level in (*self.chains, *(level for _, level in self.defaults)) for g in level):
            if given.span not in self.used:
                message = f"no node of this spec has `{given.key}`"
                self.bag.error(codes.KEY_WITHOUT_NODE, given.span, message, "take it out, or set it where it applies")

    # --- experiments

    def _experiment(self, experiment: Experiment, number: int) -> list[Run]:
        label = experiment.label.text if experiment.label else f"#{number}"
        level = read_settings(experiment.chain.settings, "", self.bag)
        self._no_limit(level, "with")
        targets = self._targets(experiment.chain.targets)
        for target in targets:
            self._task_at(target.name, target=True)
        if isinstance(experiment.chain.model, Name):
            self._model_at(experiment.chain.model)
        self.opened.clear()
        shapes = [
            s
            for shape in expand(experiment.chain, self.names, self.bag)
            if (s := self._shape(label, shape, targets, level)) is not None
        ]
        self.chains.append(level)
        if sum(s.runs() for s in shapes) > MOST_RUNS:
            report_too_many(experiment.chain.span, self.bag)
            return []
        axes = axis_names(shapes, self.bag)
        return [run for shape in shapes for run in settle(shape, axes)]

    def _targets(self, refs: tuple[Ref, ...]) -> tuple[Use, ...]:
        seen: dict[str, Span] = {}
        for ref in refs:
            if (first := seen.get(ref.name.text)) is not None:
                label = Label(first, "first here")
                message = f"`{ref.name.text}` is evaluated twice in one chain"
                self.bag.error(codes.LABEL_TWICE, ref.span, message, "join the languages in one list", label)
            seen[ref.name.text] = ref.name.span
        return tuple(Use(r.name, r.languages, r.settings, r.span) for r in refs)

    def _shape(self, label: str, shape: Shape, targets: tuple[Use, ...], chain: Level) -> ShapeInSettings | None:
        model = self._model_at(shape.model)
        stages = [self._open(s, model, chain, target=False) for s in shape.stages]
        opened = [self._open(t, model, chain, target=True) for t in targets]
        if model is None or None in stages or None in opened:
            return None
        return ShapeInSettings(
            label,
            model,
            shape.model.span,
            tuple(s for s in stages if s is not None),
            tuple(t for t in opened if t is not None),
            shape.taken,
        )

    def _model_at(self, name: Name) -> ModelDecl | None:
        found = self.names.get(name.text)
        if isinstance(found, Declaration) and found.word == "model":
            return self.model(name.text)
        if name.text in self.names.later:
            return None  # reported where it is declared
        models = [n for n in self.names.all(Declaration) if _is_model(self.names, n)]
        if found is None:
            hint = did_you_mean(name.text, models)
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no model `{name.text}`", hint)
        else:
            label = Label(found.name.span, "declared here")
            message = f"a chain starts with a model, and `{name.text}` is none"
            self.bag.error(codes.WRONG_SORT, name.span, message, did_you_mean(name.text, models), label)
        return None

    def _open(self, use: Use, model: ModelDecl | None, chain: Level, *, target: bool) -> Open | None:
        written = (use.span, *(p.span for p in use.settings))
        known = (written, model.name if model else None, target)
        if known not in self.opened:
            self.opened[known] = self._open_new(use, written, model, chain, target=target)
        return self.opened[known]

    def _open_new(
        self, use: Use, written: tuple[Span, ...], model: ModelDecl | None, chain: Level, *, target: bool
    ) -> Open | None:
        task = self._task_at(use.name, target=target)
        if task is None or model is None:
            return None
        if not (target or task.kind.trains):
            message = f"`{task.name}` is a {task.kind.name} task, which trains nothing"
            self.bag.error(codes.WRONG_SORT, use.name.span, message, f"evaluate it: `@ {task.name}[*]`")
            return None
        if written not in self.read:
            self.read[written] = read_settings(use.settings, "", self.bag)
        own = self.read[written]
        self._foreign_settings(own, task, target=target)
        levels = self._levels(own, chain, task, model)
        self.used |= {g.span for level in levels for g in level if has_key(g.key, task.kind, target=target)}
        if target:
            givens = self._target_givens(own, task, nearest(levels, task.kind, target=True))
        else:
            givens = nearest(levels, task.kind, target=False)
        self._note_hidden(givens, task)
        languages = self._languages(use, task, target=target)
        return Open(task, languages, use.span, use.name.span, givens) if languages else None

    def _levels(self, own: Level, chain: Level, task: Task, model: ModelDecl) -> tuple[Level, ...]:
        by_scope = [tuple(g for s, level in self.defaults if s == scope for g in level)
                    for scope in (task.name, task.kind.name, None)]  # fmt: skip
        return (own, chain, *by_scope, task.settings, model.settings)

    def _target_givens(self, own: Level, task: Task, givens: dict[str, Given]) -> dict[str, Given]:
        """A target reads `max-length` and `precision` from its stage, if its kind has any, unless it sets its own."""
        if not task.kind.trains:
            return givens
        named = tuple(g for s, level in self.defaults if s == task.name for g in level)
        mine = nearest((own, named, task.own_settings), task.kind, target=True)
        return {slot: g for slot, g in givens.items() if slot not in ("max-length", "precision") or slot in mine} | {
            slot: mine[slot] for slot in ("max-length", "precision") if slot in mine
        }

    def _foreign_settings(self, own: Level, task: Task, *, target: bool) -> None:
        for given in own:
            if not has_key(given.key, task.kind, target=target):
                what = "a target" if target else f"a {task.kind.name} stage"
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
        found = self.names.get(name.text)
        if isinstance(found, Declaration) and found.word != "model":
            task = self.task(name.text)
            if task is not None and not task.kind.available:
                message = f"`{name.text}` is a {task.kind.name} task, a kind that is not available yet"
                available = ", ".join(k for k, v in KINDS.items() if v.available)
                self.bag.error(codes.NOT_YET, name.span, message, f"available: {available}")
                return None
            return task
        if not target:
            return None  # reported by `expand`
        if name.text == "previous":
            hint = "name the task behind `@`"
            self.bag.error(codes.NOT_YET, name.span, "`@ previous` is not available yet", hint)
        elif name.text in self.names.later:
            return None  # reported where it is declared
        elif found is None:
            hint = did_you_mean(name.text, self._tasks())
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no benchmark or task `{name.text}`", hint)
        else:
            sort = "a let" if isinstance(found, Let) else "a model" if isinstance(found, Declaration) else "a group"
            message = f"`{name.text}` is {sort}, and behind `@` stand benchmarks and tasks"
            self.bag.error(codes.WRONG_SORT, name.span, message)
        return None

    def _languages(self, use: Use, task: Task, *, target: bool) -> tuple[str, ...]:
        if use.languages is not None:
            return select(use.languages, task.languages, task.name, self.names, self.bag)
        if target:
            return task.languages
        if task.source not in task.languages:
            hint = "write the languages: `" + f"{task.name}[{task.languages[0]}]`"
            message = f"`{task.name}` has no data in its source language `{task.source}`"
            self.bag.error(codes.NO_LANGUAGE, use.name.span, message, hint)
            return ()
        return (task.source,)


def _is_model(names: Names, name: str) -> bool:
    found = names.get(name)
    return isinstance(found, Declaration) and found.word == "model"
