"""Random views of image batches, and the rows that training draws."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from invariant_cluster._geometry import move_images, rotation_matrix, sample_affine
from invariant_cluster._photometry import cut_out, jitter_colors, random_augment
from invariant_cluster._runtime import to_tensor

AUGMENTATIONS = (
    "R",
    "R+T",
    "S1",
    "S1+R",
    "S1+R+T",
    "S1+S2",
    "S1+S2+R",
    "S1+S2+R+T",
)
_SHIFT = 0.07
_CROP_AREA = (0.5, 1.0)


def rigid_views(
    images: Tensor, *, translation_std: float, fill: Tensor | float
) -> Tensor:
    """Turn and shift each image at random (section 3.3.2).

    ``theta ~ Uniform[0, 2 pi)``, ``tau ~ N(0, sigma^2 I)``, one draw an image.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    translation_std : float
        sigma as a fraction of the longer side; 0 turns only.
    fill : float or Tensor that broadcasts to the images
    """
    n = len(images)
    theta = _uniform(images, 0, 2 * math.pi)
    tau = torch.randn(n, 2, device=images.device) * (2 * translation_std)
    return move_images(images, theta, tau, fill)


class Augmentation(NamedTuple):
    """One of the paper's augmentations (appendix C), on batches in [0, 1].

    R turns by Uniform[0, 2 pi), T shifts by Uniform[-0.07, 0.07] of the longer side, S1
    is SimCLR's crop, colour jitter and blur, S2 is RandAugment's photometric part and
    Cutout. S1 does not mirror: a mirror image is another object.

    Attributes
    ----------
    name : str
        One of ``AUGMENTATIONS``.
    """

    name: str

    def has(self, part: str) -> bool:
        """Tell whether the part, "R", "T", "S1" or "S2", is in the name."""
        return part in self.name.split("+")

    def move(self, images: Tensor, fill: Tensor) -> Tensor:
        """Turn, shift and crop, in one interpolation; (n, c, h, w) to the same."""
        theta = _uniform(images, 0, 2 * math.pi if self.has("R") else 0)
        shift = 2 * _SHIFT if self.has("T") else 0.0
        tau = torch.stack([_uniform(images, -shift, shift) for _ in range(2)], dim=1)
        low, high = _CROP_AREA if self.has("S1") else (1.0, 1.0)
        side = _uniform(images, low, high).sqrt()
        height, width = images.shape[-2:]
        edges = [extent / max(height, width) for extent in (width, height)]
        corner = torch.stack([_uniform(images, -e, e) for e in edges], dim=1)
        matrix = side[:, None, None] * rotation_matrix(-theta)
        offset = (1 - side)[:, None] * corner - (matrix @ tau[:, :, None]).squeeze(-1)
        return sample_affine(images, matrix, offset, fill)

    def distort(self, images: Tensor, fill: Tensor) -> Tensor:
        """Change values but no position; (n, c, h, w) to the same."""
        if self.has("S1"):
            images = jitter_colors(images, fill)
        if self.has("S2"):
            images = cut_out(random_augment(images, fill), fill)
        return images


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Return one draw an image, shape (n,)."""
    return torch.rand(len(images), device=images.device) * (high - low) + low


class ImageRows(Dataset):
    """Rows of an array or memmap, fetched a batch at a time in their own dtype.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
    """

    def __init__(self, rows: NDArray) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return the batch and an empty target, as skorch expects."""
        return to_tensor(self.rows[np.sort(indices)]), torch.empty(0)


class NeighborPairs(ImageRows):
    """Rows, each with one of its neighbours drawn at random.

    A batch holds the b anchors and then their b neighbours.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
    neighbors : int ndarray of shape (n, k)
    """

    def __init__(self, rows: NDArray, neighbors: NDArray) -> None:
        super().__init__(rows)
        self.neighbors = neighbors

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return anchors and neighbours (2 b, ...) and an empty target."""
        anchors = np.sort(indices)
        column = torch.randint(self.neighbors.shape[1], (len(anchors),)).numpy()
        partners = self.neighbors[anchors, column]
        both = np.concatenate([self.rows[anchors], self.rows[partners]])
        return to_tensor(both), torch.empty(0)


def count_batches(n_rows: int, batch_size: int) -> int:
    """Return how many batches an epoch has: a last, incomplete one is dropped."""
    return max(1, n_rows // batch_size)


def keep_batch(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Collate nothing: ``__getitems__`` returned the batch already."""
    return batch
