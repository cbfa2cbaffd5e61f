"""Experiments to runs: each shape meets the declarations and the levels of the cascade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import MOST_RUNS, SETTINGS
from compiler.declarations import Declarations
from compiler.declare import ModelDecl, TaskDecl
from compiler.expand import Shape, StageUse, Use, expand, report_too_many
from compiler.languages import select
from compiler.levels import Levels
from compiler.mixes import check_weights
from compiler.resolve import Names
from compiler.settle import (
    Level,
    Open,
    OpenStage,
    Run,
    ShapeInSettings,
    axis_names,
    has_key,
    is_of_run,
    settle,
)
from compiler.stages import alike, split, weights_given
from compiler.suggest import did_you_mean, listing
from compiler.values import Given, read_settings
from dsl.diagnostics import Diagnostic, Label, Severity
from dsl.syntax import Declaration, Experiment, Let, Name, Ref, Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compiler.bag import Bag
    from compiler.controls import Controls
    from compiler.declare import TaskDecl as Task
    from compiler.places import Places
    from dsl.source import Span
    from dsl.syntax import Pair

PREVIOUS = "previous"  # the target that stands for every earlier part


class Composer(Struct, dict=True):
    """Reads each list of settings once, where it stands, and meets them with what is declared and set around them."""

    names: Names
    places: Places
    bag: Bag
    controls: Controls = field(default_factory=dict)
    read: dict[tuple[Span, ...], Level] = field(default_factory=dict)
    opened: dict[tuple[object, ...], Open | None] = field(default_factory=dict)  # of one experiment
    hidden: dict[tuple[str, Span], dict[str, Label]] = field(default_factory=dict)  # what defaults hide of which tasks
    chains: list[Level] = field(default_factory=list)  # what stands in each `with`, and behind mixtures

    def __post_init__(self) -> None:
        self.declared = Declarations(self.names, self.places, self.bag)
        self.levels = Levels(self.names, self.bag)

    def compose(self) -> tuple[Run, ...]:
        """Every run of every experiment; faults are in the bag."""
        self.declared.read_own()
        self.levels.read()
        runs = [r for n, e in enumerate(self.names.experiments, 1) for r in self._experiment(e, n)]
        self._say_hidden()
        if self.names.experiments and not self.bag.failed():
            self.levels.report_unused(self.chains)
        return tuple(runs)

    # --- experiments

    def _experiment(self, experiment: Experiment, number: int) -> list[Run]:
        label = experiment.label.text if experiment.label else f"#{number}"
        level = read_settings(experiment.chain.settings, "", self.bag)
        self.levels.refuse_limit(level, "with")
        self._targets(experiment.chain.targets)
        if isinstance(experiment.chain.model, Name):
            self._model_at(experiment.chain.model)
        self.opened.clear()
        shapes = [
            s
            for shape in expand(experiment.chain, self.names, self.bag, self.controls.get(label))
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
                hint = (
                    "once is enough"
                    if ref.name.text == PREVIOUS
                    else "join the languages in one list; two splits are two chains, whose trainings are one"
                )
                self.bag.error(codes.LABEL_TWICE, ref.span, message, hint, label)
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
            shape.written,
        )

    def _previous(
        self, stages: tuple[OpenStage, ...], model: ModelDecl, chain: Level, span: Span
    ) -> Iterator[tuple[int, int, Open]]:
        """Each part of each stage as a target on its dev split, in the languages that it trains on."""
        for number, stage in enumerate(stages):
            for position, part in enumerate(stage.parts):
                givens = self._target_givens(
                    (), part.task, self.levels.nearest((), chain, part.task, model, target=True)
                )
                givens["split"] = Given("split", "dev", span, "")
                yield number, position, Open(part.task, part.languages, span, span, givens)

    def _model_at(self, name: Name) -> ModelDecl | None:
        found = self.names.get(name)
        if isinstance(found, Declaration) and found.word == "model":
            return self.declared.model(found)
        if self.names.is_refused(name):
            return None  # reported where it is declared
        models = self.names.models(name)
        if found is None:
            hint = did_you_mean(name.text, models)
            self.bag.error(codes.UNKNOWN_NAME, name.span, f"there is no model `{name.text}`", hint)
        else:
            label = Label(found.name.span, "declared here")
            message = f"a chain starts with a model, and `{name.text}` is none"
            hint = did_you_mean(name.text, models)
            if isinstance(found, Suite):
                hint = f"a suite stands at the end of a chain: `MODEL -> … -> {name.text}`"
            elif isinstance(found, Let):
                hint = f"a `let` holds a stage; a choice of models stands where it is: `{found.stage.span.text} -> …`"
            self.bag.error(codes.WRONG_SORT, name.span, message, hint, label)
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
        tasks = [part.task for part in parts.values()]
        givens = self.levels.nearest_of_mixture(level, chain, tasks, model)
        return OpenStage(tuple(parts.values()), givens, stage.span)

    def _level_of_mixture(self, stage: StageUse) -> Level:
        """The settings behind the parentheses of a mixture; those of its parts are none of a run."""
        for part in stage.parts:
            of_run = [given for given in self._written(part) if is_of_run(given.key)]
            if of_run and part.by_choice:
                self._say_unapplied(of_run, stage)
                continue
            for given in of_run:
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

    def _say_unapplied(self, of_run: list[Given], stage: StageUse) -> None:
        """Of an alternative that is a whole stage elsewhere, the settings of a run count there alone."""
        keys = " and ".join(f"`{given.key}`" for given in of_run)
        message = f"in a mixture {keys} of one part {'does' if len(of_run) == 1 else 'do'} not apply"
        hint = f"set what the mixture is to have behind it: `(… + …)({of_run[0].span.text})`"
        self.bag.warn(codes.UNAPPLIED, of_run[0].span, message, hint, Label(stage.span, "the mixture"))

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
        givens = self.levels.nearest((*own, *around), chain, task, model, target=target, mixed=mixed)
        if target:
            givens = self._target_givens(own, task, givens)
        self._note_hidden(givens, task)
        languages = self._languages(use, task, target=target)
        return Open(task, languages, use.span, use.name.span, givens) if languages else None

    def _target_givens(self, own: Level, task: Task, givens: dict[str, Given]) -> dict[str, Given]:
        """A target reads `max-length` and `precision` from its stage, if its kind has any, unless it sets its own."""
        if not task.kind.trains:
            return givens
        mine = self.levels.nearest_of_target(own, task)
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
                message, hint = f"{what} has no `{given.key}`", did_you_mean(given.key, known)
                if target and SETTINGS[given.key].where in ("run", "part"):
                    hint = f"stages have it: behind one, or of all in `with ({given.span.text})`"
                elif not target and SETTINGS[given.key].where == "target":
                    hint = f"targets have it: `@ BENCHMARK[*]({given.span.text})`"
                self.bag.error(codes.UNKNOWN_KEY, given.span, message, hint)

    def _note_hidden(self, givens: dict[str, Given], task: Task) -> None:
        own = {g.slot: g for g in task.settings}
        defaults = {g.span for _, level in self.levels.defaults for g in level}
        for slot, given in givens.items():
            hidden = own.get(slot) if given.span in defaults else None
            if hidden is not None and (hidden.key, hidden.value) != (given.key, given.value):
                self.hidden.setdefault((slot, given.span), {})[task.name] = Label(hidden.span, "the task's own")

    def _say_hidden(self) -> None:
        for (slot, span), of_tasks in self.hidden.items():
            message = f"this hides the own `{slot}` of {listing(of_tasks)}"
            of_each = tuple(of_tasks.values())
            self.bag.add(Diagnostic(codes.HIDES_VALUE, message, Label(span), of_each, None, Severity.NOTE))

    def _task_at(self, name: Name, *, target: bool) -> TaskDecl | None:
        found = self.names.get(name)
        if isinstance(found, Declaration) and found.word != "model":
            return self.declared.task(found)
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
