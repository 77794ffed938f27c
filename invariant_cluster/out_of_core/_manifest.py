"""The manifest: which model and which images the shards of a folder belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from invariant_cluster.out_of_core._fingerprints import (
    fingerprint_images,
    fingerprint_model,
)
from invariant_cluster.persistence import replacing

MANIFEST = "manifest.json"
_FORMAT = 1
_REMEDY = "choose another folder, or use overwrite=True to replace its shards."


def describe_run(model: Any, images: Any, rows_per_shard: int) -> dict[str, Any]:
    """Return the manifest of a run.

    Parameters
    ----------
    model : fitted clusterer or Pipeline
        Model that labels the images.
    images : array-like of n images
        All images.
    rows_per_shard : int
        Number of images per shard.

    Returns
    -------
    dict
        "format", "model" (hash), "images" ("shape", "dtype", "n_bytes" and hash) and
        "rows_per_shard", as JSON.

    Raises
    ------
    NotFittedError
        If the model is not fitted.

    See Also
    --------
    settle_manifest : Compare it with that of the folder.
    """
    shape, dtype = [int(side) for side in images.shape], np.dtype(images.dtype)
    return {
        "format": _FORMAT,
        "model": fingerprint_model(model),
        "images": {
            "shape": shape,
            "dtype": str(dtype),
            "n_bytes": int(np.prod(shape, dtype=np.int64)) * dtype.itemsize,
            "hash": fingerprint_images(images),
        },
        "rows_per_shard": int(rows_per_shard),
    }


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder.

    Parameters
    ----------
    folder : Path
        Folder of shards.

    Returns
    -------
    dict or None
        The manifest; None if there is none.

    Raises
    ------
    ValueError
        If the file is not a manifest.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a manifest of shards: {_REMEDY}") from error
    if found != _FORMAT:
        raise ValueError(
            f"{path} has format {found}, not {_FORMAT}: read it with the version of "
            f"invariant_cluster that wrote it, or {_REMEDY}"
        )
    return dict(manifest)


def settle_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest into a folder, or compare it with the one that is there.

    Parameters
    ----------
    folder : Path
        Folder of shards.
    manifest : dict
        Result of :func:`describe_run`.

    Raises
    ------
    ValueError
        If the folder holds shards of another model, of other images or of another
        size.

    See Also
    --------
    describe_run : Return the manifest.
    """
    found = read_manifest(folder)
    if found is None:
        with replacing(folder / MANIFEST) as temporary:
            temporary.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        return
    for name, told in _TOLD.items():
        if found.get(name) != manifest[name]:
            raise ValueError(
                f"{str(folder)!r} holds shards of {told.format(found.get(name))}: "
                f"{_REMEDY}"
            )


_TOLD = {
    "model": "another model",
    "images": "other images ({0})",
    "rows_per_shard": "rows_per_shard={0}",
}
