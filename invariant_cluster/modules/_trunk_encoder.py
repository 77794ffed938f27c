"""Encoders with a convolutional trunk and an MLP head."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._image_encoder import ImageEncoder, Latents
from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._pose_head import PoseVectors
from invariant_cluster.runtime import autocast

_SHORT = 0.01  # grid units: a negligible shift, but long enough for a direction


class Encoding(NamedTuple):
    """Encoded images with their z and pose vectors.

    Attributes
    ----------
    z : Tensor of shape (n, d)
        Semantic representation.
    seen : Tensor of shape (n, c, h, w)
        The images as the trunk saw them.
    pose : PoseVectors
        Pose vectors that the head estimates.
    """

    z: Tensor
    seen: Tensor
    pose: PoseVectors


class TrunkEncoder(ImageEncoder):
    """Encoder with a trunk and a head that returns z; the pose is the analytic one.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and, if it aligns, moves them.
    trunk : nn.Module
        Maps images (n, c, h, w) to features (n, n_features).
    n_features : int
        Number of features of the trunk.
    d : int
        Dimension of z.
    **options
        Further parameters of :class:`ImageEncoder`.

    Attributes
    ----------
    head : nn.Sequential
        Three-layer MLP from the features to z and, in subclasses, the pose.

    See Also
    --------
    PoseEncoder : Estimate the pose too.
    ResNet18 : The trunk of the paper.
    """

    def __init__(
        self,
        aligner: ImageAligner,
        trunk: nn.Module,
        n_features: int,
        *,
        d: int,
        **options: Any,
    ) -> None:
        super().__init__(aligner, d=d, **options)
        self.trunk = trunk
        self.head = make_mlp([n_features] * 3 + [d + self._n_pose_outputs])

    @property
    def _n_pose_outputs(self) -> int:
        """Number of outputs of the head besides z."""
        return 0

    @property
    def early_layers(self) -> list[nn.Module]:
        """The trunk's attribute ``early_layers``, none if it has no such attribute."""
        return getattr(self.trunk, "early_layers", [])

    def embed_aligned(self, seen: Tensor) -> Tensor:
        """Return z of already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation, normalised if the encoder normalises.
        """
        return self.norm(self._outputs(seen)[:, : self.d])

    def _outputs(self, seen: Tensor) -> Tensor:
        """Return the outputs of the head for aligned images, in float32."""
        with autocast(seen.device, self.train_dtype if self.training else None):
            outputs = self.head(self.trunk(seen.contiguous()))
        return cast(Tensor, outputs.float())


class PoseEncoder(TrunkEncoder):
    """Encoder of IRL-INR: a trunk and a head that returns z and the pose.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and, if it aligns, moves them. Its rule interprets the pose.
    *args
        Trunk and number of features, as in :class:`TrunkEncoder`.
    **options
        Further parameters of :class:`TrunkEncoder`.

    See Also
    --------
    TrunkEncoder : Encoder without a learned pose.
    PoseRule : Interpretation of the pose outputs.
    IRLINR : The model that trains the encoder.

    Notes
    -----
    Without ``normalize=True`` z is almost constant at first, and training stays long on
    a plateau where z encodes little but brightness.

    With an aligner that aligns, the head starts with the pose of an aligned image.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, appendix
    A.
    """

    def __init__(self, aligner: ImageAligner, *args: Any, **options: Any) -> None:
        super().__init__(aligner, *args, **options)
        if aligner.align:
            self._start_at_the_alignment()

    @property
    def _n_pose_outputs(self) -> int:
        """Number of outputs of the head besides z: the pose vectors."""
        return self.pose_rule.n_outputs

    @torch.no_grad()
    def _start_at_the_alignment(self) -> None:
        """Initialise the head at the pose of an aligned image: (0, 0), or nearly."""
        last, rule = cast(nn.Linear, self.head[-1]), self.pose_rule
        last.weight[-rule.n_outputs :] = 0
        last.bias[-rule.n_outputs :] = 0
        is_tau = rule.n_outputs == 2 and rule.translates
        last.bias[-2] = _SHORT if is_tau else 1  # x component of the direction

    def encode(self, images: Tensor) -> Encoding:
        """Align and encode scaled images.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        Encoding
            z, the aligned images and the pose vectors.
        """
        return self.encode_aligned(self.aligner(images))

    def encode_aligned(self, seen: Tensor) -> Encoding:
        """Encode already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Encoding
            z, the images and the pose vectors that remain after the alignment.
        """
        outputs = self._outputs(seen)
        pose = self.pose_rule.split(outputs[:, self.d :])
        return Encoding(self.norm(outputs[:, : self.d]), seen, pose)

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return z and the learned pose of already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Latents
            z, and the pose that remains after the alignment.
        """
        z, _, pose = self.encode_aligned(seen)
        return Latents(z, self.pose_rule.theta(pose), self.pose_rule.tau(pose))
