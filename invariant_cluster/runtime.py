"""Where and how tensors are computed: device, precision, seeds, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state, gen_batches
from torch import Tensor, nn

_MOST_BYTES = 2**26

_MOST_ROWS = 256
_MOST_PIXELS = 2**18
PRECISIONS = ("auto", "float32", "bfloat16")
# As torch names them. benchmarks.time_precision measures what they are worth.
_BFLOAT16_OF_CPUS = ("amx_bf16", "avx512_bf16")


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to train on; ``"auto"`` is the GPU where there is one.

    Raises
    ------
    ValueError
        When the device is unknown to torch or not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.ones(1, device=resolved).item()
    except Exception as error:  # each backend raises its own kind
        reason = str(error).splitlines()[0][:100]
        raise ValueError(
            f"device={device!r} is not available here ({reason}): use device='auto' or "
            "'cpu'."
        ) from error
    return resolved


def resolve_precision(precision: str, device: str) -> torch.dtype | None:
    """Return the dtype of matrix products in training, or None for float32.

    ``"auto"`` is bfloat16 on NVIDIA GPUs and x86 CPUs that have instructions for it
    (most GPUs since 2020; AMX or AVX-512 BF16), and float32 elsewhere.
    """
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(resolve_device(device)) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else None


def _has_bfloat16(device: torch.device) -> bool:
    """Tell whether the device is known to train faster in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in _BFLOAT16_OF_CPUS)


def autocast(
    device: torch.device | str, dtype: torch.dtype | None
) -> AbstractContextManager[Any]:
    """Return the context in which a forward pass runs."""
    if dtype is None:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=dtype)


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed for torch from scikit-learn's ``random_state``."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block and leave its generators as they were after it."""
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextmanager
def evaluating(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Move the module to the device in evaluation mode, and back to the CPU after.

    At rest modules live on the CPU, so that pickles load on any machine.
    """
    module.to(device).eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        module.to("cpu")


def to_tensor(images: NDArray, device: torch.device | str = "cpu") -> Tensor:
    """Return a batch as a tensor; dtypes that torch lacks become float32."""
    array = np.ascontiguousarray(images)
    if array.dtype not in (np.uint8, np.float32):
        array = array.astype(np.float32)
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).to(device)


def row_limit(images: NDArray) -> int:
    """Return a batch size that bounds the memory of a forward pass."""
    per_row = max(1, images[0, 0].size) if images.ndim == 4 else 1
    return max(1, min(_MOST_ROWS, _MOST_PIXELS // per_row))


def check_outputs(values: NDArray | float) -> None:
    """Raise a FloatingPointError unless all that a network returned is finite."""
    if not np.isfinite(values).all():
        raise FloatingPointError(
            "The network returned NaN or infinity: training had diverged. Fit again "
            "with a lower lr."
        )


def map_batches(
    function: Callable[[Tensor], Tensor],
    images: NDArray,
    *,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return ``function`` of all rows as one float32 array, a batch at a time.

    Raises
    ------
    FloatingPointError
        When a value is not finite.
    """
    outputs: NDArray[np.float32] | None = None
    for rows in gen_batches(len(images), row_limit(images)):
        batch = function(to_tensor(images[rows], device)).float().cpu().numpy()
        check_outputs(batch)
        if outputs is None:
            outputs = np.empty((len(images), *batch.shape[1:]), dtype=np.float32)
        outputs[rows] = batch
    assert outputs is not None
    return outputs


def evenly_spaced(rows: NDArray) -> NDArray:
    """Return every k-th row, so that the rows together have at most 64 MiB."""
    return at_most(rows, max(2, _MOST_BYTES // max(1, rows[0].nbytes)))


def at_most(rows: NDArray, most: int) -> NDArray:
    """Return every k-th row, so that there are at most so many."""
    return rows[:: -(-len(rows) // most)]


def map_rows(
    module: nn.Module,
    function: Callable[[Tensor], Tensor],
    rows: NDArray,
    device: str | torch.device,
) -> NDArray[np.float32]:
    """Return a function of a module's inputs, computed in evaluation mode.

    Parameters
    ----------
    module : nn.Module
        Moved to the device meanwhile, and back to the CPU afterwards.
    function : callable
        Maps a batch of rows to one output row each, by means of the module.
    rows : ndarray of shape (n, ...)
    device : str or torch.device

    Returns
    -------
    ndarray of shape (n, ...), float32

    Raises
    ------
    FloatingPointError
        When a value is not finite.
    """
    resolved = resolve_device(device)
    with evaluating(module, resolved):
        return map_batches(function, rows, device=resolved)
