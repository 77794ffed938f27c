"""The noise of single images, at their edge."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invariant_cluster.images._border import edges_of, quantile_of

# Standard deviation of one value, from the median distance of two that are normal.
_OF_MEDIAN = 1.4826 / math.sqrt(2)


def edge_noise(images: Tensor) -> Tensor:
    """Return the noise at the edge of each image.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units, not smoothed.

    Returns
    -------
    Tensor of shape (n, c)
        Standard deviation of white noise with the median distance that neighbours in
        the outermost rows and columns have; 0 where most neighbours are equal.

    See Also
    --------
    measure_noise : Measure the noise of a set of images.
    """
    steps = [edge.diff(dim=-1).abs() for edge in edges_of(images)]
    return _OF_MEDIAN * quantile_of(torch.cat(steps, dim=-1), 0.5).squeeze(-1)
