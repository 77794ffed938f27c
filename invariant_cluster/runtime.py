"""Where and how tensors are computed: device, precision, seeds and batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state, gen_batches
from torch import Tensor, nn

from invariant_cluster.progress import progress_bar

# Limits of a sample of the rows, and of a batch in a forward pass.
_MOST_BYTES = 2**26
_MOST_ROWS = 256
_MOST_PIXELS = 2**18
_FACTOR_OF_GPUS = 4
_Rows = TypeVar("_Rows", NDArray, Tensor)
PRECISIONS = ("auto", "float32", "bfloat16")
# PyTorch's names of CPU instructions; benchmarks.time_precision measures their effect.
_BFLOAT16_OF_CPUS = ("amx_bf16", "avx512_bf16")


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    device : str or torch.device
        A device such as "cpu" or "cuda:1"; "auto" is the GPU if CUDA is available, else
        the CPU. Of the processes that torchrun starts on a machine, "auto" gives each
        the next GPU.

    Returns
    -------
    torch.device
        A device that can hold tensors.

    Raises
    ------
    ValueError
        If the device is unknown to PyTorch or not available.

    See Also
    --------
    resolve_precision : Return the precision of training on the device.

    Examples
    --------
    >>> from invariant_cluster.runtime import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return _own_gpu() if torch.cuda.is_available() else torch.device("cpu")
    try:
        resolved = torch.device(device)
        torch.ones(1, device=resolved).item()
    except Exception as error:  # each backend raises its own exception
        reason = str(error).splitlines()[0][:100]
        raise ValueError(
            f"device={device!r} is not available here ({reason}): use device='auto' or "
            "'cpu'."
        ) from error
    return resolved


def _own_gpu() -> torch.device:
    """Return the GPU of this process: by torchrun's number of it on this machine."""
    number = os.environ.get("LOCAL_RANK")
    if number is None:
        return torch.device("cuda")
    return torch.device("cuda", int(number) % torch.cuda.device_count())


def resolve_precision(precision: str, device: str) -> torch.dtype | None:
    """Return the dtype of matrix products in training.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 on devices with instructions for it, else float32.
    device : str
        Device of the training, as in :func:`resolve_device`.

    Returns
    -------
    torch.dtype or None
        ``torch.bfloat16``, or None for float32; the argument of :func:`autocast`.

    See Also
    --------
    autocast : Return the context that applies the precision.

    Notes
    -----
    Devices with such instructions are most NVIDIA GPUs since 2020, and x86 CPUs with
    AMX or AVX-512 BF16.
    """
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(resolve_device(device)) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else None


def _has_bfloat16(device: torch.device) -> bool:
    """Return whether the device is known to train faster in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in _BFLOAT16_OF_CPUS)


def autocast(
    device: torch.device | str, dtype: torch.dtype | None
) -> AbstractContextManager[Any]:
    """Return the context in which a forward pass runs with reduced precision.

    Parameters
    ----------
    device : torch.device or str
        Device of the tensors.
    dtype : torch.dtype or None
        Precision of matrix products; None keeps float32.

    Returns
    -------
    context manager
        ``torch.autocast``, or a context that does nothing.

    See Also
    --------
    resolve_precision : Return the dtype for a device.
    """
    if dtype is None:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=dtype)


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed for PyTorch, drawn from scikit-learn's ``random_state``.

    Parameters
    ----------
    random_state : int, RandomState or None
        An int always gives the same seed; a RandomState advances; None draws from
        NumPy's global generator.

    Returns
    -------
    int
        A seed, not negative.

    See Also
    --------
    seeded : Seed PyTorch inside a block.
    """
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def seeded(seed: int, device: str | torch.device = "cpu") -> Iterator[None]:
    """Seed PyTorch inside a block and restore its generators afterwards.

    Parameters
    ----------
    seed : int
        Seed of the generators of the CPU and, where CUDA is used, of its devices.
    device : str or torch.device, default="cpu"
        Device on which the block draws numbers. CUDA is left alone unless the device
        needs it or it is in use already: a process that has used it cannot fork.

    Yields
    ------
    None
        The block runs with the seed.

    See Also
    --------
    draw_seed : Draw a seed from ``random_state``.
    """
    on_cuda = resolve_device(device).type == "cuda" or torch.cuda.is_initialized()
    with torch.random.fork_rng(range(torch.cuda.device_count()) if on_cuda else ()):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            torch.cuda.manual_seed_all(seed)
        yield


