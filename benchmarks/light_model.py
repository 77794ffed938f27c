"""The light network of the first example, for benchmarks on two CPU cores."""

from typing import Any

from benchmarks.scales import LIGHT
from invariant_cluster import IRLINREmbedder


def make_light_embedder(**changes: Any) -> IRLINREmbedder:
    settings = {"encoder_width": 8, "max_epochs": 16, "batch_size": 64}
    return IRLINREmbedder(**LIGHT | settings | changes)
