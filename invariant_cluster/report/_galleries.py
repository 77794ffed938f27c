"""Images of each cluster, and images that fit no cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images import take_rows
from invariant_cluster.inspection import ORDERS, pick_exemplars
from invariant_cluster.report._captions import shorten_middle
from invariant_cluster.report._checks import Classes
from invariant_cluster.report._clusters import name_cluster
from invariant_cluster.report._images import ReportImages
from invariant_cluster.report._reading import Measure, Reading
from invariant_cluster.report._sprites import SpriteSheet, make_sheet

_MOST_IN_ALL, _MOST_EACH, _LEAST_EACH = 720, 24, 4
_MOST_MISFITS = 24
_MOST_AVERAGED = 256
_TILE = 64
_MEAN_TILE = 96
_SEED = 0


@dataclass(frozen=True)
class Tile:
    """One image of a section.

    Attributes
    ----------
    image : int
        Index of the image in X.
    style : str
        CSS of its position on the section's sprite sheet.
    value : float
        Certainty or fit of the image.
    about : str
        Description of the image for tooltips and screen readers.
    name : str or None
        Name of the image.
    short : str or None
        Name without its middle if it is long.
    """

    image: int
    style: str
    value: float
    about: str
    name: str | None = None
    short: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Images of one cluster.

    Attributes
    ----------
    label : int
        Cluster, as the clusterer numbers it.
    orders : dict of str to list of Tile
        Images by order: most confident, least confident and random.
    mean : str or None
        CSS of the mean canonical image on its sprite sheet; None without poses.
    """

    label: int
    orders: dict[str, list[Tile]]
    mean: str | None


@dataclass(frozen=True)
class Galleries:
    """Images of all clusters, and their sprite sheets.

    Attributes
    ----------
    galleries : list of Gallery
        One gallery per cluster.
    sheet : SpriteSheet
        Sheet of the images.
    means : SpriteSheet or None
        Sheet of the mean canonical images; None if the embedder finds no canonical
        orientation.
    n_averaged : int
        Largest number of images in a mean.
    """

    galleries: list[Gallery]
    sheet: SpriteSheet
    means: SpriteSheet | None
    n_averaged: int = _MOST_AVERAGED


@dataclass(frozen=True)
class Misfits:
    """Images that fit no cluster, and their sprite sheet.

    Attributes
    ----------
    tiles : list of Tile
        Images, worst first.
    sheet : SpriteSheet
        Sheet of the images.
    """

    tiles: list[Tile]
    sheet: SpriteSheet


def collect_galleries(
    images: ReportImages, reading: Reading, classes: Classes | None
) -> Galleries:
    """Pick images of each cluster in every order, and average its members.

    Parameters
    ----------
    images : ReportImages
        Images of the report.
    reading : Reading
        Output of the pipeline.
    classes : Classes or None
        Class of each image, for the descriptions.

    Returns
    -------
    Galleries
        Images and means of all clusters.

    See Also
    --------
    collect_misfits : Pick the images that fit no cluster.
    """
    picks = {order: _pick(reading, order) for order in ORDERS}
    used = np.unique(np.concatenate([i for p in picks.values() for i in p.values()]))
    sheet = make_sheet(images.pictures(used), shown=_TILE, largest=_TILE)
    means = _make_means(images, reading)
    galleries = []
    for position, label in enumerate(reading.clusters):
        orders = {
            order: _make_tiles(
                picks[order][label], used, sheet, reading.certainty, reading, classes
            )
            for order in ORDERS
        }
        mean = None if means is None else means.place(position)
        galleries.append(Gallery(label, orders, mean))
    return Galleries(galleries, sheet, means)


def collect_misfits(
    images: ReportImages, reading: Reading, classes: Classes | None
) -> Misfits:
    """Pick the images with the worst fit, at most 24.

    Parameters
    ----------
    images : ReportImages
        Images of the report.
    reading : Reading
        Output of the pipeline.
    classes : Classes or None
        Class of each image, for the descriptions.

    Returns
    -------
    Misfits
        Images, worst first.

    See Also
    --------
    collect_galleries : Pick images of each cluster.
    """
    worst = np.argsort(reading.fit.rank, kind="stable")[:_MOST_MISFITS]
    sheet = make_sheet(images.pictures(worst), shown=_TILE, largest=_TILE)
    return Misfits(
        _make_tiles(worst, worst, sheet, reading.fit, reading, classes), sheet
    )


def _pick(reading: Reading, order: str) -> dict[int, NDArray[np.intp]]:
    """Return the exemplars of each cluster; fewer per cluster if there are many."""
    n = max(
        _LEAST_EACH,
        min(_MOST_EACH, _MOST_IN_ALL // (len(ORDERS) * len(reading.clusters))),
    )
    return pick_exemplars(
        reading.labels, reading.certainty.rank, n, order=order, random_state=_SEED
    )


def _make_tiles(
    picked: NDArray,
    on_sheet: NDArray,
    sheet: SpriteSheet,
    measure: Measure,
    reading: Reading,
    classes: Classes | None,
) -> list[Tile]:
    """Return the tiles of picked images; ``on_sheet`` lists the images of the sheet."""
    position = {int(image): i for i, image in enumerate(on_sheet)}
    return [
        Tile(
            image,
            sheet.place(position[image]),
            float(measure.shown[image]),
            tell_of(image, measure, reading, classes),
            *_captions(image, reading),
        )
        for image in picked.tolist()
    ]


def _captions(image: int, reading: Reading) -> tuple[str, ...]:
    """Return the whole and the short name of an image, if it has one."""
    if reading.names is None:
        return ()
    return reading.names[image], shorten_middle(reading.names[image])


def tell_of(
    image: int, measure: Measure, reading: Reading, classes: Classes | None
) -> str:
    """Return the description of an image.

    Parameters
    ----------
    image : int
        Index of the image in X.
    measure : Measure
        Certainty or fit to report.
    reading : Reading
        Output of the pipeline.
    classes : Classes or None
        Class of each image.

    Returns
    -------
    str
        Number, name, cluster, measure and class of the image, as far as known.
    """
    told = [
        f"Image {image}",
        *([reading.names[image]] if reading.names else []),
        name_cluster(int(reading.labels[image])).lower(),
        f"{measure.name} {measure.shown[image]:.2f}",
    ]
    if classes:
        told.append(f"class {classes.names[classes.codes[image]]}")
    return ", ".join(told)


def _make_means(images: ReportImages, reading: Reading) -> SpriteSheet | None:
    """Return the mean of each cluster's members in canonical orientation."""
    canonicalize = getattr(images.embedder, "canonicalize", None)
    if canonicalize is None:
        return None
    rng = np.random.default_rng(_SEED)
    means = []
    for label in reading.clusters:
        members = rng.permutation(reading.members(label))[:_MOST_AVERAGED]
        rows = take_rows(images.seen, np.sort(members))
        canonical = np.asarray(canonicalize(_of_one_average(images.embedder, rows)))
        means.append(canonical.mean(axis=0))
    pictures = images.stretched(np.stack(means))
    return make_sheet(pictures, shown=_MEAN_TILE, largest=_MEAN_TILE)


def _of_one_average(embedder: Any, rows: Any) -> Any:
    """Return images whose canonical orientation is the same.

    Class averages have each their own: of images that joined several of them, those of
    the commonest are left.
    """
    if not hasattr(embedder, "class_averages_"):
        return rows
    joined = embedder.transform(rows).argmax(axis=1)
    return take_rows(rows, np.flatnonzero(joined == np.bincount(joined).argmax()))
