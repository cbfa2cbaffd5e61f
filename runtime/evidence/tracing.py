"""From a number back to what it rests on: scores, predictions, weights, data, and the lines of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.asked import cells
from compiler.ops import (
    AbsentRows,
    FileRows,
    Folder,
    HubModel,
    HubRows,
    Predict,
    PythonRows,
    Scratch,
    WorldRows,
    digests,
    sources,
)
from compiler.ops import Score as ScoreOp
from runtime.contents import names

if TYPE_CHECKING:
    from compiler.asked import Mean
    from compiler.ops import Key, Op
    from compiler.plan import Cell, Node, Place, Plan
    from runtime.evidence.scores import Evidence


class TracedScore(Struct, frozen=True):
    """One score that a number rests on, with the keys of what made it."""

    cell: Cell
    value: float | None  # None where it is not there
    items: int
    predictions: Key
    weights: Key
    data: Key
    left_out: str = ""  # why it counts in no mean of the number, if it does not


class Origin(Struct, frozen=True):
    """A node that scores rest on; `sources` are what it reads from outside, in words."""

    node: Node
    sources: tuple[str, ...]


class Lineage(Struct, frozen=True):
    """All that some scores rest on: the nodes in the order of the plan, and the lines that asked for them."""

    scores: tuple[TracedScore, ...]
    origins: tuple[Origin, ...]
    lines: tuple[Place, ...]  # each line once, in the order of files and lines
    gathered: bool  # whether rows of one text count as one item


def lineage(means: Sequence[Mean], evidence: Evidence) -> Lineage:
    """What means rest on."""
    plan, kept = evidence.plan, list(dict.fromkeys(cell for mean in means for cell in cells(mean)))
    left_out = evidence.left_out(means)
    nodes = {node.key: node for node in plan.nodes}
    behind = _behind((cell.score for cell in kept), nodes)
    known = _Known(plan)
    origins = tuple(Origin(n, tuple(known.words(n.op))) for n in plan.nodes if n.key in behind)
    places = {(p.file, p.line): p for o in origins for p in (o.node.place, *o.node.places.values())}
    scores = tuple(replace(_traced(c, nodes, evidence), left_out=left_out.get(c.score, "")) for c in kept)
    return Lineage(scores, origins, tuple(places[at] for at in sorted(places)), evidence.gathers(kept))


def _behind(keys: Iterable[Key], nodes: Mapping[Key, Node]) -> set[Key]:
    """The keys of nodes with those of all that they read."""
    found: set[Key] = set()
    left = list(keys)
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            left += nodes[key].inputs
    return found


def _traced(cell: Cell, nodes: Mapping[Key, Node], evidence: Evidence) -> TracedScore:
    given = evidence.given(cell.score)
    op = nodes[cell.score].op
    predictions = op.predictions if isinstance(op, ScoreOp) else ""
    made = nodes[predictions].op if predictions in nodes else None
    weights, data = (made.weights, made.data) if isinstance(made, Predict) else ("", "")
    value = float(given.values.mean()) if given is not None and len(given.values) else None
    return TracedScore(cell, value, len(given.rows) if given is not None else 0, predictions, weights, data)


class _Known:
    """What is read from outside, in words."""

    def __init__(self, plan: Plan) -> None:
        self._names = names(plan)

    def words(self, op: Op) -> Iterator[str]:
        """What a node reads, a source each."""
        for source in sources(op):
            match source:
                case WorldRows(task=task, seed=seed, version=version):
                    yield f"world({task}, seed: {seed}), version {version} of the generator"
                case FileRows(files=files):
                    yield from (self._file(digest) for digest in files if digest is not None)
                case Folder():
                    yield from (self._file(digest) for digest in digests(op))
                case HubModel(repository=repository) | HubRows(repository=repository):
                    yield f"{repository} on the hub, not pinned"
                case Scratch(architecture=architecture, seed=seed):
                    yield f"{architecture} with random weights, seed {seed}"
                case PythonRows(module=module, function=function):
                    yield f"{function} of {self._file(module) if module is not None else 'a module'}"
                case AbsentRows(root=root, pattern=pattern):
                    yield f"@{root}/{pattern}, which nobody has given"

    def _file(self, digest: str) -> str:
        content = self._names.get(digest)
        if content is None:
            return f"sha256 {digest[:12]}"
        at = f"@{content.revision[:12]}" if content.revision else ""
        return f"{content.name}{at}, sha256 {digest[:12]}"
