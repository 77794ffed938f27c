"""Saving and loading of embedders, clusterers and whole pipelines."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline
from torch import nn

from invariant_cluster.datasets import Reading
from invariant_cluster.persistence._model_file import (
    join_parts,
    read_model,
    split_parts,
    write_model,
)
from invariant_cluster.persistence._recipe import restore
from invariant_cluster.persistence._savable import check_savable


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    encoder_only: bool = False,
    reading: Reading | None = None,
) -> None:
    """Write a fitted embedder, clusterer or Pipeline of them to one file.

    Parameters
    ----------
    model : embedder, clusterer or Pipeline
        Fitted model. Callbacks and random generators are not saved.
    path : path-like
        File to write, completely or not at all; it is replaced if it exists.
    encoder_only : bool, default=False
        Whether to omit the parts that ``transform`` does not need, which are most of
        the bytes of an ``IRLINREmbedder``. A loaded embedder then cannot
        ``reconstruct``, ``draw`` or ``score``.
    reading : Reading, optional
        How the files of the training images were read, as ``load_image_folder`` returns
        it, to be able to read new ones in the same way.

    Raises
    ------
    NotFittedError
        If the model, or a step of it, is not fitted.
    TypeError
        If the model, or a step of it, is from another package, or has a parameter that
        a file cannot hold; if ``reading`` is no Reading.
    FileNotFoundError
        If the folder does not exist.

    See Also
    --------
    load_model : Load the file.
    load_reading : Return the reading alone.

    Notes
    -----
    Weights are in the safetensors format, everything else is JSON in its header. There
    is no pickle, so loading a file from an unknown source runs no code. joblib also
    works and keeps what further training needs, but its files must come from a trusted
    source.

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
        check_savable(name, step)
    parts = [(name, step._dump(encoder_only=encoder_only)) for name, step in steps]
    write_model(path, join_parts(parts, None if reading is None else _text(reading)))


def load_model(
    path: str | os.PathLike[str],
    *,
    encoder: Callable[[int], nn.Module] | None = None,
) -> Any:
    """Return the fitted estimator or Pipeline that :func:`save_model` wrote.

    Parameters
    ----------
    path : path-like
        File of :func:`save_model` or of an estimator's ``save``.
    encoder : callable, optional
        Factory that was the parameter ``encoder`` in training, if it was your own code.
        A file holds its weights, not its code.

    Returns
    -------
    estimator or Pipeline
        The model, on the CPU. Its outputs equal those of the saved one. Its training
        cannot be continued, and the ``memory`` and ``set_output`` of a Pipeline are not
        restored.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, has a newer format, names an unknown class, or needs
        ``encoder``.

    Warns
    -----
    UserWarning
        If a newer version of this package wrote the file.

    See Also
    --------
    save_model : Write such a file.
    load_reading : Return how the training images were read.
    """
    parts = split_parts(read_model(path))
    steps = [(name, restore(part, encoder)) for name, part in parts]
    if steps[0][0] is None:
        return steps[0][1]
    return Pipeline(steps)


def load_reading(path: str | os.PathLike[str]) -> Reading | None:
    """Return how the files of a model's training images were read.

    Parameters
    ----------
    path : path-like
        File of :func:`save_model`.

    Returns
    -------
    Reading or None
        For ``load_image_folder(folder, reading=...)``; None if the file holds none.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_model`.

    See Also
    --------
    save_model : Write such a file.
    """
    text = read_model(path).spec.get("reading")
    if text is None:
        return None
    try:
        return Reading.from_json(text)
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"path={str(path)!r} holds a reading of files that is not understood "
            f"({error}): a newer version wrote it, or it was altered. Install the "
            "newer version, or give the options of reading again."
        ) from error


def _text(reading: object) -> str:
    """Return a reading as text; raise a TypeError if it is none."""
    if not isinstance(reading, Reading):
        raise TypeError(
            f"reading={reading!r} is no Reading: give the reading of a loaded folder."
        )
    return reading.to_json()
