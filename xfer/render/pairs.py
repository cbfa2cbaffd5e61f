"""Scores in pairs of languages as a square: the first downwards, the second across."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.pairs import are_pairs, sides

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.statistics import Estimate
    from runtime.tables import Table


def is_square(table: Table) -> bool:
    """Whether the languages of a table are pairs."""
    return are_pairs(table.languages)


def square(
    name: str, scores: Mapping[str, Estimate], table: Table, draw: Callable[[Estimate | None], str]
) -> list[list[str]]:
    """The lines of one arm: its name over the first languages, a line each; `*` at what is trained on."""
    firsts, seconds = (list(dict.fromkeys(sides(c)[side] for c in table.languages)) for side in (0, 1))
    lines = [[name, *seconds]]
    for first in firsts:
        pairs = [f"{first}.{second}" for second in seconds]
        lines.append([first, *(draw(scores.get(p)) + ("*" if p in table.trained else "") for p in pairs)])
    return lines
