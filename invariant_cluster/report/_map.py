"""Map of z, with a thumbnail for each mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.inspection import map_to_plane
from invariant_cluster.progress import waiting
from invariant_cluster.report._agreement import Agreement
from invariant_cluster.report._checks import Classes
from invariant_cluster.report._clusters import name_cluster
from invariant_cluster.report._galleries import tell_of
from invariant_cluster.report._images import ReportImages
from invariant_cluster.report._markers import Markers
from invariant_cluster.report._reading import Reading
from invariant_cluster.report._sprites import SpriteSheet, make_sheet

WIDTH, HEIGHT, _MARGIN = 720, 560, 24
_MOST_POINTS = 2000
_LARGEST_TILE, _SHOWN_TILE = 40, 96
_LARGEST_RADIUS, _SMALLEST_RADIUS = 5.0, 2.5
_SEED = 0


@dataclass(frozen=True)
class MapGroup:
    """Marks of one cluster on the map.

    Attributes
    ----------
    label : int
        Cluster, as the clusterer numbers it.
    name : str
        Title of the cluster.
    matched : str
        Matched class with its share; empty without classes.
    color : str
        CSS class of the colour.
    path : str
        SVG path of all marks.
    key : str
        SVG path of one mark centred on (8, 8), for the legend.
    x, y : float
        Position of the cluster's number: the mark nearest to the median position.
    """

    label: int
    name: str
    matched: str
    color: str
    path: str
    key: str
    x: float
    y: float


@dataclass(frozen=True)
class EmbeddingMap:
    """Content of the map for the template.

    Attributes
    ----------
    groups : list of MapGroup
        One group per cluster.
    data : dict
        Data for the script: points [x, y, cluster], the row in X, the name and the
        description of each, and the layout of the sheet.
    sheet : SpriteSheet
        Sheet of the thumbnails.
    n_points : int
        Number of images on the map.
    n_images : int
        Number of images in the report.
    width, height : int
        Size of the map in pixels.
    """

    groups: list[MapGroup]
    data: dict[str, Any]
    sheet: SpriteSheet
    n_points: int
    n_images: int
    width: int = WIDTH
    height: int = HEIGHT


def draw_map(
    images: ReportImages,
    reading: Reading,
    markers: Markers,
    classes: Classes | None,
    agreement: Agreement | None,
) -> EmbeddingMap | None:
    """Return the t-SNE map of the images.

    Parameters
    ----------
    images : ReportImages
        Images of the report.
    reading : Reading
        Output of the pipeline.
    markers : Markers
        Mark of each cluster.
    classes : Classes or None
        Class of each image, for the descriptions.
    agreement : Agreement or None
        Matched class of each cluster, for the legend.

    Returns
    -------
    EmbeddingMap or None
        Map of all images, or of 2,000 drawn at random. None for fewer than 3 images.
    """
    sample = _sample(len(reading.labels))
    if len(sample) < 3:
        return None
    with waiting("map of z"):
        places = _fit_frame(map_to_plane(reading.z[sample], random_state=_SEED))
    labels = reading.labels[sample]
    sheet = make_sheet(
        images.pictures(sample), shown=_SHOWN_TILE, largest=_LARGEST_TILE, palette=True
    )
    radius = _radius(len(sample))
    groups = [
        _draw_group(label, places[labels == label], markers, radius, agreement)
        for label in np.unique(labels).tolist()
    ]
    data = {
        "points": [
            [round(x, 1), round(y, 1), label]
            for (x, y), label in zip(places.tolist(), labels.tolist(), strict=True)
        ],
        "rows": sample.tolist(),
        "names": [reading.names[i] for i in sample] if reading.names else None,
        "told": [tell_of(i, reading.certainty, reading, classes) for i in sample],
        "columns": sheet.columns,
        "tile": [sheet.width, sheet.height],
    }
    return EmbeddingMap(groups, data, sheet, len(sample), len(reading.labels))


def _sample(n: int) -> NDArray[np.intp]:
    """Return the indices of at most 2,000 of n images, sorted."""
    if n <= _MOST_POINTS:
        return np.arange(n)
    drawn = np.random.default_rng(_SEED).choice(n, _MOST_POINTS, replace=False)
    return np.sort(drawn)


def _fit_frame(places: NDArray) -> NDArray:
    """Scale positions (n, 2), y up, into the frame, y down, keeping proportions."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * _MARGIN
    spread = np.maximum(high - low, 1e-9)
    centered = (places - (low + high) / 2) * (room / spread).min()
    return centered * [1, -1] + [WIDTH / 2, HEIGHT / 2]


def _radius(n: int) -> float:
    """Return the radius of a mark in pixels, smaller for more marks."""
    return float(np.clip(120 / np.sqrt(n), _SMALLEST_RADIUS, _LARGEST_RADIUS))


def _draw_group(
    label: int,
    places: NDArray,
    markers: Markers,
    radius: float,
    agreement: Agreement | None,
) -> MapGroup:
    """Draw the marks of one cluster at its places (n, 2)."""
    middle = np.median(places, axis=0)
    x, y = places[np.linalg.norm(places - middle, axis=1).argmin()]
    return MapGroup(
        label=label,
        name=name_cluster(label),
        matched=agreement.tell(label) if agreement else "",
        color=markers.color(label),
        path="".join(markers.path(label, i, j, radius) for i, j in places.tolist()),
        key=markers.path(label, 8, 8, 6),
        x=round(float(x), 1),
        y=round(float(y), 1),
    )
