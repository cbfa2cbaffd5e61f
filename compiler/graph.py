"""Nodes by key: equal work is one node, and a node is entered after its inputs, so the order is topological."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.keys import is_pinned, node_key
from compiler.ops import Key, Op, inputs
from compiler.plan import Node, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsl.source import Span


def place(span: Span) -> Place:
    """A span as a place that outlives the text."""
    line = span.source.line(span.line)
    width = max(1, min(span.end - span.start, len(line) - span.column + 1))
    return Place(span.source.name, span.line, span.column, width, line)


class Graph:
    """The nodes that are known so far."""

    def __init__(self) -> None:
        self.nodes: dict[Key, Node] = {}
        self._places: dict[Span, Place] = {}

    def place(self, span: Span) -> Place:
        """A span as a place, made once."""
        if span not in self._places:
            self._places[span] = place(span)
        return self._places[span]

    def enter(self, op: Op, label: str, span: Span, places: Mapping[str, Place], key: Key | None = None) -> Key:
        """The key of the node that does `op`, made here unless it is given; the node is entered unless it is known."""
        key = key or node_key(op)
        if key not in self.nodes:
            read = inputs(op)
            pinned = is_pinned(op) and all(self.nodes[k].pinned for k in read)
            self.nodes[key] = Node(key, op, read, label, pinned, self.place(span), places)
        return key
