"""Clusters of any number of images, written shard by shard."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.utils import check_scalar

from invariant_cluster.drift import one_warning
from invariant_cluster.out_of_core._blocks import predict_rows
from invariant_cluster.out_of_core._manifest import (
    MANIFEST,
    describe_run,
    settle_manifest,
)
from invariant_cluster.out_of_core._scheduler import predict_on_workers
from invariant_cluster.out_of_core._shards import (
    PATTERN,
    Shard,
    import_pyarrow,
    is_complete,
    plan_shards,
    write_shard,
)
from invariant_cluster.progress import progress_bar


def predict_shards(
    model: Any,
    images: Any,
    folder: str | os.PathLike[str],
    *,
    rows_per_shard: int = 100_000,
    scheduler: Any = None,
    overwrite: bool = False,
    verbose: int = 0,
) -> list[Path]:
    """Write the clusters of any number of images as Parquet files, in bounded memory.

    A run that was stopped continues where it was: shards of the same model and images
    that are complete are not computed again.

    Parameters
    ----------
    model : fitted clusterer, or Pipeline that ends in one
        Model with ``predict_proba`` or ``predict``.
    images : array-like of n images
        Images of :func:`~invariant_cluster.datasets.open_images`, a memmap or an array,
        of the shape given to ``fit``.
    folder : path-like
        Folder to write to; it is made if it does not exist. It gets the files
        ``part-0000000.parquet``, ..., and ``manifest.json``, which names the model, the
        images and ``rows_per_shard``.
    rows_per_shard : int, default=100_000
        Number of images per file, and the work that an interrupt or a killed worker
        costs at most.
    scheduler : str or distributed.Client, optional
        Address of a scheduler of dask, or a client of one, whose workers compute the
        shards and write them. They must see ``folder`` and the file of the images under
        the same paths; a worker takes one thread for each shard. A shard whose worker
        dies goes to another worker. By default this process computes all shards.
    overwrite : bool, default=False
        Whether to delete the shards that the folder holds first.
    verbose : int, default=0
        1 shows a progress bar over the images, with the time left.

    Returns
    -------
    list of Path
        The files, in the order of the images. Their columns are "index" (row of the
        image), or "file" for a folder of images; "cluster"; and "confidence", the
        probability of the cluster, if the model has probabilities.

    Raises
    ------
    ValueError
        If the folder holds shards of another model, of other images or with another
        ``rows_per_shard``, or other Parquet files; if images have NaN or another shape
        than at ``fit``, or a file of them is damaged (shards before it are kept).
    NotFittedError
        If the model is not fitted.
    TypeError
        If the model has neither ``predict_proba`` nor ``predict``; if ``scheduler`` is
        given and the images are not of
        :func:`~invariant_cluster.datasets.open_images`.
    ImportError
        If pyarrow is not installed; if ``scheduler`` is given and distributed is not.

    Warns
    -----
    DriftWarning
        If images are unlike the training images: once, or once a worker's shard.

    See Also
    --------
    read_shards : Read all shards as one table.
    predict_dask : Label a dask array.

    Notes
    -----
    Images are read in blocks of at most 8192 images and 64 MiB. Each file is written
    completely or not at all. Images count as the same if shape and dtype are, and the
    names of their files and how these are read or, of an array, 16 evenly spaced
    images.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> from invariant_cluster import PolarFourierEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits, sample_images
    >>> from invariant_cluster.out_of_core import predict_shards, read_shards
    >>> images = load_oriented_digits().images
    >>> model = make_pipeline(PolarFourierEmbedder(d=8), KMeans(5, random_state=0))
    >>> model = model.fit(sample_images(images, 300, random_state=0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = predict_shards(model, images, folder, rows_per_shard=1000)
    ...     table = read_shards(folder)
    >>> [path.name for path in paths]
    ['part-0000000.parquet', 'part-0000001.parquet']
    >>> table.shape, list(table)
    ((1797, 2), ['index', 'cluster'])
    """
    check_scalar(rows_per_shard, "rows_per_shard", Integral, min_val=1)
    import_pyarrow()
    _check_model(model)
    place = _prepare_folder(Path(folder).expanduser().resolve(), overwrite)
    settle_manifest(place, describe_run(model, images, rows_per_shard))
    shards = plan_shards(place, len(images), rows_per_shard)
    missing = [shard for shard in shards if not is_complete(shard)]
    n_missing = sum(shard.stop - shard.start for shard in missing)
    n_done = len(images) - n_missing
    with progress_bar(
        len(images), "predict", initial=n_done, delay=0, verbose=verbose
    ) as advance:
        if scheduler is None:
            _predict_here(model, images, missing, advance)
        else:
            predict_on_workers(scheduler, model, images, missing, advance)
    return [shard.path for shard in shards]


def _predict_here(
    model: Any, images: Any, shards: list[Shard], advance: Callable[[int], Any]
) -> None:
    """Compute and write shards one after the other."""
    names = getattr(images, "names", None)
    with one_warning():
        for shard in shards:
            clusters = predict_rows(model, images, shard.start, shard.stop, advance)
            write_shard(shard, names, clusters)


def _check_model(model: Any) -> None:
    """Raise a TypeError unless the model labels new images."""
    if not (hasattr(model, "predict_proba") or hasattr(model, "predict")):
        raise TypeError(
            f"model is a {type(model).__name__} that has neither predict_proba nor "
            "predict, so it cannot label new images: give a clusterer, or a Pipeline "
            "that ends in one."
        )


def _prepare_folder(folder: Path, overwrite: bool) -> Path:
    """Make the folder; raise a ValueError if it holds Parquet files of others."""
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(PATTERN))
    if overwrite:
        (folder / MANIFEST).unlink(missing_ok=True)
        for path in found:
            path.unlink()
    elif found and not (folder / MANIFEST).exists():
        raise ValueError(
            f"folder={str(folder)!r} holds {found[0].name} but no {MANIFEST}: choose "
            "another folder, or use overwrite=True to replace its shards."
        )
    return folder
