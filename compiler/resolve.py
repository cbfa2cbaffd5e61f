"""Names to declarations: what a spec declares, over what the library declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.catalog import DEEPEST, KINDS, OF_CONTENT, RESERVED, UNINHERITED
from compiler.languages import is_group_right
from compiler.suggest import did_you_mean
from dsl.diagnostics import Label
from dsl.syntax import Declaration, Defaults, Experiment, Group, Let, Name, Suite

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from compiler.bag import Bag
    from compiler.uses import File
    from dsl.source import Source, Span
    from dsl.syntax import Pair, Record, Spec, String

Named = Declaration | Group | Let | Suite


class Scope(Struct, frozen=True):
    """What one file sees: its own declarations, and those of the files that it uses."""

    own: Mapping[str, Named]
    used: Mapping[str, Named]
    refused: frozenset[str] = frozenset()  # names whose declaration was refused already
    hidden: Mapping[str, Named] = {}  # of the files that it uses, what its own hide


class Names(Struct, frozen=True):
    """What names mean: each resolves where it is written. A file's own hide what it uses, and both the library's."""

    source: Source  # the spec's
    scopes: Mapping[Source, Scope]
    library: Mapping[str, Named]
    experiments: tuple[Experiment, ...]
    defaults: tuple[Defaults, ...]
    overrides: tuple[Defaults, ...] = ()  # from outside the spec, nearer than anything in it

    @property
    def own(self) -> Mapping[str, Named]:
        """What the spec itself declares."""
        return self.scopes[self.source].own

    def get(self, name: Name) -> Named | None:
        """What a name stands for, where it is written."""
        scope = self._scope(name)
        return scope.own.get(name.text) or scope.used.get(name.text) or self.library.get(name.text)

    def parent_of(self, declaration: Declaration) -> Named | None:
        """Whom a declaration inherits from. One of its own name is the one that it hides."""
        parent = declaration.parent
        if parent is None:
            return None
        found = self.get(parent)
        if found is not declaration:
            return found
        return self._scope(parent).hidden.get(parent.text) or self.library.get(parent.text) or found

    def is_refused(self, name: Name) -> bool:
        """Whether the name's declaration was reported already."""
        return name.text in self._scope(name).refused

    def all(self, near: Name, *sorts: type) -> tuple[str, ...]:
        """The names of these sorts that could stand at `near`, for hints."""
        scope = self._scope(near)
        every = {**self.library, **scope.used, **scope.own}
        return tuple(n for n, d in every.items() if isinstance(d, sorts))

    def tasks(self, near: Name) -> list[str]:
        """The tasks and benchmarks that could stand at `near`."""
        return [n for n in self.all(near, Declaration) if not self.is_model(Name(n, near.span))]

    def models(self, near: Name) -> list[str]:
        """The models that could stand at `near`."""
        return [n for n in self.all(near, Declaration) if self.is_model(Name(n, near.span))]

    def is_model(self, name: Name) -> bool:
        """Whether a name stands for a model."""
        found = self.get(name)
        return isinstance(found, Declaration) and found.word == "model"

    def _scope(self, name: Name) -> Scope:
        return self.scopes.get(name.span.source, _NOTHING)  # the library does not see a spec's own


_NOTHING = Scope({}, {})


class Merged(Struct, frozen=True):
    """A declaration with what it inherits: each key as its ancestors wrote it, the nearest first."""

    declaration: Declaration
    kind: str | None  # None for models
    pairs: Mapping[str, tuple[tuple[Pair, str], ...]]  # with the name of the declaration that wrote it
    ancestry: tuple[str, ...]  # itself, its parent, …
    lineage: tuple[Span, ...]  # the same, as places of their names

    def begins(self) -> bool:
        """Whether it inherits from a kind alone: what is missing is then missing here."""
        return len(self.ancestry) == 1

    def holds(self, place: Span) -> bool:
        """Whether the declaration itself stands there, and no ancestor, which may have the same name."""
        own = self.declaration.span
        return place.source is own.source and own.start <= place.start < own.end

    def nearest(self, key: str) -> Pair | None:
        """What `key` is, for values that are replaced whole."""
        return self.pairs[key][0][0] if key in self.pairs else None


