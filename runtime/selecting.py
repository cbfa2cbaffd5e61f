"""Which checkpoint is the best: candidates are judged on dev data, in the midst of a training or after several.

A candidate's score is the mean of a metric over dev sets, one a language, then over the heads that are judged. Data
that are scored for results are never among them: the plan says which are (`compiler.selection`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct, field

from runtime import evaluation
from runtime.errors import DamagedObject
from runtime.kinds import kinds
from runtime.resuming import Candidate
from runtime.store import io
from runtime.store.manifest import NAME as MANIFEST
from runtime.store.states import DIGESTS

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from compiler.ops import Judge, Keep, Key
    from runtime.columns import Columns
    from runtime.kinds.kind import Special
    from runtime.models import Network
    from runtime.resuming import Shelf

CANDIDATES, DEV, SELECTED = "candidates", "dev.jsonl", "selected.json"


class Bench(Struct, frozen=True):
    """Judges and their data, which it takes to score a checkpoint."""

    judges: Sequence[Judge]
    data: Mapping[Key, Columns]
    special: Special
    device: str
    precision: str

    def score(self, network: Network, heads: Mapping[int, int] | None = None) -> float:
        """The mean over the judges; `heads` says where in the network each head stands, if not where it did."""
        return fmean(self._by(j, network, j.head if heads is None else heads[j.head]) for j in self.judges)

    def _by(self, judge: Judge, network: Network, head: int) -> float:
        metric = kinds()[judge.kind].metrics[judge.metric]
        return fmean(metric(self._predicted(judge, network, head, self.data[key])).value for key in judge.data)

    def _predicted(self, judge: Judge, network: Network, head: int, columns: Columns) -> object:
        return evaluation.predict(
            network,
            columns,
            self.special,
            head=head,
            device=self.device,
            precision=self.precision,
            mask=judge.mask,
            own=dict(judge.own or ()),
        )


class Chooser(Struct):
    """Follows one training: keeps the best of its candidates in memory, or all of them on a shelf."""

    keep: Keep
    epoch: int  # steps
    score: Callable[[Network], float]
    shelf: Shelf | None = None
    write: Callable[[Network, Path], None] | None = None  # a candidate for the shelf
    found: list[Candidate] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)  # on the CPU; empty where all are kept

    @property
    def keeps_all(self) -> bool:
        """Whether who reads the result chooses."""
        return not self.keep.judges

    def is_due(self, step: int, *, last: bool) -> bool:
        """Whether the checkpoint after `step` steps is a candidate."""
        return last or step % (self.keep.every or self.epoch) == 0

    def take_if_due(self, network: Network, step: int, *, last: bool) -> bool:
        """Take the checkpoint after `step` steps if it is a candidate; whether no more need come."""
        if not self.is_due(step, last=last):
            return False
        self.take(network, step)
        return self.has_seen_enough()

    def take(self, network: Network, step: int) -> None:
        """Judge a candidate, or put it on the shelf."""
        if self.keeps_all:
            if self.shelf is None or self.write is None:
                raise AssertionError("all candidates are to be kept, and there is no shelf")
            write = self.write
            self.shelf.keep(step, lambda folder: write(network, folder))
            self.found.append(Candidate(step, None))
            return
        self.found.append(Candidate(step, self.score(network)))
        if best_of(self.found) == len(self.found) - 1:
            self.best = {name: p.detach().cpu().clone() for name, p in network.named_parameters()}

    def has_seen_enough(self) -> bool:
        """Whether so many candidates in a row were none."""
        return self.keep.patience is not None and len(self.found) - 1 - best_of(self.found) >= self.keep.patience

    def settle(self, network: Network) -> None:
        """Give the network the best candidate's weights."""
        own = dict(network.named_parameters())
        for name, values in self.best.items():
            own[name].data.copy_(values)

    def resume(self, found: Sequence[Candidate], best: Mapping[str, torch.Tensor]) -> None:
        """Go on from where a stopped training was."""
        self.found, self.best = list(found), dict(best)


def best_of(candidates: Sequence[Candidate]) -> int:
    """The index of the highest score, the earliest of equals; -1 where there is none."""
    scores = [c.score if c.score is not None else float("-inf") for c in candidates]
    return scores.index(max(scores)) if scores else -1


def checkpoints(weights: Path) -> dict[int | None, Path]:
    """The checkpoints of a weights node by their step: all that it kept, or itself (None)."""
    folder = weights / CANDIDATES
    if not folder.is_dir():
        return {None: weights}
    return {step: folder / str(step) for step in sorted(int(p.name) for p in folder.iterdir())}


def write(chooser: Chooser, folder: Path) -> None:
    """What a training's candidates were worth, one a line; of one that keeps them all, the candidates."""
    chosen = None if chooser.keeps_all else best_of(chooser.found)
    lines = [{"step": c.step, "score": c.score, "chosen": n == chosen} for n, c in enumerate(chooser.found)]
    (folder / DEV).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for candidate in chooser.found if chooser.keeps_all else ():
        kept = chooser.shelf.kept(candidate.step) if chooser.shelf is not None else None
        if kept is None:
            message = f"the checkpoint after step {candidate.step} of this training is damaged"
            raise DamagedObject(message, "run the same command again")
        target = folder / CANDIDATES / str(candidate.step)
        target.mkdir(parents=True)
        io.link_folder(kept, target, (DIGESTS,))


def write_choice(found: Sequence[tuple[Key, int | None, Path]], scores: Sequence[float], folder: Path) -> None:
    """The checkpoint with the highest score, the first of equals, and what all were worth."""
    best = scores.index(max(scores))
    io.link_folder(found[best][2], folder, (MANIFEST, CANDIDATES))
    records = [
        {"training": key, "step": step, "score": score, "chosen": number == best}
        for number, ((key, step, _), score) in enumerate(zip(found, scores, strict=True))
    ]
    (folder / SELECTED).write_text(json.dumps(records, indent=1), encoding="utf-8")
