"""A random sample of images, to fit a model to."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.random import sample_without_replacement


def sample_images(
    images: Any,
    n_images: int = 100_000,
    *,
    random_state: int | np.random.RandomState | None = None,
    return_rows: bool = False,
) -> NDArray | tuple[NDArray, NDArray[np.intp]]:
    """Return images drawn at random, without repetition and in their order.

    Parameters
    ----------
    images : array-like of n images
        Images of :func:`open_images`, a memmap or an array. Only the drawn ones are
        read, and with them the pieces of a compressed file that hold them.
    n_images : int, default=100_000
        Number of images to draw; all of them if there are no more.
    random_state : int, RandomState or None, default=None
        Seed of the draw.
    return_rows : bool, default=False
        Whether to return the rows of the drawn images, too.

    Returns
    -------
    sample : ndarray of min(n, n_images) images
        The drawn images, in memory.
    rows : ndarray of int, shape (min(n, n_images),)
        Their rows, increasing. Only with ``return_rows=True``.

    Raises
    ------
    TypeError, ValueError
        If ``n_images`` is not a positive integer.

    See Also
    --------
    open_images : Open images that need not fit in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.datasets import sample_images
    >>> images = np.arange(5)[:, None, None] * np.ones((8, 8))
    >>> sample, rows = sample_images(images, 3, random_state=0, return_rows=True)
    >>> sample.shape, bool((sample[:, 0, 0] == rows).all())
    ((3, 8, 8), True)
    """
    check_scalar(n_images, "n_images", Integral, min_val=1)
    generator = check_random_state(random_state)
    n_given = len(images)
    n_drawn = min(n_given, int(n_images))
    drawn = sample_without_replacement(n_given, n_drawn, random_state=generator)
    rows = np.sort(drawn).astype(np.intp)
    sample = np.asarray(images[rows])
    return (sample, rows) if return_rows else sample
