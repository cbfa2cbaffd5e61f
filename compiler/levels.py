"""The levels of the cascade that stand apart from chains: `defaults`, and what comes from outside the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import codes
from compiler.catalog import KINDS
from compiler.overrides import OPTION
from compiler.settle import Level, has_key, is_of_run, nearest
from compiler.suggest import did_you_mean
from compiler.values import Given, read_settings, report_twice
from dsl.syntax import Declaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from compiler.bag import Bag
    from compiler.declare import ModelDecl, TaskDecl
    from compiler.resolve import Names
    from dsl.source import Span
    from dsl.syntax import Defaults, Name

_STAGE_OR_TARGET = "a stage, a target or a task"
_Scoped = tuple["Span | str | None", Level]  # settings, and what they are for: see `Levels._scope`


class Levels(Struct):
    """Reads them once; remembers which of their settings some node has."""

    names: Names
    bag: Bag
    defaults: list[_Scoped] = field(default_factory=list)  # by `_scope`
    overrides: list[_Scoped] = field(default_factory=list)  # likewise
    used: set[Span] = field(default_factory=set)  # settings whose key some node has

    def read(self) -> None:
        """Read all `defaults` of the spec and from outside."""
        self.defaults = [self._read(d, "defaults") for d in self.names.defaults]
        self.overrides = [self._read(d, OPTION) for d in self.names.overrides]
        for said in (self.defaults, self.overrides):
            self._check_twice(said)

    def _read(self, defaults: Defaults, where: str) -> _Scoped:
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
            self.refuse_limit(level, where)
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

    def refuse_limit(self, level: Level, where: str) -> None:
        """Report a `limit`, which stands at a stage, a target or a task alone."""
        for given in level:
            if given.key == "limit":
                message = f"`limit` stands at {_STAGE_OR_TARGET}, not in `{where}`"
                self.bag.error(codes.WRONG_SORT, given.span, message)

    def nearest(
        self, near: Level, chain: Level, task: TaskDecl, model: ModelDecl, *, target: bool, mixed: bool = False
    ) -> dict[str, Given]:
        """Each slot's nearest Given of a stage or a target: `near` is what stands at its place, `chain` in `with`.

        Of one part of a mixture (`mixed`) without the settings of the run.
        """
        scopes = (task.span, task.kind.name, None)
        levels = self._around(scopes, near, chain, task.settings, model.settings)
        if mixed:
            levels = [tuple(g for g in level if not is_of_run(g.key)) for level in levels]
        self.used |= {g.span for level in levels for g in level if has_key(g.key, task.kind, target=target)}
        return nearest(levels, task.kind, target=target)

    def _around(self, scopes: Sequence[Span | str | None], near: Level, chain: Level, *declared: Level) -> list[Level]:
        """All levels of the cascade, the nearest first; `declared` are those of declarations."""
        overrides, defaults = ([_of_scope(said, s) for s in scopes] for said in (self.overrides, self.defaults))
        return [*overrides, near, chain, *defaults, *declared]

    def nearest_of_mixture(
        self, near: Level, chain: Level, parts: Sequence[TaskDecl], model: ModelDecl | None
    ) -> dict[str, Given]:
        """Each slot's nearest Given of the run of several parts, from what is no part's own."""
        kinds = {task.kind.name for task in parts}
        scopes = [*(kinds if len(kinds) == 1 else ()), None]
        levels = self._around(scopes, near, chain, model.settings if model else ())
        of_run = [tuple(g for g in level if is_of_run(g.key)) for level in levels]
        self.used |= {g.span for level in of_run for g in level}
        return nearest(of_run, parts[0].kind, target=False)

    def nearest_of_target(self, own: Level, task: TaskDecl) -> dict[str, Given]:
        """Of a target what is said for itself: at its place, for its name, or in its own declaration."""
        override, named = (_of_scope(said, task.span) for said in (self.overrides, self.defaults))
        return nearest((override, own, named, task.own_settings), task.kind, target=True)

    def report_unused(self, others: Iterable[Level]) -> None:
        """Report settings of `defaults`, from outside and of `others` that no node has."""
        own = (level for _, level in (*self.defaults, *self.overrides))
        for given in (g for level in (*others, *own) for g in level):
            if given.span not in self.used:
                message = f"no node of this spec has `{given.key}`"
                self.bag.error(codes.KEY_WITHOUT_NODE, given.span, message, "take it out, or set it where it applies")


def _of_scope(said: list[_Scoped], scope: Span | str | None) -> Level:
    return tuple(g for s, level in said if s == scope for g in level)
