"""All findings, in the order of the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xfer.doctor import hub, machine, packages, storing, world
from xfer.doctor.finding import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xfer.doctor.finding import Finding


def examine(store: Path | None = None, *, offline: bool = False) -> list[Finding]:
    """What there is to know of this machine; `offline` does not ask the hub."""
    return [
        *packages.examine(),
        *machine.examine(),
        *storing.examine(store),
        *hub.examine(offline=offline),
        *world.examine(),
    ]


def works(findings: Sequence[Finding]) -> bool:
    """Whether nothing would stop runs."""
    return all(found.mark is not Mark.TROUBLE for found in findings)
