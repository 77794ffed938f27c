"""IRL-INR: encoder, hypernetwork and implicit network together (paper, figure 1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from invariant_cluster._geometry import (
    disc_mask,
    pixel_grid,
    rotation_matrix,
    to_canonical,
)
from invariant_cluster._runtime import autocast
from invariant_cluster.modules._hypernetwork import Hypernetwork
from invariant_cluster.modules._image_encoder import Encoding, ImageEncoder
from invariant_cluster.modules._inr import ImplicitNetwork
from invariant_cluster.modules._pose_head import PoseVectors


class Reconstruction(NamedTuple):
    """Logits and targets of the sampled pixels, each (n, p, c)."""

    logits: Tensor
    targets: Tensor


class TrainingBatch(NamedTuple):
    """What one training step yields: all that the losses need.

    Attributes
    ----------
    reconstruction : Reconstruction
    pose : PoseVectors
    mass : Tensor of shape (n, h, w)
    z1, z2 : Tensor of shape (n, d)
        Of two moved copies of each image.
    """

    reconstruction: Reconstruction
    pose: PoseVectors
    mass: Tensor
    z1: Tensor
    z2: Tensor


class IRLINR(nn.Module):
    """The whole model; ``forward`` is the encoder's.

    Parameters
    ----------
    encoder : ImageEncoder
    implicit : ImplicitNetwork
    hypernetwork : Hypernetwork
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        implicit: ImplicitNetwork,
        hypernetwork: Hypernetwork,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.implicit = implicit
        self.hypernetwork = hypernetwork

    def forward(self, raw: Tensor) -> Tensor:
        """Raw images (n, c, h, w) -> z (n, d)."""
        return self.encoder(raw)

    def forward_views(self, seen: Tensor, n_pixels: int | None) -> TrainingBatch:
        """Encode n images, then two views of each, all aligned, (3 n, c, h, w)."""
        z, seen, pose = self.encoder.encode_aligned(seen)
        n = len(seen) // 3
        first = Encoding(z[:n], seen[:n], PoseVectors(*(part[:n] for part in pose)))
        reconstruction = self.reconstruct_sample(first, n_pixels)
        mass = self.encoder.aligner.mass(first.seen)
        _, z1, z2 = z.split(n)
        return TrainingBatch(reconstruction, first.pose, mass, z1, z2)

    def reconstruct_sample(
        self, encoding: Encoding, n_pixels: int | None = None
    ) -> Reconstruction:
        """Reconstruct pixels of the disc in the pose that the encoder estimates.

        In images that are aligned already no gradient reaches the pose from here:
        symmetry breaking alone trains it.

        Parameters
        ----------
        encoding : Encoding
        n_pixels : int, optional
            How many pixels are drawn, the same for the whole batch; all by default.
        """
        height, width = encoding.seen.shape[-2:]
        index = _sample_disc(height, width, n_pixels, encoding.z.device)
        points = pixel_grid(height, width, device=index.device).reshape(-1, 2)[index]
        rule, pose = self.encoder.pose_rule, encoding.pose
        if self.encoder.aligner.align and rule.rule is not None:
            # Else the pose of some images swings around, and z with it.
            pose = PoseVectors(*(part.detach() for part in pose))
        rotation, tau = rule.rotation(pose), rule.tau(pose)
        logits = self.draw(encoding.z, to_canonical(points, rotation, tau))
        targets = encoding.seen.flatten(2)[:, :, index].transpose(1, 2)
        return Reconstruction(logits, targets)

    def draw(self, z: Tensor, points: Tensor) -> Tensor:
        """Return the logits of the image of z at canonical points (n, p, 2)."""
        with autocast(z.device, self.encoder.train_dtype if self.training else None):
            logits = self.implicit(points, self.hypernetwork(z))
        return logits.float()

    def draw_image(self, z: Tensor, theta: Tensor, tau: Tensor) -> Tensor:
        """Return the scaled image of each z in a pose, shape (n, c, h, w).

        Parameters
        ----------
        z : Tensor of shape (n, d)
        theta : Tensor of shape (n,)
        tau : Tensor of shape (n, 2)
        """
        aligner = self.encoder.aligner
        _, height, width = aligner.layout.channels_first_shape
        grid = pixel_grid(height, width, device=z.device).reshape(-1, 2)
        points = to_canonical(grid, rotation_matrix(theta), tau) / aligner.zoom
        values = self.draw(z, points).sigmoid()
        if aligner.side:  # beyond what it was trained to draw there is background
            outside = points.norm(dim=-1, keepdim=True) > 1
            values = torch.where(outside, aligner.fill.flatten(), values)
        return values.transpose(1, 2).reshape(len(z), -1, height, width)


def _sample_disc(
    height: int, width: int, n_pixels: int | None, device: torch.device
) -> Tensor:
    """Return flat indices of pixels inside the disc, a random draw if asked."""
    inside = disc_mask(height, width, device=device).flatten().nonzero().squeeze(1)
    if n_pixels is None or n_pixels >= len(inside):
        return inside
    return inside[torch.randperm(len(inside), device=device)[:n_pixels]]