def resolve(files: Sequence[File], library: Mapping[str, Named], bag: Bag) -> Names:
    """The names of the spec, the last of `files`, which come after those that they use."""
    scopes: dict[Source, Scope] = {}
    for file in files:
        scopes[file.spec.source] = _scope(file, scopes, library, bag)
    spec = files[-1].spec
    experiments = tuple(s for s in spec.statements if isinstance(s, Experiment))
    defaults = tuple(s for s in spec.statements if isinstance(s, Defaults))
    _check_labels(experiments, scopes[spec.source].own, bag)
    names = Names(spec.source, scopes, library, experiments, defaults)
    groups = [g for scope in scopes.values() for g in scope.own.values() if isinstance(g, Group)]
    wrong = {g.name.span for g in groups if not is_group_right(g, names, bag)}
    return replace(names, scopes={source: _without(scope, wrong) for source, scope in scopes.items()})


def _scope(file: File, scopes: Mapping[Source, Scope], library: Mapping[str, Named], bag: Bag) -> Scope:
    own: dict[str, Named] = {}
    declared = [s for s in file.spec.statements if isinstance(s, Named)]
    for statement in declared:
        _enter(statement, own, library, bag)
    used: dict[str, Named] = {}
    hidden: dict[str, Named] = {}
    for path, source in file.uses:
        for name, found in scopes[source].own.items():
            _bring(name, found, path, used, own, bag)
            if name in own:
                _hide(own[name], found, hidden, bag)
    return Scope(own, used, frozenset(s.name.text for s in declared if _is_reserved(s.name.text)), hidden)


def _bring(name: str, found: Named, path: String, used: dict[str, Named], own: Mapping[str, Named], bag: Bag) -> None:
    """Enter what a used file declares; the file's own hides it, and another file's is an error."""
    if (mine := own.get(name)) is not None:
        label = Label(found.name.span, "the used file's")
        bag.warn(codes.HIDES_LIBRARY, mine.name.span, f"`{name}` hides a name of `{path.value}`", None, label)
    elif (first := used.get(name)) is not None and first is not found:
        _report_two(path.span, first, found, bag)
    else:
        used[name] = found


def _hide(mine: Named, found: Named, hidden: dict[str, Named], bag: Bag) -> None:
    """Remember what a file's own declaration hides; whether it inherits from one of two, nobody could tell."""
    first = hidden.setdefault(mine.name.text, found)
    parent = mine.parent if isinstance(mine, Declaration) else None
    if first is not found and parent is not None and parent.text == mine.name.text:
        _report_two(parent.span, first, found, bag)


def _report_two(place: Span, first: Named, found: Named, bag: Bag) -> None:
    """One name, in two of the files that are used."""
    labels = Label(first.name.span, "declared here"), Label(found.name.span, "and here")
    message = f"`{found.name.text}` is declared in two of the files that are used"
    bag.error(codes.DECLARED_TWICE, place, message, "rename one of them", *labels)


def _without(scope: Scope, wrong: Collection[Span]) -> Scope:
    """The scope without declarations that were refused, the places of whose names are `wrong`."""
    own, used = ({n: d for n, d in m.items() if d.name.span not in wrong} for m in (scope.own, scope.used))
    refused = {n for n, d in (*scope.own.items(), *scope.used.items()) if d.name.span in wrong}
    return Scope(own, used, scope.refused | refused, scope.hidden)


def library_names(specs: tuple[Spec, ...], bag: Bag) -> dict[str, Named]:
    """All that the library's files declare, in one table."""
    names: dict[str, Named] = {}
    for spec in specs:
        for statement in spec.statements:
            if isinstance(statement, Named):
                _enter(statement, names, {}, bag)
    return names


def _enter(statement: Named, own: dict[str, Named], library: Mapping[str, Named], bag: Bag) -> None:
    name, span = statement.name.text, statement.name.span
    if _is_reserved(name):
        bag.error(codes.RESERVED_NAME, span, f"`{name}` has a meaning of its own and names nothing else")
    elif (first := own.get(name)) is not None:
        label = Label(first.name.span, "first declared here")
        bag.error(codes.DECLARED_TWICE, span, f"`{name}` is declared twice", "rename one of them", label)
    else:
        if (hidden := library.get(name)) is not None:
            label = Label(hidden.name.span, "the library's")
            bag.warn(codes.HIDES_LIBRARY, span, f"`{name}` hides a name of the library", None, label)
        own[name] = statement


