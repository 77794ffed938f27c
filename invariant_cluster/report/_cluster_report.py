"""The report: query the pipeline once, describe its output, write one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from invariant_cluster.persistence import check_place, replacing
from invariant_cluster.progress import progress_of, showing_progress
from invariant_cluster.report._agreement import measure_agreement
from invariant_cluster.report._checks import (
    Classes,
    check_names,
    check_pipeline,
    check_target,
    check_verdict,
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
from invariant_cluster.verdict import Verdict, can_judge, check_fit


def cluster_report(
    pipeline: Any,
    X: ArrayLike,
    y: ArrayLike | None = None,
    path: str | os.PathLike[str] = "report.html",
    *,
    names: Sequence[str] | None = None,
    verdict: Verdict | str | None = "auto",
    verbose: int = 0,
) -> Path:
    """Write a report of a fitted pipeline's clusters as one HTML file.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Embedder, followed by a clusterer as the last step: ``SCANClusterer`` or any
        clusterer of scikit-learn. Nothing is trained.
    X : array-like of n images
        Images of the shape given to ``fit``.
    y : array-like of shape (n,), optional
        Classes, as names or numbers. They add scores, a confusion matrix and matched
        classes to the report.
    path : str or path-like, default="report.html"
        File to write, in an existing folder. An existing file is replaced once the
        report is complete.
    names : sequence of str, optional
        Name of each image, such as its file, shown below the image. A long name is
        shown without its middle, and whole if "Full names" is chosen in the report.
    verdict : Verdict, "auto" or None, default="auto"
        What label-free checks made of the fit; it stands at the top of the report.
        "auto" asks :func:`check_fit`, with the names, if the pipeline has an embedder
        of this package. None leaves it out.
    verbose : int, default=0
        1 shows progress bars of what takes more than a second.

    Returns
    -------
    pathlib.Path
        Path of the report.

    Raises
    ------
    TypeError
        If ``pipeline`` is not a Pipeline, or ``verdict`` is something else.
    NotFittedError
        If the pipeline is not fitted.
    ValueError
        If the pipeline has one step or does not end in a clusterer, the lengths of X, y
        and names differ, the images do not have the shape of the training images, a
        clusterer without ``predict`` gets another number of images than in training, or
        ``path`` is not a regular file.
    FileNotFoundError, IsADirectoryError, PermissionError
        If the folder of ``path`` does not exist, ``path`` is a folder, or the folder is
        not writable.
    ImportError
        If jinja2 or Pillow is not installed; both come with the extra "report" of this
        package.

    See Also
    --------
    check_fit : Return the verdict alone.
    invariant_cluster.plot.ClusterGalleryDisplay : Plot images of each cluster.
    invariant_cluster.plot.EmbeddingDisplay : Plot a map of z.
    invariant_cluster.plot.TrainingCurvesDisplay : Plot the training curves.

    Notes
    -----
    The report holds the verdict, a summary, a table of clusters with size, confidence
    and stability, images and a mean canonical image of each cluster, the images that
    fit no cluster, a map of z on which images can be selected, the training curves, and
    all parameters and versions. Pictures, styles and script are part of the file; it
    loads nothing from elsewhere.

    The images are embedded once. For the stability they are embedded once more, each
    turned by a random angle. The verdict embeds at most 1,000 of them, twice.

    Without ``predict_proba`` the distance in z to the mean of the cluster replaces the
    confidence. Without ``predict`` the clusterer's ``labels_`` are shown, X must be the
    training images, and there is no stability.

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
    check_verdict(verdict)
    classes = check_target(y, X)
    names = check_names(names, X)
    with showing_progress(verbose), progress_of("report"):
        page = _draw_page(pipeline, X, classes, names, verdict)
    with replacing(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target


def _draw_page(
    pipeline: Any,
    X: ArrayLike,
    classes: Classes | None,
    names: list[str] | None,
    verdict: Verdict | str | None,
) -> str:
    """Return the report as HTML."""
    images = ReportImages.of(pipeline, X)
    reading = read_pipeline(pipeline, images, names)
    markers = Markers(reading.clusters)
    agreement = measure_agreement(classes, reading) if classes else None
    return render_page(
        verdict=_judge(pipeline, X, names) if verdict == "auto" else verdict,
        disc=images.disc(),
        summary=summarize(pipeline, images, reading),
        agreement=agreement,
        clusters=describe_clusters(reading, agreement),
        reading=reading,
        markers=markers,
        galleries=collect_galleries(images, reading, classes),
        misfits=collect_misfits(images, reading, classes),
        map=draw_map(images, reading, markers, classes, agreement),
        curves=draw_curves(pipeline),
        settings=list_settings(pipeline),
        versions=list_versions(),
    )


def _judge(pipeline: Any, X: ArrayLike, names: Sequence[str] | None) -> Verdict | None:
    """Return the verdict on a pipeline; None if its embedder is another package's."""
    return check_fit(pipeline, X, names=names) if can_judge(pipeline) else None
