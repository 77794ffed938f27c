"""What drift is told by: a few numbers of each image, none of which a turn changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images import edges_of

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BLANK = 1e-3  # of the intensity range; less contrast is rounding
_NO_SIZE = 1e-2  # of the side
# Differences that mean nothing however alike the training images are: of the intensity
# range (background), of the contrast (color, shape), of natural logarithms (the rest).
_FLOORS = {
    "background": 0.01,
    "contrast": 0.1,
    "size": 0.05,
    "coverage": 0.05,
    "sharpness": 0.1,
    "color": 0.03,
    "shape": 0.05,
}


class Watch(NamedTuple):
    """Which statistics are compared.

    Attributes
    ----------
    aspects : tuple of str
        Aspects of an image that tell drift when they change: some of "background",
        "contrast", "size", "coverage", "sharpness", "color" and "shape".
    grey : bool
        Whether channels count by their mean alone.
    moves : bool, default=True
        Whether objects may lie elsewhere in the frame.
    limits : tuple of float, default=()
        Limits (low, high) that the embedder clips values to, if it does.

    See Also
    --------
    watch_for : Return what an embedder must watch.
    """

    aspects: tuple[str, ...]
    grey: bool
    moves: bool = True
    limits: tuple[float, ...] = ()


class Statistics(NamedTuple):
    """Statistics of images.

    Attributes
    ----------
    values : ndarray of shape (n, k), float32
        One row an image.
    aspects : ndarray of shape (k,), str
        Aspect to which each column belongs.
    """

    values: NDArray[np.float32]
    aspects: NDArray[np.str_]


def watch_for(invariance: str) -> Watch:
    """Return what must not change in images, given what may.

    Parameters
    ----------
    invariance : str
        Words joined by "+". With "brightness", background and contrast may change; with
        "scale", all that depends on the size of the objects; with "color", the hue.

    Returns
    -------
    Watch
        The aspects that are compared.
    """
    words = invariance.split("+")
    free = {"color"} if "color" in words else set()
    if "brightness" in words:
        free |= {"background", "contrast"}
    if "scale" in words:
        free |= {"contrast", "size", "coverage", "sharpness", "shape"}
    kept = tuple(aspect for aspect in _FLOORS if aspect not in free)
    return Watch(kept, "color" in words, "translation" in words)


def measure_statistics(images: NDArray, unit: float, watch: Watch) -> Statistics:
    """Return the statistics of images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, in the user's units.
    unit : float
        Width of the intensity range of the training images.
    watch : Watch
        Aspects to measure.

    Returns
    -------
    Statistics
        Background: median of the border, in multiples of ``unit``. Contrast: logarithm
        of the root mean square distance from it. Size: logarithm of the radius of
        gyration, in multiples of the height. Coverage: logarithm of the mean distance
        in multiples of the contrast. Sharpness: the same of the Laplacian. Color: each
        channel's mean distance from the mean channel. Shape: quantiles of the distance
        from the background, and mean deviation at the border, in multiples of the
        contrast.
    """
    pixels = images.astype(np.float64)
    if watch.limits:
        pixels = np.clip(pixels, watch.limits[0], watch.limits[1])
    pixels = pixels / unit
    if watch.grey:
        pixels = pixels.mean(axis=1, keepdims=True)
    border = _border(pixels)
    background = np.median(border, axis=-1)
    above = pixels - background[..., None, None]
    contrast = np.sqrt((above**2).mean(axis=(1, 2, 3))) + _BLANK
    columns = {
        "background": background,
        "contrast": np.log(contrast)[:, None],
        **_extent(np.sqrt((above**2).mean(axis=1)), contrast),
        "sharpness": _sharpness(pixels, contrast)[:, None],
        "color": _hue(above, contrast),
        "shape": np.column_stack(
            [
                _quantiles(above.mean(axis=1)) / contrast[:, None],
                np.abs(border - background[..., None]).mean(axis=(1, 2)) / contrast,
            ]
        ),
    }
    kept = [columns[aspect] for aspect in watch.aspects]
    names = np.repeat(watch.aspects, [part.shape[1] for part in kept])
    return Statistics(np.column_stack(kept).astype(np.float32), names)


def measure_aspects(images: NDArray, unit: float) -> dict[str, NDArray[np.float32]]:
    """Return what a reader can tell of each image at a glance, by name.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, in the user's units.
    unit : float
        Width of the intensity range of the training images.

    Returns
    -------
    dict of str to ndarray of shape (n, k)
        "background", "contrast", "size", "coverage", "sharpness" and "color", as in
        :func:`measure_statistics`; "color" has no columns if the images are grey.
    """
    aspects = tuple(aspect for aspect in _FLOORS if aspect != "shape")
    values, names = measure_statistics(images, unit, Watch(aspects, grey=False))
    return {aspect: values[:, names == aspect] for aspect in aspects}


def floors_of(aspects: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return for each column the least difference that means something.

    Parameters
    ----------
    aspects : ndarray of shape (k,), str
        Aspect of each column.

    Returns
    -------
    ndarray of shape (k,)
        In the units of the column.
    """
    return np.array([_FLOORS[str(aspect)] for aspect in aspects])


