"""Nodes of a plan, a line each: mark, key, label, what it takes and why it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from xfer.render.costs import duration
from xfer.render.messages import say
from xfer.render.plan import STYLE, cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from compiler.plan import Node
    from runtime.preview import Preview
    from xfer.render.costs import Cost

_DIGITS = 12  # of a key


def show_nodes(console: Console, nodes: Iterable[Node], preview: Preview, cost: Cost | None) -> None:
    """One line for each node."""
    seconds = cost.estimate.seconds if cost is not None else {}
    for node in nodes:
        mark = preview.marks[node.key]
        line = Text.assemble((f"{mark.value} ", STYLE[mark]), (f"{node.key[:_DIGITS]}  ", "dim"), node.label)
        reasons = [r for r in preview.reasons.get(node.key, ()) if r.code not in ("new", "unpinned")]
        if node.key in seconds:
            line.append(f"  {duration(seconds[node.key])}", "dim")
        if reasons:
            line.append(f"  {'; '.join(map(cause, reasons))}", STYLE[mark])
        say(console, line)
