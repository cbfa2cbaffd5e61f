"""`@ previous`: which parts of a run are evaluated after which stage (docs/language.md, section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from compiler.settle import Earlier, Run, Settled


class Again(Struct, frozen=True):
    """A part's head asked after a stage, by its number: its own stage, or the last."""

    earlier: Earlier
    after: int
    target: Settled  # in the languages that it is asked in

    @property
    def is_later(self) -> bool:
        """Whether the stage is not the part's own."""
        return self.after != self.earlier.stage


def evaluations(run: Run) -> Iterator[Again]:
    """Every part after its own stage; and every task after the last, in all languages that any stage trains it in.

    Of a task that several stages train the latest head answers after the last.
    """
    last = len(run.stages) - 1
    for of_task in _by_task(run):
        yield from (Again(earlier, earlier.stage, earlier.target) for earlier in of_task)
        latest = [e for e in of_task if e.stage == of_task[-1].stage]
        done = {c for e in latest if e.stage == last for c in e.target.languages}
        left = dict.fromkeys(c for e in of_task for c in e.target.languages if c not in done)
        for earlier in latest:
            languages = tuple(c for c in left if _answers(c, latest) is earlier)
            if languages:
                yield Again(earlier, last, replace(earlier.target, languages=languages))


def _by_task(run: Run) -> list[list[Earlier]]:
    """The parts of each task, in the order of their stages."""
    found: dict[object, list[Earlier]] = {}
    for earlier in run.previous:
        found.setdefault(earlier.target.task.span, []).append(earlier)
    return list(found.values())


def _answers(language: str, latest: list[Earlier]) -> Earlier:
    """Of several parts of a stage that train a task the one that trains the language, else the first."""
    return next((e for e in latest if language in e.target.languages), latest[0])
