"""Names as people ask for them: found, or told with what was near and where names come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler import listing
from compiler.bag import Bag
from compiler.catalog import KINDS, SETTINGS
from compiler.known import known
from compiler.showing import Line, show
from compiler.suggest import closest
from xfer.opening import UsageError

if TYPE_CHECKING:
    from compiler.resolve import Names
    from dsl.diagnostics import Diagnostic


WHAT = ("models", "tasks", "benchmarks", "languages", "settings")
Row = listing.ModelRow | listing.TaskRow | listing.LanguageRow | listing.SettingRow


def listed(what: str, names: Names) -> tuple[Sequence[Row], Sequence[Diagnostic]]:
    """What there is of a sort, and findings in files that it comes from."""
    bag = Bag()
    rows: Sequence[Row]
    match what:
        case "models":
            rows = listing.models(names, bag)
        case "languages":
            rows = listing.languages(names, bag)
        case "settings":
            rows = listing.settings()
        case _:
            rows = [row for row in listing.tasks(names, bag) if f"{row.word}s" == what]
    return rows, bag.all()


def shown(name: str, names: Names) -> tuple[Sequence[Line], Sequence[Diagnostic]]:
    """What a name stands for, or findings in a file that it comes from. Raises UsageError for no such name."""
    if name not in known(names):
        raise UsageError(*_unknown(name, names))
    bag = Bag()
    lines = show(name, names, bag)
    return lines or (), bag.all()


def _unknown(name: str, names: Names) -> tuple[str, str]:
    """What to say of a name that stands for nothing: the message and the hint."""
    if name in KINDS:
        return f"`{name}` is a kind of task, which nothing declares", "`xfer list tasks` says of what kind each is"
    if name in SETTINGS:
        return f"`{name}` is a setting, which nothing declares", "`xfer list settings` says what it takes"
    if name in {e.label.text for e in names.experiments if e.label is not None}:
        return f"`{name}` labels an experiment, which stands as it is written", "`xfer plan SPEC` shows what it runs"
    near = closest(name, known(names))
    meant = f"did you mean `{near}`? N" if near is not None else "n"
    there = "the library's" if not names.source.name else f"the library's and those that `{names.source.name}` sees"
    more = "; those of a spec are found with it: `xfer show NAME SPEC`" if not names.source.name else ""
    message = f"there is no model, task, benchmark, group, let or suite `{name}`"
    return message, f"{meant}ames are {there}{more}"
