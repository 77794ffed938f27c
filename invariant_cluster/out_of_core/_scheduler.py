"""Shards computed and written by the workers of a dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from invariant_cluster.datasets import StoredImages
from invariant_cluster.out_of_core._blocks import predict_rows
from invariant_cluster.out_of_core._shards import Shard, is_complete, write_shard
from invariant_cluster.out_of_core._shipped_model import (
    ShippedModel,
    one_thread,
    shipped_in,
)


def predict_on_workers(
    scheduler: Any,
    model: Any,
    images: Any,
    shards: list[Shard],
    advance: Callable[[int], Any],
) -> None:
    """Compute and write shards on the workers of a scheduler.

    Parameters
    ----------
    scheduler : str or distributed.Client
        Address of the scheduler, or a client.
    model : fitted clusterer or Pipeline
        Model to query.
    images : StoredImages
        All images; each worker opens them by itself.
    shards : list of Shard
        Shards to write.
    advance : callable
        Called with the number of images after each shard.

    Raises
    ------
    TypeError
        If workers cannot open the images by themselves.
    ImportError
        If distributed is not installed.
    OSError
        If there is no scheduler at the address.

    Notes
    -----
    Each worker reads the model once, from a file beside the shards. A shard whose
    worker dies is computed again, up to dask's number of ``allowed-failures``.
    """
    if not isinstance(images, StoredImages):
        raise TypeError(
            f"images is a {type(images).__name__}, which would be sent to the workers "
            "image by image: save them and give datasets.open_images(path)."
        )
    distributed = _import_distributed()
    if not shards:
        return
    folder = shards[0].path.parent
    with shipped_in(folder, model) as shipped, _connected(scheduler) as client:
        futures = {
            client.submit(_write, shipped, images, shard, pure=False): shard
            for shard in shards
        }
        for future in distributed.as_completed(futures):
            future.result()
            advance(futures[future].stop - futures[future].start)


def _write(shipped: ShippedModel, images: StoredImages, shard: Shard) -> None:
    """Compute and write one shard, on a worker.

    dask repeats finished tasks whose worker dies before it could tell.
    """
    if is_complete(shard):
        return
    with one_thread():
        clusters = predict_rows(shipped.take(), images, shard.start, shard.stop)
    write_shard(shard, images.names, clusters)


@contextmanager
def _connected(scheduler: Any) -> Iterator[Any]:
    """Yield a client of a scheduler; close it if it was made here."""
    distributed = _import_distributed()
    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    with distributed.Client(scheduler, set_as_default=False) as client:
        yield client


def _import_distributed() -> Any:
    """Return the package distributed."""
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            "scheduler= needs distributed, which is not installed: run 'pip install "
            "distributed' or install this package with the extra 'scale'."
        ) from error
    return distributed
