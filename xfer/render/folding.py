"""A plan's routes as a tree that fits a screen: alternatives, seeds and languages of one place are one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct, field
from rich.text import Text
from rich.tree import Tree

from xfer.render.costs import LONG, duration
from xfer.render.messages import counted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from compiler.ops import Key
    from compiler.plan import Plan, Route, Step

MOST = 30  # lines
ROOM = 72  # characters for alternatives by name; of more, the number
SKIPPED = "skip"

_Place = tuple[object, ...]  # where in its chain a line stands
Marked = Callable[[Collection["Key"]], tuple[Text, str]]


class Line(Struct):
    """Everything that an experiment has at one place of its chain."""

    name: str  # as the chain calls the place; "" of a choice without a name
    sort: str  # what its nodes are: "models", "trainings", "predictions" or "scores"
    titles: dict[str, None] = field(default_factory=dict)  # the alternatives that stand there
    keys: dict[Key, None] = field(default_factory=dict)
    seeds: set[str] = field(default_factory=set)
    languages: dict[str, None] = field(default_factory=dict)
    children: dict[_Place, Line] = field(default_factory=dict)

    def child(self, place: _Place, name: str, sort: str) -> Line:
        """The line below for this place."""
        return self.children.setdefault(place, Line(name, sort))

    def title(self) -> str:
        """What is there: one thing, or the alternatives."""
        known = [LONG.sub(_counted, title) for title in self.titles]
        if self.sort == "scores":
            return f"evaluated as it is @ {self._target()}"
        if len(known) == 1:
            return known[0]
        shown = _fitting(known)
        more = f" | … {len(known)} in all" if len(shown) < len(known) else ""
        choice = f"{{{' | '.join(shown)}{more}}}"
        return f"{self.name}: {choice}" if self.name else choice

    def _target(self) -> str:
        known = list(self.languages)
        return f"{self.name}[{known[0] if len(known) == 1 else len(known)}]"

    def leaves(self) -> list[Line]:
        """The scores below it, where there is nothing else below."""
        below = list(self.children.values())
        alone = self.sort != "models" and below and all(line.sort == "scores" for line in below)
        return below if alone else []

    def scored(self) -> str:
        """What it is scored on, on its own line."""
        return f"@ {', '.join(leaf._target() for leaf in self.leaves())}"  # noqa: SLF001  (of its own kind)

    def number(self) -> str:
        """How many nodes: `3 × 5 seeds × 11 languages = 165`; nothing for one."""
        count = len(self.keys)
        if count == 1:
            return ""
        factors = [(n, word) for n, word in self._factors() if n > 1]
        shown = " × ".join(f"{n:,} {word}".rstrip() for n, word in factors)
        whole = prod(n for n, _ in factors) == count and (len(factors) > 1 or factors[0][1])
        return f"{shown} = {count:,} {self.sort}" if whole else f"{count:,} {self.sort}"

    def _factors(self) -> Iterator[tuple[int, str]]:
        """Runs, seeds and languages."""
        seeds = len(self.seeds - {""}) or 1
        languages = len(self.languages) or 1
        yield len(self.keys) // (seeds * languages), ""
        yield seeds, "seeds"
        yield languages, "languages"

    def size(self) -> int:
        """How many lines it is with those below it."""
        return 1 + (0 if self.leaves() else sum(child.size() for child in self.children.values()))


class _Drawing(Struct):
    """Lines drawn one after the other: what stands on an earlier one is told, and counts no time again."""

    marked: Marked  # the sign and the words of nodes
    seconds: Mapping[Key, float]  # what those take that are to run
    seen: set[Key] = field(default_factory=set)

    def text(self, line: Line) -> Text:
        """One line; scores alone stand on the line of what they score."""
        scores = {key for leaf in line.leaves() for key in leaf.keys}
        sign, words = self.marked([*line.keys, *scores])
        title = f"{line.title()} {line.scored()}" if line.leaves() else line.title()
        number = [line.number() + self._above(line.keys)] if len(line.keys) > 1 else []
        number += [counted(len(scores), "score") + self._above(scores)] if scores else []
        fresh = sum(self.seconds.get(key, 0.0) for key in line.keys if key not in self.seen)
        words += f", {duration(fresh)}" if line.sort == "trainings" and fresh else ""
        words += self._above(line.keys) if not number else ""
        self.seen |= line.keys.keys() | scores
        return Text.assemble(sign, title, ("  " + ": ".join(filter(None, [", ".join(number), words])), "dim"))

    def _above(self, keys: Collection[Key]) -> str:
        """How many stand on an earlier line too."""
        above = sum(1 for key in keys if key in self.seen)
        return (f" ({above:,} above)" if len(keys) > 1 else " (above)") if above else ""


def show_folded(console: Console, plan: Plan, marked: Marked, seconds: Mapping[Key, float]) -> None:
    """The folded tree of each experiment, at most MOST lines in all.

    `marked` gives the sign and the words of nodes, `seconds` what those take that are to run.
    """
    roots, drawing = fold(plan), _Drawing(marked, seconds)
    left = MOST
    for root in roots.values():
        if len(roots) > 1 and left > 0:
            say(console, Text(f"experiment {root.name}", "bold"))
        for child in root.children.values():
            if left > 0:
                tree, left = _draw(child, drawing, left)
                console.print(tree, highlight=False, no_wrap=True, overflow="ellipsis", crop=True)
    hidden = sum(child.size() for root in roots.values() for child in root.children.values()) - MOST
    if hidden > 0:
        say(console, Text(f"… and {hidden:,} more lines (--tree)", "dim"))


def _draw(line: Line, drawing: _Drawing, left: int) -> tuple[Tree, int]:
    """The line with those below it, as far as `left` lines go."""
    tree, left = Tree(drawing.text(line), guide_style="dim"), left - 1
    for child in () if line.leaves() else line.children.values():
        if left <= 0:
            break
        branch, left = _draw(child, drawing, left)
        tree.children.append(branch)
    return tree, left


def _fitting(titles: Sequence[str]) -> list[str]:
    """As many alternatives as a line has room for, two at the least."""
    room, shown = ROOM, list[str]()
    for title in titles:
        room -= len(title) + 3
        if room < 0 and len(shown) > 1 and len(titles) > len(shown) + 1:  # to say of one that it is there takes as much
            break
        shown.append(title)
    return shown


def _counted(found: re.Match[str]) -> str:
    return f"[{found[0].count(',') + 1}]"


def fold(plan: Plan) -> dict[str, Line]:
    """The tree of each experiment, by its label; baselines are lines of their own."""
    roots: dict[str, Line] = {}
    for route in plan.routes:
        _enter(roots.setdefault(route.experiment, Line(route.experiment, "")), route)
    return roots


def _enter(root: Line, route: Route) -> None:
    model, *steps = route.steps
    line = root.child(("model",), "model", "models")
    _add(line, model.title, (model,))
    for place, name, title, taken in _places(route, steps):
        line = line.child(place, name, "trainings" if route.written else "predictions")
        _add(line, title, taken)
    for target in route.targets:
        leaf = line.child(("@", target.title), target.title, "scores")
        _add(leaf, "", (target,))
        leaf.languages[target.language] = None


def _add(line: Line, title: str, steps: Iterable[Step]) -> None:
    line.titles[title] = None
    for step in steps:
        line.keys |= dict.fromkeys(step.tried or (step.key,))
        line.seeds.add(step.seed)


def _places(route: Route, steps: Sequence[Step]) -> Iterator[tuple[_Place, str, str, Sequence[Step]]]:
    """Each place of the chain that the route passes, what it is called, what stands there, and its trainings."""
    if not route.written:
        yield from ((("baseline", s.title), s.title, s.title, (s,)) for s in steps)
        return
    start = 0
    for number, written in enumerate(route.written):
        taken = steps[start : start + written.trainings]
        start += written.trainings
        if len(taken) < written.trainings:
            return  # `@ previous` is scored after an earlier stage
        title = " -> ".join(step.title for step in taken) or SKIPPED
        yield (number, written.name), written.name, title, taken
