"""By what images of one kind differ, besides how they lie."""

from __future__ import annotations

from typing import NamedTuple


class Variation(NamedTuple):
    """What z shall pass over, so training varies it.

    Attributes
    ----------
    deformation : float
        Strength by which aligned images are bent, stretched and blurred.
    noise : float
        Strength by which pixels of aligned images are dropped and added.
    reflection : bool
        Whether a mirror image shows the same object.
    """

    deformation: float = 0.0
    noise: float = 0.0
    reflection: bool = False


NO_VARIATION = Variation()
# Of embedders that do not vary images themselves: SCAN's augmentation D does.
FOR_CLUSTERING = Variation(deformation=1.0)
