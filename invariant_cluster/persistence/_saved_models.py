"""Whole pipelines in one file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline
from torch import nn

from invariant_cluster.persistence._model_file import (
    join_parts,
    read_model,
    split_parts,
    write_model,
)
from invariant_cluster.persistence._recipe import restore
from invariant_cluster.persistence._savable import SavableMixin


def save_model(
    model: Any, path: str | os.PathLike[str], *, encoder_only: bool = False
) -> None:
    """Write a fitted embedder, clusterer or Pipeline of them to one file.

    Weights are in the safetensors format, everything else is JSON in its header: no
    pickle, so that loading a file from elsewhere runs no code. joblib works too, and
    keeps what training on needs, but is only for files that you trust.

    Parameters
    ----------
    model : embedder, SCANClusterer or Pipeline
        Fitted. Callbacks and generators are left out.
    path : path-like
        Replaced if it exists, whole or not at all.
    encoder_only : bool, default=False
        Leave out what ``transform`` does not need, which is most of the bytes of an
        ``IRLINREmbedder``: a loaded embedder cannot ``reconstruct``, ``draw`` or
        ``score``.

    Raises
    ------
    TypeError
        When the model, or a step of it, is of another package, or has a parameter that
        a file cannot hold.
    FileNotFoundError
        When the folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from invariant_cluster import PolarFourierEmbedder, load_model, save_model
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = PolarFourierEmbedder(d=8).fit(images)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(embedder, Path(folder) / "digits.safetensors")
    ...     loaded = load_model(Path(folder) / "digits.safetensors")
    >>> bool(np.array_equal(loaded.transform(images), embedder.transform(images)))
    True
    """
    is_pipeline = isinstance(model, Pipeline)
    steps = model.steps if is_pipeline else [(None, model)]
    for name, step in steps:
        _check_savable(name, step)
    parts = [(name, step._dump(encoder_only=encoder_only)) for name, step in steps]
    write_model(path, join_parts(parts))


def load_model(
    path: str | os.PathLike[str],
    *,
    encoder: Callable[[int], nn.Module] | None = None,
) -> Any:
    """Return the fitted estimator or Pipeline that a file of ``save_model`` holds.

    Parameters
    ----------
    path : path-like
    encoder : callable, optional
        The factory given as ``encoder`` when the model was trained, if it was your own:
        a file holds its weights, not its code.

    Returns
    -------
    estimator or Pipeline
        Its outputs equal those of the saved one. It cannot be trained further. A
        Pipeline's ``memory`` and ``set_output`` are not kept.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is damaged or of a newer version.
    """
    parts = split_parts(read_model(path))
    steps = [(name, restore(part, encoder)) for name, part in parts]
    if steps[0][0] is None:
        return steps[0][1]
    return Pipeline(steps)


def _check_savable(name: str | None, step: Any) -> None:
    if isinstance(step, SavableMixin):
        return
    place = "model is" if name is None else f"step {name!r} is"
    kind = step if isinstance(step, str) else type(step).__name__
    raise TypeError(
        f"{place} {kind}, of which a model file knows nothing: save the embedder alone "
        "with its save, or the whole with joblib."
    )
