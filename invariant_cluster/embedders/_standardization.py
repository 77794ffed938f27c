"""z with mean 0 and variance 1 over the training images."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import nn

from invariant_cluster.modules import ImageEncoder
from invariant_cluster.runtime import evenly_spaced, map_rows

_LEAST_VARIANCE = 1e-7


def standardize_z(encoder: ImageEncoder, images: NDArray, device: str) -> None:
    """Set the statistics of an encoder's batch normalisation of z.

    Afterwards z has mean 0 and variance 1 over at most 64 MiB of evenly spaced images.
    A dimension that hardly varies is not magnified: it would show rounding errors. An
    encoder without batch normalisation stays as it is.

    Parameters
    ----------
    encoder : ImageEncoder
        Trained; changed in place.
    images : ndarray of shape (n, c, h, w)
        Training images, in the user's units.
    device : str
        Where to compute z.

    Raises
    ------
    FloatingPointError
        When z is not finite.
    """
    norm = encoder.norm
    if not isinstance(norm, nn.BatchNorm1d):
        return
    norm.reset_running_stats()
    z = map_rows(encoder, encoder, evenly_spaced(images), device, title="scale z")
    variance = z.var(axis=0)
    variance[variance < _LEAST_VARIANCE] = 1.0
    norm.running_mean = torch.from_numpy(z.mean(axis=0))
    norm.running_var = torch.from_numpy(variance)
