"""The compiler, as the order of its passes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.axes import tables
from compiler.bag import Bag
from compiler.budget import Limits, read_budget
from compiler.check import check_runs
from compiler.compose import Composer
from compiler.conclusions import check_conclusions
from compiler.controls import wanted as wanted_controls
from compiler.graph import place
from compiler.languages import groups
from compiler.locate import Locator
from compiler.looking import look
from compiler.lower import Lowering
from compiler.overrides import read_overrides
from compiler.plan import Control, Plan, verify
from compiler.resolve import Names, Scope, library_names, resolve
from compiler.unused import warn_unused
from compiler.uses import load
from dsl.diagnostics import Diagnostic, has_errors
from dsl.parse import parse
from dsl.source import Source, Span
from dsl.syntax import Claim, Report, Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from compiler.axes import Table
    from compiler.places import Places
    from compiler.plan import Device
    from compiler.resolve import Named
    from compiler.settle import Run

PACKAGE = Path(__file__).resolve().parent.parent
LIBRARY = PACKAGE / "specs" / "std"


class BrokenPlanError(AssertionError):
    """A bug in the compiler; never the spec's fault."""


class Compiled(Struct, frozen=True):
    """A plan, unless there were errors; and everything there is to say about the spec."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    refused: Plan | None = None  # the plan where there is none because this version cannot run something in it
    names: Names | None = None  # what the spec's names mean, where there is a plan
    experiments: tuple[str, ...] = ()  # what its experiments are called, where there is a plan
    limits: Limits | None = None  # of its budget, where there is a plan
    looked: Plan | None = None  # the data of the task that was asked for, where there is a plan and a chain reads it
    lowered: int = 0  # how many nodes there were when errors forbade the plan


class Wanted(Struct, frozen=True):
    """What is asked of a spec from outside."""

    experiment: str | None = None  # the label of the only one that counts
    settings: tuple[str, ...] = ()  # `KEY=VALUE`, as `compiler.overrides` reads it
    look: str | None = None  # the task whose data are looked at


_ALL = Wanted()


def compile_text(source: Source, places: Places, device: Device, wanted: Wanted = _ALL) -> Compiled:
    """Parse, resolve, compose, check and lower; stops after the first pass that reports an error.

    The whole spec is checked; where one experiment is wanted, its data alone are looked for, and it alone is planned.
    """
    spec, found = parse(source)
    if spec is None or has_errors(found):
        return Compiled(None, found)
    bag = Bag()
    for diagnostic in found:
        bag.add(diagnostic)
    files = load(spec, places, bag)
    if files is None:
        return Compiled(None, bag.all())  # half of the names may be in the file that cannot be read
    places = replace(places, folders={f.spec.source.name: f.folder for f in files if f.folder is not None})
    names = read_overrides(wanted.settings, resolve(files, library(), bag), bag)
    _check_experiments(spec, names, bag)
    limits = read_budget(spec, bag)
    runs, controls = _composed(spec, names, places, bag)
    warn_unused(spec, names, bag)
    if bag.failed():
        return Compiled(None, bag.all())
    fitting = check_runs(runs, bag)
    conclusions = None
    if not bag.failed():
        conclusions = check_conclusions(spec, _tables(spec, fitting, names), bag, changed=bool(wanted.settings))
    kept = [run for run in fitting if wanted.experiment in (None, run.experiment)]
    locator = Locator(places, bag)
    plan = Lowering(locator, device, bag).plan(source.name, kept, conclusions)
    asked = tuple(c for c in controls if wanted.experiment in (None, c.experiment))
    plan = replace(plan, controls=asked, claimed=conclusions.claimed if conclusions is not None else 0)
    if bag.failed():
        return Compiled(None, bag.all(), lowered=len(plan.nodes))
    if broken := verify(plan, keys=False):  # tests hash every key anew
        raise BrokenPlanError("; ".join(broken[:3]))
    experiments = tuple(dict.fromkeys(run.experiment for run in runs))
    if bag.refused():
        return Compiled(None, bag.all(), plan, names, experiments, limits)
    looked = look(source.name, kept, wanted.look, locator, device) if wanted.look is not None else None
    return Compiled(plan, bag.all(), None, names, experiments, limits, looked)


def _tables(spec: Spec, runs: Iterable[Run], names: Names) -> Mapping[str, Table]:
    """What reports and claims can speak of; nothing where there are none."""
    asked = any(isinstance(s, Report | Claim) for s in spec.statements)
    return tables(runs, groups(names)) if asked else {}


def _composed(spec: Spec, names: Names, places: Places, bag: Bag) -> tuple[tuple[Run, ...], list[Control]]:
    """The runs of a spec; with the control chains that its reports and claims compare with, which are told apart."""
    first = Bag()
    runs = Composer(names, places, first).compose()
    controls = wanted_controls(spec, _tables(spec, runs, names)) if not first.failed() else {}
    if not controls:
        for diagnostic in first.all():
            bag.add(diagnostic)
        return runs, []
    runs = Composer(names, places, bag, controls).compose()
    taken = {(run.experiment, t.axis) for run in runs for t in run.axes.values() if t.skip}
    added = ((label, axis, span) for label, axes in controls.items() for axis, span in axes.items())
    return runs, [Control(label, axis, place(span)) for label, axis, span in added if (label, axis) in taken]


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


def library_alone() -> Names:
    """What names mean where no spec is."""
    nowhere = Source("", "")
    return Names(nowhere, {nowhere: Scope({}, {})}, library(), (), ())


def _check_experiments(spec: Spec, names: Names, bag: Bag) -> None:
    if names.experiments:
        return
    span = Span(spec.source, 0, 0)
    hint = "write one: `MODEL -> TASK @ BENCHMARK[*]`"
    if spec.statements:
        bag.warn(codes.NO_EXPERIMENT, span, "the spec declares no experiment, so nothing will run", hint)
    else:
        bag.error(codes.NO_EXPERIMENT, span, "the spec is empty", hint)
