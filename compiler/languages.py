"""Lists of languages, as sets in declared order (docs/language.md, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.catalog import DEEPEST
from compiler.pairs import are_pairs
from compiler.suggest import closest, language_hint, other_code
from dsl.syntax import Group, Languages, LanguageTerm, Name

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Names
    from dsl.source import Span


LONGEST_CODE = 3  # letters of a bare code; what is longer may be a group's misspelt name


def select(written: Languages, available: tuple[str, ...], task: str, names: Names, bag: Bag) -> tuple[str, ...]:
    """The languages of `task` that `written` names, in the order in which the data declare them; () after a finding."""
    chosen: set[str] = set()
    right = True
    for term in written.terms:
        named = set(available) if term.code is None else members(term.code, names)
        if term.code is not None and names.is_refused(term.code):
            return ()  # reported where it is declared
        if term.code is not None and not named & set(available) and not _may_be_absent(term, available, names):
            _missing(term.code, available, task, names, bag)
            right = False
        chosen = chosen - named if term.minus else chosen | (named & set(available))
    if not right:
        return ()
    if not chosen:
        bag.error(
            codes.NO_LANGUAGE, written.span, f"no language of `{task}` is left here", language_hint("", available)
        )
    return tuple(c for c in available if c in chosen)


def _may_be_absent(term: LanguageTerm, available: tuple[str, ...], names: Names) -> bool:
    """Taking away what is not there is allowed, but not under another code of a language that is there.

    Nor a language where there are pairs of them: it would take away nothing.
    """
    if not term.minus or term.code is None:
        return False
    if _is_group(term.code, names):
        return True
    return other_code(term.code.text, available) is None and are_pairs(available) <= are_pairs((term.code.text,))


def _is_group(name: Name, names: Names) -> bool:
    return isinstance(names.get(name), Group)


def members(name: Name, names: Names, known: dict[Span, set[str]] | None = None) -> set[str]:
    """The codes of a group that `is_group_right` found right, or the one code."""
    known = {} if known is None else known
    found = names.get(name)
    if not isinstance(found, Group):
        return {name.text}
    if (place := found.name.span) not in known:
        known[place] = set()
        for term in found.languages.terms:
            part = members(term.code, names, known) if term.code is not None else set()
            known[place] = known[place] - part if term.minus else known[place] | part
    return known[place]


def groups(names: Names) -> dict[str, set[str]]:
    """The codes of each group that the spec can name."""
    scope = names.scopes[names.source]
    seen = {**names.library, **scope.used, **scope.own}
    known: dict[Span, set[str]] = {}
    return {name: members(g.name, names, known) for name, g in seen.items() if isinstance(g, Group)}


def is_group_right(group: Group, names: Names, bag: Bag) -> bool:
    """Whether a group holds no `*` and not itself, however deep; faults are in the bag."""
    return _Heights(names, bag, {}).of(group, ()) is not None


class _Heights(Struct, frozen=True):
    """How many groups stand within each other in a group: each is looked into once, however often it is named."""

    names: Names
    bag: Bag
    known: dict[Span, int | None]  # by the place of the name; None: something is wrong in it

    def of(self, group: Group, inside: tuple[Group, ...]) -> int | None:
        heights = [self._term(term, (*inside, group)) for term in group.languages.terms]
        return None if None in heights else 1 + max(h for h in heights if h is not None)

    def _term(self, term: LanguageTerm, line: tuple[Group, ...]) -> int | None:
        inner = self.names.get(term.code) if term.code is not None else None
        if term.code is None:
            message = "`*` has no meaning in a group: which languages there are depends on the data"
            self.bag.error(codes.WRONG_VALUE, term.span, message, "list the codes")
            return None
        if not isinstance(inner, Group):
            return 0
        if any(inner is group for group in line):
            if inner is line[0] is min(line, key=lambda g: g.span.start):  # once a loop
                message = f"the group `{term.code.text}` is a part of itself"
                self.bag.error(codes.INHERITANCE_CYCLE, term.span, message)
            return None
        if inner.name.span not in self.known:
            self.known[inner.name.span] = self.of(inner, line) if len(line) < DEEPEST else 1
        height = self.known[inner.name.span]
        if height is None or len(line) + height <= DEEPEST:
            return height
        self.bag.error(codes.TOO_MANY, term.span, f"groups stand within groups more than {DEEPEST} deep")
        return None


def _missing(code: Name, available: tuple[str, ...], task: str, names: Names, bag: Bag) -> None:
    """Report a code, or a group with all its codes, that the data do not have."""
    groups = names.all(code, Group)
    if _is_group(code, names):
        message = f"`{task}` has no language of the group `{code.text}`"
        bag.error(codes.NO_LANGUAGE, code.span, message, language_hint("", available))
    elif (group := _spaced(code.text, groups)) is not None:
        message = f"there is no group of languages `{code.text}`"
        hint = f"did you mean `{group} - {code.text[len(group) + 1 :]}`? A difference needs spaces"
        bag.error(codes.UNKNOWN_LANGUAGE, code.span, message, hint)
    elif len(code.text) > LONGEST_CODE and (group := closest(code.text, groups)) is not None:
        message = f"there is no group of languages `{code.text}`"
        bag.error(codes.UNKNOWN_LANGUAGE, code.span, message, f"did you mean `{group}`?")
    elif are_pairs(available) and not are_pairs((code.text,)):
        message = f"`{task}` has pairs of languages, and `{code.text}` is one alone"
        bag.error(codes.NO_LANGUAGE, code.span, message, language_hint("", available))
    else:
        message = f"`{task}` has no language `{code.text}`"
        bag.error(codes.NO_LANGUAGE, code.span, message, language_hint(code.text, available))


def _spaced(text: str, groups: tuple[str, ...]) -> str | None:
    """The group of a difference written without spaces."""
    return next((g for g in groups if text.startswith(f"{g}-")), None)
