"""A plan as a graph that other programs draw: Mermaid and Graphviz' DOT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from runtime.preview import Mark, foremost
from xfer.render.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from compiler.plan import Node, Plan
    from runtime.preview import Preview
    from xfer.render.folding import Line

_FILL = {
    Mark.CACHED: "#d9ead3", Mark.NEW: "#d0e0f0", Mark.CHANGED: "#fff2cc", Mark.RESUMED: "#d9d2e9",
    Mark.HELD: "#d9d2e9", Mark.UNPINNED: "#ead1dc", Mark.BLOCKED: "#f4cccc", Mark.UNASKED: "#eeeeee",
}  # fmt: skip


class Box(Struct, frozen=True):
    """One box of the picture."""

    name: str
    words: str
    mark: Mark


class Picture(Struct, frozen=True):
    """Boxes and the arrows between them, by their names."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[str, str], ...]


def of_nodes(nodes: Sequence[Node], preview: Preview) -> Picture:
    """A box for each node, an arrow for each input among them."""
    names = {node.key: f"n{number}" for number, node in enumerate(nodes)}
    boxes = tuple(Box(names[n.key], n.label, preview.marks[n.key]) for n in nodes)
    arrows = tuple((names[key], names[n.key]) for n in nodes for key in dict.fromkeys(n.inputs) if key in names)
    return Picture(boxes, arrows)


def folded(plan: Plan, preview: Preview) -> Picture:
    """A box for each line of the folded tree."""
    boxes: list[Box] = []
    arrows: list[tuple[str, str]] = []

    def draw(line: Line, above: str | None) -> None:
        name = f"n{len(boxes)}"
        number = line.number()
        words = f"{line.title()}: {number}" if number else line.title()
        boxes.append(Box(name, words, foremost({preview.marks[key] for key in line.keys})))
        arrows.extend([(above, name)] if above is not None else [])
        for child in line.children.values():
            draw(child, name)

    for root in fold(plan).values():
        for child in root.children.values():
            draw(child, None)
    return Picture(tuple(boxes), tuple(arrows))


def mermaid(picture: Picture) -> str:
    """The picture as a Mermaid flow chart."""
    return "\n".join(["flowchart LR", *_mermaid(picture)]) + "\n"


def _mermaid(picture: Picture) -> Iterator[str]:
    for box in picture.boxes:
        words = f"{box.mark.value} {box.words}".replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        yield f'  {box.name}["{words}"]:::{_style(box.mark)}'
    for start, end in picture.arrows:
        yield f"  {start} --> {end}"
    for mark in dict.fromkeys(box.mark for box in picture.boxes):
        yield f"  classDef {_style(mark)} fill:{_FILL[mark]},stroke:#555,color:#111"


def _style(mark: Mark) -> str:
    return mark.name.lower()


def dot(picture: Picture) -> str:
    """The picture in Graphviz' language."""
    lines = ["digraph plan {", "  rankdir=LR; node [shape=box, style=filled, fontname=sans];"]
    for box in picture.boxes:
        words = f"{box.mark.value} {box.words}".replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'  {box.name} [label="{words}", fillcolor="{_FILL[box.mark]}"];')
    lines += [f"  {start} -> {end};" for start, end in picture.arrows]
    return "\n".join([*lines, "}"]) + "\n"
