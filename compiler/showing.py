"""A name with all that it stands for, as text of the language: notes say where each line comes from.

What nobody wrote, or what would mean something else if it stood there, is a comment: the text means what the name does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.catalog import KINDS, SETTINGS, SLOT, Kind
from compiler.declare import spoken
from compiler.inherited import Entry, entries
from compiler.known import Known, known, place_of, seen_from, word_of
from compiler.languages import members
from compiler.resolve import Merged, merge
from compiler.unused import names_in
from compiler.writing import lines_of, written
from dsl.syntax import Declaration, Group, Pair

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Named, Names

_BY_LANGUAGE = ("codes", "per-language")
_OF_STAGES = ("max-length", "precision")  # what a target reads from its stage, unless its own declaration says it


class Line(Struct, frozen=True):
    """A line of text, and what is to be said of it behind a `#`."""

    text: str
    note: str = ""


def show(name: str, names: Names, bag: Bag) -> tuple[Line, ...] | None:
    """What a name stands for; None where there is no such name, or after findings."""
    found = known(names).get(name)
    if found is None:
        return None
    hidden = tuple(Line(f"# hides the {word_of(h)} `{name}` of {place_of(h.name.span)}") for h in found.hides)
    if not isinstance(found.named, Declaration):
        return (*hidden, *_as_it_stands(found, names))
    merged = merge(found.named, names, bag)
    if merged is None:
        return None
    return (*hidden, *_Shown(merged, names, bag).lines())


# --- lets, groups and suites ----------------------------------------------------------------------------------------


def _as_it_stands(found: Known, names: Names) -> Iterator[Line]:
    """The statement itself, below the place of it and of the names in it."""
    yield Line(f"# {found.place}")
    for text, inner in _named_in(found.named, names).items():
        yield Line(f"# {text}: {word_of(inner)}, {place_of(inner.name.span)}")
    if isinstance(found.named, Group):
        inside = members(seen_from(names, found.named.name.text), names)
        yield Line(f"# in all: [{', '.join(sorted(inside))}]")
    for line in found.named.span.text.splitlines():
        yield Line(line)


def _named_in(named: Named, names: Names) -> Mapping[str, Named]:
    """The names that a statement mentions, as they resolve where they stand."""
    scope = names.scopes.get(named.name.span.source)
    sees = {**names.library, **(scope.used if scope else {}), **(scope.own if scope else {})}
    return {text: sees[text] for text in dict.fromkeys(names_in(named)) if text in sees}


# --- models, tasks and benchmarks -----------------------------------------------------------------------------------


class _Shown(Struct, frozen=True):
    """A declaration that is being written out."""

    merged: Merged
    names: Names
    bag: Bag

    @property
    def kind(self) -> Kind | None:
        return KINDS.get(self.merged.kind or "")

    def lines(self) -> Iterator[Line]:
        declaration = self.merged.declaration
        parent = f" : {declaration.parent.text}" if declaration.parent is not None else ""
        head = f"{declaration.word} {declaration.name.text}{parent} {{"
        yield Line(head, place_of(declaration.name.span))
        yield from self._line_of_descent()
        written_out = {entry.key: entry for entry in entries(self.merged, self.bag)}
        settings = written_out.pop("settings", None)
        for entry in written_out.values():
            yield from self._written(entry, "  ")
        yield from self._built_in_keys()
        yield from self._settings(settings)
        yield Line("}")

    def _line_of_descent(self) -> Iterator[Line]:
        """Whom it inherits from, up to the kind."""
        above = list(zip(self.merged.ancestry, self.merged.lineage, strict=True))[1:]
        for n, (name, span) in enumerate(above):
            parent = [*(a for a, _ in above[n + 1 :]), self.merged.kind][0]
            yield Line(f"  # {name}{f' : {parent}' if parent else ''}", place_of(span))

    def _written(self, entry: Entry, indent: str) -> Iterator[Line]:
        """An entry, and below it those that it merges."""
        if not entry.inner:
            first, *more = lines_of(entry.key, entry.value, indent)
            yield Line(first, self._origin(entry))
            yield from map(Line, more)
            return
        inner = [e for e in entry.inner if entry.key not in _BY_LANGUAGE or self._has(e.key)]
        if inner:
            yield Line(f"{indent}{entry.key}: {{")
            for below in inner:
                yield from self._written(below, f"{indent}  ")
            yield Line(f"{indent}}}")

    def _has(self, language: str) -> bool:
        """Whether the task has a language: an ancestor may speak of others."""
        return language in spoken(self.merged, self.bag)[1]

    def _origin(self, entry: Entry) -> str:
        return f"{f'of {entry.owner}, ' if self._is_inherited(entry) else ''}{place_of(entry.place)}"

    def _is_inherited(self, entry: Entry) -> bool:
        return not self.merged.holds(entry.place)

    def _built_in_keys(self) -> Iterator[Line]:
        if self.kind is None:
            return
        source, languages = spoken(self.merged, self.bag)
        built_in = {
            "source": source,
            "languages": f"[{', '.join(languages)}]",
            "metrics": f"[{self.kind.metric}]",
        }
        if self.kind.cluster:
            built_in["cluster"] = f"by `{self.kind.cluster}`"
        for key, value in built_in.items():
            if key not in self.merged.pairs:
                yield Line(f"  # {key}: {value}", "built-in")

    # --- settings

    def _settings(self, found: Entry | None) -> Iterator[Line]:
        """Those that somebody set, then as comments the built-in values of the others."""
        given = {SLOT.get(e.key, e.key): e for e in found.inner} if found else {}
        lines = [line for slot, entry in given.items() for line in self._setting(slot, entry)]
        lines += [self._built_in(key) for key in self._keys() if key not in given]
        if lines:
            yield Line("  settings: {")
            yield from lines
            yield Line("  }")

    def _keys(self) -> list[str]:
        """The settings that stages or targets of the task have."""
        kind = self.kind
        return [k for k in SETTINGS if k not in SLOT and kind.has(k) and SETTINGS[k].available] if kind else []

    def _setting(self, slot: str, entry: Entry) -> Iterator[Line]:
        read = self._is_inherited(entry) and slot in _OF_STAGES and self.kind is not None and self.kind.trains
        notes = [self._origin(entry)]
        notes += ["inherited: a target reads that of its stage"] if read else []
        if (over := self._default(slot)) is not None:
            key = "" if over.key.text == entry.key else f"{over.key.text}: "
            notes.append(f"here {key}{written(over.value)}: `defaults`, {place_of(over.span)}")
        for n, line in enumerate(lines_of(entry.key, entry.value, "    # " if read else "    ")):
            yield Line(line, "; ".join(notes) if n == 0 else "")

    def _built_in(self, key: str) -> Line:
        if (over := self._default(key)) is not None:
            return Line(f"    # {over.key.text}: {written(over.value)}", f"`defaults`, {place_of(over.span)}")
        return Line(f"    # {key}: {SETTINGS[key].built_in() or '–'}", "built-in")

    def _default(self, slot: str) -> Pair | None:
        """What the spec's `defaults` say, nearest first: of the task, of its kind, of all."""
        if self.kind is None:
            return None
        place, kind = self.merged.declaration.name.span, self.kind.name
        for scope in (place, kind, None):
            for defaults in self.names.defaults:
                found = self.names.get(defaults.scope) if defaults.scope is not None else None
                of = found.name.span if found else defaults.scope.text if defaults.scope else None
                for pair in defaults.record.pairs if of == scope else ():
                    if SLOT.get(pair.key.text, pair.key.text) == slot:
                        return pair
        return None
