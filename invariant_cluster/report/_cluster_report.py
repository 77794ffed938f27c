"""The report: read the pipeline once, describe what it says, write one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from invariant_cluster.persistence import check_place, replacing
from invariant_cluster.report._agreement import measure_agreement
from invariant_cluster.report._checks import (
    check_names,
    check_pipeline,
    check_target,
    import_extra,
)
from invariant_cluster.report._clusters import describe_clusters, summarize
from invariant_cluster.report._curves import draw_curves
from invariant_cluster.report._galleries import collect_galleries, collect_misfits
from invariant_cluster.report._images import ReportImages
from invariant_cluster.report._map import draw_map
from invariant_cluster.report._markers import Markers
from invariant_cluster.report._page import render_page
from invariant_cluster.report._reading import read_pipeline
from invariant_cluster.report._settings import list_settings, list_versions


def cluster_report(
    pipeline: Any,
    X: ArrayLike,
    y: ArrayLike | None = None,
    path: str | os.PathLike[str] = "report.html",
    *,
    names: Sequence[str] | None = None,
) -> Path:
    """Write what a fitted pipeline says of images as one HTML file.

    The file holds its pictures, styles and script, and loads nothing from elsewhere:
    a summary, the clusters with size, confidence and stability, their images and mean
    canonical image, the images that fit nowhere, a map of z, the training curves, all
    parameters and versions. Nothing is trained. The images are embedded once, and once
    more turned by random angles, for the stability.

    Parameters
    ----------
    pipeline : fitted Pipeline
        An embedder, and a clusterer as the last step: ``SCANClusterer`` or any of
        scikit-learn's. Without ``predict_proba`` the distance in z to the mean of the
        cluster stands in for the confidence; without ``predict`` its ``labels_`` are
        taken and X must be the training images.
    X : array-like of n images, of the shape given to ``fit``
    y : array-like of shape (n,), optional
        Classes, as names or numbers, to compare the clusters with.
    path : str or path-like, default="report.html"
        Replaced if it exists, once the report is complete.
    names : sequence of str, optional
        What to call each image, such as its file.

    Returns
    -------
    pathlib.Path
        Where the report is.

    Raises
    ------
    TypeError
        When ``pipeline`` is no Pipeline.
    NotFittedError
        When it is not fitted.
    ValueError
        A pipeline of one step; X, y and names of other lengths; images that do not
        fit; a clusterer without ``predict`` on other images than its own.
    FileNotFoundError, IsADirectoryError
        When ``path`` lies in no folder, or is one.
    ImportError
        Without jinja2 and Pillow: the extra "report" of this package.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> from invariant_cluster import PolarFourierEmbedder, cluster_report
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> pipeline = make_pipeline(PolarFourierEmbedder(d=8), KMeans(4)).fit(images)
    >>> cluster_report(pipeline, images, path="digits.html")  # doctest: +SKIP
    PosixPath('digits.html')
    """
    import_extra()
    target = check_place(path)
    check_pipeline(pipeline)
    classes = check_target(y, X)
    images = ReportImages.of(pipeline, X)
    reading = read_pipeline(pipeline, images, check_names(names, X))
    markers = Markers(reading.clusters)
    agreement = measure_agreement(classes, reading) if classes else None
    page = render_page(
        summary=summarize(pipeline, images, reading),
        agreement=agreement,
        clusters=describe_clusters(reading, agreement),
        reading=reading,
        markers=markers,
        galleries=collect_galleries(images, reading, classes),
        misfits=collect_misfits(images, reading, classes),
        map=draw_map(images, reading, markers, classes),
        curves=draw_curves(pipeline),
        settings=list_settings(pipeline),
        versions=list_versions(),
    )
    with replacing(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target
