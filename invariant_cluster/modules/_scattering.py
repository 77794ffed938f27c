"""The wavelet scattering transform."""

from __future__ import annotations

import itertools
import math
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.geometry import (
    low_pass,
    low_pass_width,
    morlet_filters,
    move_images,
    wavelet_gain,
)

_LARGEST_STEP = 4
# Complex numbers held at a time: what a CPU caches, and what keeps a GPU busy.
_MOST_ON_CPU = 2**18
_MOST_ELSEWHERE = 2**25


class ScatteringTransform(nn.Module):
    """Moduli of wavelet transforms, twice, averaged by a low-pass.

    Small deformations of an image change the coefficients little, and translations by
    less than the width of the low-pass as well. Nothing is learned.

    Parameters
    ----------
    side : int
        Side of the images in pixels.
    n_scales : int
        Number J of scales 2^0 to 2^(J - 1) of the wavelets, at most log2(side).
    n_angles : int, default=8
        Number L of directions of the wavelets, from 0 to pi.
    order : {1, 2}, default=2
        How often the modulus of a wavelet transform is taken, at most.
    angle_step : int, default=1
        Of the second wavelets, every how many directions are used, counted from that of
        the first; it divides ``n_angles``.
    boundary : {"periodic", "reflect"}, default="periodic"
        What lies beyond the frame: the opposite side, or a mirror image, a quarter of
        the side wide.

    Attributes
    ----------
    margin : int
        Pixels of the mirror image on each side; 0 if images are periodic.
    step : int
        Distance of two averages in pixels: 4, less with fewer than 3 scales.
    n_paths : int
        Number of averages at each place. Order 0 comes first, then ``|x * psi_a|``
        sorted by scale j and direction l, then ``||x * psi_a| * psi_b|`` with a coarser
        b, sorted by the pair of scales, by the first direction and by the difference of
        the second from it.

    Raises
    ------
    ValueError
        If a size does not fit the others.

    See Also
    --------
    SquareView : Make such images of those of a user.

    Notes
    -----
    Where x is an image, ``S x = (x * phi, |x * psi_a| * phi, ||x * psi_a| * psi_b| *
    phi)``. The low-pass phi is as wide as the coarsest wavelet. After a wavelet of
    scale 2^j every 2^(j - 1)-th sample is kept, twice as many as its width needs. The
    wavelets are scaled so that the transform of periodic images contracts:
    ``step |S x - S y| <= |x - y|``.

    References
    ----------
    S. Mallat, "Group invariant scattering", Communications on Pure and Applied
    Mathematics 65, 2012.

    J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 35, 2013.
    """

    def __init__(
        self,
        side: int,
        n_scales: int,
        n_angles: int = 8,
        *,
        order: int = 2,
        angle_step: int = 1,
        boundary: str = "periodic",
    ) -> None:
        super().__init__()
        _check_sizes(side, n_scales, n_angles, angle_step)
        self.side = side
        self.n_scales = n_scales
        self.n_angles = n_angles
        self.order = order
        self.angle_step = angle_step
        self.boundary = boundary
        self.margin = _margin(side, n_scales) if boundary == "reflect" else 0
        self.step = _step(n_scales)
        self._keep("mirrored", self._mirrored_paths())
        self._keep("second_directions", self._second_directions())
        self._make_filters()

    @property
    def grid_side(self) -> int:
        """Side in pixels of the images with their margins."""
        return self.side + 2 * self.margin

    @property
    def n_second_angles(self) -> int:
        """Number of directions of the second wavelets."""
        return self.n_angles // self.angle_step

    @property
    def scale_pairs(self) -> list[tuple[int, int]]:
        """The scales (j1, j2) of two wavelets, j1 < j2, as the paths are sorted."""
        if self.order < 2:
            return []
        return list(itertools.combinations(self._scales, 2))

    @property
    def path_shapes(self) -> list[tuple[int, ...]]:
        """How the paths of order 0, 1 and 2 are sorted: scales, then directions."""
        angles = self.n_angles, self.n_second_angles
        second = (len(self.scale_pairs), *angles)
        return [(1,), (self.n_scales, self.n_angles), second]

    @property
    def n_paths(self) -> int:
        """Number of averages at each place."""
        return sum(map(math.prod, self.path_shapes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the coefficients of images.

        Parameters
        ----------
        images : Tensor of shape (n, side, side)
            Real images, in float64 as the filters are.

        Returns
        -------
        Tensor of shape (n, n_paths, m, m), float64
            Averages over neighbourhoods, in the units of the images; m is side / step.
        """
        most = _MOST_ON_CPU if images.device.type == "cpu" else _MOST_ELSEWHERE
        per_image = self.n_angles * self.n_second_angles * self.grid_side**2
        parts = images.split(max(1, most // per_image))
        return torch.cat([self._crop(self._scatter(self._pad(part))) for part in parts])

    def split(self, coefficients: Tensor) -> list[Tensor]:
        """Return coefficients by order, with one axis for each index of a path.

        Parameters
        ----------
        coefficients : Tensor of shape (n, n_paths, ...)

        Returns
        -------
        list of Tensor
            Order 0 of shape (n, 1, ...), order 1 of shape (n, n_scales, n_angles, ...),
            order 2 of shape (n, n_pairs, n_angles, n_second_angles, ...), where the
            last is the difference of the directions in units of ``angle_step``.
        """
        orders = coefficients.split([*map(math.prod, self.path_shapes)], dim=1)
        return [
            one.unflatten(1, shape)
            for one, shape in zip(orders, self.path_shapes, strict=True)
        ]

    def mirror(self, coefficients: Tensor) -> Tensor:
        """Return the coefficients of the mirror images, without computing them anew.

        Parameters
        ----------
        coefficients : Tensor of shape (n, n_paths, m, m)
            Coefficients of images.

        Returns
        -------
        Tensor of the same shape
            Coefficients of the images with their rows in opposite order.

        Notes
        -----
        A direction theta becomes -theta: directions and rows change places.
        """
        return coefficients[:, self.get_buffer("mirrored")].flip(-2)

    def turn(self, coefficients: Tensor, steps: int) -> Tensor:
        """Return about the coefficients of turned images, without computing them anew.

        Parameters
        ----------
        coefficients : Tensor of shape (n, n_paths, m, m)
            Coefficients of images that are 0 at the edge.
        steps : int
            By how many times pi / n_angles to turn, counter-clockwise.

        Returns
        -------
        Tensor of the same shape
            Coefficients of the images, turned about their middle.

        Notes
        -----
        A turn shifts the directions, and not the difference of two, and turns the
        places. Values between these are interpolated bilinearly.
        """
        shifted = [order.roll(steps, 2) for order in self.split(coefficients)[1:]]
        paths = [coefficients[:, :1], *(order.flatten(1, -3) for order in shifted)]
        n = len(coefficients)
        angle = coefficients.new_full((n,), steps * math.pi / self.n_angles)
        return move_images(torch.cat(paths, dim=1), angle, angle.new_zeros(n, 2))

    def _pad(self, images: Tensor) -> Tensor:
        return F.pad(images, (self.margin,) * 4, mode="reflect")

    def _crop(self, coefficients: Tensor) -> Tensor:
        first = self.margin // self.step
        inside = slice(first, first + self.side // self.step)
        return coefficients[..., inside, inside]

    def _scatter(self, images: Tensor) -> Tensor:
        """Return the coefficients (n, n_paths, m, m) of few images (n, side, side)."""
        averages = [self._average(images[:, None])]
        spectrum = torch.fft.fft2(images)[:, None]
        waves = [
            _modulus(spectrum, self._filters(1, j), _stride(j)) for j in self._scales
        ]
        averages += map(self._average, waves)
        for first, wave in enumerate(waves):
            coarser = [j2 for j1, j2 in self.scale_pairs if j1 == first]
            averages += self._scatter_again(wave, _stride(first), coarser)
        return torch.cat(averages, dim=1)

    def _scatter_again(self, wave: Tensor, stride: int, scales: list[int]) -> list:
        """Return order 2 of a modulus (n, L, s, s): a (n, L * L2, m, m) a scale."""
        if not scales:
            return []
        spectrum, averages = torch.fft.fft2(wave)[:, :, None], []
        for scale in scales:
            psi = self._filters(stride, scale)[self.get_buffer("second_directions")]
            again = _modulus(spectrum, psi, _stride(scale) // stride)
            averages.append(self._average(again.flatten(1, 2)))
        return averages

    def _filters(self, stride: int, scale: int) -> Tensor:
        """Return the wavelets (L, s, s) for images of every ``stride``-th sample."""
        return self.get_buffer(f"psi_{stride}_{scale}")

    def _average(self, wave: Tensor) -> Tensor:
        matrix = self.get_buffer(f"phi_{self.grid_side // wave.shape[-1]}")
        return matrix @ wave @ matrix.T

    def _make_filters(self) -> None:
        """Keep each filter on each grid on which it is applied."""
        width = low_pass_width(self.n_scales)
        side = self.grid_side
        bank = [morlet_filters(side, 2**j, self.n_angles) for j in self._scales]
        gain = wavelet_gain(torch.cat(bank), width)
        for stride in sorted({_stride(scale) for scale in self._scales}):
            matrix = low_pass(side // stride, self.step / stride, width / stride)
            self._keep(f"phi_{stride}", matrix)
        grids = {(1, scale) for scale in self._scales}
        grids |= {(_stride(first), scale) for first, scale in self.scale_pairs}
        for stride, scale in sorted(grids):
            psi = gain * self._morlet(stride, scale)
            self._keep(f"psi_{stride}_{scale}", psi)

    def _morlet(self, stride: int, scale: int) -> Tensor:
        """Return wavelets for the grid of every ``stride``-th sample."""
        side, dilation = self.grid_side // stride, 2**scale / stride
        psi = morlet_filters(side, dilation, self.n_angles)
        return _centred(psi, _stride(scale) // stride)

    @property
    def _scales(self) -> range:
        return range(self.n_scales)

    def _keep(self, name: str, values: Tensor) -> None:
        """Register what moves with the module and is not a weight."""
        self.register_buffer(name, values, persistent=False)

    def _second_directions(self) -> Tensor:
        """Return the directions (L, L2) of the second wavelets after each first one."""
        first = torch.arange(self.n_angles)
        difference = self.angle_step * torch.arange(self.n_second_angles)
        return (first[:, None] + difference) % self.n_angles

    def _mirrored_paths(self) -> Tensor:
        """Return for each path the one whose directions are the opposite."""
        zero, one, two = self.split(torch.arange(self.n_paths)[None])
        first, second = map(_opposite, (self.n_angles, self.n_second_angles))
        orders = zero, one[:, :, first], two[:, :, first][..., second]
        return torch.cat([order.flatten() for order in orders])


def _check_sizes(side: int, n_scales: int, n_angles: int, angle_step: int) -> None:
    """Raise a ValueError if filters and averages do not fit the grid."""
    if 2**n_scales > side:
        raise ValueError(
            f"n_scales={n_scales} is too large for side={side}: the coarsest average "
            f"is 2^n_scales pixels wide. Use n_scales={int(math.log2(side))} at most, "
            f"or side={2**n_scales}."
        )
    unit = _unit(n_scales)
    if side % unit:
        raise ValueError(
            f"side={side} is no multiple of {unit}, which n_scales={n_scales} needs: "
            f"use side={side // unit * unit + unit}."
        )
    if n_angles % angle_step:
        raise ValueError(
            f"angle_step={angle_step} does not divide n_angles={n_angles}: use 1."
        )


def _step(n_scales: int) -> int:
    """Return the distance of averages: a width of the low-pass, at most 4 pixels."""
    return min(_LARGEST_STEP, 2 ** (n_scales - 1))


def _unit(n_scales: int) -> int:
    """Return what must divide the side: the steps of averages and coarsest samples."""
    return max(_step(n_scales), _stride(n_scales - 1))


def _margin(side: int, n_scales: int) -> int:
    """Return a quarter of the side, rounded up to whole units."""
    unit = _unit(n_scales)
    return math.ceil(side / (4 * unit)) * unit


def _stride(scale: int) -> int:
    """Return the distance of samples that suffices after a wavelet, twice as dense."""
    return 2 ** max(0, scale - 1)


def _modulus(spectrum: Tensor, psi: Tensor, factor: int) -> Tensor:
    """Return ``|x * psi|`` at every ``factor``-th sample, of a spectrum (..., s, s)."""
    wavelets = torch.view_as_real(torch.fft.ifft2(_fold(spectrum * psi, factor)))
    # Faster than abs, which guards against overflow.
    real, imaginary = wavelets.unbind(dim=-1)
    return (real.square() + imaginary.square()).sqrt()


def _fold(spectrum: Tensor, factor: int) -> Tensor:
    """Return the spectrum of every ``factor``-th sample of both axes."""
    if factor == 1:
        return spectrum
    # Sums of slices: a reduction of strided axes takes several times as long.
    rows = reduce(torch.add, spectrum.chunk(factor, dim=-2))
    return reduce(torch.add, rows.chunk(factor, dim=-1)) / factor**2


def _centred(psi: Tensor, factor: int) -> Tensor:
    """Shift filters so that every ``factor``-th sample lies evenly about the middle.

    Samples at 0, factor, ... would lie otherwise in a mirror image.
    """
    if factor == 1:
        return psi
    frequency = torch.fft.fftfreq(psi.shape[-1], dtype=torch.float64) * (2 * math.pi)
    phase = torch.exp(1j * frequency * (factor - 1) / 2)
    return psi * phase * phase[:, None]


def _opposite(n_angles: int) -> Tensor:
    """Return the index of the direction -theta of each direction theta, modulo pi."""
    return -torch.arange(n_angles) % n_angles
