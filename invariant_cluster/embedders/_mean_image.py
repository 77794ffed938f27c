"""Whether images have a common layout: how much of them their mean shows."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.geometry import disc_mask
from invariant_cluster.runtime import at_most, evenly_spaced, map_batches

_MOST_IMAGES = 2048


def mean_image_share(view: nn.Module, images: NDArray) -> float:
    """Return the share of the images' variance over pixels that their mean has.

    Parameters
    ----------
    view : Module
        Maps raw images to views (n, c, side, side) with background 0, such as
        :class:`SquareView`, on the CPU.
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype; at most 2,048 evenly spaced ones are used.

    Returns
    -------
    float
        The variance of the mean image, divided by the mean variance of the images,
        minus 1 / n, which images have that share nothing. About 0 for textures, which
        have neither a middle nor a frame; 1 - 1 / n for equal images, 1 for blank ones.

    Notes
    -----
    Of the mass of each view, inside the disc.
    """

    def masses(raw: Tensor) -> Tensor:
        mass = view(raw).abs().sum(dim=1)
        return mass[:, disc_mask(*mass.shape[-2:])]

    sample = at_most(evenly_spaced(images), _MOST_IMAGES)
    values = map_batches(masses, sample, device=torch.device("cpu")).astype(np.float64)
    variance = values.var(axis=1).mean()
    if variance == 0:
        return 1.0
    return float(values.mean(axis=0).var() / variance - 1 / len(values))
