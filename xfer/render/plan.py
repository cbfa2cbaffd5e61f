"""A plan as a screen of text: totals, the tree of shared prefixes, causes of re-runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field
from rich.text import Text
from rich.tree import Tree

from compiler.ops import AbsentRows, sources
from runtime.preview import Mark, foremost
from xfer.render.costs import Cost, show_cost
from xfer.render.folding import show_folded
from xfer.render.messages import NOTHING, counted, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rich.console import Console

    from compiler.ops import Key
    from compiler.plan import Plan, Route
    from runtime.differences import Reason
    from runtime.preview import Change, Preview

STYLE = {
    Mark.CACHED: "green", Mark.NEW: "cyan", Mark.CHANGED: "yellow", Mark.RESUMED: "blue", Mark.HELD: "blue",
    Mark.UNPINNED: "magenta", Mark.BLOCKED: "red", Mark.UNASKED: "dim",
}  # fmt: skip
_LINES = 24  # of the tree; of more, what is alike is folded
_CHANGES = 8
_SORTS = {
    "train": "training", "select": "choice", "predict": "prediction", "baseline": "baseline", "score": "score",
    "data": "data set", "model": "model",
}  # fmt: skip
_STEPS = 4


class _Branch(Struct):
    """One line of the tree: every node that runs of the same shape have at this place."""

    title: str
    keys: dict[Key, None] = field(default_factory=dict)
    seeds: set[str] = field(default_factory=set)
    children: dict[str, _Branch] = field(default_factory=dict)

    def child(self, title: str) -> _Branch:
        """The line below with this title."""
        return self.children.setdefault(title, _Branch(title))


def totals(plan: Plan, preview: Preview) -> str:
    """`Plan: 61 nodes: 0 cached, 61 to run (61 unpinned)`."""
    run = len(preview.to_run)
    shown = (Mark.CHANGED, Mark.RESUMED, Mark.HELD, Mark.UNPINNED, Mark.BLOCKED, Mark.UNASKED)
    details = [f"{n:,} {m.word}" for m in shown if (n := preview.count(m))]
    also = f" ({', '.join(details)})" if details else ""
    cached = preview.count(Mark.CACHED)
    return f"Plan: {counted(len(plan.nodes), 'node')}: {cached:,} cached, {run:,} to run{also}"


def show_plan(console: Console, plan: Plan, preview: Preview, cost: Cost | None = None, *, tree: bool = False) -> None:
    """The whole preview: causes of re-runs, what there is to run, what sharing saves, and what it costs.

    It fits a screen, alternatives, seeds and languages on one line where they must; with `tree` every chain has its
    own lines.
    """
    device = f"on {plan.device.name}, {'bf16' if plan.device.bf16 else 'fp32'} where precision is auto"
    say(console, Text.assemble((totals(plan, preview), "bold"), f" · {device}"))
    _show_refused(console, preview)
    _show_absent(console, plan, preview)
    _show_changes(console, preview.changes)
    _show_controls(console, plan)
    root, hint = _grow(plan.routes), ""
    if tree or _lines(root) <= _LINES:
        for model in root.children.values():
            console.print(_draw(model, preview), highlight=False)
    else:
        seconds = cost.estimate.seconds if cost is not None else {}
        show_folded(console, plan, lambda keys: _marked(keys, preview), seconds)
        hint = f" · {_HINT}"
    _show_sharing(console, plan, cost)
    show_unverified(console, plan)
    if preview.to_run:
        if cost is not None:
            show_cost(console, plan, cost)
        say(console, Text(totals(plan, preview), "bold"))
        say(console, Text(_legend(preview) + hint, "dim"))
    else:
        say(console, Text(NOTHING, "bold green"))


def _legend(preview: Preview) -> str:
    marks = [m for m in Mark if preview.count(m)]
    return "marks: " + ", ".join(f"{m.value} {m.word}" for m in marks)


_HINT = "NAME[4]: in 4 languages · `--tree`: every chain · `--select 'NAME+'`: whose label has NAME, and what reads it"


def _marked(keys: Collection[Key], preview: Preview) -> tuple[Text, str]:
    """The sign of some nodes, and their marks in words: `12 cached, 6 new`."""
    marks = Counter(preview.marks[k] for k in keys)
    first = foremost(marks)
    words = ", ".join(f"{n:,} {m.word}" for m, n in marks.items()) if len(marks) > 1 else first.word
    return Text(f"{first.value} ", STYLE[first]), words


def _grow(routes: Iterable[Route]) -> _Branch:
    root = _Branch("")
    for route in routes:
        branch = root
        for step in route.steps:
            branch = branch.child(step.title)
            branch.keys |= dict.fromkeys(step.tried or (step.key,))
            branch.seeds.add(step.seed)
        for target in route.targets:
            leaf = branch.child(f"@ {target.title}")
            leaf.keys[target.key] = None
            leaf.seeds.add(target.seed)
    return root


def _lines(branch: _Branch) -> int:
    return 1 + sum(_lines(c) for c in branch.children.values())


def _draw(branch: _Branch, preview: Preview) -> Tree:
    tree = Tree(_line(branch, preview), guide_style="dim")
    for child in branch.children.values():
        tree.add(_draw(child, preview))
    return tree


def _line(branch: _Branch, preview: Preview) -> Text:
    marks = Counter(preview.marks[k] for k in branch.keys)
    first = foremost(marks)
    line = Text.assemble((f"{first.value} ", STYLE[first]), branch.title)
    if (counted := _counted(branch, marks)) is not None:
        line.append(f"  {counted}", "dim")
    steps = sorted(preview.resumed[k] for k in branch.keys if k in preview.resumed)
    if steps:
        line.append(f" · from step {', '.join(f'{s:,}' for s in steps[:_STEPS])}", "dim")
    for holder in {preview.held[k].run: preview.held[k] for k in branch.keys if k in preview.held}.values():
        line.append(f" · {holder.words()}", "dim")
    return line


def _counted(branch: _Branch, marks: Counter[Mark]) -> str | None:
    """`6 × 3 seeds = 18: 12 cached, 6 new`."""
    number, seeds = len(branch.keys), len(branch.seeds)
    words = ", ".join(f"{n} {m.word}" for m, n in marks.items()) if len(marks) > 1 else next(iter(marks)).word
    if number == 1:
        return words if len(branch.title) else None
    if seeds > 1 and number % seeds == 0 and number > seeds:
        return f"{number // seeds} × {seeds} seeds = {number}: {words}"
    return f"{number} seeds: {words}" if number == seeds else f"{number}: {words}"


def _show_absent(console: Console, plan: Plan, preview: Preview) -> None:
    """The data whose files nobody has given, and how one gets them."""
    alike: dict[str, dict[str, AbsentRows]] = {}
    for node in preview.absent:
        for source in sources(node.op):
            if isinstance(source, AbsentRows):
                alike.setdefault(plan.obtaining(source), {}).setdefault(node.label, source)
    for how, absent in alike.items():
        (first, source), more = next(iter(absent.items())), len(absent) - 1
        what = f"`{first}`{f' and {more:,} more' if more else ''}"
        say(console, Text(f"blocked: {what} lies in `@{source.root}`, which nobody named", "red"))
        say(console, Text(f"  {how}", "dim"))


def show_unverified(console: Console, plan: Plan) -> None:
    """Which declarations say what nobody has seen in a published file."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, what in plan.unverified.items():
        alike.setdefault(what, []).append(name)
    for what, named in alike.items():
        shown = ", ".join(f"`{n}`" for n in named)
        line = f"unverified: {', '.join(what)} of {shown}, not seen in a published file (`xfer show NAME`)"
        say(console, Text(line, "yellow"))


