"""Random views of image batches: moved, deformed, or with changed pixel values."""

from invariant_cluster.views._augmentation import AUGMENTATIONS, Augmentation
from invariant_cluster.views._deformation import deform, speckle, vary
from invariant_cluster.views._photometry import cut_out, jitter_colors, random_augment
from invariant_cluster.views._rigid import mirror_some, rigid_views
from invariant_cluster.views._variation import FOR_CLUSTERING, NO_VARIATION, Variation

__all__ = [
    "AUGMENTATIONS",
    "FOR_CLUSTERING",
    "NO_VARIATION",
    "Augmentation",
    "Variation",
    "cut_out",
    "deform",
    "jitter_colors",
    "mirror_some",
    "random_augment",
    "rigid_views",
    "speckle",
    "vary",
]
