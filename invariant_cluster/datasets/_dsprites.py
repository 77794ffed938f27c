"""dSprites, generated: one white shape per image, of known pose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar

from invariant_cluster.datasets._arguments import check_side
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._sprite_shapes import SHAPES, draw_sprites

_NAMES = tuple(SHAPES)
# Shapes, scales, orientations, and positions in x and in y, the last varying fastest.
_GRID = (6, 40, 32, 32)
_SCALES = np.linspace(0.5, 1, _GRID[0])
# As in the published file, both ends belong to the grid.
_ORIENTATIONS = np.linspace(0, 2 * math.pi, _GRID[1])
_SIDE = 64
_STEP = 1 / _SIDE  # between positions, as a fraction of the side
# Area of a shape of scale 1 as a fraction of the image. The mean of the scales' squares
# is 0.592, so that the mean of all pixels is that of the published file.
_MEAN_PIXEL = 0.0425
_AREA = _MEAN_PIXEL / np.mean(_SCALES**2)
_DESCR = """dSprites, generated
===================

{n} of the {total} images of {side}x{side} pixels with one white shape on black.
Shapes: {shapes}. There are 6 scales from 0.5 to 1, 40 orientations
from 0 to 2 pi and 32 x 32 positions. `theta` (radians, counter-clockwise), `tau`
(pixels, x and y, y up) and `scale` are the true factors, `factors` their places on the
grid. A square looks the same at theta + pi / 2, an ellipse at theta + pi.

