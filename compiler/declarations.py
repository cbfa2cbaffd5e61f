"""The declarations that a spec's names stand for, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from compiler import codes
from compiler.declare import ModelDecl, TaskDecl, declare_model, declare_task
from compiler.overlaps import closed, read_overlaps
from compiler.resolve import Merged, Names, merge
from dsl.diagnostics import Label
from dsl.syntax import Declaration, Group, ListValue, Name, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from compiler.overlaps import Rows
    from compiler.places import Places
    from dsl.source import Span


class Declarations(Struct):
    """Models, tasks and benchmarks by the place of their names; faults are in the bag."""

    names: Names
    places: Places
    bag: Bag
    models: dict[Span, ModelDecl | None] = field(default_factory=dict)
    tasks: dict[Span, TaskDecl | None] = field(default_factory=dict)
    broken: set[Span] = field(default_factory=set)  # whose line of ancestors is too long

    def read_own(self) -> None:
        """Read the file's own even when no chain names them, so that their faults show."""
        for found in self.names.own.values():
            if isinstance(found, Declaration):
                self.model(found) if found.word == "model" else self.task(found)

    def model(self, declaration: Declaration) -> ModelDecl | None:
        """The declared model."""
        place = declaration.name.span
        if place not in self.models:
            merged = merge(declaration, self.names, self.bag, self.broken)
            self.models[place] = declare_model(merged, self.bag) if merged else None
        return self.models[place]

    def task(self, declaration: Declaration) -> TaskDecl | None:
        """The declared task or benchmark."""
        place = declaration.name.span
        if place not in self.tasks:
            self.tasks[place] = None  # while it is read: two tasks may say of each other that they overlap
            merged = merge(declaration, self.names, self.bag, self.broken)
            declared = declare_task(merged, self.names, self.places, self.bag) if merged else None
            if merged is not None and declared is not None:
                self._refuse_groups(merged)
                said = read_overlaps(merged, self.names, self.bag)
                self.tasks[place] = replace(declared, shared=closed(said, self._shared))
        return self.tasks[place]

    def _refuse_groups(self, merged: Merged) -> None:
        """Report groups among the languages of a declaration, which are codes: they say what the data are called."""
        value = pair.value if (pair := merged.nearest("languages")) is not None else None
        for item in value.items if isinstance(value, ListValue) else ():
            if isinstance(item, Word) and isinstance(found := self.names.get(Name(item.text, item.span)), Group):
                message = f"`{item.text}` is a group of languages, and a declaration lists the codes that its data have"
                label = Label(found.name.span, "declared here")
                self.bag.error(codes.WRONG_SORT, item.span, message, "write the codes", label)

    def _shared(self, declaration: Declaration) -> Mapping[str, Mapping[Rows, Span]]:
        task = self.task(declaration)
        return task.shared if task is not None else {}
