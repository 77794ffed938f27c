"""Square views of raw images in canonical pose."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.geometry import rotation_matrix, sample_affine
from invariant_cluster.modules._image_aligner import ImageAligner


class SquareView(nn.Module):
    """Scale raw images and resample the square that is seen, once.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and finds their poses; its rule "principal_axis" turns them,
        None does not. Its own crop is not used.
    extent : int
        Side of the square in pixels of the images, about the middle of the pose.
    side : int
        Side of the views in pixels.

    See Also
    --------
    ImageAligner : Scale, align and crop images for an encoder.
    ScatteringTransform : Describe such views.

    Notes
    -----
    Each pixel of a view is the mean of f x f points where f is the whole part of
    ``extent / side``, so that no pixel of a large image is left out. Points between
    pixels are interpolated bilinearly. All in float64: an image has the same view alone
    and among others.
    """

    def __init__(self, aligner: ImageAligner, *, extent: int, side: int) -> None:
        super().__init__()
        self.aligner = aligner
        self.extent = extent
        self.side = side

    def forward(self, raw: Tensor) -> Tensor:
        """Return the views of raw images.

        Parameters
        ----------
        raw : Tensor of shape (n, c, h, w)
            Images of any real dtype, in the user's units.

        Returns
        -------
        Tensor of shape (n, c, side, side), float64
            Scaled values minus the background; 0 outside the frame.
        """
        images = self.aligner.scale(raw).double()
        theta, tau = self.aligner.analytic_pose(images)
        factor = max(1, self.extent // self.side)
        points = factor * self.side
        matrix = rotation_matrix(theta) * (self.extent / points)
        scale = self.aligner.analytic_scale(images)
        if scale is not None:
            matrix = matrix * scale[:, None, None]
        objects = images - self.aligner.fill
        fine = sample_affine(objects, matrix, tau, 0.0, side=points)
        return F.avg_pool2d(fine, factor)
