"""Which images the report shows, cluster by cluster, and those that fit nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images import take_rows
from invariant_cluster.inspection import ORDERS, pick_exemplars
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
        Its row in X.
    style : str
        Where it is on the section's sheet, as CSS.
    value : float
    about : str
        What a reader is told of it.
    """

    image: int
    style: str
    value: float
    about: str


@dataclass(frozen=True)
class Gallery:
    """The images of one cluster.

    Attributes
    ----------
    label : int
    orders : dict of order to tiles
    mean : str or None
        Where its mean canonical image is on the sheet of means, as CSS.
    """

    label: int
    orders: dict[str, list[Tile]]
    mean: str | None


@dataclass(frozen=True)
class Galleries:
    """All clusters' images, with the sheets that hold them."""

    galleries: list[Gallery]
    sheet: SpriteSheet
    means: SpriteSheet | None
    n_averaged: int = _MOST_AVERAGED


@dataclass(frozen=True)
class Misfits:
    """The images that fit nowhere, worst first, and their sheet."""

    tiles: list[Tile]
    sheet: SpriteSheet


def collect_galleries(
    images: ReportImages, reading: Reading, classes: Classes | None
) -> Galleries:
    """Pick the images of each cluster in every order, and average its members."""
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
    """Return the images that fit worst."""
    worst = np.argsort(reading.fit.rank, kind="stable")[:_MOST_MISFITS]
    sheet = make_sheet(images.pictures(worst), shown=_TILE, largest=_TILE)
    return Misfits(
        _make_tiles(worst, worst, sheet, reading.fit, reading, classes), sheet
    )


def _pick(reading: Reading, order: str) -> dict[int, NDArray[np.intp]]:
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
    """Return tiles of picked images, all of which are on the sheet."""
    position = {int(image): i for i, image in enumerate(on_sheet)}
    return [
        Tile(
            image,
            sheet.place(position[image]),
            float(measure.shown[image]),
            tell_of(image, measure, reading, classes),
        )
        for image in picked.tolist()
    ]


def tell_of(
    image: int, measure: Measure, reading: Reading, classes: Classes | None
) -> str:
    """Return an image's number, name, cluster, certainty or fit, and class as text."""
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
    """Return each cluster's mean of its members in canonical orientation."""
    canonicalize = getattr(images.embedder, "canonicalize", None)
    if canonicalize is None:
        return None
    rng = np.random.default_rng(_SEED)
    means = []
    for label in reading.clusters:
        members = rng.permutation(reading.members(label))[:_MOST_AVERAGED]
        canonical = np.asarray(canonicalize(take_rows(images.seen, np.sort(members))))
        means.append(canonical.mean(axis=0))
    pictures = images.stretched(np.stack(means))
    return make_sheet(pictures, shown=_MEAN_TILE, largest=_MEAN_TILE)
