"""Inspection of fitted models: their steps, clusters, exemplars and maps."""

from invariant_cluster.inspection._batches import BatchCheck, check_batches
from invariant_cluster.inspection._clones import heads_alone, with_seed
from invariant_cluster.inspection._drift import check_drift
from invariant_cluster.inspection._embedded_pictures import take_pictures
from invariant_cluster.inspection._exemplars import ORDERS, pick_exemplars
from invariant_cluster.inspection._map import map_to_plane
from invariant_cluster.inspection._poses import FoundPoses, find_poses
from invariant_cluster.inspection._predictions import Prediction, predict_clusters
from invariant_cluster.inspection._steps import (
    Steps,
    divide,
    find_step,
    image_shape_of,
    named_steps_of,
    steps_of,
)
from invariant_cluster.inspection._turned_copy import turn_images, turned_copy

__all__ = [
    "ORDERS",
    "BatchCheck",
    "FoundPoses",
    "Prediction",
    "Steps",
    "check_batches",
    "check_drift",
    "divide",
    "find_poses",
    "find_step",
    "heads_alone",
    "image_shape_of",
    "map_to_plane",
    "named_steps_of",
    "pick_exemplars",
    "predict_clusters",
    "steps_of",
    "take_pictures",
    "turn_images",
    "turned_copy",
    "with_seed",
]
