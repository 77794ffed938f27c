"""Morlet wavelets and the Gaussian low-pass of the scattering transform."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_FREQUENCY = 3 * math.pi / 4  # of the finest wavelet, radians a pixel
_WIDTH = 0.8  # of the finest envelope, pixels
_ALIASES = 2  # on either side; the Gaussians are below rounding beyond


def morlet_filters(side: int, scale: float, n_angles: int) -> Tensor:
    """Return Morlet wavelets of one scale, as Fourier transforms on a periodic grid.

    Parameters
    ----------
    side : int
        Side of the grid in pixels.
    scale : float
        Dilation, at least 1: the envelope is ``0.8 scale`` pixels wide, the wave has
        ``3 pi / (4 scale)`` radians a pixel.
    n_angles : int
        Number L of directions ``pi l / L``, counter-clockwise, y up.

    Returns
    -------
    Tensor of shape (n_angles, side, side), float64
        Real transforms at the frequencies of :func:`torch.fft.fft2`, 0 at frequency 0.

    See Also
    --------
    low_pass : Return the averaging that complements the wavelets.
    wavelet_gain : Return the factor that makes a bank of wavelets a contraction.

    Notes
    -----
    ``psi(u, v) = C g(u, v) (exp(i xi u) - beta)`` with u along the direction and
    ``g = exp(-(u^2 + slant^2 v^2) / (2 sigma^2))``. The slant is ``4 / L`` (1 for less
    than four angles), so that neighbouring directions overlap; beta makes the mean 0; C
    makes the transform of C g exp(i xi u) 1 at its centre. The transforms are summed
    over their aliases, so the filters are the functions sampled at the pixels, summed
    over all periods of the grid.

    References
    ----------
    J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 35, 2013, section 2.1.
    """
    along, across = _turned_frequencies(side, n_angles)
    across = across / min(1.0, 4 / n_angles)
    width = _WIDTH * scale
    gabor = _periodic(_gaussian(along - _FREQUENCY / scale, across, width))
    envelope = _periodic(_gaussian(along, across, width))
    mean = gabor[:, :1, :1] / envelope[:, :1, :1]
    return gabor - mean * envelope


def low_pass(side: int, step: float, width: float) -> Tensor:
    """Return a Gaussian average with subsampling, as a matrix.

    Parameters
    ----------
    side : int
        Number of samples, periodic.
    step : float
        Distance of two averages, in samples; it divides the side.
    width : float
        Standard deviation of the Gaussian, in samples.

    Returns
    -------
    Tensor of shape (side / step, side), float64
        Weights; each row sums to 1. Row i is centred at ``(i + 1/2) step - 1/2``, so
        that the averages lie as evenly about the middle as the samples.

    See Also
    --------
    low_pass_width : Return the width that belongs to a number of scales.
    """
    n_averages = round(side / step)
    center = (torch.arange(n_averages, dtype=torch.float64) + 0.5) * step - 0.5
    distance = torch.arange(side, dtype=torch.float64) - center[:, None]
    nearest = (distance + side / 2) % side - side / 2
    weights = torch.exp(-0.5 * (nearest / width) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def low_pass_width(n_scales: int) -> float:
    """Return the standard deviation, in pixels, of the low-pass of scale 2^J.

    Parameters
    ----------
    n_scales : int
        Number J of scales 2^0 to 2^(J - 1) of the wavelets.

    Returns
    -------
    float
        ``0.8 2^(J - 1)``, the width of the coarsest envelope.

    See Also
    --------
    low_pass : Return the average of this width.
    """
    return _WIDTH * 2 ** (n_scales - 1)


def wavelet_gain(filters: Tensor, width: float) -> float:
    """Return the largest factor with which wavelets and a low-pass contract.

    Parameters
    ----------
    filters : Tensor of shape (n_filters, side, side)
        Fourier transforms of all wavelets of a bank.
    width : float
        Standard deviation of the low-pass, in pixels.

    Returns
    -------
    float
        The factor g. Images x, real, then have
        ``|x * phi|^2 + sum |x * g psi|^2 <= |x|^2``.

    See Also
    --------
    morlet_filters : Return the wavelets of one scale.

    Notes
    -----
    The Littlewood-Paley condition ``|phi(w)|^2 + g^2 / 2 sum (|psi(w)|^2 +
    |psi(-w)|^2) <= 1`` at all frequencies w, Bruna and Mallat 2013, section 2.1.
    """
    side = filters.shape[-1]
    power = filters.square().sum(dim=0)
    opposite = power.flip(0, 1).roll((1, 1), (0, 1))
    frequency = _frequencies(side)
    squared = frequency[:, None] ** 2 + frequency**2
    left = 1 - torch.exp(-(width**2) * squared)
    ratio = left / ((power + opposite) / 2)
    return math.sqrt(float(ratio.flatten()[1:].min()))


def _frequencies(side: int) -> Tensor:
    """Return the frequencies (side,) of ``fft``, in radians a pixel."""
    return torch.fft.fftfreq(side, dtype=torch.float64) * (2 * math.pi)


def _turned_frequencies(side: int, n_angles: int) -> tuple[Tensor, Tensor]:
    """Return frequencies along and across each direction, aliases in axes 1 and 3.

    Both have the shape (n_angles, aliases, side, aliases, side).
    """
    shift = torch.arange(-_ALIASES, _ALIASES + 1, dtype=torch.float64) * (2 * math.pi)
    axis = shift[:, None] + _frequencies(side)
    x, y = axis, -axis[:, :, None, None]  # rows run down, y up
    angle = torch.arange(n_angles, dtype=torch.float64) * (math.pi / n_angles)
    cos, sin = (f(angle)[:, None, None, None, None] for f in (torch.cos, torch.sin))
    return x * cos + y * sin, y * cos - x * sin


def _gaussian(along: Tensor, across: Tensor, width: float) -> Tensor:
    return torch.exp(-0.5 * width**2 * (along**2 + across**2))


def _periodic(transform: Tensor) -> Tensor:
    """Sum over the aliases: (n_angles, side, side)."""
    return transform.sum(dim=(1, 3))
