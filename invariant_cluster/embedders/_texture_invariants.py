"""Scattering coefficients of textures, without place and direction."""

from __future__ import annotations

import torch
from torch import Tensor

from invariant_cluster.geometry import pixel_grid

_RADIUS = 0.75  # farther out the wavelets see too much of what lies beyond the frame


def disc_average(coefficients: Tensor) -> Tensor:
    """Return the mean over the places inside a disc.

    Parameters
    ----------
    coefficients : Tensor of shape (n, n_paths, m, m)
        Coefficients at m x m places.

    Returns
    -------
    Tensor of shape (n, n_paths)
        Means over the disc whose radius is 0.75 of half the side.
    """
    places = coefficients.shape[-2:]
    grid = pixel_grid(*places, device=coefficients.device)
    return coefficients[..., grid.norm(dim=-1) <= _RADIUS].mean(dim=-1)


def rotation_magnitudes(first: Tensor, second: Tensor, *, reflects: bool) -> Tensor:
    """Return what a rotation of the images does not change.

    Parameters
    ----------
    first : Tensor of shape (n, n_scales, L)
        Order 1 by scale and direction.
    second : Tensor of shape (n, n_pairs, L, L)
        Order 2 by pair of scales, first direction and difference of the second from it;
        n_pairs may be 0.
    reflects : bool
        Whether a mirror image gets the same values.

    Returns
    -------
    Tensor of shape (n, (n_scales + n_pairs * L) * (L // 2 + 1))
        Magnitudes of the Fourier transform over the direction: of order 1, and of order
        2 at each fixed difference of the two directions.

    Notes
    -----
    A rotation by pi l / L shifts the directions by l and leaves their difference. A
    mirror image has the opposite directions and differences; with ``reflects`` the
    magnitudes of opposite differences are averaged.

    References
    ----------
    L. Sifre and S. Mallat, "Rotation, scaling and deformation invariant scattering for
    texture discrimination", CVPR 2013: the joint transform of place and direction, of
    which this is the part that is constant along the orbit.
    """
    one = torch.fft.rfft(first, dim=-1).abs()
    if second.shape[1] == 0:  # FFTs refuse empty tensors
        return one.flatten(1)
    two = torch.fft.rfft(second, dim=-2).abs()
    if reflects:
        opposite = -torch.arange(two.shape[-1], device=two.device) % two.shape[-1]
        two = (two + two[..., opposite]) / 2
    return torch.cat([one.flatten(1), two.flatten(1)], dim=1)
