"""A model on its way to the workers of dask."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from invariant_cluster.persistence import load_model

_held = threading.local()


class ShippedModel:
    """A fitted model as bytes, or the path of its file.

    Each thread that takes the model has its own copy, since a module must not be used
    by two threads at a time, and keeps the last one.

    Parameters
    ----------
    model : fitted estimator or Path
        The model, or the path of a file of :func:`save_model`, which each worker reads
        by itself.

    See Also
    --------
    one_thread : Use the model without threads of its own.
    """

    def __init__(self, model: Any) -> None:
        self.content = model if isinstance(model, Path) else _dump(model)
        self.key = _key_of(self.content)

    def take(self) -> Any:
        """Return this thread's copy of the model.

        Returns
        -------
        estimator
            The model, loaded once per thread.
        """
        if getattr(_held, "key", None) != self.key:
            _held.model, _held.key = _load(self.content), self.key
        return _held.model


def _dump(model: Any) -> bytes:
    """Return a model as bytes, with the code of classes that workers cannot import."""
    import cloudpickle  # comes with dask

    return bytes(cloudpickle.dumps(model))


def _key_of(content: bytes | Path) -> str:
    """Return what tells two models apart."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    status = content.stat()
    return f"{content} {status.st_mtime_ns} {status.st_size}"


def _load(content: bytes | Path) -> Any:
    """Return a model from bytes or a file."""
    return pickle.loads(content) if isinstance(content, bytes) else load_model(content)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread of torch inside a block.

    Yields
    ------
    None
        dask runs one task per core; threads of each task would compete.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
