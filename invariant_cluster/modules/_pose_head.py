"""What the encoder's head says of the pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry import angle_of, rotation_towards


class PoseVectors(NamedTuple):
    """The head's estimates: centre of mass m and direction u, each (n, 2)."""

    center: Tensor
    direction: Tensor


@dataclass(frozen=True)
class PoseRule:
    """How the head's outputs make a pose.

    Attributes
    ----------
    rule : {"center_of_mass", "complex_moment", "principal_axis"} or None
        The symmetry-breaking rule.
    translates : bool
        Whether tau is the centre of mass, or 0 (``invariance="rotation"``).
    """

    rule: str | None
    translates: bool

    @property
    def n_outputs(self) -> int:
        """Outputs of the head beside z: m-hat, and u-hat unless u is m itself."""
        return 2 if self.rule == "center_of_mass" else 4

    def split(self, outputs: Tensor) -> PoseVectors:
        """(n, n_outputs) -> the two vectors."""
        return PoseVectors(outputs[:, :2], outputs[:, -2:])

    def rotation(self, vectors: PoseVectors) -> Tensor:
        """Return R(theta) with theta the direction of u, shape (n, 2, 2)."""
        return rotation_towards(vectors.direction)

    def theta(self, vectors: PoseVectors) -> Tensor:
        """Return the angle in [0, 2 pi), shape (n,)."""
        return angle_of(vectors.direction[:, 0], vectors.direction[:, 1])

    def tau(self, vectors: PoseVectors) -> Tensor:
        """Return the shift in grid units, shape (n, 2)."""
        return vectors.center if self.translates else torch.zeros_like(vectors.center)