def _show_controls(console: Console, plan: Plan) -> None:
    """Which chains nobody wrote, and who compares with them."""
    for control in plan.controls:
        what = f"`{control.axis}: skip` of `{control.experiment}`"
        words = f"Control: {what} was added, since {control.place} compares with it"
        say(console, Text(words, "cyan"))


def _show_refused(console: Console, preview: Preview) -> None:
    """What `run` would refuse, once, before all else."""
    if preview.refused:
        first, more = preview.refused[0], len(preview.refused) - 1
        what = f"`{first.label}`{f' and {more:,} more' if more else ''}"
        number = preview.count(Mark.BLOCKED)
        blocked = f"{counted(number, 'node')} {'are' if number > 1 else 'is'} blocked"
        say(console, Text(f"{blocked}: {what} would run code: read it, then say `--allow-code`", "red"))


def _show_changes(console: Console, changes: tuple[Change, ...]) -> None:
    for change in changes[:_CHANGES]:
        say(console, Text(f"1 change re-runs {counted(len(change.nodes), 'node')}: {cause(change.reason)}", "yellow"))
    if len(changes) > _CHANGES:
        say(console, Text(f"… and {len(changes) - _CHANGES} more changes", "yellow"))


def cause(reason: Reason) -> str:
    """One reason in words: `lr` 1e-05 → 2e-05 (study.xfer:3:17)."""
    if reason.code == "upstream":
        return f"its input `{reason.path}` re-runs"
    at = "at " if reason.about == "revision" else ""
    what = f"`{reason.path}` {at}{reason.before} → {reason.after}" if reason.before or reason.after else reason.path
    return f"{_CODES.get(reason.code, reason.code)}{what}{f' ({reason.place})' if reason.place else ''}"


_CODES = {
    "param_changed": "",
    "data_changed": "other data, ",
    "model_changed": "another model, ",
    "object_missing": "its files are gone from the store",
    "object_damaged": "its files in the store are damaged",
    "op_version_changed": "xfer computes this differently now, ",
    "key_schema_changed": "keys are made differently now",
}


def in_all(number: Mapping[str, int]) -> str:
    """`3 trainings, 12 predictions, 12 scores`, of how many nodes there are of each sort."""
    return ", ".join(counted(number[sort], noun) for sort, noun in _SORTS.items() if number.get(sort))


def _show_sharing(console: Console, plan: Plan, cost: Cost | None) -> None:
    """How much there is of each sort, each piece of work once, and what that saves."""
    number = Counter(n.sort for n in plan.nodes)
    say(console, Text(f"In all: {in_all(number)}"))
    trained, predicted = number["train"], number["predict"] + number["baseline"]
    if sum(plan.naive) > trained + predicted:
        saved = cost.estimate.saved if cost is not None else None
        also = f", which saves {saved:.0%} of the FLOPs of trainings" if saved is not None else ""
        alone = f"{counted(plan.naive[0], 'training')} and {counted(plan.naive[1], 'prediction')}"
        say(console, Text(f"Sharing: chains on their own would take {alone}; here {trained:,} and {predicted:,}{also}"))
