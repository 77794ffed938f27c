"""What a fitted pipeline says of images: its steps, its clusters, its map."""

from invariant_cluster.inspection._clones import heads_alone, with_seed
from invariant_cluster.inspection._exemplars import ORDERS, pick_exemplars
from invariant_cluster.inspection._plane import map_to_plane
from invariant_cluster.inspection._steps import image_shape_of

__all__ = [
    "ORDERS",
    "heads_alone",
    "image_shape_of",
    "map_to_plane",
    "pick_exemplars",
    "with_seed",
]
