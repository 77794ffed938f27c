"""Whether images hold an object that can be aligned, or are texture throughout."""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.embedders._mean_image import mean_image_share
from invariant_cluster.geometry import NO_MASS, center_of_mass, pixel_grid
from invariant_cluster.modules import ImageAligner, PoseRule, SquareView
from invariant_cluster.runtime import at_most, evenly_spaced, map_batches

# Of seven data sets textures had 0.001, all others 0.043 at least.
_LEAST_SHARE_OF_OBJECTS = 0.02
_SIDE = 32  # at most, of a view
_INNER = 0.75  # of the shorter side: what centring brings into the frame is farther out
_MOST_IMAGES = 2048
_EDGE = 0.9  # of the disc's radius


class Alignment(NamedTuple):
    """What training images show, and what tells it.

    Attributes
    ----------
    shows : {"objects", "textures"}
        Objects have a middle and a direction, so that images can be aligned.
    mean_share : float
        Share of the images' variance that their mean keeps: that of whole images, or
        of the inner three quarters of centred ones if it is larger. The decision rests
        on it: textures have less than 0.02.
    border_share : float
        Share of the mass in the outermost tenth of the disc's radius; 0.19 if it is
        spread evenly.
    center_spread : float
        Standard deviation of the centre of mass, in halves of the longer side.

    See Also
    --------
    find_alignment : Measure it.
    """

    shows: str
    mean_share: float
    border_share: float
    center_spread: float

    @property
    def is_texture(self) -> bool:
        """Whether the images have nothing to align."""
        return self.shows == "textures"

    def __str__(self) -> str:
        """Return a sentence for the user."""
        verdict = "not aligned" if self.is_texture else "aligned"
        return (
            f"The images show {self.shows} and are {verdict}: their mean keeps "
            f"{self.mean_share:.1%} of their variance (textures: below "
            f"{_LEAST_SHARE_OF_OBJECTS:.0%}), {self.border_share:.0%} of the mass is "
            f"at the border (spread evenly: {1 - _EDGE**2:.0%}), centres of mass vary "
            f"by {self.center_spread / 2:.1%} of the side."
        )


def find_alignment(aligner: ImageAligner, images: NDArray) -> Alignment:
    """Return whether images show objects or textures.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images.
    images : ndarray of shape (n, c, h, w)
        Training images; at most 2,048 evenly spaced ones are used.

    Returns
    -------
    Alignment
        The verdict and what it rests on.

    See Also
    --------
    mean_image_share : The measure that decides.
    """
    sample = at_most(evenly_spaced(images), _MOST_IMAGES)
    side = min(images.shape[-2:])
    views = (False, side), (True, round(_INNER * side))
    shares = [
        mean_image_share(_view_of(aligner, centred, extent), sample)
        for centred, extent in views
    ]
    share = max(0.0, *shares)  # an estimate, which can be below 0
    border_share, center_spread = _measure_mass(aligner, sample)
    shows = "objects" if share >= _LEAST_SHARE_OF_OBJECTS else "textures"
    return Alignment(shows, share, border_share, center_spread)


def _view_of(aligner: ImageAligner, centred: bool, extent: int) -> SquareView:
    """Return the view of images that are not turned, centred or as they are.

    Its pixels are means of whole pixels: others would vary less the further they lie
    between pixels, and their lattice would pass for what noise has in common.
    """
    other = copy.copy(aligner)
    other.pose_rule = PoseRule(None, centred)
    factor = math.ceil(extent / _SIDE)
    side = extent // factor
    return SquareView(other, extent=factor * side, side=side)


def _measure_mass(aligner: ImageAligner, images: NDArray) -> tuple[float, float]:
    """Return the share of mass at the border, and by how much its centre varies."""
    height, width = images.shape[-2:]
    radius = _EDGE * min(height, width) / max(height, width)
    is_edge = pixel_grid(height, width).norm(dim=-1) > radius

    def measures(raw: Tensor) -> Tensor:
        mass = aligner.mass(aligner.scale(raw))
        sums = mass.sum(dim=(1, 2)), (mass * is_edge).sum(dim=(1, 2))
        return torch.column_stack([*sums, center_of_mass(mass)])

    found = map_batches(measures, images, device=torch.device("cpu"))
    total, edge, center = np.split(found[found[:, 0] > NO_MASS], [1, 2], axis=1)
    if not len(total):
        return 0.0, 0.0
    return float(edge.sum() / total.sum()), float(np.sqrt(center.var(axis=0).sum()))
