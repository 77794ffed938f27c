"""How large the objects of a training set are, and how far they reach."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.geometry import (
    NO_MASS,
    center_of_mass,
    mass_radius,
    mass_size,
    pixels_to_units,
)
from invariant_cluster.modules import ImageAligner
from invariant_cluster.runtime import evenly_spaced, map_batches

LEAST_SIDE = 8
_SHARE_OF_IMAGES = 0.99


def find_side(
    aligner: ImageAligner, images: NDArray, field_of_view: str | float
) -> int | None:
    """Return the side in pixels of what is encoded of images (n, c, h, w).

    None for the whole frame, as where images are not aligned.
    """
    if not aligner.align or field_of_view == 1:
        return None
    if isinstance(field_of_view, str):
        return measure_side(aligner, images)
    return _within(images, 2 * round(field_of_view * max(images.shape[-2:]) / 2))


def measure_side(aligner: ImageAligner, images: NDArray) -> int | None:
    """Return the side in pixels of the square that the aligned objects fill.

    Centred on it, 99 % of the images (n, c, h, w) that are not blank have 99 % of their
    mass in its disc. None if that takes the whole frame.
    """
    translates = aligner.pose_rule.translates

    def radius(raw: Tensor) -> Tensor:
        images = aligner.scale(raw)
        mass, scale = aligner.mass(images), aligner.analytic_scale(images)
        center = center_of_mass(mass) * translates
        is_blank = mass.sum(dim=(1, 2)) <= NO_MASS
        found = mass_radius(mass, center)
        if scale is not None:
            found = found / scale
        return found.masked_fill(is_blank, -1)

    sample = evenly_spaced(images)
    radii = torch.from_numpy(map_batches(radius, sample, device=torch.device("cpu")))
    seen = radii[radii >= 0]
    if len(seen) == 0:
        return None
    largest = float(seen.quantile(_SHARE_OF_IMAGES)) / pixels_to_units(
        *images.shape[-2:]
    )
    return _within(images, 2 * math.ceil(largest))


def measure_size(aligner: ImageAligner, images: NDArray) -> float:
    """Return the median size of the objects, in grid units; 1 if all are blank.

    Sizes are those of ``mass_size``, of at most 64 MiB of evenly spaced images
    (n, c, h, w).
    """

    def size(raw: Tensor) -> Tensor:
        return mass_size(aligner.mass(aligner.scale(raw)))

    found = map_batches(size, evenly_spaced(images), device=torch.device("cpu"))
    seen = found[found > 0]
    return float(np.median(seen)) if len(seen) else 1.0


def _within(images: NDArray, side: int) -> int | None:
    """Return a side that is not too small; None if it leaves nothing out."""
    side = max(LEAST_SIDE, side)
    return side if side < min(images.shape[-2:]) else None
