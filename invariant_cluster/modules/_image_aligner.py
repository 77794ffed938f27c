"""Preprocessing before the encoder: scale, align and crop images."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import (
    analytic_pose,
    canonicalize_images,
    direction_spread,
    image_mass,
    mass_size,
    smooth_images,
)
from invariant_cluster.images import (
    NO_SMOOTHING,
    NO_TONE,
    ImageLayout,
    Smoothing,
    Tone,
    edge_noise,
    entered,
    stretched,
    stretched_level,
    toned,
    toned_noise,
    unstretched,
    untoned,
)
from invariant_cluster.modules._pose_head import PoseRule

_LARGEST = 4.0  # times the canonical size


class ImageAligner(nn.Module):
    """Smooth and scale raw images, and move them to their canonical orientation.

    Parameters
    ----------
    pose_rule : PoseRule
        Symmetry-breaking rule that defines the canonical orientation.
    align : bool
        Whether ``forward`` moves images by their analytic pose.
    intensity_range : (float, float)
        Raw values that become 0 and 1.
    background : Tensor of shape (c,)
        Background in raw units; used for pixels that a motion brings into the frame.
    layout : ImageLayout
        How the user's arrays hold images.
    side : int, optional
        Side in pixels of the central square of an aligned image that is encoded and
        drawn; by default the whole frame. Only valid with ``align=True``.
    size : float, optional
        Size, as :func:`mass_size` measures it, that aligned objects get; by default
        they keep theirs. Only valid with ``align=True``.
    smoothing : Smoothing, default=NO_SMOOTHING
        How images are smoothed first; the noise that it leaves has no mass.
    tone : Tone, default=NO_TONE
        Background and level that images get next; range and background are those of
        such images, in the user's units. Its limits apply before the smoothing, and so
        does its stretch unless images get one level.

    Attributes
    ----------
    low : Tensor of shape ()
        Raw value that becomes 0, stretched as the tone says; a buffer.
    span : Tensor of shape ()
        Length of the intensity range, stretched; a buffer.
    fill : Tensor of shape (c, 1, 1)
        The scaled background; a buffer.

    See Also
    --------
    ImageEncoder : Align and encode images.
    PoseRule : Define the canonical orientation.
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
        size: float | None = None,
        smoothing: Smoothing = NO_SMOOTHING,
        tone: Tone = NO_TONE,
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.tone = tone
        self.pose_rule = pose_rule
        self.align = align
        self.layout = layout
        self.side = side
        self.size = size
        low, high = (stretched_level(v, tone.stretch) for v in intensity_range)
        self.register_buffer("low", torch.tensor(float(low)))
        self.register_buffer("span", torch.tensor(float(high - low)))
        self.noise_floor = toned_noise(smoothing.noise_floor, tone) / (high - low)
        ground = torch.as_tensor(background, dtype=torch.float32)[None, :, None, None]
        fill = self._scaled(stretched(ground, tone.stretch)).clamp(0, 1)
        self.register_buffer("fill", fill[0])

    @property
    def seen_shape(self) -> tuple[int, int, int]:
        """Shape (c, h, w) of an image as the encoder sees it, after the crop."""
        n_channels, height, width = self.layout.channels_first_shape
        if self.side:
            return n_channels, self.side, self.side
        return n_channels, height, width

    @property
    def zoom(self) -> float:
        """Side of the encoded frame as a fraction of the longer side of the image.

        A length in the encoded frame's grid units, times zoom, is the length in the
        grid units of the whole image. It is 1 without a crop.
        """
        _, height, width = self.layout.channels_first_shape
        return self.side / max(height, width) if self.side else 1.0

    def forward(self, images: Tensor) -> Tensor:
        """Return scaled images as the encoder sees them.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images.

        Returns
        -------
        Tensor of shape (n, c, h, w) or (n, c, side, side)
            The images in canonical orientation, cropped; unchanged with
            ``align=False``.
        """
        if not self.align:
            return images
        pose, scale = self.analytic_pose(images), self.analytic_scale(images)
        return self.move(images, *pose, scale)

    def move(
        self, images: Tensor, theta: Tensor, tau: Tensor, scale: Tensor | None = None
    ) -> Tensor:
        """Return images moved back from a pose, and cropped.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images.
        theta : Tensor of shape (n,)
            Angle of each image's pose, in radians.
        tau : Tensor of shape (n, 2)
            Shift of each image's pose, in grid units.
        scale : Tensor of shape (n,), optional
            Size of each object as a multiple of the canonical size; 1 by default.

        Returns
        -------
        Tensor of shape (n, c, h, w) or (n, c, side, side)
            Images in canonical orientation.
        """
        return canonicalize_images(
            images, theta, tau, self.fill, side=self.side, scale=scale
        )

    def scale(self, raw: Tensor) -> Tensor:
        """Return images clipped, stretched, smoothed, toned and scaled to [0, 1].

        Parameters
        ----------
        raw : Tensor of shape (n, c, h, w)
            Images of any dtype, in the user's units.

        Returns
        -------
        Tensor of the same shape, float32
            Scaled values; values outside the intensity range are clipped.
        """
        return self._scaled(toned(self._smoothed(raw), self.tone)).clamp(0, 1)

    def _smoothed(self, raw: Tensor) -> Tensor:
        return smooth_images(entered(raw.float(), self.tone), self.smoothing.width)

    def _scaled(self, raw: Tensor) -> Tensor:
        """Return raw values in units of the intensity range, not clipped."""
        return (raw.float() - self.low) / self.span

    def unscale(self, images: Tensor, like: Tensor | None = None) -> Tensor:
        """Return scaled values in raw units.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Values in [0, 1].
        like : Tensor of shape (n, c, h, w), optional
            Raw images whose brightness the result gets; by default the common one.

        Returns
        -------
        Tensor of the same shape
            Values within the intensity range, or as far from it as the raw images.
        """
        values = images * self.span + self.low
        if like is None:
            return unstretched(values, self.tone.stretch)
        return untoned(values, self._smoothed(like), self.tone)

    def add_noise(self, images: Tensor) -> Tensor:
        """Return scaled images with as much noise again as smoothing left in them.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images, whole or cropped.

        Returns
        -------
        Tensor of the same shape
            Two views of an image then do not share their noise, by which they could be
            told from other images. Unchanged if images are not smoothed.
        """
        level = self.smoothing.noise_level
        if not self.smoothing.width or not level:
            return images
        noise = torch.randn_like(images) * (toned_noise(level, self.tone) / self.span)
        if self.tone.grey:
            noise = noise[:, :1].expand_as(noise)
        return (images + smooth_images(noise, self.smoothing.width)).clamp(0, 1)

    def mass(self, images: Tensor) -> Tensor:
        """Return the mass of scaled images.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images, whole or cropped.

        Returns
        -------
        Tensor of shape (n, h, w)
            Distance from the background above that of noise, summed over channels
            inside the disc.
        """
        return image_mass(images, self.fill, self.noise_floor)

    def analytic_pose(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pose that the rule prescribes for scaled images, without learning.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images.

        Returns
        -------
        theta : Tensor of shape (n,)
            Angles in radians, in [0, 2 pi).
        tau : Tensor of shape (n, 2)
            Shifts in grid units.

        See Also
        --------
        ImageEncoder.predict_pose : Return the learned pose.
        """
        rule = self.pose_rule
        return analytic_pose(self.mass(images), rule.name, translates=rule.translates)

    def analytic_spread(self, images: Tensor) -> Tensor:
        """Return how far the angle that the rule prescribes can be off.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images.

        Returns
        -------
        Tensor of shape (n,)
            Circular standard deviations in radians; infinite without a direction.

        See Also
        --------
        direction_spread : Propagate the errors of pixels.

        Notes
        -----
        The noise is that at the border of the training images if they are smoothed, and
        otherwise that at the edge of each image.
        """
        if self.smoothing.noise_level:
            level = self.smoothing.noise_level / self.span
            noise = level * math.sqrt(images.shape[1]) * images.new_ones(len(images))
        else:
            noise = edge_noise(images).norm(dim=1)
        return direction_spread(
            self.mass(images),
            noise,
            self.pose_rule.name,
            translates=self.pose_rule.translates,
            width=self.smoothing.width,
        )

    def analytic_scale(self, images: Tensor) -> Tensor | None:
        """Return how large the objects of scaled images are.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images.

        Returns
        -------
        Tensor of shape (n,) or None
            Multiples of the canonical size, from 1/4 to 4; 1 for an image without mass.
            None if sizes stay as they are.
        """
        if self.size is None:
            return None
        found = mass_size(self.mass(images)) / self.size
        return torch.where(found > 0, found, 1.0).clamp(1 / _LARGEST, _LARGEST)
