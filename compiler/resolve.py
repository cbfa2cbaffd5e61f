"""Names to declarations: what a spec declares, over what the library declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler import codes
from compiler.catalog import KINDS, RESERVED
from compiler.languages import is_group_right
from compiler.suggest import did_you_mean
from dsl.diagnostics import Label
from dsl.syntax import Budget, Claim, Declaration, Defaults, Experiment, Group, Let, Report, Spec, Suite, Use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Name, Pair, Record

Named = Declaration | Group | Let


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of one spec mean. A spec's own hide the library's."""

    own: Mapping[str, Named]
    library: Mapping[str, Named]
    experiments: tuple[Experiment, ...]
    defaults: tuple[Defaults, ...]
    later: frozenset[str] = frozenset()  # names whose declaration was refused already

    def get(self, name: str) -> Named | None:
        """The declaration, group or let called `name`."""
        return self.own.get(name) or self.library.get(name)

    def beside(self, declaration: Declaration) -> Names:
        """The names as they are where `declaration` is written: the library does not see a spec's own."""
        if self.library.get(declaration.name.text) is declaration:
            return Names({}, self.library, (), ())
        return self

    def all(self, *sorts: type) -> tuple[str, ...]:
        """Names of these sorts, the spec's own first."""
        both = {**self.library, **self.own}
        return tuple(n for n, d in both.items() if isinstance(d, sorts))


@dataclass(frozen=True, slots=True)
class Merged:
    """A declaration with what it inherits: each key as its ancestors wrote it, the nearest first."""

    declaration: Declaration
    kind: str | None  # None for models
    pairs: Mapping[str, tuple[tuple[Pair, str], ...]]  # with the name of the declaration that wrote it
    ancestry: tuple[str, ...]  # itself, its parent, …

    def begins(self) -> bool:
        """Whether it inherits from a kind alone: what is missing is then missing here."""
        return len(self.ancestry) == 1

    def nearest(self, key: str) -> Pair | None:
        """What `key` is, for values that are replaced whole."""
        return self.pairs[key][0][0] if key in self.pairs else None


def resolve(spec: Spec, library: Mapping[str, Named], bag: Bag) -> Names:
    """The names of `spec`; what this version cannot run yet is reported at its place."""
    own: dict[str, Named] = {}
    for statement in spec.statements:
        if isinstance(statement, Declaration | Group | Let):
            _enter(statement, own, library, bag)
    experiments = tuple(s for s in spec.statements if isinstance(s, Experiment))
    _check_labels(experiments, own, bag)
    for statement in spec.statements:
        _refuse_later(statement, bag)
    defaults = tuple(s for s in spec.statements if isinstance(s, Defaults))
    names = Names(own, library, experiments, defaults)
    wrong = {n for n, g in own.items() if isinstance(g, Group) and not is_group_right(g, names, bag)}
    suites = {s.name.text for s in spec.statements if isinstance(s, Suite)}
    reserved = {s.name.text for s in spec.statements if isinstance(s, Named) and _is_reserved(s.name.text)}
    kept = {n: d for n, d in own.items() if n not in wrong}
    return Names(kept, library, experiments, defaults, frozenset(wrong | suites | reserved))


def library_names(specs: tuple[Spec, ...], bag: Bag) -> dict[str, Named]:
    """All that the library's files declare, in one table."""
    names: dict[str, Named] = {}
    for spec in specs:
        for statement in spec.statements:
            if isinstance(statement, Declaration | Group | Let):
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
            bag.error(codes.LABEL_TWICE, label.span, f"the label `{label.text}` stands twice", None, where)
        if (other := own.get(label.text)) is not None:
            where = Label(other.name.span, "declared here")
            bag.error(codes.NO_REFERENCE, label.span, f"`{label.text}` is a label and a declaration", None, where)
        seen[label.text] = label.span


def _refuse_later(statement: object, bag: Bag) -> None:
    """Statements that would change what runs are errors until they do; those that only show are warnings."""
    match statement:
        case Use(span=span):
            hint = "copy the declarations into this file for now"
            bag.error(codes.NOT_YET, span, "`use` is not available yet", hint)
        case Suite(name=name):
            hint = "write its chains out, one line each"
            bag.error(codes.NOT_YET, name.span, "`suite` is not available yet", hint)
        case Budget(span=span):
            bag.error(codes.NOT_YET, span, "`budget` is not available yet", "leave it out")
        case Report(title=title):
            hint = "`xfer results` shows the table of scores"
            bag.warn(codes.NOT_COMPUTED, title.span, "reports are not drawn yet", hint)
        case Claim(title=title):
            bag.warn(codes.NOT_COMPUTED, title.span, "claims are not tested yet", None)


def merge(declaration: Declaration, names: Names, bag: Bag) -> Merged | None:
    """`declaration` with all that it inherits, nearest first; None after a finding."""
    line = _ancestry(declaration, names, bag)
    if line is None:
        return None
    chain, kind = line
    pairs: dict[str, tuple[tuple[Pair, str], ...]] = {}
    for ancestor in chain:
        for key, pair in own_pairs(ancestor.record, bag).items():
            if ancestor is declaration or key not in ("cite", "licence"):
                pairs[key] = (*pairs.get(key, ()), (pair, ancestor.name.text))
    return Merged(declaration, kind, pairs, tuple(d.name.text for d in chain))


def own_pairs(record: Record, bag: Bag) -> dict[str, Pair]:
    """The pairs of a record by key; a key twice is an error."""
    found: dict[str, Pair] = {}
    for pair in record.pairs:
        if (first := found.get(pair.key.text)) is not None:
            label = Label(first.key.span, "first here")
            bag.error(codes.SET_TWICE, pair.key.span, f"`{pair.key.text}` stands twice in this record", None, label)
        found[pair.key.text] = pair
    return found


def _ancestry(start: Declaration, names: Names, bag: Bag) -> tuple[list[Declaration], str | None] | None:
    """The declaration and its ancestors, and the kind at the end of the line."""
    line = [start]
    while (parent := line[-1].parent) is not None and (parent.text not in KINDS or start.word == "model"):
        found = names.beside(line[-1]).get(parent.text)
        if not isinstance(found, Declaration) or (found.word == "model") != (start.word == "model"):
            _unknown_parent(parent, start, found, names, bag)
            return None
        if found in line:
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
    if parent.text in names.later:
        return  # reported where it is declared
    models = start.word == "model"
    known = [n for n in names.all(Declaration) if (_word(names, n) == "model") == models]
    hint = did_you_mean(parent.text, known if models else [*known, *KINDS])
    sort = "model" if models else "kind of task, task or benchmark"
    bag.error(codes.UNKNOWN_NAME, parent.span, f"there is no {sort} `{parent.text}`", hint)


def _word(names: Names, name: str) -> str:
    found = names.get(name)
    return found.word if isinstance(found, Declaration) else ""
