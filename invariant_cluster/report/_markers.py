"""Marks that distinguish clusters by shape and colour."""

from __future__ import annotations

import math
from collections.abc import Sequence

N_COLORS = 7  # --mark-0 to --mark-6 in style.css, after Okabe and Ito (2008)

# Outlines centred on (0, 0), with a radius of about 1.
_DISC = tuple((math.cos(i * math.pi / 4), math.sin(i * math.pi / 4)) for i in range(8))
_SQUARE = ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))
_TRIANGLE = ((0.0, -1.1), (1.0, 0.8), (-1.0, 0.8))
_DIAMOND = ((0.0, -1.2), (0.9, 0.0), (0.0, 1.2), (-0.9, 0.0))
_TIPPED = ((0.0, 1.1), (1.0, -0.8), (-1.0, -0.8))
_SHAPES = (_DISC, _SQUARE, _TRIANGLE, _DIAMOND, _TIPPED)
_BOW_TIE = ((-1.0, -0.8), (1.0, 0.8), (1.0, -0.8), (-1.0, 0.8))  # noise


class Markers:
    """A combination of colour and shape for each cluster.

    35 combinations differ; further clusters repeat them. Noise has its own.

    Parameters
    ----------
    clusters : sequence of int
        Clusters to mark. Negative labels are noise.
    """

    def __init__(self, clusters: Sequence[int]) -> None:
        regular = [cluster for cluster in clusters if cluster >= 0]
        self._place = {cluster: i for i, cluster in enumerate(regular)}

    def color(self, cluster: int) -> str:
        """Return the CSS class of a cluster's colour.

        Parameters
        ----------
        cluster : int
            Cluster; noise and unknown clusters are grey.

        Returns
        -------
        str
            "mark-0" to "mark-6", or "mark-none".
        """
        place = self._place.get(cluster)
        return "mark-none" if place is None else f"mark-{place % N_COLORS}"

    def path(self, cluster: int, x: float, y: float, radius: float) -> str:
        """Return the SVG path of a cluster's shape.

        Parameters
        ----------
        cluster : int
            Cluster; noise and unknown clusters have a bow tie.
        x, y : float
            Centre of the shape.
        radius : float
            Approximate radius of the shape.

        Returns
        -------
        str
            Closed path.
        """
        place = self._place.get(cluster)
        shape = _BOW_TIE if place is None else _SHAPES[place % len(_SHAPES)]
        corners = [f"{x + radius * i:.1f} {y + radius * j:.1f}" for i, j in shape]
        return f"M{'L'.join(corners)}Z"
