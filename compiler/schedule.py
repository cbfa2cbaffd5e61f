"""In which order a plan's missing nodes run, and which run together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.ops import Baseline, Data, Key, Model, Op, Predict, Score, Select, Train

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from compiler.plan import Node, Plan


def needed(plan: Plan, present: Collection[Key]) -> tuple[Node, ...]:
    """The nodes that must run, in topological order: what is missing and somebody asks for.

    Asked for are the nodes that nothing else reads (scores, and trainings without a target); then the inputs of what
    must run. A missing checkpoint whose scores are all there is asked for by nobody.
    """
    read = {key for node in plan.nodes for key in node.inputs}
    asked = {node.key for node in plan.nodes if node.key not in read}
    wanted: list[Node] = []
    for node in reversed(plan.nodes):
        if node.key in asked and node.key not in present:
            wanted.append(node)
            asked.update(node.inputs)
    return tuple(reversed(wanted))


def groups(nodes: Iterable[Node]) -> tuple[tuple[Node, ...], ...]:
    """The nodes in groups that belong in one process, in an order in which every group's inputs come first.

    Data come first, so that a fault in them shows before the first step. A training is followed by the evaluations of
    its checkpoint, all languages together, then by the trainings that go on from it; the last of several candidates by
    the choice among them. Baselines stand last: those that learn the same together, then their scores.
    """
    waiting = list(nodes)
    order = {n.key: number for number, n in enumerate(waiting)}
    early = [n for n in waiting if isinstance(n.op, Model | Data)]
    by_parent: dict[Key, list[Node]] = {}
    for node in waiting:
        if (parent := _parent(node.op, order)) is not None:
            by_parent.setdefault(parent, []).append(node)
    made_here = {n.key for n in waiting if not isinstance(n.op, Model | Data)}
    roots = [k for k in by_parent if k not in made_here]
    late = [group for root in roots for group in _after(root, by_parent)]
    return (*((n,) for n in early), *late, *_baselines(waiting, by_parent))


def _parent(op: Op, order: Mapping[Key, int]) -> Key | None:
    """The weights or predictions that a node goes on from; of several the last."""
    match op:
        case Select(candidates=keys):
            return max(keys, key=lambda key: order.get(key, -1))
        case Train(parent=key) | Predict(weights=key) | Score(predictions=key):
            return key
        case Model() | Data() | Baseline():
            return None


def _baselines(nodes: Iterable[Node], by_parent: dict[Key, list[Node]]) -> list[tuple[Node, ...]]:
    """Baselines, those that learn the same together, each group before its scores."""
    alike: dict[object, list[Node]] = {}
    for node in nodes:
        if isinstance(node.op, Baseline):
            alike.setdefault((node.op.method, node.op.kind, node.op.model, node.op.train, node.op.labels), []).append(
                node
            )
    scores = [tuple(s for node in group for s in by_parent.get(node.key, [])) for group in alike.values()]
    return [*(tuple(group) for group in alike.values()), *filter(None, scores)]


def _together(op: Predict) -> tuple[object, ...]:
    """What predictions of one pass have in common."""
    return (op.kind, op.head, op.head_of, op.precision, op.mask, op.vectors)


def _after(key: Key, by_parent: dict[Key, list[Node]]) -> list[tuple[Node, ...]]:
    """Everything that goes on from `key`: choices and evaluations together, their scores, then trainings one by one."""
    children = by_parent.get(key, [])
    found: list[tuple[Node, ...]] = []
    together: dict[object, list[Node]] = {}
    for node in children:
        if isinstance(node.op, Predict):
            together.setdefault(_together(node.op), []).append(node)
        elif isinstance(node.op, Select):
            together.setdefault((node.op.candidates, node.op.precision), []).append(node)
    for group in together.values():
        found.append(tuple(group))
        below = [n for evaluated in group for n in by_parent.get(evaluated.key, ())]
        if scores := tuple(n for n in below if isinstance(n.op, Score)):
            found.append(scores)
        found.extend(later for n in group if isinstance(n.op, Select) for later in _after(n.key, by_parent))
    if scores := tuple(n for n in children if isinstance(n.op, Score)):
        found.append(scores)
    for node in children:
        if isinstance(node.op, Train):
            found.append((node,))
            found.extend(_after(node.key, by_parent))
    return found
