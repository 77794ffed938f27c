"""Shards: the Parquet files that hold the clusters of consecutive images."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.out_of_core._blocks import Clusters
from invariant_cluster.persistence import replacing
from invariant_cluster.readers import name_as_text

PATTERN = "part-*.parquet"


class Shard(NamedTuple):
    """Consecutive images whose clusters are in one file.

    Attributes
    ----------
    path : Path
        The file.
    start : int
        Row of the first image.
    stop : int
        Row after the last image.
    """

    path: Path
    start: int
    stop: int


def plan_shards(folder: Path, n_images: int, rows_per_shard: int) -> list[Shard]:
    """Return all shards of a run.

    Parameters
    ----------
    folder : Path
        Folder of the files ``part-0000000.parquet``, ``part-0000001.parquet``, ...
    n_images : int
        Number of images.
    rows_per_shard : int
        Number of images per shard; the last one may have fewer.

    Returns
    -------
    list of Shard
        The shards, in the order of the images.

    Examples
    --------
    >>> from pathlib import Path
    >>> from invariant_cluster.out_of_core._shards import plan_shards
    >>> [(s.path.name, s.start, s.stop) for s in plan_shards(Path("."), 5, 3)]
    [('part-0000000.parquet', 0, 3), ('part-0000001.parquet', 3, 5)]
    """
    starts = range(0, n_images, rows_per_shard)
    return [
        Shard(
            folder / f"part-{number:07d}.parquet",
            start,
            min(start + rows_per_shard, n_images),
        )
        for number, start in enumerate(starts)
    ]


def is_complete(shard: Shard) -> bool:
    """Return whether the file of a shard is there, intact and has all its rows.

    Parameters
    ----------
    shard : Shard
        The shard.

    Returns
    -------
    bool
        False also for a damaged file, which is then written again.
    """
    arrow = import_pyarrow()
    if not shard.path.exists():
        return False
    try:
        n_rows = arrow.parquet.read_metadata(shard.path).num_rows
    except (OSError, arrow.ArrowException):
        return False
    return bool(n_rows == shard.stop - shard.start)


def write_shard(shard: Shard, names: list[str] | None, clusters: Clusters) -> None:
    """Write the clusters of a shard, completely or not at all.

    Parameters
    ----------
    shard : Shard
        The shard.
    names : list of str or None
        Names of all images; None to number them.
    clusters : Clusters
        Clusters of the images of the shard.
    """
    arrow = import_pyarrow()
    columns: dict[str, Any] = {"cluster": clusters.labels}
    if clusters.confidence is not None:
        columns["confidence"] = clusters.confidence
    table = arrow.table({**_identify(shard, names), **columns})
    with replacing(shard.path) as temporary:
        arrow.parquet.write_table(table, temporary)


def _identify(shard: Shard, names: list[str] | None) -> dict[str, Any]:
    """Return the column that tells which image a row is of."""
    if names is None:
        return {"index": np.arange(shard.start, shard.stop)}
    return {"file": list(map(name_as_text, names[shard.start : shard.stop]))}


def import_pyarrow() -> ModuleType:
    """Return pyarrow with its module ``parquet``.

    Returns
    -------
    module
        The package.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Shards are Parquet files, which need pyarrow, which is not installed: run "
            "'pip install pyarrow' or install this package with the extra 'scale'."
        ) from error
    return pyarrow
