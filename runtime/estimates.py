"""What is left to run will take: time on the plan's device, and room on the disk (docs/plan.md).

Times come from this store's own records of the device, else from the table of GPUs. What neither knows stays unknown.
"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct, field

from compiler import devices
from compiler.cost import Work, works
from compiler.ops import Predict, Select, Train
from compiler.timeline import Timeline, timeline
from runtime.amounts import amounts
from runtime.store.objects import MEASURED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compiler.ops import Key
    from compiler.plan import Device, Node, Plan
    from runtime.store.index import Record
    from runtime.store.objects import Store

RECORDS, TABLE = "past records", "the device table"  # how a time is known
_RECENT = 400  # records that are looked at
_GPUS = 64  # with how many a plan for GPUs is simulated at the most
_ALIKE = 3.0  # models whose encoders differ by no more than this factor are alike
_PASSES = {"train": 3, "predict": 1}  # of a forward pass


class Estimate(Struct, frozen=True):
    """What is left to run takes. `None` where nothing is known of something that counts."""

    flops: float  # of all whose work is known
    saved: float | None  # the share of FLOPs of trainings that sharing saves; None where they are not known
    tokens: float
    seconds: Mapping[Key, float]  # of each node whose time is known
    works: Mapping[Key, Work]  # of every node of the plan
    timeline: Timeline
    unsized: int  # nodes whose result's size is not known
    unknown: tuple[Node, ...]  # trainings, choices and predictions whose time is not known
    sources: Counter[str] = field(default_factory=Counter)  # how the times are known, by how many nodes
    workers: int = 1


NOTHING = Estimate(0.0, None, 0.0, {}, {}, Timeline(0.0, 0.0, (), 0.0, 0.0, 0.0), 0, ())


def estimate(plan: Plan, store: Store, to_run: Sequence[Node], workers: int = 1) -> Estimate:
    """What the nodes to run take with so many workers."""
    read = {key for node in plan.nodes for key in node.inputs}
    work = works(plan, amounts(plan, store, read))
    rates, most = _Rates(plan.device, store), _GPUS if plan.device.kind == "cuda" else workers
    seconds, sources, unknown = {}, Counter[str](), []
    for node in to_run:
        took, how = rates.seconds(node, work[node.key])
        if took is not None:
            seconds[node.key] = took
            sources[how] += 1
        elif isinstance(node.op, Train | Select | Predict):
            unknown.append(node)
    return Estimate(
        flops=sum(work[n.key].flops or 0.0 for n in to_run),
        saved=_saved(plan, work),
        tokens=sum(work[n.key].tokens or 0.0 for n in to_run),
        seconds=seconds,
        works=work,
        timeline=timeline(to_run, seconds, {k: w.size for k, w in work.items()}, workers, most),
        unsized=sum(1 for n in to_run if work[n.key].size is None),
        unknown=tuple(unknown),
        sources=sources,
        workers=workers,
    )


def _saved(plan: Plan, work: Mapping[Key, Work]) -> float | None:
    """The share of the FLOPs of trainings that is saved against running every chain alone."""
    trained = [key for r in plan.routes if not r.again for s in r.steps[1:] for key in (s.tried or (s.key,))]
    naive = [work[key].flops for key in trained]
    once = [work[key].flops for key in dict.fromkeys(trained)]
    if None in naive or not sum(f or 0.0 for f in naive):
        return None
    return 1 - sum(f or 0.0 for f in once) / sum(f or 0.0 for f in naive)


class _Rates:
    """Operations a second on one device."""

    def __init__(self, device: Device, store: Store) -> None:
        self._device = device
        recent = [r for r in store.index.recent(_RECENT) if _is_of(device, r)]
        self._usual = {op: median(r.seconds for r in recent if r.op == op) for op in {r.op for r in recent}}
        self._measured = [(r.op, *found) for r in recent if (found := _measured(r)) is not None]
        self._known: dict[tuple[str, str, float], tuple[float | None, str]] = {}

    def seconds(self, node: Node, work: Work) -> tuple[float | None, str]:
        """The time of a node, and how it is known."""
        op = node.op
        if not isinstance(op, Train | Select | Predict):
            return self._usual.get(node.sort), RECORDS
        if work.flops is None or work.weights is None:
            return None, ""
        rate, how = self._rate("train" if isinstance(op, Train) else "predict", op.precision, work.weights)
        if not rate:
            return None, how
        return max(work.flops / rate, work.steps * devices.STEP if how == TABLE else 0.0), how

    def _rate(self, sort: str, precision: str, weights: float) -> tuple[float | None, str]:
        known = (sort, precision, weights)
        if known not in self._known:
            like = [rate for op, own, rate in self._measured if op == sort and 1 / _ALIKE < own / weights < _ALIKE]
            self._known[known] = (median(like), RECORDS) if like else (devices.rate(self._device, precision), TABLE)
        return self._known[known]


def _is_of(device: Device, record: Record) -> bool:
    """Whether a node was made on such a device; of a GPU the driver's name may say more than is asked for."""
    found = str(record.provenance.get("device", ""))
    return device.name in found if device.kind == "cuda" else found == device.name


def _measured(record: Record) -> tuple[float, float] | None:
    """The weights that a recorded node computed with, and its operations a second."""
    counted = record.provenance.get(MEASURED)
    if record.op not in _PASSES or not isinstance(counted, dict) or record.seconds <= 0:
        return None
    weights, tokens = counted.get("weights"), counted.get("tokens")
    if not isinstance(weights, int) or not isinstance(tokens, int) or not weights or not tokens:
        return None
    return float(weights), 2.0 * weights * tokens * _PASSES[record.op] / record.seconds