The grid is that of dSprites (L. Matthey, I. Higgins, D. Hassabis, A. Lerchner,
"dSprites: Disentanglement testing Sprites dataset", 2017,
https://github.com/deepmind/dsprites-dataset), the pixels are drawn anew: they are not
those of the published file.
"""


def make_dsprites(
    n_samples: int | None = None,
    *,
    shapes: Sequence[str] = _NAMES,
    side: int = _SIDE,
    antialias: bool = False,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Generate dSprites: images of a square, an ellipse or a heart of known pose.

    Nothing is downloaded. The grid of factors is that of Matthey et al. (2017): 3
    shapes, 6 scales, 40 orientations and 32 x 32 positions, 737,280 images in all.

    Parameters
    ----------
    n_samples : int, default=None
        Number of images, drawn at random from the grid without replacement. None
        returns all images in the order of the published file: 3.0 GB at the default
        side with all shapes, drawn in pieces, with 0.2 GB for the factors.
    shapes : sequence of {"square", "ellipse", "heart"}
        Shapes to draw, by default all three. Each adds 245,760 images to the grid.
    side : int, default=64
        Side of the images in pixels, at least 8. Sizes and positions scale with it.
    antialias : bool, default=False
        Whether a pixel on an edge has a value between 0 and 255: the share of its 4 x 4
        points that lie inside. By default a pixel is 255 if its centre lies inside and
        0 otherwise.
    random_state : int, RandomState or None, default=None
        Seed of the draw of images; None draws others at each call. Without effect if
        ``n_samples`` is None.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, side, side) uint8, ``target`` (n,) int64, the index of the shape
        in ``target_names`` (the given ``shapes``), and ``DESCR``. The true factors are:

        - ``theta`` (n,), the rotation in radians, in [0, 2 pi), counter-clockwise. At 0
          the sides of the square are parallel to those of the image, the long axis of
          the ellipse lies along x, and the tip of the heart points down. A square is
          the same at theta + pi / 2 and an ellipse at theta + pi, so their theta is
          known only up to multiples of these;
        - ``tau`` (n, 2), the position (x, y) in pixels of the centre of mass, from the
          image's centre, y up;
        - ``scale`` (n,), from 0.5 to 1;
        - ``factors`` (n, 5) int64, the place on the published grid: shape (0 square, 1
          ellipse, 2 heart), scale, orientation, position x and position y, the last
          counted downwards. ``np.ravel_multi_index(factors.T, (3, 6, 40, 32, 32))`` is
          the row of the published file.

    Raises
    ------
    TypeError
        If ``n_samples`` or ``side`` is not an integer.
    ValueError
        If ``n_samples`` exceeds the number of images, ``side`` is below 8, or
        ``shapes`` names no shape, an unknown one or one twice.

    See Also
    --------
    make_oriented : Rotate and shift any images.
    load_projections : Load projections of a molecule of known pose.

    Notes
    -----
    As in the published file: the factors, their values and their order; one shape per
    image, no noise, and by default two pixel values (0 and 255 here, 0 and 1 there);
    the mean of all pixels, 0.0425.

    Not as in the published file: that file states neither the sizes of the shapes nor
    the origin and sense of the rotation. Here all shapes of a scale have equal areas,
    17.1 x 17.1 pixels at scale 1, and turn about their centres of mass; neighbouring
    positions are one pixel apart; the axes of the ellipse have the ratio 1.6; the heart
    is the curve (u^2 + v^2 - 1)^3 = u^2 v^3. Single pixels therefore differ, and
    ``theta`` of an orientation may differ by a constant and in sense.

    The published grid holds both 0 and 2 pi. The first and the last orientation are
    the same image here, with theta = 0.

    References
    ----------
    L. Matthey, I. Higgins, D. Hassabis and A. Lerchner, "dSprites: Disentanglement
    testing Sprites dataset", 2017, https://github.com/deepmind/dsprites-dataset.

    Examples
    --------
    >>> from invariant_cluster.datasets import make_dsprites
    >>> sprites = make_dsprites(100, shapes=["heart"], side=32, random_state=0)
    >>> sprites.images.shape, sprites.theta.shape, sprites.tau.shape
    ((100, 32, 32), (100,), (100, 2))
    """
    names = _check_shapes(shapes)
    side = check_side("side", side)
    total = len(names) * math.prod(_GRID)
    rows = _draw_rows(n_samples, total, random_state)
    codes, *places = np.unravel_index(rows, (len(names), *_GRID))
    scale, theta, tau = _values_of(places, side)
    size = math.sqrt(_AREA) * side * scale
    images = draw_sprites(
        names, codes, size, theta, tau, side=side, antialias=bool(antialias)
    )
    published = np.array([_NAMES.index(name) for name in names])[codes]
    return make_bunch(
        images,
        codes,
        np.array(names),
        _DESCR.format(n=len(rows), total=total, side=side, shapes=", ".join(names)),
        return_X_y=return_X_y,
        theta=theta,
        tau=tau,
        scale=scale,
        factors=np.stack([published, *places], axis=1),
    )


def _draw_rows(
    n_samples: int | None,
    total: int,
    random_state: int | np.random.RandomState | None,
) -> NDArray[np.int64]:
    """Return the places of the images in the grid, all of them in order for None."""
    if n_samples is None:
        return np.arange(total)
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    if n_samples > total:
        raise ValueError(
            f"n_samples={n_samples} exceeds the {total} images of the grid: lower "
            "n_samples, or add shapes."
        )
    return check_random_state(random_state).permutation(total)[: int(n_samples)]


def _values_of(
    places: Sequence[NDArray[np.intp]], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return scale (n,), theta (n,) and tau (n, 2) at places on the grid, (n,) each."""
    scale, orientation, across, down = places
    middle = (_GRID[2] - 1) / 2
    tau = np.stack([across - middle, middle - down], axis=1) * (_STEP * side)
    return _SCALES[scale], _ORIENTATIONS[orientation] % (2 * math.pi), tau


def _check_shapes(shapes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the shapes; each must be known and occur once."""
    names = (shapes,) if isinstance(shapes, str) else tuple(shapes)
    if not names or len(set(names)) < len(names) or not set(names) <= set(_NAMES):
        raise ValueError(
            f"shapes={shapes!r} must name each shape once: give one or more of "
            f"{list(_NAMES)}."
        )
    return names
