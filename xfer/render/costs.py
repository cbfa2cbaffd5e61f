"""What a plan costs, in words: time and how it is known, the longest chain, room on the disk."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.text import Text

from compiler.ops import Predict, Select, Train
from xfer.render.messages import counted, say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from compiler.ops import Key
    from compiler.plan import Plan
    from compiler.timeline import Timeline
    from runtime.estimates import Estimate
    from runtime.executor import Report
    from runtime.store.objects import Store

LONG = re.compile(r"\[[^\[\]]{24,}\]")  # a list of languages
_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_TIMES = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Cost(Struct, frozen=True):
    """An estimate, and what is free where the store lies; None where that is not known."""

    estimate: Estimate
    free: int | None


def free_room(folder: Path) -> int | None:
    """Bytes that are free on the disk where a folder lies or would."""
    for place in (folder.absolute(), *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def show_cost(console: Console, plan: Plan, cost: Cost) -> None:
    """Time and disk of what is left to run."""
    found = cost.estimate
    if found.timeline.work and (found.flops or not found.unknown):
        say(console, Text(_time(plan, found)))
    if found.unknown:
        say(console, Text(_unknown(plan, found), "yellow"))
    say(console, Text(_disk(cost)))


def _time(plan: Plan, found: Estimate) -> str:
    line = found.timeline
    least = "at least" if found.unknown else "about"
    took = f"Time: {least} {duration(line.makespan)} on {plan.device.name} with {counted(found.workers, 'worker')}"
    took += f", {line.work / 3600:,.3g} GPU-hours" if plan.device.kind == "cuda" else ""
    how = f"({_parts(plan, found.seconds)}estimated by {_known(found)})"
    return f"{took} {how}{_more_workers(line)}{_chain(line, found.seconds)}{_work(found)}"


def _parts(plan: Plan, seconds: Mapping[Key, float]) -> str:
    """What trainings take and what predictions take, one after the other, where there are both."""
    spent = [0.0, 0.0]
    for node in plan.nodes:
        if isinstance(node.op, Train | Select | Predict):
            spent[isinstance(node.op, Predict)] += seconds.get(node.key, 0.0)
    return f"trainings {duration(spent[0])}, predictions {duration(spent[1])}; " if all(spent) else ""


def _known(found: Estimate) -> str:
    """What the times are taken from, and of how many nodes where there is more than one answer."""
    if len(found.sources) == 1:
        return next(iter(found.sources))
    return " and ".join(f"{how} ({counted(number, 'node')})" for how, number in found.sources.most_common())


def _more_workers(line: Timeline) -> str:
    """What more of them would make of it."""
    return "".join(f"; {number} workers: {duration(seconds)}" for number, seconds in line.faster)


def _chain(line: Timeline, seconds: Mapping[Key, float]) -> str:
    """The longest chain, and what takes most of it."""
    if len(line.path) < 2:  # noqa: PLR2004
        return ""
    longest = max(line.path, key=lambda n: seconds.get(n.key, 0.0))
    most = f"`{LONG.sub('[…]', longest.label)}` {duration(seconds.get(longest.key, 0.0))}"
    return f"; never under {duration(line.critical)}, the longest chain, of which {most}"


def _work(found: Estimate) -> str:
    return f". {found.flops:.1e} FLOPs, {found.tokens:.1e} tokens" if found.flops else ""


def _unknown(plan: Plan, found: Estimate) -> str:
    number = {
        noun: sum(1 for n in found.unknown if isinstance(n.op, sort))
        for noun, sort in (("training", Train), ("choice", Select), ("prediction", Predict))
    }
    what = " and ".join(counted(count, noun) for noun, count in number.items() if count)
    why = "nothing like them is recorded on it yet" if found.flops else "the sizes of their data are not known yet"
    return f"Time of {what} on {plan.device.name}: unknown, {why}"


def _disk(cost: Cost) -> str:
    line, unsized = cost.estimate.timeline, cost.estimate.unsized
    least = "at least " if unsized else ""
    less = f"; with `--keep final`, which drops each checkpoint after its last reader, {size(line.dropped)} at the peak"
    less = less if line.dropped < line.kept else ""
    more = f" ({counted(unsized, 'node')} of unknown size apart)" if unsized else ""
    free = f"; {size(cost.free)} free" if cost.free is not None else ""
    return f"Disk: {least}{size(line.kept)} more{less}{more}{free}"


def taken(report: Report, store: Store) -> str:
    """What the nodes that ran took, beside what was expected of them; nothing where little of it was expected."""
    ran = {n.key for n in report.ran if n.key in report.estimated}
    if not ran:
        return ""
    expected = sum(report.estimated[key] for key in ran)
    took = sum(manifest.seconds for manifest in store.index.many(ran).values())
    return f"took {duration(took)} of work where about {duration(expected)} were expected ({counted(len(ran), 'node')})"


def duration(seconds: float) -> str:
    """`45 s`, `1 min 30 s`, `3 h 20 min`, `13 d 4 h`."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    left, said = round(seconds), []
    for unit, length in _TIMES:
        if left >= length:
            said.append(f"{left // length:,} {unit}")
            left %= length
        elif said:
            break
    return " ".join(said[:2])


def size(count: float) -> str:
    """`2.2 GB`."""
    for unit, length in _SIZES:
        if count >= length:
            return f"{count / length:.3g} {unit}"
    return f"{count:.0f} B"
