"""A method of a model, applied to the blocks of a dask array."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.drift import one_warning
from invariant_cluster.out_of_core._shipped_model import ShippedModel, one_thread, ship

_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "score_samples",
    "transform",
)


def predict_dask(model: Any, images: Any, *, method: str = "predict") -> Any:
    """Return the clusters or features of a dask array of images, as a dask array.

    Nothing is computed before ``compute`` or a store of the result. It works with the
    threads, the processes and the distributed workers of dask.

    Parameters
    ----------
    model : fitted estimator or Pipeline, or path-like
        Model, which each worker gets once; or file of
        :func:`~invariant_cluster.save_model`, which each worker reads by itself and
        must see under this path: better for large models.
    images : dask.array.Array of shape (n, h, w), (n, h, w, c), (n, c, h, w) or \
(n, n_values)
        Images, as the model takes them. They are computed in the chunks of the first
        axis; the other axes are made one chunk each.
    method : {"predict", "predict_proba", "predict_log_proba", "score_samples", \
"transform"}, default="predict"
        Method to apply.

    Returns
    -------
    dask.array.Array of shape (n,) or (n, n_outputs)
        The method's result, in the chunks of the images.

    Raises
    ------
    TypeError
        If ``images`` is not a dask array.
    ValueError
        If ``method`` is unknown or the model does not have it, or the number of images
        of a chunk is unknown.
    ImportError
        If dask is not installed.

    See Also
    --------
    predict_shards : Write the clusters to files, and continue after an interrupt.

    Notes
    -----
    The model is applied to two random images first, to learn the form of its outputs.
    Each task computes with one thread of torch.

    Examples
    --------
    >>> import dask.array as da
    >>> from invariant_cluster import PolarFourierEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> from invariant_cluster.out_of_core import predict_dask
    >>> images = load_oriented_digits().images[:300]
    >>> embedder = PolarFourierEmbedder(d=8).fit(images)
    >>> blocks = da.from_array(images, chunks=(100, -1, -1))
    >>> z = predict_dask(embedder, blocks, method="transform")
    >>> z
    dask.array<..., shape=(300, 8), dtype=float32, chunksize=(100, 8), ...>
    >>> bool((z.compute() == embedder.transform(images)).all())
    True
    """
    _check_dask_array(images)
    is_path = isinstance(model, str | os.PathLike)
    shipped = ship(Path(model).expanduser().resolve() if is_path else model)
    _check_method(shipped.take(), method)
    form = _probe(shipped, images, method)
    whole = images.rechunk(dict.fromkeys(range(1, images.ndim), -1))
    return whole.map_blocks(
        _apply,
        _delayed(shipped),
        method,
        dtype=form.dtype,
        meta=form[:0],
        drop_axis=list(range(1, images.ndim)),
        new_axis=list(range(1, form.ndim)),
        chunks=(images.chunks[0], *form.shape[1:]),
    )


def _apply(images: NDArray, shipped: ShippedModel, method: str) -> NDArray:
    """Apply a method of the model to one block, on a worker."""
    with one_thread():
        return np.asarray(getattr(shipped.take(), method)(images))


def _probe(shipped: ShippedModel, images: Any, method: str) -> NDArray:
    """Return the outputs for two random images."""
    noise = np.random.default_rng(0).uniform(0, 100, (2, *images.shape[1:]))
    with one_warning(silent=True):
        return _apply(noise.astype(images.dtype), shipped, method)


def _delayed(shipped: ShippedModel) -> Any:
    """Return the model as a task, so that dask moves it to each worker once."""
    import dask

    return dask.delayed(shipped, name=f"model-{shipped.key}", traverse=False)


def _check_method(model: Any, method: str) -> None:
    """Raise a ValueError unless the model has the method."""
    if method not in _METHODS:
        raise ValueError(f"method={method!r} is unknown: choose one of {_METHODS}.")
    if not hasattr(model, method):
        raise ValueError(
            f"method={method!r}, but this {type(model).__name__} does not have it: "
            "choose another method or model."
        )


def _check_dask_array(images: Any) -> None:
    """Raise an error unless images are a dask array with chunks of known sizes."""
    try:
        import dask.array
    except ImportError as error:
        raise ImportError(
            "predict_dask needs dask, which is not installed: run 'pip install "
            "dask[array]' or install this package with the extra 'scale'."
        ) from error
    if not isinstance(images, dask.array.Array):
        raise TypeError(
            f"images is a {type(images).__name__}: give a dask array, such as "
            "dask.array.from_array(images, chunks=(10_000, -1, -1))."
        )
    if np.isnan(images.shape).any():
        raise ValueError(
            f"images has chunks of unknown sizes, shape {images.shape}: call "
            "images.compute_chunk_sizes() first."
        )
