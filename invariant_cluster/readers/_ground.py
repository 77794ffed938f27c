"""One ground for the transparent pixels of many files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from invariant_cluster.readers._decoders import decode_image, states_opacity
from invariant_cluster.readers._missing import fill_missing
from invariant_cluster.readers._transparency import farther_ground, opaque_mean

_MOST_LOOKED_AT = 1024  # files in which transparency is looked for
_MOST_COMPARED = 32  # files with transparency that decide on the ground


def choose_ground(paths: Sequence[Path]) -> str:
    """Return what transparent pixels of many files become.

    Parameters
    ----------
    paths : sequence of Path
        Image files. Those that cannot be read are passed over.

    Returns
    -------
    {"black", "white"}
        The ground farther from the mean of the opaque pixels of up to 32 files with
        transparent pixels, found among up to 1,024 files in a fixed random order;
        "black" if none of them has transparent pixels.

    Raises
    ------
    ImportError
        If Pillow is needed and not installed.

    See Also
    --------
    read_image : Read one file, with ``transparent`` set to the ground.
    """
    order = np.random.default_rng(0).permutation(len(paths))[:_MOST_LOOKED_AT]
    means = _find_means(paths[i] for i in order)
    return farther_ground(islice(means, _MOST_COMPARED))


def _find_means(paths: Iterable[Path]) -> Iterator[float]:
    """Yield the mean of the opaque pixels of each file with transparent ones."""
    for path in paths:
        try:
            mean = _find_mean(path)
        except ImportError:
            raise
        except Exception:  # the file is named when it is read
            continue
        if mean is not None:
            yield mean


def _find_mean(path: Path) -> float | None:
    """Return the mean of the opaque pixels, or None if no pixel is transparent."""
    with open(path, "rb") as handle:
        # Most files are opaque, which their header tells.
        if not states_opacity(handle):
            return None
        return opaque_mean(fill_missing(decode_image(handle)))
