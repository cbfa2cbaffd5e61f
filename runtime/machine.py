"""The machine a process trains on: placement and precision through accelerate, threads by the model's size."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from accelerate import Accelerator

    from runtime.models import Network

SMALL = 5_000_000  # parameters; below, threads only wait for each other
_TOKENS_CPU, _TOKENS_CUDA = 8_192, 65_536  # padded tokens of a micro-batch


@lru_cache(maxsize=1)  # all accelerators of a process share one state: the last one made is the only one to use
def accelerator(kind: str, precision: str) -> Accelerator:
    """The accelerator for a device kind ("cpu", "cuda") and a precision ("fp32", "bf16").

    It gives the device and the autocast. Nothing is handed to its `prepare`: an accelerator keeps what it prepared, and
    takes settings from environment variables that stand in no key.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001  (it refuses a second precision)
    return Accelerator(cpu=kind == "cpu", mixed_precision="bf16" if precision == "bf16" else "no")


def use_threads(network: Network) -> None:
    """One thread for a small model, all cores for a large one."""
    torch.set_num_threads(1 if network.size() < SMALL else len(os.sched_getaffinity(0)))


def token_budget(device: torch.device) -> int:
    """Padded tokens that one micro-batch may have."""
    return _TOKENS_CUDA if device.type == "cuda" else _TOKENS_CPU


def environment(kind: str) -> dict[str, str]:
    """What stands in a manifest of who made an object; never in a key."""
    import accelerate
    import tokenizers
    import transformers

    name = torch.cuda.get_device_name() if kind == "cuda" else "cpu"
    return {
        "device": name,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "accelerate": accelerate.__version__,
    }
