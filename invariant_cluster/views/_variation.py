"""Differences between images of one class, other than orientation and position."""

from __future__ import annotations

from typing import NamedTuple


class Variation(NamedTuple):
    """Variation that z should ignore; applied at random in training.

    Attributes
    ----------
    deformation : float, default=0.0
        Strength of :func:`deform`: aligned images are stretched, bent and blurred.
    noise : float, default=0.0
        Strength of :func:`speckle`: pixels of aligned images are dropped and added.
    reflection : bool, default=False
        Whether a mirror image shows the same object, so that views are mirrored too.
    contrast : float, default=0.0
        Largest relative change of the difference from the background.

    See Also
    --------
    vary : Apply deformation, noise and contrast.
    """

    deformation: float = 0.0
    noise: float = 0.0
    reflection: bool = False
    contrast: float = 0.0


NO_VARIATION = Variation()
# Default for embedders without deformation of their own; used by SCAN's "D".
FOR_CLUSTERING = Variation(deformation=1.0)
