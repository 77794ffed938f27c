"""Reading of all shards of a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from invariant_cluster.out_of_core._manifest import MANIFEST, read_manifest
from invariant_cluster.out_of_core._shards import (
    import_pyarrow,
    is_complete,
    plan_shards,
)


def read_shards(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the clusters that :func:`predict_shards` wrote.

    Parameters
    ----------
    folder : path-like
        Folder of the shards.

    Returns
    -------
    DataFrame
        "index" (row of the image) or "file", "cluster", and "confidence" if the model
        has probabilities; one row per image, in the order of the images.

    Raises
    ------
    FileNotFoundError
        If the folder holds no manifest.
    ValueError
        If shards are missing or damaged.
    ImportError
        If pyarrow is not installed.

    See Also
    --------
    predict_shards : Write the shards.
    """
    place = Path(folder).expanduser()
    manifest = read_manifest(place)
    if manifest is None:
        raise FileNotFoundError(
            f"folder={str(folder)!r} holds no {MANIFEST}: give a folder that "
            "predict_shards wrote."
        )
    n_images = manifest["images"]["shape"][0]
    shards = plan_shards(place, n_images, manifest["rows_per_shard"])
    missing = [shard.path.name for shard in shards if not is_complete(shard)]
    if missing:
        raise ValueError(
            f"folder={str(folder)!r} lacks {len(missing)} of {len(shards)} shards, the "
            f"first {missing[0]}: call predict_shards again with the same model and "
            "images, which writes what is missing."
        )
    arrow = import_pyarrow()
    tables = [arrow.parquet.read_table(shard.path) for shard in shards]
    frame: pd.DataFrame = arrow.concat_tables(tables).to_pandas()
    return frame
