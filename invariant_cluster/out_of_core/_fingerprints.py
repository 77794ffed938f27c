"""Fingerprints that tell whether a model or images are those of an earlier run."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.persistence import SavableMixin, save_model

_N_SAMPLED = 16


def fingerprint_model(model: Any) -> str:
    """Return a hash of everything that a fitted model predicts from.

    Parameters
    ----------
    model : fitted clusterer or Pipeline
        Model of this package, or a Pipeline with steps of others.

    Returns
    -------
    str
        Hexadecimal hash. Steps of this package are hashed as :func:`save_model` writes
        them, so that a loaded model has the hash of the saved one; steps of other
        packages by :func:`joblib.hash`.

    Raises
    ------
    NotFittedError
        If the model is not fitted.

    See Also
    --------
    fingerprint_images : Return a hash of the images.
    """
    check_is_fitted(model)
    steps = model.steps if isinstance(model, Pipeline) else [("", model)]
    hashes = [_hash_step(step) for _, step in steps]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _hash_step(step: Any) -> str:
    """Return the hash of one fitted estimator."""
    if not isinstance(step, SavableMixin):
        return str(joblib.hash(step))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.safetensors"
        save_model(step, path)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint_images(images: Any) -> str:
    """Return a hash of the names of images and their reading, or of some values.

    Parameters
    ----------
    images : array-like of n images
        Images; 16 evenly spaced ones are read, unless they have names.

    Returns
    -------
    str
        Hexadecimal hash. A repaired file of a folder does not change it.

    See Also
    --------
    fingerprint_model : Return a hash of the model.
    """
    names = getattr(images, "names", None)
    reading = getattr(images, "reading", None)
    if names is not None:
        told = [*names, "" if reading is None else reading.to_json()]
        content = "\0".join(told).encode("utf-8", "surrogateescape")
    else:
        rows = np.unique(np.linspace(0, len(images) - 1, _N_SAMPLED).astype(np.intp))
        content = b"".join(np.asarray(images[row]).tobytes() for row in rows)
    return hashlib.sha256(content).hexdigest()
