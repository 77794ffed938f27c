"""scikit-learn's digits, each rotated and shifted."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from invariant_cluster.datasets._arguments import check_side
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._oriented import make_oriented
from invariant_cluster.datasets._resizing import resize_smoothly

_MIN_SIZE = 12
_DESCR = """Oriented digits
===============

The 1,797 handwritten digits of scikit-learn (8x8, UCI Optical Recognition of
Handwritten Digits), enlarged to {digit}x{digit} (bicubic), scaled to 0..255 (uint8)
and embedded in a black frame of {size}x{size}. Each digit is rotated about the frame's
centre by its own angle, uniform on [0, 2 pi), and then shifted by N(0, s^2) pixels in
x and y, s = {std:.3g}. `theta` (radians, counter-clockwise) and `tau` (pixels, x and
y, y up) are the rotations and shifts. A rotated 6 may look like a 9: the classes are
those of the upright digits.
"""


def load_oriented_digits(
    *,
    size: int = 24,
    translation_std: float = 0.1,
    random_state: int | np.random.RandomState | None = 0,
    return_X_y: bool = False,
) -> Dataset:
    """Return scikit-learn's digits, each with its own orientation and position.

    The data come with scikit-learn: no file, no download. The 8x8 digits are enlarged
    (bicubic) so that a margin of a sixth of the frame remains on every side, for
    example 16x16 in the default frame of 24x24. A digit then fits at any angle, and
    with the default shifts it mostly stays in the frame.

    Parameters
    ----------
    size : int, default=24
        Side of the frame in pixels, at least 12.
    translation_std : float, default=0.1
        Standard deviation of the shift in x and in y, as a fraction of ``size``.
    random_state : int, RandomState or None, default=0
        Seed of the rotations and shifts; None draws new ones at each call.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (1797, size, size) uint8, ``target`` (1797,) int64, ``target_names``,
        ``theta`` (1797,) in radians, ``tau`` (1797, 2) in pixels (x, y), y up, and
        ``DESCR``.

    Raises
    ------
    ValueError
        If size is below 12, or translation_std is negative or not finite.

    See Also
    --------
    fetch_mnist_u : Return MNIST(U), which is larger and harder.
    make_oriented : Apply the same measurement model to other images.

    Examples
    --------
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> digits = load_oriented_digits()
    >>> digits.images.shape, digits.tau.shape
    ((1797, 24, 24), (1797, 2))
    """
    size = check_side("size", size, minimum=_MIN_SIZE)
    digits = load_digits()
    digit = size - 2 * (size // 6)
    enlarged = resize_smoothly(_to_uint8(digits.images), digit)
    images, theta, tau = make_oriented(
        enlarged,
        size=size,
        translation_std=translation_std,
        random_state=random_state,
    )
    descr = _DESCR.format(digit=digit, size=size, std=translation_std * size)
    return make_bunch(
        images,
        digits.target,
        digits.target_names,
        descr,
        return_X_y=return_X_y,
        theta=theta,
        tau=tau,
    )


def _to_uint8(images: np.ndarray) -> np.ndarray:
    """Scale the 17 levels of the digits, 0 to 16, to 0..255."""
    return np.rint(images * (255 / 16)).astype(np.uint8)
