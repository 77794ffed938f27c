"""Marks that tell clusters apart by shape as well as by colour."""

from __future__ import annotations

from collections.abc import Sequence

N_COLORS = 7  # --mark-0 to --mark-6 in style.css, after Okabe and Ito (2008)

# Each fits a circle of radius 1; "X Y" is where it is drawn.
_SHAPES = (
    ((0.0, -0.9), (0.64, -0.64), (0.9, 0.0), (0.64, 0.64))
    + ((0.0, 0.9), (-0.64, 0.64), (-0.9, 0.0), (-0.64, -0.64)),  # disc
    ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)),  # square
    ((0.0, -1.1), (1.0, 0.8), (-1.0, 0.8)),  # triangle
    ((0.0, -1.2), (0.9, 0.0), (0.0, 1.2), (-0.9, 0.0)),  # diamond
    ((0.0, 1.1), (1.0, -0.8), (-1.0, -0.8)),  # triangle on its tip
)
_CROSS = (
    ((-0.25, -1.0), (0.25, -1.0), (0.25, -0.25), (1.0, -0.25))
    + ((1.0, 0.25), (0.25, 0.25), (0.25, 1.0), (-0.25, 1.0))
    + ((-0.25, 0.25), (-1.0, 0.25), (-1.0, -0.25), (-0.25, -0.25))
)


class Markers:
    """A colour and a shape for each cluster; 35 differ, noise has a cross.

    Parameters
    ----------
    clusters : sequence of int
    """

    def __init__(self, clusters: Sequence[int]) -> None:
        regular = [cluster for cluster in clusters if cluster >= 0]
        self._place = {cluster: i for i, cluster in enumerate(regular)}

    def color(self, cluster: int) -> str:
        """Return the CSS class of the cluster's colour."""
        place = self._place.get(cluster)
        return "mark-none" if place is None else f"mark-{place % N_COLORS}"

    def path(self, cluster: int, x: float, y: float, radius: float) -> str:
        """Return the SVG path of the cluster's shape about a point."""
        place = self._place.get(cluster)
        shape = _CROSS if place is None else _SHAPES[place % len(_SHAPES)]
        corners = [f"{x + radius * i:.1f} {y + radius * j:.1f}" for i, j in shape]
        return f"M{'L'.join(corners)}Z"
