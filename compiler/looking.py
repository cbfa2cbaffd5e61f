"""The data of one task as a spec's chains read them: every split and language, all rows, and nothing else.

What `xfer data` looks at. Of the model there is the tokenizer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from compiler.bag import Bag
from compiler.data import DataLowering
from compiler.graph import Graph
from compiler.heads import answering
from compiler.ops import Folder, HubModel, Key, Model, Scratch
from compiler.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from compiler.locate import Locator
    from compiler.plan import Device
    from compiler.settle import Run, Settled

TOKENIZER = "tokenizer.json"


def look(spec: str, runs: Iterable[Run], name: str, locator: Locator, device: Device) -> Plan | None:
    """A plan of the data of the task `name`, for the first model whose chain reads it; None where no chain does.

    Behind them come the data that the chain trains on in the same kind.
    """
    for run in runs:
        reading = next(((part, lengths) for part, lengths in _reading(run) if part.task.name == name), None)
        if reading is not None:
            graph = Graph()
            model = _tokenizer(run, graph, locator)
            data = DataLowering(graph, locator, Bag())
            if model is not None:
                _enter(*reading, run, model, data)
            return Plan(
                spec=spec,
                device=device,
                nodes=tuple(graph.nodes.values()),
                cells=(),
                routes=(),
                files=dict(locator.files),
                hub=dict(locator.hub),
                naive=(0, 0),
                obtain=dict(locator.obtain),
            )
    return None


def _reading(run: Run) -> Iterator[tuple[Settled, Settled]]:
    """The parts and targets of a run, each with what says how long its sequences may be."""
    for part in (part for stage in run.stages for part in stage.parts):
        yield part, part
    for target in run.targets:
        heads = answering(run.stages[-1].parts, target.task) if run.stages and target.task.kind.trains else ()
        stated = target.settings["max-length"].place is not None
        yield target, target if stated or not heads else heads[0]


def _tokenizer(run: Run, graph: Graph, locator: Locator) -> Key | None:
    """The run's model without its weights, or as it is where it is not pinned; None after a finding."""
    match source := locator.model(run.model.weights, run.model.size):
        case HubModel():
            return graph.enter(
                Model(source), run.model.name, run.model_span, {"weights": graph.place(run.model.weights.span)}
            )
        case Folder(files=files) | Scratch(tokenizer=files):
            only = tuple((file, digest) for file, digest in files if file == TOKENIZER)
            return graph.enter(Model(Folder(only)), run.model.name, run.model_span, {})
    return None


def _enter(part: Settled, lengths: Settled, run: Run, model: Key, data: DataLowering) -> None:
    everywhere = replace(part, languages=part.task.languages)
    data.whole(everywhere, lengths, model)
    for other in (p for stage in run.stages for p in stage.parts):
        if other.task.kind is part.task.kind and other.task.name != part.task.name:
            data.whole(other, other, model, ("train",))
