"""Working on one group: take its leases, leave what others hold or have done, do the rest, publish each node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

from compiler.ops import Key
from runtime.contents import Content, recorded
from runtime.engine.messages import (
    Advanced,
    Failed,
    Found,
    Group,
    Halted,
    Held,
    Message,
    Progress,
    Publishing,
    Ran,
    Started,
)
from runtime.errors import Crashed, Stopped, XferError
from runtime.store.leases import released
from runtime.store.states import States

if TYPE_CHECKING:
    from compiler.plan import Node
    from runtime.store.leases import Leases
    from runtime.store.objects import Store

Inputs = Mapping[Key, Path]
Write = Callable[[Path], object]
Send = Callable[[Message], None]


class Bodies(Protocol):
    """What the ops do. Each node's files are written by the function that stands for it; functions come one by one."""

    def __call__(self, group: Group, inputs: Inputs, desk: Desk) -> Iterator[Write]:
        """For each node in turn: do its work, and give the function that writes its files into an empty folder."""

    def provenance(self) -> Mapping[str, Any]:
        """Who makes the objects: device, libraries."""


class Desk(Struct):
    """What a body may use while it works."""

    store: Store
    leases: Leases
    send: Send
    stopping: Callable[[], bool] = lambda: False
    save_every: float = 60.0  # seconds between two states of a training
    spent: dict[Key, float] = field(default_factory=dict)  # seconds of earlier sessions, by the body
    run: str = ""  # the run's name
    names: Mapping[str, Content] = field(default_factory=dict)  # what contents are called, by digest

    def advance(self, node: Node, progress: Progress) -> None:
        """Tell how far a training is."""
        self.send(Advanced(node.key, progress))

    def provenance(self, node: Node, made_by: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the node's manifest says beside `made_by`: the run, and what its sources are called."""
        sources = recorded(node.op, self.names)
        return {**made_by, **({"run": self.run} if self.run else {}), **({"sources": sources} if sources else {})}

    def states(self, node: Node) -> States:
        """Where the node's states are kept."""
        return States(self.store.root, node.key)


def work(group: Group, bodies: Bodies, desk: Desk) -> None:
    """Work on a group and tell about each of its nodes. Raises nothing but what stops a process."""
    mine: list[Node] = []
    try:
        for node in group:
            if (other := desk.leases.take(node.key)) is None:
                mine.append(node)
            else:
                desk.send(Held(node.key, other))
        with released(desk.leases, [n.key for n in mine]):
            done = desk.store.present(n.key for n in mine)
            for key in done:
                desk.send(Found(key))
            _do([n for n in mine if n.key not in done], bodies, desk)
    except Exception as error:  # noqa: BLE001  (the disk of the leases)
        desk.send(Failed(tuple(n.key for n in mine or group), portable(error)))


def _do(todo: list[Node], bodies: Bodies, desk: Desk) -> None:
    if not todo:
        return
    desk.send(Started(tuple(n.key for n in todo)))
    began = time.time()
    for position, node in enumerate(todo):
        try:
            if position == 0:
                paths = {key: desk.store.read(key) for n in todo for key in n.inputs}
                writers = bodies(todo, paths, desk)
            write = next(writers)
        except Stopped as stopped:
            desk.send(Halted(tuple(n.key for n in todo[position:]), stopped.step))
            return
        except Exception as error:  # noqa: BLE001  (told to whoever asked, with its traceback)
            desk.send(Failed(tuple(n.key for n in todo[position:]), portable(error)))
            return
        _publish(node, write, began, bodies, desk)
        began = time.time()


def _publish(node: Node, write: Write, began: float, bodies: Bodies, desk: Desk) -> None:
    desk.send(Publishing(node.key))
    try:
        provenance = desk.provenance(node, bodies.provenance())
        desk.store.publish(node, write, provenance, began - desk.spent.get(node.key, 0.0))
    except Stopped:  # what writes long, as encoding does, hears it too
        desk.send(Halted((node.key,), 0))
    except Exception as error:  # noqa: BLE001
        desk.send(Failed((node.key,), portable(error)))
    else:
        desk.states(node).discard()
        desk.send(Ran(node.key))


def portable(error: Exception) -> Exception:
    """The error as it can be sent to another process: one of ours, else its text with the traceback."""
    if isinstance(error, XferError):
        return error
    import traceback

    text = f"{type(error).__name__}: {error}"
    return Crashed(text, None, "".join(traceback.format_exception(error)))
