"""A spec's `budget` against what is left to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from runtime.errors import XferError
from xfer.render.costs import duration, size
from xfer.render.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from compiler.budget import Limits
    from runtime.estimates import Estimate


class OverBudgetError(XferError):
    """More is left to run than the budget allows."""


def is_over(limits: Limits | None, found: Estimate) -> bool:
    """Whether what is left to run is known to be more than the budget allows."""
    return any(exceeded for _, exceeded in _compared(limits, found))


def check_budget(limits: Limits | None, found: Estimate) -> None:
    """Raise OverBudgetError where what is left to run is known to be more than the budget allows."""
    if exceeded := [words for words, much in _compared(limits, found) if much]:
        hint = "raise the `budget` of the spec, or run less of it: `xfer run SPEC::LABEL`"
        raise OverBudgetError(f"the budget is exceeded: {' and '.join(exceeded)}", hint)


def show_limits(console: Console, limits: Limits | None, found: Estimate) -> None:
    """The budget beside the estimate."""
    for words, exceeded in _compared(limits, found):
        say(console, Text(f"Budget: {words}", "bold red" if exceeded else ""))


def _compared(limits: Limits | None, found: Estimate) -> Iterator[tuple[str, bool]]:
    """Each limit with what is left to run, and whether that is more.

    Time is that of all workers together: what a cluster would bill.
    """
    if limits is None:
        return
    if limits.time is not None:
        least = "at least " if found.unknown else "about "
        exceeded = found.timeline.work > limits.time
        words = f"{least}{duration(found.timeline.work)} of {duration(limits.time)}"
        yield (f"{words}: too much" if exceeded else words), exceeded
    if limits.disk is not None:
        least = "at least " if found.unsized else "about "
        exceeded = found.timeline.kept > limits.disk
        words = f"{least}{size(found.timeline.kept)} of {size(limits.disk)}"
        yield (f"{words}: too much" if exceeded else words), exceeded
