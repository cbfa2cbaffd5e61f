"""Cores, memory and GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.engine import capacity
from xfer.doctor.finding import Finding, note, ok, trouble
from xfer.opening import find_device

if TYPE_CHECKING:
    from compiler.plan import Device

SCARCE = 10**9  # bytes of memory; about what one worker with a small model takes


def examine() -> list[Finding]:
    """What there is to compute with."""
    return [cores(), memory(), gpus()]


def cores() -> Finding:
    """The cores that this process may use."""
    return ok("cores", f"{capacity.usable_cores()} usable")


def memory() -> Finding:
    """What processes may still take."""
    free = capacity.available_memory()
    if free is None:
        return note("memory", "the system does not say how much is free")
    words = f"{free / 1e9:,.1f} GB free"
    if free < SCARCE:
        return note(
            "memory", f"{words}; one worker takes about {SCARCE / 1e9:.0f}", "`xfer run --jobs 1` takes the least"
        )
    return ok("memory", words)


def gpus() -> Finding:
    """The device that runs would take, and whether torch can use it."""
    try:
        import torch  # takes seconds
    except ModuleNotFoundError:
        return note("gpu", "without torch nobody can say", "install torch")
    except Exception as error:  # noqa: BLE001  (a library that is half there raises anything)
        return trouble("gpu", f"torch cannot be imported: {error}", "install torch again; https://pytorch.org says how")
    usable = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return gpu(find_device("auto"), usable, str(torch.__version__), torch.version.cuda)


def gpu(device: Device, usable: int, torch: str, cuda: str | None) -> Finding:
    """The device that runs would take against the GPUs that torch, of this version and for this CUDA, can use."""
    if device.kind == "cpu" and not usable:
        return ok("gpu", "none; studies run on the CPU")
    if device.kind == "cpu":
        hint = "have the driver's `nvidia-smi` in PATH, and CUDA_VISIBLE_DEVICES name a GPU"
        return note("gpu", f"torch sees {usable}, and `nvidia-smi` none: studies run on the CPU", hint)
    if not usable:
        built = f"is built for CUDA {cuda}" if cuda else "is built without CUDA"
        hint = "install a torch that fits the driver, or say `--device cpu`"
        return trouble("gpu", f"{device.name}, which torch cannot use: torch {torch} {built}", hint)
    many = f"{usable} × " if usable > 1 else ""
    return ok("gpu", f"{many}{device.name}, {'bf16' if device.bf16 else 'fp32'}, CUDA {cuda}")
