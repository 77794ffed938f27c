"""The disc that all images share, such as the wafer of wafer maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_IMAGES = 256
_RARE = 0.02  # A pixel that fewer images use lies outside: specks, lost dies.
_LEAST_OVERLAP = 0.92  # of the used pixels and their ellipse; a square has 0.79
_LEAST_SIDE = 0.7  # of the image
_ROUND = 1.25  # longest to shortest side
_LEAST_RIM = 0.6  # contrast of the rim, relative to the middle
_RIM, _MIDDLE = (0.8, 0.93), 0.6  # radii, as fractions of the disc's


@dataclass(frozen=True)
class Disc:
    """Ellipse on an image, in fractions of the image's width and height.

    Attributes
    ----------
    x, y : float
        Centre, from the left and from the top.
    width, height : float
        Diameters.
    """

    x: float = 0.5
    y: float = 0.5
    width: float = 1.0
    height: float = 1.0


def find_disc(pictures: NDArray) -> Disc | None:
    """Return the disc that all images share, or None if they share none.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w) or (n, h, w, c)
        Pictures with values in [0, 1], as from :func:`as_pictures`. Of more than 256,
        256 are looked at.

    Returns
    -------
    Disc or None
        The disc.

    Notes
    -----
    A pixel is used if images differ there from the corners' usual value. The used
    pixels have to fill a disc that is nearly as large as the image, up to a sharp rim:
    objects at any angle fill a disc together too, but ever less towards its edge.
    Single maps may leave most of the disc blank.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import find_disc
    >>> y, x = np.mgrid[-1:1:33j, -1:1:33j]
    >>> find_disc(np.array([x**2 + y**2 < 0.81]))
    Disc(x=0.5, y=0.5, width=0.8787878787878788, height=0.8787878787878788)
    """
    step = -(-len(pictures) // _MOST_IMAGES)
    contrast = _contrast(np.asarray(pictures[::step], dtype=np.float32))
    inside = (contrast > 1 / 255).mean(axis=0) > _RARE
    if not inside.any():
        return None
    disc = _around(inside)
    radius = _radius(disc, inside.shape)
    if not _fits(disc, inside, radius):
        return None
    return disc if _is_sharp(contrast.mean(axis=0), radius) else None


def _contrast(pictures: NDArray) -> NDArray[np.float32]:
    """Return the difference (n, h, w) of pictures from the corners' usual value."""
    channels = pictures.reshape(*pictures.shape[:3], -1)
    corners = channels[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    blank = np.median(corners.reshape(-1, channels.shape[-1]), axis=0)
    return np.abs(channels - blank).max(axis=-1)


def _around(inside: NDArray[np.bool_]) -> Disc:
    """Return the ellipse in the bounding box of a mask."""
    sides = []
    for axis in (0, 1):
        places = np.flatnonzero(inside.any(axis=axis))
        n = inside.shape[1 - axis]
        sides.append(((places[0] + places[-1] + 1) / 2 / n, np.ptp(places) + 1, n))
    (x, across, width), (y, down, height) = sides
    return Disc(float(x), float(y), float(across / width), float(down / height))


def _radius(disc: Disc, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the distance (h, w) of pixels from the centre, 1 on the ellipse."""
    height, width = shape
    y, x = np.mgrid[:height, :width] + 0.5
    across = (x / width - disc.x) / (disc.width / 2)
    down = (y / height - disc.y) / (disc.height / 2)
    return np.hypot(across, down)


def _fits(disc: Disc, inside: NDArray[np.bool_], radius: NDArray) -> bool:
    """Return whether a mask is a disc that is nearly as large as the image."""
    height, width = inside.shape
    across, down = disc.width * width, disc.height * height
    if min(disc.width, disc.height) < _LEAST_SIDE:
        return False
    if max(across, down) > _ROUND * min(across, down):
        return False
    ellipse = radius <= 1
    overlap = (ellipse & inside).sum() / (ellipse | inside).sum()
    return bool(overlap >= _LEAST_OVERLAP)


def _is_sharp(contrast: NDArray, radius: NDArray) -> bool:
    """Return whether the rim of the disc has about the contrast of its middle."""
    rim = contrast[(radius > _RIM[0]) & (radius < _RIM[1])]
    middle = contrast[radius < _MIDDLE]
    if not len(rim) or not len(middle):  # images of a few pixels
        return False
    return bool(rim.mean() >= _LEAST_RIM * middle.mean())
