"""Images of different dtypes brought to one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def common_depth(dtypes: Iterable[np.dtype], mixed_depth: str) -> np.dtype:
    """Return the dtype that takes images of several.

    Parameters
    ----------
    dtypes : iterable of dtype
        Dtypes of the files.
    mixed_depth : {"widen", "scale"}
        "widen" returns the smallest dtype that holds all values; "scale" the widest of
        the given integers.

    Returns
    -------
    dtype
        The dtype. Of a signed and an unsigned type of one width, "scale" takes the
        unsigned one.

    Raises
    ------
    ValueError
        If "scale" is to map floats, whose values have no full range.

    See Also
    --------
    convert_depth : Convert images to the dtype.
    """
    kinds = sorted(set(dtypes), key=lambda dtype: (dtype.itemsize, dtype.kind == "u"))
    if len(kinds) == 1:
        return kinds[0]
    if mixed_depth == "widen":
        return np.result_type(*kinds)
    if any(dtype.kind == "f" for dtype in kinds):
        raise ValueError(
            "mixed_depth='scale' maps the full range of integers, but the folder holds "
            f"{', '.join(str(dtype) for dtype in kinds)}: use mixed_depth='widen'."
        )
    return kinds[-1]


def convert_depth(images: NDArray, dtype: np.dtype, mixed_depth: str) -> NDArray:
    """Convert images to the dtype of a folder.

    Parameters
    ----------
    images : ndarray
        Images of any real dtype.
    dtype : dtype
        The dtype, as :func:`common_depth` returns it or a model keeps it.
    mixed_depth : {"raise", "widen", "scale"}
        "widen" keeps the values; "scale" maps the full range of one integer type to
        that of the other.

    Returns
    -------
    ndarray
        Images of the dtype; the input itself if it has it.

    Raises
    ------
    ValueError
        If the dtype does not hold the images' values, or ``mixed_depth`` does not allow
        other dtypes.
    """
    if images.dtype == dtype:
        return images
    if mixed_depth == "scale" and images.dtype.kind in "iu" and dtype.kind in "iu":
        return _map_range(images, dtype)
    if mixed_depth == "widen" and np.can_cast(images.dtype, dtype, "safe"):
        return images.astype(dtype)
    raise ValueError(
        f"Files of {images.dtype} do not fit mixed_depth={mixed_depth!r} for images of "
        f"{dtype}: convert the files, or use mixed_depth='widen' (values are kept) or "
        "'scale' (the full range is mapped) from the first folder on."
    )


def _map_range(images: NDArray, dtype: np.dtype) -> NDArray:
    """Return integers, the full range of their type mapped to that of another."""
    old, new = np.iinfo(images.dtype), np.iinfo(dtype)
    shares = (images.astype(np.float64) - old.min) / (old.max - old.min)
    return np.rint(shares * (new.max - new.min) + new.min).astype(dtype)
