"""Copies of training images as users turn and move them to try an invariance."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invariant_cluster.geometry import move_images, pixels_to_units
from invariant_cluster.images import own_backgrounds
from invariant_cluster.runtime import to_tensor

_FAR = 0.1  # of the shorter side: longest move
_SUBPIXEL = 0.5


def moved_copies(
    images: NDArray, *, far: bool, random: np.random.Generator
) -> list[NDArray]:
    """Return images turned and moved by linear, and by cubic interpolation.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images of any real dtype.
    far : bool
        Whether images are moved by up to a tenth of the side, or half a pixel.
    random : Generator
        Draws angles and moves.

    Returns
    -------
    list of two ndarray of shape (n, c, h, w), float64
        Pixels that enter the frame have the background of their image.
    """
    n_images, (height, width) = len(images), images.shape[-2:]
    pixels = to_tensor(images).double()
    fill = to_tensor(own_backgrounds(images)).double()[..., None, None]
    reach = max(_SUBPIXEL, _FAR * min(height, width)) if far else _SUBPIXEL
    theta = torch.from_numpy(random.uniform(0, 2 * np.pi, n_images))
    tau = torch.from_numpy(random.uniform(-reach, reach, (n_images, 2)))
    move = tau * pixels_to_units(height, width)
    return [
        move_images(pixels, theta, move, fill, mode=mode).numpy()
        for mode in ("bilinear", "bicubic")
    ]
