"""Nearest rows of an embedding, and their distances."""

from invariant_cluster.neighbors._mining import (
    MinedNeighbors,
    default_n_neighbors,
    find_neighbors,
    mine_neighbors,
    mine_with_recall,
)
from invariant_cluster.neighbors._nearness import score_nearness

__all__ = [
    "MinedNeighbors",
    "default_n_neighbors",
    "find_neighbors",
    "mine_neighbors",
    "mine_with_recall",
    "score_nearness",
]
