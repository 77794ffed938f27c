"""Whether new images are like those on which a model was fitted."""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from invariant_cluster.inspection._steps import steps_of


def check_drift(model: Any, X: ArrayLike) -> pd.DataFrame:
    """Compare new images with those on which a model was fitted.

    Other units, inverted or dimmed images, another background, camera, magnification
    or kind of object: a model answers such images too, and its clusters mean little.
    Embedders compare all images that they are given and warn with
    :class:`DriftWarning`; this function returns the figures.

    Parameters
    ----------
    model : fitted embedder, or Pipeline that begins with one
        The model.
    X : array-like of n images, of the shape given to ``fit``
        New images. Of more than 128, evenly spaced ones are compared.

    Returns
    -------
    DataFrame
        One row an aspect of the images: background and contrast (in their units),
        size of the objects (radius of gyration, in multiples of the height), coverage,
        sharpness and color (ratios to the contrast), and two shares of images: those
        unlike all training images, and those whose z is. Columns "training" (median),
        "low" and "high" (5 and 95 percentiles), "new" (median), "shift" (from -1 to 1,
        or the share), "limit", and "drifted": whether the shift exceeds its limit.
        No rows if the model was fitted on fewer than 40 images.

    Raises
    ------
    ValueError
        If the model has no embedder that compares images, or X does not fit it.

    See Also
    --------
    cluster_report : Show what a model makes of images.

    Notes
    -----
    A batch of new images may hold the classes in other shares than the training set.
    So the distributions of an aspect are not compared. Each new image's aspect is
    ranked among the 30 training images that are nearest to it in all other aspects, and
    the shift is the mean rank: near 0 if the aspect is what it was for such images in
    training. What ``invariance`` allows to change is not compared: with "brightness"
    background and contrast, with "scale" all that depends on size, with "color" the
    hue.

    Examples
    --------
    >>> from invariant_cluster import PolarFourierEmbedder, check_drift
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:600]
    >>> embedder = PolarFourierEmbedder(d=16, random_state=0).fit(images[:400])
    >>> int(check_drift(embedder, images[400:])["drifted"].sum())
    0
    >>> table = check_drift(embedder, images[400:] // 3)
    >>> table.loc["contrast", ["training", "new"]].round().astype(int).tolist()
    [78, 26]
    """
    watching = (step for step in steps_of(model) if hasattr(step, "check_drift"))
    embedder = next(watching, None)
    if embedder is None:
        raise ValueError(
            f"model={model!r} has no embedder of this package: give an embedder, or a "
            "Pipeline that begins with one."
        )
    table: pd.DataFrame = embedder.check_drift(X)
    return table
