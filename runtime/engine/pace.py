"""How often the steps of a training are told: now and then, and the last one always."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from compiler.ops import Key
    from runtime.engine.messages import Progress


class Pace(Struct):
    """Lets the progress of each training through every so many seconds."""

    every: float
    _told: dict[Key, float] = field(default_factory=dict)

    def is_due(self, key: Key, at: Progress) -> bool:
        """Whether to tell it; then the next is due later."""
        now = time.monotonic()
        if at.step < at.steps and now - self._told.get(key, 0.0) < self.every:
            return False
        self._told[key] = now
        return True
