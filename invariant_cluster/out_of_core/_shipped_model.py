"""A model on its way to the workers of dask."""

from __future__ import annotations

import hashlib
import pickle
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from invariant_cluster.persistence import load_model

_held = threading.local()


class ShippedModel:
    """A fitted model as bytes or as a file, of which each thread takes a copy.

    A module must not be used by two threads at a time, so each thread loads the model
    once and keeps it, until it takes another.

    Parameters
    ----------
    content : bytes or Path
        The model, or a file of it, which each worker reads by itself.
    load : callable
        Returns the model from the content.

    See Also
    --------
    ship : Return a model in this form.
    one_thread : Use the model without threads of its own.
    """

    def __init__(self, content: bytes | Path, load: Callable[[Any], Any]) -> None:
        self.content = content
        self.load = load
        self.key = _key_of(content)

    def take(self) -> Any:
        """Return this thread's copy of the model.

        Returns
        -------
        estimator
            The model, loaded once per thread.
        """
        if getattr(_held, "key", None) != self.key:
            _held.model, _held.key = self.load(self.content), self.key
        return _held.model


def ship(model: Any) -> ShippedModel:
    """Return a model for the workers.

    Parameters
    ----------
    model : fitted estimator or Path
        The model, or the path of a file of :func:`save_model`.

    Returns
    -------
    ShippedModel
        The model's bytes, or the path.

    See Also
    --------
    shipped_in : Write the model to a file for the workers.
    """
    if isinstance(model, Path):
        return ShippedModel(model, load_model)
    return ShippedModel(_dump(model), pickle.loads)


@contextmanager
def shipped_in(folder: Path, model: Any) -> Iterator[ShippedModel]:
    """Write a model to a file for the workers, and delete it after the block.

    Parameters
    ----------
    folder : Path
        Folder that the workers see.
    model : fitted estimator
        The model.

    Yields
    ------
    ShippedModel
        The path. It outlives any worker, and does not pass through the scheduler.

    See Also
    --------
    ship : Return the model's bytes.
    """
    path = folder / f".model-{uuid.uuid4().hex}.pickle"
    try:
        path.write_bytes(_dump(model))
        yield ShippedModel(path, _unpickle)
    finally:
        path.unlink(missing_ok=True)


def _unpickle(path: Path) -> Any:
    """Return the model of a file of :func:`shipped_in`."""
    return pickle.loads(path.read_bytes())


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
