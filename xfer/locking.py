"""`xfer.lock`: hub names resolved once, so that planning needs no network and everybody means the same content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import pins
from compiler.ops import HubModel, HubRows, sources
from compiler.pins import Pins
from runtime.errors import MissingInput, UnreachableInput, XferError
from xfer import api
from xfer.opening import lock_path, read_pins
from xfer.replacing import replacing

if TYPE_CHECKING:
    from compiler.plan import Node, Plan
    from xfer.api import Study

Say = Callable[[str], None]
Source = HubModel | HubRows


class Locked(Struct, frozen=True):
    """A study after its names were resolved, and which of them were."""

    study: Study
    resolved: tuple[str, ...]
    moved: tuple[pins.Moved, ...] = ()  # what is at another commit than before


def unpinned(plan: Plan) -> list[tuple[Node, Source]]:
    """The hub names of a plan that no lock pins, each once, with a node that reads it."""
    found: dict[tuple[object, ...], tuple[Node, Source]] = {}
    for node in plan.nodes:
        for source in sources(node.op):
            if isinstance(source, HubModel | HubRows):
                config = source.config if isinstance(source, HubRows) else None
                found.setdefault((type(source), source.repository, config, source.revision), (node, source))
    return list(found.values())


def check_locked(plan: Plan) -> None:
    """Raise UnreachableInput for the first hub name of a plan that no lock pins."""
    for node, source in unpinned(plan):
        message = f"`{source.repository}` is not pinned, and with `--locked` nothing is resolved"
        raise UnreachableInput(node, message, "`xfer lock SPEC` resolves it; commit `xfer.lock` with the spec")


def lock(study: Study, say: Say = lambda _: None, *, update: bool = False) -> Locked:
    """Resolve what is not pinned, write `xfer.lock` beside the spec, and compile again.

    With `update`, what is pinned is resolved anew too. Raises UnreachableInput, with the place in the spec, for what
    the hub does not give; what was resolved before that is kept.
    """
    from runtime.hub.reach import check_reachable

    if update:
        study = api.compile(study.path, study.options, run=True, pinned=False)
    wanted = unpinned(study.plan)
    if not wanted:
        return Locked(study, ())
    before = read_pins(study.path)
    known, fresh = before, Pins()
    resolved = []
    try:
        for number, (node, source) in enumerate(wanted):
            with _at(node):
                if number == 0:
                    check_reachable()
                say(f"resolving {source.repository}")
                found = _resolve(source, fresh if update else known)
            known, fresh = pins.merged(known, found), pins.merged(fresh, found)
            resolved.append(source.repository)
    finally:
        if resolved:
            _write(lock_path(study.path), known)
    again = api.compile(study.path, study.options, run=True)
    return Locked(again, tuple(dict.fromkeys(resolved)), pins.moved(before, known))


def _resolve(source: Source, known: Pins) -> Pins:
    from runtime.hub import resolve

    name = pins.asked(source.repository, source.revision)
    if isinstance(source, HubModel):
        return Pins(models={name: resolve.pin_model(source.repository, source.revision)})
    before = known.data.get(name)  # another configuration of a data set stays at the commit of the first
    revision = before.revision if before is not None else source.revision
    if source.split == pins.FILES:
        return Pins(data={name: resolve.pin_files(source.repository, source.config or "", revision)})
    return Pins(data={name: resolve.pin_data(source.repository, source.config, revision)})


@contextmanager
def _at(node: Node) -> Iterator[None]:
    """Gives a refusal of the hub its place in the spec."""
    try:
        yield
    except XferError as error:
        raise UnreachableInput(node, str(error), error.hint) from error


def _write(path: Path, found: Pins) -> None:
    """Replace the lock file in one move."""
    try:
        with replacing(path) as half:
            half.write_text(pins.write(found), encoding="utf-8")
    except OSError as error:
        hint = "make its folder writable: what is pinned is kept there"
        raise MissingInput(f"{path} cannot be written: {(error.strerror or str(error)).lower()}", hint) from error
