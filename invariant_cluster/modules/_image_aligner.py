"""What happens to images before they are encoded: scaled, moved, cut."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import analytic_pose, canonicalize_images, image_mass
from invariant_cluster.images import ImageLayout
from invariant_cluster.modules._pose_head import PoseRule


class ImageAligner(nn.Module):
    """Scales raw images to [0, 1] and moves them to their analytic pose.

    Parameters
    ----------
    pose_rule : PoseRule
    align : bool
        Whether images are moved at all.
    intensity_range : (float, float)
        What becomes 0 and 1.
    background : Tensor of shape (c,)
        In raw units; what a motion brings into the frame.
    layout : ImageLayout
        How the user's arrays hold images.
    side : int or None
        Pixels of the square in the middle of an aligned image that is encoded and
        drawn; all by default. It needs align.
    """

    low: Tensor
    span: Tensor
    fill: Tensor

    def __init__(
        self,
        pose_rule: PoseRule,
        *,
        align: bool,
        intensity_range: tuple[float, float],
        background: Tensor,
        layout: ImageLayout,
        side: int | None = None,
    ) -> None:
        super().__init__()
        self.pose_rule = pose_rule
        self.align = align
        self.layout = layout
        self.side = side
        low, high = intensity_range
        self.register_buffer("low", torch.tensor(float(low)))
        self.register_buffer("span", torch.tensor(float(high - low)))
        fill = self.scale(torch.as_tensor(background, dtype=torch.float32))
        self.register_buffer("fill", fill[:, None, None])

    @property
    def seen_shape(self) -> tuple[int, int, int]:
        """(c, h, w) of an image as it is encoded."""
        n_channels, height, width = self.layout.channels_first_shape
        if self.side:
            return n_channels, self.side, self.side
        return n_channels, height, width

    @property
    def zoom(self) -> float:
        """Length of the encoded frame's grid unit in that of the whole image."""
        _, height, width = self.layout.channels_first_shape
        return self.side / max(height, width) if self.side else 1.0

    def forward(self, images: Tensor) -> Tensor:
        """Return scaled images (n, c, h, w) as they are encoded: aligned, if asked."""
        if not self.align:
            return images
        return self.move(images, *self.analytic_pose(images))

    def move(self, images: Tensor, theta: Tensor, tau: Tensor) -> Tensor:
        """Return scaled images (n, c, h, w) moved back from a pose, and cut."""
        return canonicalize_images(images, theta, tau, self.fill, side=self.side)

    def scale(self, raw: Tensor) -> Tensor:
        """Return raw values of any dtype as float32 in [0, 1]."""
        return ((raw.float() - self.low) / self.span).clamp(0, 1)

    def unscale(self, images: Tensor) -> Tensor:
        """Return values in [0, 1] in raw units."""
        return images * self.span + self.low

    def mass(self, images: Tensor) -> Tensor:
        """Return the mass (n, h, w) of scaled images."""
        return image_mass(images, self.fill)

    def analytic_pose(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pose of scaled images that the rule prescribes, without learning.

        Returns
        -------
        theta : Tensor of shape (n,), in [0, 2 pi)
        tau : Tensor of shape (n, 2), in grid units
        """
        rule = self.pose_rule
        return analytic_pose(self.mass(images), rule.rule, translates=rule.translates)
