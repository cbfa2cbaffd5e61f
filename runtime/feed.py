"""What each optimizer step of a training sees: a pure function of (seed, step), for one task or a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from runtime import columns as encoded
from runtime.batches import examples_at, hide, steps_per_epoch
from runtime.kinds import kinds
from runtime.kinds.kind import IGNORED
from runtime.mixing import Schedule, draw, examples_per_epoch

if TYPE_CHECKING:
    from compiler.ops import Train
    from runtime.columns import Columns
    from runtime.kinds.kind import Special


class Drawn(Struct, frozen=True):
    """The examples of one step."""

    part: int  # whose head answers
    columns: Columns
    units: int  # how many units the step's loss is the mean of


class Feed(Struct, frozen=True, dict=True):
    """The data of a training: for each part the columns of its languages."""

    op: Train
    data: Sequence[Sequence[Columns]]
    special: Special

    @cached_property
    def epoch(self) -> int:
        """Optimizer steps of one epoch."""
        sizes = tuple(tuple(len(c) for c in part) for part in self.data)
        examples = sum(map(sum, sizes)) if self.op.mix is None else examples_per_epoch(self.op.mix, sizes)
        return steps_per_epoch(examples, self.op.batch)

    @cached_property
    def steps(self) -> int:
        """Optimizer steps of the whole training."""
        unit, number = self.op.length
        return number if unit == "steps" else number * self.epoch

    def at(self, step: int) -> Drawn:
        """What a step (from 0) sees; steps may be asked for in any order."""
        part, chosen = self._chosen(step)
        mask = self.op.parts[part].mask
        if mask is not None:
            chosen = hide(chosen, mask, self.special, seed=self.op.seed, step=step)
        if chosen.targets is not None and kinds()[self.op.parts[part].kind].by_token:
            return Drawn(part, chosen, max(1, int((chosen.targets != IGNORED).sum())))
        return Drawn(part, chosen, len(chosen))

    def _chosen(self, step: int) -> tuple[int, Columns]:
        if self._schedule is None:
            whole = self._whole
            at = examples_at(step, examples=len(whole), batch=self.op.batch, seed=self.op.seed)
            return 0, whole.take(at)
        visit = self._schedule.at(step)
        return visit.part, self.data[visit.part][visit.language].take(visit.examples)

    @cached_property
    def _whole(self) -> Columns:
        """All languages of the one part."""
        return encoded.concatenate(list(self.data[0]))

    @cached_property
    def _schedule(self) -> Schedule | None:
        if self.op.mix is None:
            return None
        sizes = tuple(tuple(len(c) for c in part) for part in self.data)
        return draw(self.op.mix, sizes, steps=self.steps, batch=self.op.batch, seed=self.op.seed)
