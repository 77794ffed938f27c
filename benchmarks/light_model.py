"""The light network of the first example, for benchmarks on two CPU cores."""

from typing import Any

from invariant_cluster import IRLINREmbedder


def make_light_embedder(**changes: Any) -> IRLINREmbedder:
    settings: dict[str, Any] = {
        "d": 32,
        "encoder_width": 8,
        "n_frequencies": 64,
        "inr_hidden": (64, 64, 64),
        "hypernetwork_hidden": (64, 64),
        "n_pixels": 256,
        "max_epochs": 16,
        "batch_size": 64,
        "lr": 2e-3,
    }
    return IRLINREmbedder(**settings | changes)
