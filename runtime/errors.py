"""What can go wrong that is not the spec's text and not our bug.

XferError               anything a caller may want to catch; `.hint` says the way out
├── StoreError          the store cannot be written or read (exit 5)
│   └── DamagedObject   an object's bytes are not those of its manifest
├── MissingInput        a model or data source cannot be reached
├── BadInput            rows, templates or weights that do not fit; `.field` names the part of the spec
├── Crashed             a bug of ours, or of a library, in a worker process; `.trace` is its traceback
├── Stopped             told to stop between two steps; `.step` is what was saved
└── NodeFailed          a node's body raised; `.node`, `__cause__`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compiler.plan import Node


class XferError(Exception):
    """Anything a caller may want to catch."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class StoreError(XferError):
    """The store cannot be written or read."""


class DamagedObject(StoreError):  # noqa: N818  (a state of the world, not of a call)
    """An object's bytes are not those of its manifest."""


class MissingInput(XferError):  # noqa: N818
    """A model or data source cannot be reached."""


class UnreachableInput(MissingInput):
    """A source that a run could not read, found before any work; `.node` knows the place."""

    def __init__(self, node: Node, message: str, hint: str | None) -> None:
        super().__init__(message, hint)
        self.node = node


class BadInput(XferError):  # noqa: N818
    """Rows, templates or weights that do not fit; `field` names the setting or template that reads them."""

    def __init__(self, message: str, hint: str | None = None, field: str | None = None) -> None:
        super().__init__(message, hint)
        self.field = field


class Crashed(XferError):  # noqa: N818
    """An exception of a worker process that nobody foresaw, as text; or the death of the process."""

    def __init__(self, message: str, hint: str | None = None, trace: str = "") -> None:
        super().__init__(message, hint)
        self.trace = trace


class Stopped(XferError):  # noqa: N818
    """A node's work was told to stop; what it saved, the next run goes on from."""

    def __init__(self, step: int = 0) -> None:
        super().__init__(f"stopped after step {step}" if step else "stopped")
        self.step = step


class NodeFailed(XferError):  # noqa: N818
    """A node's body raised."""

    def __init__(self, node: Node, cause: Exception) -> None:
        super().__init__(f"`{node.label}` ({node.key[:12]}) failed: {cause}", getattr(cause, "hint", None))
        self.node = node
        self.__cause__ = cause
