"""What GPUs can do at the most, and how much of it trainings get: for estimates where nothing was recorded yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from compiler.plan import Device


class Peak(Struct, frozen=True):
    """Dense floating-point operations a second of the largest matrix products, from the vendor's data sheet."""

    name: str  # stands in what the driver calls the device
    bf16: float | None  # None: it has none
    fp32: float
    memory: int  # bytes
    source: str


_T = 1e12
# The first whose name stands in the device's: longer names first.
PEAKS = (
    Peak("H200", 989.5 * _T, 67 * _T, 141 * 10**9, "NVIDIA H200 data sheet, SXM, without sparsity"),
    Peak("H100 PCIe", 756 * _T, 51 * _T, 80 * 10**9, "NVIDIA H100 data sheet, PCIe, without sparsity"),
    Peak("H100", 989.5 * _T, 67 * _T, 80 * 10**9, "NVIDIA H100 data sheet, SXM, without sparsity"),
    Peak("A100", 312 * _T, 19.5 * _T, 80 * 10**9, "NVIDIA A100 data sheet"),
    Peak("L40S", 362 * _T, 91.6 * _T, 48 * 10**9, "NVIDIA L40S data sheet, without sparsity"),
    Peak("L4", 121 * _T, 30.3 * _T, 24 * 10**9, "NVIDIA L4 data sheet, without sparsity"),
    Peak("A10", 125 * _T, 31.2 * _T, 24 * 10**9, "NVIDIA A10 data sheet"),
    Peak("RTX 4090", 165.2 * _T, 82.6 * _T, 24 * 10**9, "NVIDIA Ada architecture white paper, FP32 accumulation"),
    Peak("RTX 3090", 71 * _T, 35.6 * _T, 24 * 10**9, "NVIDIA GA102 architecture white paper, FP32 accumulation"),
    Peak("V100", None, 15.7 * _T, 32 * 10**9, "NVIDIA V100 data sheet, SXM2"),
    Peak("T4", None, 8.1 * _T, 16 * 10**9, "NVIDIA T4 data sheet"),
)

# The share of it that our own trainings of XLM-R-large's shape got on an H200 (docs/benchmarks.md).
USED = {"bf16": 0.05, "fp32": 0.35}

STEP = 0.013  # seconds that an optimizer step takes at the least, however small (docs/benchmarks.md)


def peak_of(device: Device) -> Peak | None:
    """The device's entry; None for a CPU, and for what is not in the table."""
    if device.kind != "cuda":
        return None
    return next((peak for peak in PEAKS if peak.name in device.name), None)


def rate(device: Device, precision: str) -> float | None:
    """Operations a second that may be expected where nothing is recorded; None where nothing is known."""
    peak = peak_of(device)
    most = None if peak is None else peak.bf16 if precision == "bf16" else peak.fp32
    return most * USED[precision] if most is not None and precision in USED else None
