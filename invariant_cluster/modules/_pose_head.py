"""The pose in the outputs of the encoder's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry import angle_of, rotation_towards


class PoseVectors(NamedTuple):
    """Vectors from which the pose is computed, as the head estimates them.

    Attributes
    ----------
    center : Tensor of shape (n, 2)
        Estimate m-hat of the centre of mass, in grid units.
    direction : Tensor of shape (n, 2)
        Estimate u-hat of the direction vector; its angle is theta.
    """

    center: Tensor
    direction: Tensor


@dataclass(frozen=True)
class PoseRule:
    """Rule that turns the outputs of the head into a pose.

    Attributes
    ----------
    name : {"center_of_mass", "complex_moment", "principal_axis"} or None
        The symmetry-breaking rule; None if the pose is trained by reconstruction alone.
    translates : bool
        If True, tau is the centre of mass. If False (``invariance="rotation"``), tau
        is 0.

    See Also
    --------
    PoseEncoder : Encoder whose head estimates the pose.
    analytic_pose : Return the pose that a rule prescribes.
    """

    name: str | None
    translates: bool

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the head besides z.

        2 for "center_of_mass", where the direction is the centre of mass itself; else
        4.
        """
        return 2 if self.name == "center_of_mass" else 4

    def split(self, outputs: Tensor) -> PoseVectors:
        """Return the two pose vectors in the outputs of the head.

        Parameters
        ----------
        outputs : Tensor of shape (n, n_outputs)
            Outputs of the head besides z.

        Returns
        -------
        PoseVectors
            Centre of mass and direction; the same values for "center_of_mass".
        """
        return PoseVectors(outputs[:, :2], outputs[:, -2:])

    def rotation(self, vectors: PoseVectors) -> Tensor:
        """Return R(theta) of the pose.

        Parameters
        ----------
        vectors : PoseVectors
            The estimates of the head.

        Returns
        -------
        Tensor of shape (n, 2, 2)
            Rotation matrices, differentiable in the direction.
        """
        return rotation_towards(vectors.direction)

    def theta(self, vectors: PoseVectors) -> Tensor:
        """Return the angle of the pose.

        Parameters
        ----------
        vectors : PoseVectors
            The estimates of the head.

        Returns
        -------
        Tensor of shape (n,)
            Angles in radians, in [0, 2 pi).
        """
        return angle_of(vectors.direction[:, 0], vectors.direction[:, 1])

    def tau(self, vectors: PoseVectors) -> Tensor:
        """Return the shift of the pose.

        Parameters
        ----------
        vectors : PoseVectors
            The estimates of the head.

        Returns
        -------
        Tensor of shape (n, 2)
            Shifts in grid units; 0 if the rule does not translate.
        """
        return vectors.center if self.translates else torch.zeros_like(vectors.center)