@contextmanager
def evaluating(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Evaluate a module inside a block, on a device, without gradients.

    The module is in evaluation mode inside the block and on the CPU after it. Idle
    modules stay on the CPU, so pickles load on any machine. Inside the block a GPU
    computes in full float32, without TF32: z would differ from that of a CPU by 1e-3.

    Parameters
    ----------
    module : nn.Module
        The module; it is moved in place.
    device : torch.device
        Device inside the block.

    Yields
    ------
    None
        The block runs in ``torch.inference_mode``.

    See Also
    --------
    map_batches : Apply a function to all rows, a batch at a time.
    """
    module.to(device).eval()
    try:
        with torch.inference_mode(), _full_float32(torch.device(device)):
            yield
    finally:
        module.to("cpu")


@contextmanager
def _full_float32(device: torch.device) -> Iterator[None]:
    """Compute without TF32 inside a block, if the device is a GPU."""
    if device.type != "cuda":
        yield
        return
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = False
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


def to_tensor(images: NDArray, device: torch.device | str = "cpu") -> Tensor:
    """Return a batch of an array as a tensor.

    Parameters
    ----------
    images : ndarray
        A batch of any real dtype.
    device : torch.device or str, default="cpu"
        Device of the result.

    Returns
    -------
    Tensor of the same shape
        uint8 and float32 keep their dtype; every other dtype becomes float32. On the
        CPU the tensor may share memory with a writeable array.

    See Also
    --------
    map_batches : Convert and process an array a batch at a time.
    """
    array = np.ascontiguousarray(images)
    if array.dtype not in (np.uint8, np.float32):
        array = array.astype(np.float32)
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).to(device)


def row_limit(images: NDArray, device: str | torch.device = "cpu") -> int:
    """Return a batch size that bounds the memory of a forward pass.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w) or (n, d)
        Images or rows, at least one.
    device : str or torch.device, default="cpu"
        Device of the forward pass.

    Returns
    -------
    int
        At most 256 rows, and for images at most 2^18 pixels in a batch, four times as
        many on a GPU; at least 1.

    See Also
    --------
    map_batches : Process an array in batches of this size.
    """
    per_row = max(1, images[0, 0].size) if images.ndim == 4 else 1
    factor = 1 if torch.device(device).type == "cpu" else _FACTOR_OF_GPUS
    return max(1, min(factor * _MOST_ROWS, factor * _MOST_PIXELS // per_row))


def check_outputs(values: NDArray | float) -> None:
    """Check that all outputs of a network are finite.

    Parameters
    ----------
    values : ndarray or float
        The outputs.

    Raises
    ------
    FloatingPointError
        If a value is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise FloatingPointError(
            "The network returned NaN or infinity: training has diverged. Fit again "
            "with a lower lr."
        )


def map_batches(
    function: Callable[[Tensor], Tensor],
    images: NDArray,
    *,
    device: torch.device,
    title: str = "compute",
    verbose: int = 0,
) -> NDArray[np.float32]:
    """Apply a function to all rows, a batch at a time.

    Parameters
    ----------
    function : callable
        Maps a batch of rows, a tensor on the device, to a tensor with as many rows.
    images : ndarray of shape (n, ...)
        Images or rows, at least one; a memmap is read batch by batch.
    device : torch.device
        Device of the batches.
    title : str, default="compute"
        Title of the progress bar.
    verbose : int, default=0
        1 shows the bar if this takes more than a second, 0 only inside of
        ``progress.showing_progress``.

    Returns
    -------
    ndarray of shape (n, ...), float32
        The outputs of all rows.

    Raises
    ------
    FloatingPointError
        If an output is not finite.

    See Also
    --------
    evaluating : Move a module to the device for such a call.
    row_limit : Return the batch size.
    """
    outputs: NDArray[np.float32] | None = None
    with progress_bar(len(images), title, verbose=verbose) as advance:
        for rows in gen_batches(len(images), row_limit(images, device)):
            batch = function(to_tensor(images[rows], device)).float().cpu().numpy()
            check_outputs(batch)
            if outputs is None:
                outputs = np.empty((len(images), *batch.shape[1:]), dtype=np.float32)
            outputs[rows] = batch
            advance(len(batch))
    assert outputs is not None
    return outputs


def evenly_spaced(rows: NDArray) -> NDArray:
    """Return evenly spaced rows that together take at most 64 MiB.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
        Images or rows, at least one.

    Returns
    -------
    ndarray of shape (m, ...)
        Every k-th row, a view; two rows are kept even if they take more memory.

    See Also
    --------
    at_most : Return at most a given number of rows.
    """
    return at_most(rows, max(2, _MOST_BYTES // max(1, rows[0].nbytes)))


def at_most(rows: _Rows, most: int) -> _Rows:
    """Return at most a given number of evenly spaced rows.

    Parameters
    ----------
    rows : ndarray or Tensor of shape (n, ...)
        Images or rows.
    most : int
        Maximum number of rows, at least 1.

    Returns
    -------
    ndarray or Tensor of shape (m, ...)
        Every k-th row with the smallest k that suffices, a view.

    See Also
    --------
    evenly_spaced : Return rows that take at most 64 MiB.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.runtime import at_most
    >>> at_most(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    return rows[:: -(-len(rows) // most)]


def map_rows(
    module: nn.Module,
    function: Callable[[Tensor], Tensor],
    rows: NDArray,
    device: str | torch.device,
    *,
    title: str = "compute",
    verbose: int = 0,
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
    title, verbose
        As of :func:`map_batches`.

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
        return map_batches(
            function, rows, device=resolved, title=title, verbose=verbose
        )
