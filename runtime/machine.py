"""The machine a process trains on: placement and precision through accelerate, threads by the model's size."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from runtime import architectures
from runtime.engine.capacity import SMALL, usable_cores
from runtime.resuming import Layout

if TYPE_CHECKING:
    from accelerate import Accelerator

    from runtime.models import Network

_TOKENS_CPU, _TOKENS_CUDA = 8_192, 65_536  # padded tokens of a micro-batch
_LARGE = 24 * 1024  # layers x width of XLM-R large, for which that of a GPU was chosen
_SCORES = 4  # by how much more memory a token takes where the scores of all pairs are kept (assumption: not measured)
_share: list[int] = []  # cores of this process, once `share_cores` said so


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


def share_cores(cores: int) -> None:
    """Leave a large model of this process so many cores: others of the same run use the rest."""
    _share[:] = [cores]


def layout_for(network: Network, device: torch.device) -> Layout:
    """One thread for a small model, this process's share of the cores for a large one."""
    cores = _share[0] if _share else usable_cores()
    threads = 1 if network.size() < SMALL else cores
    return Layout(device.type, threads, _budget(network.encoder.config, device))


def _budget(config: Any, device: torch.device) -> int:  # noqa: ANN401
    """Padded tokens of a micro-batch: fewer on a GPU for what is larger than XLM-R large, or attends by `eager`."""
    if device.type != "cuda":
        return _TOKENS_CPU
    scores = _SCORES if architectures.of(config).attention == "eager" else 1
    size = int(config.num_hidden_layers * config.hidden_size * scores)
    return min(_TOKENS_CUDA, _TOKENS_CUDA * _LARGE // size)


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
        "scikit-learn": version("scikit-learn"),  # not loaded where nothing needs it
    }
