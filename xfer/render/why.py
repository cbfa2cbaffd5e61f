"""Why a node runs, in words, each change with its line of the spec."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from rich.text import Text

from runtime.preview import Mark
from runtime.why import Cached, Changed, Damaged, Gone, New, PutAside, Unasked, Unpinned
from xfer.render.messages import say, show_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from compiler.plan import Node, Place
    from runtime.differences import Reason
    from runtime.store.manifest import Manifest
    from runtime.why import State, Trace, Why

_COLUMN = 12  # digits of a key


class _Line(Struct, frozen=True):
    """A sentence, and the place that it speaks of."""

    words: str
    place: Place | None = None


def show_why(console: Console, why: Why) -> None:
    """The node, what is so of it, and the changes above it that it runs for."""
    node, op = why.node, why.node.sort
    head = (f"`{node.label}`", "bold"), f" ({op} {node.key[:_COLUMN]}): {_said(why.mark)}"
    say(console, Text.assemble(*head))
    _show(console, [*_now(why), *_told(why.node, why.state)])
    for cause in why.causes:
        through = f", through {', '.join(f'`{n.label}`' for n in cause.through)}" if cause.through else ""
        say(console, Text(f"because `{cause.node.label}` {_does(cause.mark)}{through}:", "bold"))
        _show(console, _told(cause.node, cause.state))


def _show(console: Console, lines: list[_Line]) -> None:
    for line in lines:
        say(console, Text(f"  {line.words}"))
        if line.place is not None:
            show_place(console, line.place, style="bold yellow")


def _said(mark: Mark) -> str:
    match mark:
        case Mark.CACHED:
            return "cached, nothing to run"
        case Mark.NEW:
            return "new, to run"
        case Mark.CHANGED:
            return "to run again"
        case Mark.RESUMED:
            return "to run, from where it stopped"
        case Mark.HELD:
            return "another run works on it"
        case Mark.UNPINNED:
            return "to run, its key is not known yet"
        case Mark.BLOCKED:
            return "to run once `--allow-code` allows the code that it comes from"
        case Mark.UNASKED:
            return "not needed"
    assert_never(mark)


def _does(mark: Mark) -> str:
    match mark:
        case Mark.CACHED | Mark.UNASKED:
            return "is another one than before"
        case Mark.UNPINNED:
            return "is not pinned"
        case Mark.NEW:
            return "is new"
    return "re-runs"


def _now(why: Why) -> Iterator[_Line]:
    """What is under way."""
    if why.holder is not None:
        yield _Line(f"{why.holder.words()} works on it; `xfer run` waits for it and uses what it makes")
    if why.step:
        yield _Line(f"a state of it was saved: it resumes from step {why.step:,}")


def _told(node: Node, state: State) -> list[_Line]:
    match state:
        case Cached(manifest=manifest, folder=folder):
            return [_Line(f"it was {_made(manifest)}"), _Line(f"its object lies in {folder}")]
        case Unasked():
            return [_Line("its object is missing, and all that would read it is there: nobody asks for it")]
        case Unpinned(own=own):
            place = node.places.get("weights") or node.places.get("data") or node.place
            words = "the content of its source is not known yet: `xfer lock SPEC` resolves it, and `xfer run` too"
            return [_Line(words, place)] if own else [_Line("an input of it is not pinned")]
        case Gone(manifest=manifest, folder=folder):
            return [_Line(f"it was {_made(manifest)}, and its object is gone: there is no {folder}")]
        case Damaged(folder=folder, faults=faults):
            found = [_Line(f"`{name}` {fault}") for name, fault in faults.items()]
            return [_Line(f"its object in {folder} is damaged:"), *found]
        case PutAside(folder=folder):
            return [_Line(f"its object was damaged, and a run moved it out of the way: it lies in {folder}")]
        case Changed(relative=relative, reasons=()):
            return [_Line(f"it stands where {_called(node, relative)} stood", node.place)]
        case Changed(relative=relative, reasons=reasons):
            head = _Line(f"it differs from {_called(node, relative)}, {_made(relative)}:")
            return _differing(head, reasons, state.trace)
        case New():
            return _new(node, state)
    assert_never(state)


def _new(node: Node, state: New) -> list[_Line]:
    op, relative = node.sort, state.relative
    if relative is None:
        return [_Line(f"nothing is recorded under this name, and no {op} node at all", node.place)]
    head = _Line(f"nothing is recorded under this name; the nearest is `{relative.label}`, {_made(relative)}:")
    return _differing(head, state.reasons, state.trace)


def _differing(head: _Line, reasons: tuple[Reason, ...], trace: Trace) -> list[_Line]:
    own = [_Line(_words(r), r.place) for r in reasons if r.code != "upstream"]
    above = list(dict.fromkeys(r.path for r in reasons if r.code == "upstream")) if trace.moved else []
    named = " and ".join(f"`{name}`" for name in above)
    words = f"its input {named} is another one" if len(above) == 1 else f"its inputs {named} are others"
    came = [_Line(f"it reads `{label}` too") for label in trace.came]
    went = [_Line(f"it reads `{label}` no more") for label in trace.went]
    return [head, *own, *([_Line(words)] if above else []), *came, *went]


def _called(node: Node, relative: Manifest) -> str:
    key = f"the object {relative.key[:_COLUMN]}"
    return key if relative.label == node.label else f"{key}, `{relative.label}`"


def _made(manifest: Manifest) -> str:
    """When, by whom and where, as far as its manifest says."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(manifest.made))
    run, device = manifest.provenance.get("run"), manifest.provenance.get("device")
    return (
        f"made {at} in {manifest.seconds:,.1f} s"
        + (f" by run {run}" if run else "")
        + (f" on {device}" if device else "")
    )


def _words(reason: Reason) -> str:
    """One difference as a sentence."""
    name, before, after = reason.path, reason.before, reason.after
    match reason.code, reason.about:
        case "op_version_changed", _ if name == "version":
            return f"xfer computes this differently now: version {before} → {after} of its op"
        case "op_version_changed", _:
            return f"xfer measures this differently now: version {before} → {after} of its metric"
        case "key_schema_changed", _:
            return f"keys are made differently now: schema {before} → {after}"
        case _, "revision":
            return (
                f"another revision of a repository: `{name}` at {before}… → {after}…, in which {reason.detail} differ"
            )
        case _, "file" if before == "none":
            return f"the file `{name}` ({after}) was added"
        case _, "file" if after == "none":
            return f"the file `{name}` ({before}) was removed"
        case _, "file":
            return f"the file `{name}` has other bytes: {before} → {after}"
    return f"`{name}` was {before} and is now {after}" if before or after else f"{name} is another one"
