"""How far the pose that moments prescribe can be off: errors of pixels, propagated."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry._grid import pixel_grid
from invariant_cluster.geometry._moments import NO_MASS
from invariant_cluster.geometry._principal_axis import AXIS_WEIGHT, steepest_angles
from invariant_cluster.geometry._smoothing import smooth_images

_INTERPOLATION = 0.05
_ROUNDING = 1e-12  # of a second derivative, from moments in half sides of images
_BEYOND_NOISE = 2.0  # standard deviations: there the distance from 0 has a sign
_OF_RECTIFIED = math.sqrt(1 - 2 / math.pi)  # spread of |noise| around its mean


class _Waves(NamedTuple):
    """The function of the angle whose highest point is theta, and its errors.

    It is ``Re(one e^{-it}) + Re(two e^{-2it})``. Complex numbers are complex here.

    Attributes
    ----------
    one, two : Tensor of shape (n,)
        Amplitudes.
    of_one, of_two : Tensor of shape (n, p)
        What a unit of mass at each pixel adds to them.
    """

    one: Tensor
    two: Tensor
    of_one: Tensor
    of_two: Tensor

    def slopes(self, theta: Tensor) -> Tensor:
        """Return what each pixel adds to the slope at an angle, (n, p)."""
        turn = torch.polar(torch.ones_like(theta), -theta)[:, None]
        return (self.of_one * turn + 2 * self.of_two * turn * turn).imag

    def heights(self, theta: Tensor) -> Tensor:
        """Return what each pixel adds to the height at an angle, (n, p)."""
        turn = torch.polar(torch.ones_like(theta), -theta)[:, None]
        return (self.of_one * turn + self.of_two * turn * turn).real

    def bend(self, theta: Tensor) -> Tensor:
        """Return the negative second derivative at an angle, (n,)."""
        turn = torch.polar(torch.ones_like(theta), -theta)
        return (self.one * turn + 4 * self.two * turn * turn).real


def direction_spread(
    mass: Tensor,
    noise: Tensor,
    rule: str | None,
    *,
    translates: bool,
    width: float = 0.0,
) -> Tensor:
    """Return the circular standard deviation of the angle that a rule prescribes.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    noise : Tensor of shape (n,)
        Standard deviation of white noise in each image, before it was smoothed, in the
        units of the mass.
    rule : {"center_of_mass", "complex_moment", "principal_axis"} or None
        As for :func:`analytic_pose`.
    translates : bool
        As for :func:`analytic_pose`.
    width : float, default=0
        Width of the Gaussian with which the images were smoothed, in pixels. The mass
        is then what exceeds the noise that was left.

    Returns
    -------
    Tensor of shape (n,)
        Radians, ``sqrt(-2 ln R)`` with R the expected length of the mean of
        ``e^{i error}``; infinite for an image without mass or of even mass, and
        without a rule.

    See Also
    --------
    analytic_pose : Return the angle.

    Notes
    -----
    All rules maximise ``f(t) = Re(a e^{-i t}) + Re(b e^{-2 i t})``, where b is 0 but
    for "principal_axis". Errors of the pixels move the maximum by ``f'_e / f''`` to
    first order, a normal error of variance v. And they can exchange the two maxima,
    which are delta apart, if they exceed the difference D of the heights: with
    probability ``p = Phi(-D / sigma_D)``. Together,
    ``R = exp(-v / 2) |1 - p + p e^{i delta}|``.

    A pixel has two independent errors. One is the noise. The other is that of
    interpolation between pixels, 0.05 of the mass's Laplacian: the error of bilinear
    interpolation at a random place has a standard deviation of 0.037 of the second
    derivative along each axis. It is there without noise too.
    """
    if rule is None:
        return torch.full_like(mass[:, 0, 0], torch.inf)
    dtype = torch.float32 if mass.device.type == "mps" else torch.float64
    waves = _waves_of(mass.to(dtype), rule, translates)
    errors = _Errors(mass.to(dtype), noise.to(dtype), width)
    rows = [torch.view_as_real(wave) for wave in (waves.one, waves.two)]
    ends, heights = steepest_angles(*rows)
    first = heights.argmax(dim=0, keepdim=True)
    best, other = ends.gather(0, first)[0], ends.gather(0, 1 - first)[0]
    moved = errors.variance_of(waves.slopes(best))
    spread = moved / waves.bend(best).square().clamp_min(NO_MASS**2)
    apart = errors.variance_of(waves.heights(best) - waves.heights(other))
    margin = heights.amax(dim=0) - heights.amin(dim=0)
    swapped = torch.special.ndtr(-margin / apart.sqrt().clamp_min(NO_MASS))
    swapped = swapped * (waves.two != 0)  # one wave has one maximum
    square = 1 - 2 * swapped * (1 - swapped) * (1 - (other - best).cos())
    found = (spread - square.clamp(0, 1).log()).sqrt()
    # Of even masses nothing has an error, and the moments are 0 but for rounding.
    has_direction = (mass.sum(dim=(1, 2)) > NO_MASS) & (waves.bend(best) > _ROUNDING)
    return torch.where(has_direction, found, torch.inf).to(mass.dtype)


class _Errors:
    """Errors of the pixels of masses (n, h, w): noise, and interpolation.

    Parameters
    ----------
    mass, noise, width
        As of :func:`direction_spread`.
    """

    def __init__(self, mass: Tensor, noise: Tensor, width: float) -> None:
        self.noise = noise
        self.width = width
        self.blur = _INTERPOLATION * _laplacian(mass)
        if width:
            self.passed = (mass > 0).to(mass.dtype)
        else:
            is_object = mass > _BEYOND_NOISE * noise[:, None, None]
            self.passed = torch.where(is_object, 1.0, _OF_RECTIFIED)

    def variance_of(self, sums: Tensor) -> Tensor:
        """Return the variances (n,) of weighted sums of the pixels, weights (n, p)."""
        weights = sums.reshape(self.blur.shape)
        noise = smooth_images((weights * self.passed)[:, None], self.width)
        white = self.noise.square() * noise.square().sum(dim=(1, 2, 3))
        return white + (weights * self.blur).square().sum(dim=(1, 2))


def _laplacian(mass: Tensor) -> Tensor:
    """Return the sum of the four neighbours less four times the pixel, (n, h, w)."""
    padded = F.pad(mass[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    rows = padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1]
    return rows + padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] - 4 * mass


def _waves_of(mass: Tensor, rule: str, translates: bool) -> _Waves:
    """Return the waves of a rule, and what each pixel's mass adds to them.

    A mean ``sum m g / sum m`` changes by ``(g - mean) / sum m`` with a pixel's mass m.
    The centre of mass, about which moments are taken, changes too: this matters for
    mu_21 alone.
    """
    grid = pixel_grid(*mass.shape[-2:], device=mass.device).to(mass.dtype)
    w = torch.view_as_complex(grid.flatten(0, 1).contiguous()).expand(len(mass), -1)
    sums = mass.flatten(1)
    total = sums.sum(dim=1, keepdim=True).clamp_min(NO_MASS)
    share, none = sums / total, torch.zeros_like(w)
    first = (share * w).sum(dim=1, keepdim=True)
    if rule == "center_of_mass":
        return _Waves(first[:, 0], none[:, 0], (w - first) / total, none)
    if translates:
        w = w - first
    square = w.real.square() + w.imag.square()
    powers = (square, w * w, w * square)
    means = [(share * power).sum(dim=1, keepdim=True) for power in powers]
    of_spread, of_second, of_third = (
        (power - mean) / total for power, mean in zip(powers, means, strict=True)
    )
    spread, second, third = means[0].clamp_min(NO_MASS), means[1], means[2]
    if translates:
        of_third = of_third - (2 * spread * w + second * w.conj()) / total
    if rule == "complex_moment":
        return _Waves(third[:, 0], none[:, 0], of_third, none)
    two = AXIS_WEIGHT * second / spread
    of_two = (AXIS_WEIGHT * of_second - two * of_spread) / spread
    moment, of_moment, power = third, of_third, 1.5
    if not translates:
        moment, of_moment, power = first, (w - first) / total, 0.5
    one = moment / spread**power
    of_one = of_moment / spread**power - power * one * of_spread / spread
    return _Waves(one[:, 0], two[:, 0], of_one, of_two)
