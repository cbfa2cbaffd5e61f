"""What an engine tells about the nodes it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from compiler.ops import Key
    from compiler.plan import Node
    from runtime.store.leases import Holder

Group = Sequence["Node"]


class Started(Struct, frozen=True):
    """Work on these nodes begins."""

    keys: tuple[Key, ...]


class Progress(Struct, frozen=True):
    """How far a training is."""

    step: int
    steps: int
    loss: float
    first: int = 0  # the step it resumed from
    tokens: int = 0  # seen since then


class Advanced(Struct, frozen=True):
    """A training did some steps."""

    key: Key
    progress: Progress


class Publishing(Struct, frozen=True):
    """The node's work is done, and its files are being written."""

    key: Key


class Ran(Struct, frozen=True):
    """The node's object is in the store."""

    key: Key


class Found(Struct, frozen=True):
    """Another run published the node in the meantime."""

    key: Key


class Held(Struct, frozen=True):
    """Another run works on the node."""

    key: Key
    holder: Holder


class Failed(Struct, frozen=True):
    """One cause took these nodes."""

    keys: tuple[Key, ...]
    error: Exception


class Halted(Struct, frozen=True):
    """Work on the nodes was told to stop; a training saved its state after `step` steps."""

    keys: tuple[Key, ...]
    step: int


class Died(Struct, frozen=True):
    """The process that worked on the nodes is gone, and not by itself."""

    keys: tuple[Key, ...]
    how: str  # in words
    log: str  # the file with what it printed


class Finished(Struct, frozen=True):
    """Nothing more will be said about a group; its place is free."""


Message = Started | Advanced | Publishing | Ran | Found | Held | Failed | Halted | Died | Finished


class Engine(Protocol):
    """Runs groups. Later engines (Slurm, Ray) keep to this."""

    def has_room(self, group: Group) -> bool:
        """Whether the group could start now."""

    def submit(self, group: Group) -> None:
        """Take a group whose inputs are in the store."""

    def poll(self, timeout: float) -> Sequence[Message]:
        """What was told since; waits for something up to `timeout` seconds."""

    def stop(self) -> None:
        """Let every group finish its step, save and halt."""

    def close(self, *, at_once: bool = False) -> None:
        """Let go of everything; at once, without waiting for anybody."""