def readable(values: NDArray, aspects: NDArray[np.str_], unit: float) -> NDArray:
    """Return statistics in units that a reader knows.

    Parameters
    ----------
    values : ndarray of shape (..., k)
        Statistics, or quantiles of them.
    aspects : ndarray of shape (k,), str
        Aspect of each column.
    unit : float
        Width of the intensity range of the training images.

    Returns
    -------
    ndarray of shape (..., k)
        Background and contrast in the units of the images; size, coverage and sharpness
        as ratios.
    """
    is_log = np.isin(aspects, ["contrast", "size", "coverage", "sharpness"])
    linear = np.where(is_log, np.exp(np.where(is_log, values, 0.0)), values)
    return linear * np.where(np.isin(aspects, ["background", "contrast"]), unit, 1.0)


def _border(images: NDArray) -> NDArray:
    """Return the border pixels of each channel, (n, c, m); corners count twice."""
    return np.concatenate(edges_of(images), axis=-1)


def _extent(distance: NDArray, contrast: NDArray) -> dict[str, NDArray]:
    """Return size and coverage, (n, 1) each, of distances (n, h, w)."""
    height, width = distance.shape[1:]
    y, x = np.mgrid[:height, :width].reshape(2, -1).astype(np.float64)
    mass = distance.reshape(len(distance), -1)
    total = mass.sum(axis=1) + np.finfo(float).tiny
    variance = sum(
        (mass @ axis**2) / total - ((mass @ axis) / total) ** 2 for axis in (y, x)
    )
    radius = np.sqrt(np.maximum(variance, 0.0)) / height
    coverage = mass.mean(axis=1) / contrast
    return {
        "size": np.log(radius + _NO_SIZE)[:, None],
        "coverage": np.log(coverage + _BLANK)[:, None],
    }


def _sharpness(pixels: NDArray, contrast: NDArray) -> NDArray:
    """Return the logarithm of the Laplacian's size over the contrast, (n,)."""
    inner = pixels[..., 1:-1, 1:-1]
    above, below = pixels[..., :-2, 1:-1], pixels[..., 2:, 1:-1]
    left, right = pixels[..., 1:-1, :-2], pixels[..., 1:-1, 2:]
    laplacian = 4 * inner - above - below - left - right
    size = np.sqrt((laplacian**2).mean(axis=(1, 2, 3)))
    result: NDArray = np.log(size / contrast + _NO_SIZE)
    return result


def _hue(above: NDArray, contrast: NDArray) -> NDArray:
    """Return each channel's distance from the mean of channels, (n, c); (n, 0) of 1."""
    means = above.mean(axis=(2, 3))
    if means.shape[1] == 1:
        return np.empty((len(means), 0))
    hue: NDArray = (means - means.mean(axis=1, keepdims=True)) / contrast[:, None]
    return hue


def _quantiles(images: NDArray) -> NDArray:
    """Return the quantiles of each image (n, h, w), (n, 7)."""
    ordered = np.sort(images.reshape(len(images), -1), axis=1)
    places = np.round(np.array(_QUANTILES) * (ordered.shape[1] - 1)).astype(int)
    return ordered[:, places]