def _is_reserved(name: str) -> bool:
    return name in RESERVED or name in KINDS


def _check_labels(experiments: tuple[Experiment, ...], own: Mapping[str, Named], bag: Bag) -> None:
    seen: dict[str, Span] = {}
    for experiment in experiments:
        if (label := experiment.label) is None:
            continue
        if _is_reserved(label.text):
            bag.error(codes.RESERVED_NAME, label.span, f"`{label.text}` has a meaning of its own and labels nothing")
        if (first := seen.get(label.text)) is not None:
            where = Label(first, "first here")
            hint = "give each experiment a label of its own"
            bag.error(codes.LABEL_TWICE, label.span, f"the label `{label.text}` stands twice", hint, where)
        if (other := own.get(label.text)) is not None:
            where = Label(other.name.span, "declared here")
            bag.error(codes.NO_REFERENCE, label.span, f"`{label.text}` is a label and a declaration", None, where)
        seen[label.text] = label.span


def merge(declaration: Declaration, names: Names, bag: Bag, broken: set[Span] | None = None) -> Merged | None:
    """`declaration` with all that it inherits, nearest first; None after a finding.

    `broken` remembers the places of declarations whose line is too long, so that it is told once and not of each.
    """
    line = _ancestry(declaration, names, bag, set() if broken is None else broken)
    if line is None:
        return None
    chain, kind = line
    pairs: dict[str, tuple[tuple[Pair, str], ...]] = {}
    for ancestor in chain:
        others: tuple[str, ...] = () if ancestor is declaration else UNINHERITED
        others += OF_CONTENT if "data" in pairs or "weights" in pairs else ()
        for key, pair in own_pairs(ancestor.record, bag).items():
            if key not in others:
                pairs[key] = (*pairs.get(key, ()), (pair, ancestor.name.text))
    line_ = tuple(d.name for d in chain)
    return Merged(declaration, kind, pairs, tuple(n.text for n in line_), tuple(n.span for n in line_))


def own_pairs(record: Record, bag: Bag) -> dict[str, Pair]:
    """The pairs of a record by key; a key twice is an error."""
    found: dict[str, Pair] = {}
    for pair in record.pairs:
        if (first := found.get(pair.key.text)) is not None:
            label = Label(first.key.span, "first here")
            bag.error(codes.SET_TWICE, pair.key.span, f"`{pair.key.text}` stands twice in this record", None, label)
        found[pair.key.text] = pair
    return found


def _ancestry(
    start: Declaration, names: Names, bag: Bag, broken: set[Span]
) -> tuple[list[Declaration], str | None] | None:
    """The declaration and its ancestors, and the kind at the end of the line."""
    line = [start]
    if start.name.span in broken:
        return None
    while (parent := line[-1].parent) is not None and (parent.text not in KINDS or start.word == "model"):
        found = names.parent_of(line[-1])
        if not isinstance(found, Declaration) or (found.word == "model") != (start.word == "model"):
            _unknown_parent(parent, start, found, names, bag)
            return None
        if len(line) >= DEEPEST:
            broken |= {declaration.name.span for declaration in line}
            bag.error(codes.TOO_MANY, parent.span, f"declarations inherit from each other more than {DEEPEST} deep")
            return None
        if any(found is before for before in line):
            if found is start and start is min(line, key=lambda d: d.span.start):  # once a loop
                loop = " : ".join(d.name.text for d in [*line, found])
                bag.error(codes.INHERITANCE_CYCLE, parent.span, f"`{start.name.text}` inherits from itself: {loop}")
            return None
        line.append(found)
    return line, parent.text if parent is not None else None


def _unknown_parent(parent: Name, start: Declaration, found: Named | None, names: Names, bag: Bag) -> None:
    if found is not None or (start.word == "model" and parent.text in KINDS):
        bag.error(codes.WRONG_SORT, parent.span, f"`{parent.text}` is no {start.word} to inherit from")
        return
    if names.is_refused(parent):
        return  # reported where it is declared
    models = start.word == "model"
    hint = did_you_mean(parent.text, names.models(parent) if models else [*names.tasks(parent), *KINDS])
    sort = "model" if models else "kind of task, task or benchmark"
    bag.error(codes.UNKNOWN_NAME, parent.span, f"there is no {sort} `{parent.text}`", hint)
