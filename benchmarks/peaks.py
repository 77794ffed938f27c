"""How fast a device multiplies matrices: as its maker says, and as it does here."""

import time

import torch

# Dense bfloat16 FLOP/s from NVIDIA's data sheets of the H200, H100 and A100 Tensor Core
# GPUs, by a part of the name that torch gives; the first that fits.
BFLOAT16_PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
}
_SECONDS = 0.3


def known_peak(name: str) -> float | None:
    """Return the bfloat16 FLOP/s that a GPU's maker states, None if not known here."""
    return next((peak for part, peak in BFLOAT16_PEAKS.items() if part in name), None)


def measure_peak(
    device: torch.device, dtype: torch.dtype = torch.float32, side: int | None = None
) -> float:
    """Return the FLOP/s of the fastest product of two square matrices.

    On one thread of a CPU the seconds are the processor's, so that another process
    does not lower the peak.
    """
    side = side or (8192 if device.type == "cuda" else 1024)
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    best, end = float("inf"), time.monotonic() + _SECONDS
    while time.monotonic() < end or best == float("inf"):
        best = min(best, _time_product(a, b))
    return 2 * side**3 / best


def _time_product(a: torch.Tensor, b: torch.Tensor) -> float:
    on_gpu = a.device.type == "cuda"
    alone = not on_gpu and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    if on_gpu:
        torch.cuda.synchronize()
    start = clock()
    torch.mm(a, b)
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - start
