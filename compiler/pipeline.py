"""The compiler, as the order of its passes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from compiler import codes
from compiler.bag import Bag
from compiler.check import check_runs
from compiler.compose import Composer
from compiler.locate import Locator
from compiler.lower import Lowering
from compiler.plan import Plan, verify
from compiler.resolve import library_names, resolve
from dsl.diagnostics import Diagnostic, has_errors
from dsl.parse import parse
from dsl.source import Source, Span
from dsl.syntax import (
    Alternative,
    Chain,
    Choice,
    Declaration,
    Group,
    Languages,
    LanguageTerm,
    Let,
    Name,
    Ref,
    Spec,
    Stage,
    Use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from compiler.places import Places
    from compiler.plan import Device
    from compiler.resolve import Named, Names

PACKAGE = Path(__file__).resolve().parent.parent
LIBRARY = PACKAGE / "specs" / "std"


class BrokenPlanError(AssertionError):
    """A bug in the compiler; never the spec's fault."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, unless there were errors; and everything there is to say about the spec."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]


def compile_text(source: Source, places: Places, device: Device) -> Compiled:
    """Parse, resolve, compose, check and lower; stops after the first pass that reports an error."""
    spec, found = parse(source)
    if spec is None or has_errors(found):
        return Compiled(None, found)
    bag = Bag()
    for diagnostic in found:
        bag.add(diagnostic)
    names = resolve(spec, library(), bag)
    if any(isinstance(s, Use) for s in spec.statements):
        return Compiled(None, bag.all())  # half of the names may be in the other file
    _check_experiments(spec, names, bag)
    runs = Composer(names, places, bag).compose()
    _warn_unused(names, bag)
    if bag.failed():
        return Compiled(None, bag.all())
    kept = check_runs(runs, bag)
    plan = Lowering(Locator(places, bag), device, bag).plan(source.name, kept)
    if bag.failed():
        return Compiled(None, bag.all())
    if broken := verify(plan):
        raise BrokenPlanError("; ".join(broken[:3]))
    return Compiled(plan, bag.all())


@cache
def library() -> Mapping[str, Named]:
    """The names that are always in scope, from `specs/std/`."""
    bag = Bag()
    specs = []
    for path in sorted(LIBRARY.glob("*.xfer")):
        spec, found = parse(Source(f"std/{path.name}", path.read_text(encoding="utf-8")))
        if spec is None or found:
            raise BrokenPlanError(f"{path}: {found[0].message if found else 'nothing in it'}")
        specs.append(spec)
    names = library_names(tuple(specs), bag)
    if bag.all():
        raise BrokenPlanError(f"the library: {bag.all()[0].message}")
    return names


def _check_experiments(spec: Spec, names: Names, bag: Bag) -> None:
    if names.experiments:
        return
    span = Span(spec.source, 0, 0)
    hint = "write one: `MODEL -> TASK @ BENCHMARK[*]`"
    if spec.statements:
        bag.warn(codes.NO_EXPERIMENT, span, "the spec declares no experiment, so nothing will run", hint)
    else:
        bag.error(codes.NO_EXPERIMENT, span, "the spec is empty", hint)


def _warn_unused(names: Names, bag: Bag) -> None:
    """Lets and declarations of the file that no chain reaches; a name that is wrong may have meant one of them."""
    if not names.experiments or bag.failed():
        return
    used: set[str] = set()
    waiting = [n for e in names.experiments for n in _names_in(e.chain)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _names_in(names.own[name]) if name in names.own else ()
    for name, found in names.own.items():
        if name not in used:
            word = found.word if isinstance(found, Declaration) else type(found).__name__.lower()
            bag.warn(codes.UNUSED, found.name.span, f"{word} `{name}` is never used")


def _names_in(node: object) -> Iterator[str]:
    """Every name that a node refers to; keys and labels are none."""
    match node:
        case Name(text=text):
            yield text
        case tuple():
            for item in node:
                yield from _names_in(item)
        case Declaration(parent=parent):
            yield from _names_in(parent)
        case Let(stage=inner) | Group(languages=inner):
            yield from _names_in(inner)
        case Ref(name=name, languages=languages):
            yield from _names_in((name, languages))
        case Chain(model=model, stages=stages, targets=targets):
            yield from _names_in((model, stages, targets))
        case Stage(parts=inner) | Alternative(stages=inner) | Choice(alternatives=inner) | Languages(terms=inner):
            yield from _names_in(inner)
        case LanguageTerm(code=code):
            yield from _names_in(code)
