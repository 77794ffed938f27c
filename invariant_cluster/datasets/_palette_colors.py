"""Which few colours a set of pictures is drawn with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_FEW = 8  # colours that are no noise
_FLAT = 16  # of 255: greatest difference in a flat piece of a picture
_NEAR = 36.0  # of 441: colours that noise makes of one
_LEAST_SHARE = 0.001
_MIXTURE = 30.0  # from the line between two colours
_MOST = 3
_THIN = 0.2  # of its pixels survive an opening by 3 x 3
_BITS = 3  # of 8: left out to bin colours
_FARTHEST = 60.0  # of 441, or half the way to the next colour: has that colour


def find_colors(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Return the colours with which pictures are drawn.

    Parameters
    ----------
    images : sequence of ndarray of shape (h, w, 3), uint8
        Pictures of any sizes.

    Returns
    -------
    ndarray of shape (k, 3)
        Colours, the most frequent first. Those of noise, of JPEG and of smoothed edges
        are left out: where there are more than eight, only pieces of 2 x 2 pixels that
        are flat count, and colours within 36 of another one are the same.
    """
    keys, counts = _count(map(_pack, images))
    if len(keys) <= _FEW:
        kept = counts >= _LEAST_SHARE * counts.sum()
        return _unpack(keys[kept])[np.argsort(-counts[kept], kind="stable")]
    keys, counts = _count(_pack(image)[_is_flat(image)] for image in images)
    colors, shares = _merge(_unpack(keys), counts)
    return _without_mixtures(colors[shares >= _LEAST_SHARE])


def nearest_color(
    pixels: NDArray, colors: NDArray, *, least_reach: float = _FARTHEST
) -> NDArray[np.intp]:
    """Return the number of the colour nearest to each pixel.

    Parameters
    ----------
    pixels : ndarray of shape (..., 3)
        Pixels.
    colors : ndarray of shape (k, 3)
        Colours.
    least_reach : float, default=60
        Distance up to which a pixel has a colour, if that is more than half the least
        distance of two colours.

    Returns
    -------
    ndarray of int of shape (...)
        Numbers of colours; k where the pixel is far from all of them.
    """
    # |p - c|^2 is taken apart, so that no array (..., k, 3) is needed.
    exact = pixels.astype(np.float32)
    scores = exact @ (-2 * colors.T).astype(np.float32)
    scores += (colors**2).sum(axis=1).astype(np.float32)
    codes = scores.argmin(axis=-1)
    squares = scores.min(axis=-1) + (exact**2).sum(axis=-1)
    reach = _reach(colors, least_reach)
    return np.where(squares > reach**2, len(colors), codes)


def _reach(colors: NDArray, least: float) -> float:
    """Return the distance up to which a pixel has a colour."""
    gaps = np.linalg.norm(colors[:, None] - colors, axis=-1)
    apart = gaps[np.triu_indices(len(colors), 1)]
    return max(least, apart.min(initial=np.inf if len(apart) else 0) / 2)


def are_thin(codes: Iterable[NDArray], n_colors: int) -> NDArray[np.bool_]:
    """Return which colours are drawn in thin lines only.

    Parameters
    ----------
    codes : iterable of ndarray of shape (h, w), int
        Number of the colour of each pixel.
    n_colors : int
        Number of colours.

    Returns
    -------
    ndarray of bool of shape (n_colors,)
        Whether less than a fifth of the pixels lies in squares of 3 x 3.
    """
    square = np.ones((3, 3))
    kept, total = np.zeros(n_colors), np.zeros(n_colors)
    for image in codes:
        for color in range(n_colors):
            drawn = image == color
            kept[color] += ndimage.binary_opening(drawn, square).sum()
            total[color] += drawn.sum()
    thin: NDArray[np.bool_] = kept < _THIN * total
    return thin


def _pack(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return one number for each colour, (h, w)."""
    red, green, blue = np.moveaxis(image.astype(np.int32), -1, 0)
    packed: NDArray[np.int32] = (red << 16) | (green << 8) | blue
    return packed


def _unpack(keys: NDArray) -> NDArray[np.float64]:
    """Return the colours of numbers, (n, 3)."""
    return np.stack([keys >> 16, (keys >> 8) & 255, keys & 255], axis=1).astype(float)


def _count(packed: Iterable[NDArray]) -> tuple[NDArray, NDArray]:
    """Return the different numbers in some arrays, and how often each is there."""
    parts = [np.unique(one, return_counts=True) for one in packed]
    keys, inverse = np.unique(
        np.concatenate([part[0] for part in parts]), return_inverse=True
    )
    counts = np.concatenate([part[1] for part in parts])
    return keys, np.bincount(inverse, counts, minlength=len(keys))


def _is_flat(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) that start a piece of 2 x 2 almost equal pixels."""
    corners = np.stack(
        [image[:-1, :-1], image[1:, :-1], image[:-1, 1:], image[1:, 1:]]
    ).astype(np.int16)
    flat = np.ptp(corners, axis=0).max(axis=-1) <= _FLAT
    return np.pad(flat, ((0, 1), (0, 1)))


def _merge(colors: NDArray, counts: NDArray) -> tuple[NDArray, NDArray]:
    """Return colours without those near a more frequent one, and the shares of all."""
    found, shares = [], []
    left, total = counts.astype(float), max(counts.sum(), 1)
    coarse = (colors.astype(int) >> _BITS) @ [1 << 16, 1 << 8, 1]
    bins = np.unique(coarse, return_inverse=True)[1]
    while left.max(initial=0) > 0:
        there = bins == np.bincount(bins, left).argmax()
        peak = np.average(colors[there], axis=0, weights=left[there])
        near = (np.linalg.norm(colors - peak, axis=1) <= _NEAR) & (left > 0)
        near |= there & (left > 0)
        share = left[near].sum() / total
        if share < _LEAST_SHARE:
            break
        found.append(np.average(colors[near], axis=0, weights=left[near]))
        shares.append(share)
        left[near] = 0
    order = np.argsort(-np.array(shares), kind="stable")
    return np.array(found).reshape(-1, 3)[order], np.array(shares)[order]


def _without_mixtures(colors: NDArray) -> NDArray:
    """Return at least three colours, without rare ones that mix two frequent ones."""
    kept = list(colors)
    for color in colors[::-1]:
        if len(kept) <= _MOST:
            break
        row = next(i for i, one in enumerate(kept) if (one == color).all())
        if any(
            _distance_to_line(color, kept[i], kept[j]) < _MIXTURE
            for i in range(row)
            for j in range(i)
        ):
            del kept[row]
    return np.array(kept).reshape(-1, 3)


def _distance_to_line(point: NDArray, start: NDArray, end: NDArray) -> float:
    """Return the distance of a colour from the line between two others."""
    along = end - start
    place = np.clip((point - start) @ along / (along @ along), 0, 1)
    return float(np.linalg.norm(point - start - place * along))
