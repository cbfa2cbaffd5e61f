"""Lists of languages, as sets in declared order (docs/language.md, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler import codes
from compiler.catalog import LANGUAGE_ALIASES
from compiler.suggest import language_hint
from dsl.syntax import Group, Languages

if TYPE_CHECKING:
    from compiler.bag import Bag
    from compiler.resolve import Names


def select(written: Languages, available: tuple[str, ...], task: str, names: Names, bag: Bag) -> tuple[str, ...]:
    """The languages of `task` that `written` names, in the order in which the data declare them; () after a finding."""
    chosen: set[str] = set()
    for term in written.terms:
        codes_ = set(available) if term.code is None else members(term.code.text, names)
        if term.minus:
            chosen -= codes_
            continue
        if term.code is not None and not _is_group(term.code.text, names) and term.code.text not in available:
            _missing(written, term.code.text, available, task, names, bag)
            return ()
        chosen |= codes_ & set(available)
    if not chosen:
        bag.error(
            codes.NO_LANGUAGE, written.span, f"no language of `{task}` is left here", language_hint("", available)
        )
    return tuple(c for c in available if c in chosen)


def _is_group(name: str, names: Names) -> bool:
    return isinstance(names.get(name), Group)


def members(name: str, names: Names, inside: frozenset[str] = frozenset()) -> set[str]:
    """The codes of a group, or the one code. A group inside itself adds nothing."""
    found = names.get(name)
    if not isinstance(found, Group):
        return {name}
    chosen: set[str] = set()
    for term in found.languages.terms:
        if term.code is None or term.code.text in inside:
            continue
        part = members(term.code.text, names, inside | {name})
        chosen = chosen - part if term.minus else chosen | part
    return chosen


def _missing(written: Languages, code: str, available: tuple[str, ...], task: str, names: Names, bag: Bag) -> None:
    groups = names.all(Group)
    hint = language_hint(code, available)
    if code not in LANGUAGE_ALIASES and groups and "did you mean" not in hint:
        hint += f"; groups: {', '.join(f'`{g}`' for g in groups)}"
    span = next(t.span for t in written.terms if t.code is not None and t.code.text == code)
    bag.error(codes.NO_LANGUAGE, span, f"`{task}` has no language `{code}`", hint)
