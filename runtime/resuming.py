"""The state of a training between two steps: what it needs to go on as if it had never stopped.

All randomness of a step is drawn from (seed, step), and so is the position in the data: the state is the network, the
optimizer's moments, the curve so far, and the layout of the machine, which decides the last bits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from msgspec import Struct, field, to_builtins
from msgspec.structs import replace
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from runtime.store.states import TRY

if TYPE_CHECKING:
    from torch import nn

TENSORS, FACTS = "state.safetensors", "state.json"
FORMAT = 1
_SHARE = 20  # a training spends at most one part in so many on saving


class Layout(Struct, frozen=True):
    """What rounding depends on beside the recipe; a resumed training keeps that of its state."""

    device: str  # "cpu" or "cuda"
    threads: int
    token_budget: int  # padded tokens of a micro-batch


class Point(Struct, frozen=True):
    """One optimizer step of the curve."""

    step: int
    lr: float
    loss: float  # mean over the step's units
    norm: float  # of the gradient, before clipping
    part: int  # that the step drew


class Candidate(Struct, frozen=True):
    """A checkpoint that a training may keep."""

    step: int  # optimizer steps done
    score: float | None  # None where nothing is judged yet, for all are kept


class Progressed(Struct, frozen=True):
    """How far a saved training is."""

    layout: Layout
    curve: list[Point]
    seconds: float  # spent so far
    candidates: list[Candidate] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)  # the weights of the best candidate
    attempt: int = 0  # the try that it is of, where a training that collapsed begins anew

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return len(self.curve)


class Shelf(Protocol):
    """Where states are kept."""

    def latest(self) -> Path | None:
        """The folder of the furthest whole state."""

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep a state."""

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep a candidate."""

    def kept(self, step: int) -> Path | None:
        """The folder of a candidate, if it is whole."""


class Keeper(Struct):
    """Decides when a training saves its state, and whether it is to stop."""

    shelf: Shelf | None = None  # None: nothing is kept
    every: float = 60.0  # seconds
    stopping: Callable[[], bool] = lambda: False
    attempt: int = 0  # the try whose states it keeps; those of later ones are further
    spent: float = 0.0  # seconds of earlier sessions, once a state was restored
    _last: float = field(default_factory=time.monotonic)
    _took: float = 0.0

    def due(self) -> bool:
        """Whether it is time to save: every so many seconds, and seldom enough where saving takes long."""
        return self.shelf is not None and time.monotonic() - self._last >= max(self.every, _SHARE * self._took)

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, progressed: Progressed) -> None:
        """Keep the state after the last step of the curve."""
        if self.shelf is None:
            return
        began = time.monotonic()
        further = self.attempt * TRY + progressed.step
        of_try = replace(progressed, attempt=self.attempt)
        self.shelf.save(further, lambda folder: write(folder, network, optimizer, of_try))
        self._last = time.monotonic()
        self._took = self._last - began

    def restore(self, network: nn.Module, optimizer: torch.optim.Optimizer, device: str) -> Progressed | None:
        """Put network and optimizer where the latest state left them; None where there is none that fits."""
        folder = self.shelf.latest() if self.shelf is not None else None
        if folder is None:
            return None
        if _try_of(folder) != self.attempt:
            return None
        progressed = read(folder, network, optimizer, device, self._has_all)
        self.spent = progressed.seconds if progressed is not None else 0.0
        return progressed

    def _has_all(self, progressed: Progressed) -> bool:
        """Whether the candidates that were put on the shelf are there."""
        kept = [c.step for c in progressed.candidates if c.score is None]
        return self.shelf is None or all(self.shelf.kept(step) is not None for step in kept)


def attempt_of(shelf: Shelf | None) -> int:
    """The try that the latest state is of; the first where there is none."""
    folder = shelf.latest() if shelf is not None else None
    return _try_of(folder) if folder is not None else 0


def _try_of(folder: Path) -> int:
    try:
        return int(json.loads((folder / FACTS).read_text(encoding="utf-8")).get("attempt", 0))
    except (OSError, ValueError, TypeError, AttributeError):
        return 0


def write(folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, progressed: Progressed) -> None:
    """Write a state: tensors as safetensors, the rest as JSON."""
    tensors: dict[str, torch.Tensor] = {f"network.{name}": p for name, p in network.named_parameters()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    tensors |= {f"best.{name}": value for name, value in progressed.best.items()}
    save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, folder / TENSORS)
    facts = to_builtins(replace(progressed, best={}))
    (folder / FACTS).write_text(json.dumps({"format": FORMAT, **facts}), encoding="utf-8")


def read(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    device: str,
    is_whole: Callable[[Progressed], bool] = lambda _: True,
) -> Progressed | None:
    """Load a state into network and optimizer; None, and nothing touched, where it is none of theirs on `device`."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS)
        progressed = Progressed(
            Layout(**facts["layout"]),
            [Point(**point) for point in facts["curve"]],
            facts["seconds"],
            [Candidate(**candidate) for candidate in facts.get("candidates", ())],
            {name.removeprefix("best."): t for name, t in tensors.items() if name.startswith("best.")},
            facts.get("attempt", 0),
        )
        ours = facts["format"] == FORMAT and progressed.layout.device == device and is_whole(progressed)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
    return progressed if ours and _load(tensors, network, optimizer) else None


def _load(tensors: dict[str, torch.Tensor], network: nn.Module, optimizer: torch.optim.Optimizer) -> bool:
    own = dict(network.named_parameters())
    saved = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
    if {n: p.shape for n, p in own.items()} != {n: t.shape for n, t in saved.items()}:
        return False
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(saved[name])
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, moment = name.split(".", 2)
            state.setdefault(int(index), {})[moment] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return True
