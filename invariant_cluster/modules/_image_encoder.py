"""Base class of all encoders: raw images to z, alignment included."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import canonicalize_images, compose_poses
from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._pose_head import PoseRule
from invariant_cluster.modules._turned_poses import spread_of_turned
from invariant_cluster.views import NO_VARIATION, Variation


class Latents(NamedTuple):
    """Semantic representation and pose of images.

    Attributes
    ----------
    z : Tensor of shape (n, d)
        Semantic representation.
    theta : Tensor of shape (n,)
        Angle of the pose, in radians.
    tau : Tensor of shape (n, 2)
        Shift of the pose, in grid units.
    """

    z: Tensor
    theta: Tensor
    tau: Tensor


class ImageEncoder(nn.Module, metaclass=ABCMeta):
    """Base class of encoders: scale, align and encode raw images.

    A subclass implements :meth:`embed_aligned`, which maps images to z, and creates its
    layers in ``__init__``, after ``super().__init__(aligner, d=d)``. If it estimates
    the pose too, it overrides :meth:`infer_aligned`. Everything else is provided here:
    the encoder scales raw images, moves them to canonical orientation, and returns z
    (``encoder(raw)``), the pose and the canonical image.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and, if it aligns, moves them to canonical orientation.
    d : int
        Dimension of z.
    train_dtype : torch.dtype, optional
        Precision of matrix products in training; None is float32. Evaluation is always
        in float32.
    normalize : bool, default=True
        Whether each dimension of z has mean 0 and variance 1 over the training images,
        by batch normalisation without learned scale.
    variation : Variation, default=NO_VARIATION
        Variation that z should ignore; applied to the images in training.

    Attributes
    ----------
    norm : nn.Module
        The batch normalisation of z, or the identity. :meth:`embed_aligned` applies it.
    blueprint : Blueprint or None
        Description from which a saved encoder is built again; set by the embedder.

    See Also
    --------
    ImageEmbedder : Base class of embedders, which train an encoder.

    Notes
    -----
    Methods take images in one of three states: *raw* in the user's units, *scaled* to
    [0, 1], and *seen*, scaled and aligned (if the aligner aligns). The shape of one
    image that is seen is ``aligner.seen_shape``, (c, h, w).

    On a GPU a training step is recorded once and then replayed. What Python decides in
    a step stays as in the recording; random numbers of PyTorch on the GPU change. A
    module that cannot be replayed sets the attribute ``replayable = False``.

    Examples
    --------
    >>> import math
    >>> from torch import nn
    >>> from invariant_cluster import ImageEncoder
    >>> class LinearEncoder(ImageEncoder):
    ...     def __init__(self, aligner, d):
    ...         super().__init__(aligner, d=d)
    ...         n_values = math.prod(aligner.seen_shape)
    ...         self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_values, d))
    ...
    ...     def embed_aligned(self, seen):
    ...         return self.norm(self.layers(seen))
    """

    # Whether the pose is meant to be the one that the aligner's rule prescribes.
    follows_rule: bool = True

    def __init__(
        self,
        aligner: ImageAligner,
        *,
        d: int,
        train_dtype: torch.dtype | None = None,
        normalize: bool = True,
        variation: Variation = NO_VARIATION,
    ) -> None:
        super().__init__()
        self.aligner = aligner
        self.norm = nn.BatchNorm1d(d, affine=False) if normalize else nn.Identity()
        self.d = d
        self.train_dtype = train_dtype
        self.variation = variation
        self.blueprint: Any = None

    @property
    def pose_rule(self) -> PoseRule:
        """The rule that defines the canonical orientation."""
        return self.aligner.pose_rule

    @property
    def early_layers(self) -> list[nn.Module]:
        """Layers next to the image, whose weights fine-tuning for clusters keeps.

        They find edges and strokes, whatever the clusters are, and see the image at its
        full resolution, where a step takes most of its time. None by default.
        """
        return []

    def forward(self, raw: Tensor) -> Tensor:
        """Return z of raw images.

        Parameters
        ----------
        raw : Tensor of shape (n, c, h, w)
            Images in the user's units.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return self.embed(self.aligner.scale(raw))

    def embed(self, images: Tensor) -> Tensor:
        """Return z of scaled images.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return self.embed_aligned(self.aligner(images))

    @abstractmethod
    def embed_aligned(self, seen: Tensor) -> Tensor:
        """Return z of already aligned images; a subclass implements it.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Tensor of shape (n, d), float32
            Semantic representation, after ``self.norm``.
        """

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return z and pose of already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Latents
            z, and the pose that remains after the alignment. By default it is the
            analytic pose, or (0, 0) if the aligner has already undone that.
        """
        z = self.embed_aligned(seen)
        if self.aligner.align:
            return Latents(z, z.new_zeros(len(z)), z.new_zeros(len(z), 2))
        return Latents(z, *self.aligner.analytic_pose(seen))

    def infer(self, images: Tensor) -> Latents:
        """Return z and pose of scaled images.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        Latents
            z, and the pose of the whole image: the alignment, if any, composed with the
            pose that remained.
        """
        aligner = self.aligner
        if not aligner.align:
            return self.infer_aligned(images)
        pose_before = aligner.analytic_pose(images)
        scale = aligner.analytic_scale(images)
        z, theta, tau = self.infer_aligned(aligner.move(images, *pose_before, scale))
        unit = aligner.zoom if scale is None else aligner.zoom * scale[:, None]
        pose = compose_poses(*pose_before, theta, tau * unit)
        return Latents(z, *pose)

    def predict_pose(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the learned pose of scaled images, alignment included.

        ``aligner.analytic_pose`` returns the pose without learning.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        theta : Tensor of shape (n,)
            Angles in radians, in [0, 2 pi).
        tau : Tensor of shape (n, 2)
            Shifts in grid units.
        """
        _, theta, tau = self.infer(images)
        return theta, tau

    def predict_spread(self, images: Tensor) -> Tensor:
        """Return how far the angle of the learned pose can be off.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        Tensor of shape (n,)
            Circular standard deviations in radians; infinite without a direction.

        See Also
        --------
        predict_pose : Return the pose itself.

        Notes
        -----
        Alignment sets the angle, so that its spread is that of the analytic pose. An
        encoder that estimates the pose of images which are not aligned errs by itself:
        the spread of its estimates over turned copies of each image is added, in
        squares. It is the only one if the rule does not say what the pose is.
        """
        infers = type(self).infer_aligned is not ImageEncoder.infer_aligned
        if self.aligner.align or not infers:
            return self.aligner.analytic_spread(images)
        spread = spread_of_turned(
            lambda turned: self.predict_pose(turned)[0], images, self.aligner.fill
        )
        if not self.follows_rule or self.pose_rule.name is None:
            return spread
        return (spread.square() + self.aligner.analytic_spread(images).square()).sqrt()

    def canonical(self, images: Tensor, *, learned: bool) -> Tensor:
        """Return scaled images moved to canonical orientation.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.
        learned : bool
            Whether to use the learned pose instead of the analytic one.

        Returns
        -------
        Tensor of shape (n, c, h, w)
            The moved images, not cropped.
        """
        estimate = self.predict_pose if learned else self.aligner.analytic_pose
        scale = self.aligner.analytic_scale(images)
        return canonicalize_images(
            images, *estimate(images), self.aligner.fill, scale=scale
        )
