"""Galaxies of the SDSS with the classes of Galaxy Zoo 1."""

from __future__ import annotations

import os

import numpy as np

from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._labelled_archive import (
    LabelledArchive,
    describe,
    read_labelled,
)

_CLOCKWISE, _ANTICLOCKWISE = "Spiral-CW", "Spiral-ACW"
_GALAXIES = LabelledArchive(
    file="galaxy_zoo.npz",
    title="Galaxy Zoo 1",
    about="Galaxies in colour, on black, with the votes of Galaxy Zoo 1 as classes.",
    source=(
        "Cut the images out of the SDSS (https://www.sdss.org) at the positions of "
        "Galaxy Zoo 1 (https://data.galaxyzoo.org)."
    ),
    terms="""Cite the data, and do not redistribute them:

C. J. Lintott et al., "Galaxy Zoo: morphologies derived from visual inspection of
galaxies from the Sloan Digital Sky Survey", MNRAS 389(3), 2008.
C. Lintott et al., "Galaxy Zoo 1: data release of morphological classifications for
nearly 900 000 galaxies", MNRAS 410(1), 2011.
Images: Sloan Digital Sky Survey, https://www.sdss.org.""",
    is_color=True,
    class_names=(
        "Elliptical",
        _CLOCKWISE,
        _ANTICLOCKWISE,
        "Edge-on",
        "DontKnow",
        "Merger",
    ),
)


def load_galaxies(
    *,
    n_classes: int = 6,
    subset: str = "train",
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return galaxies in colour with the classes of Galaxy Zoo 1.

    Parameters
    ----------
    n_classes : {6, 5}, default=6
        5 makes one class, "Spiral", of the clockwise and the anticlockwise spirals,
        which are mirror images: a representation that ignores reflections cannot
        separate them. No image is left out.
    subset : {"train", "test", "all"}, default="train"
        Part to load; "all" puts the training images first.
    data_home : path-like, default=None
        Folder that holds ``galaxy_zoo.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``train_images`` (n, h, w, 3)
        uint8, ``train_labels`` (n,), ``test_images``, ``test_labels`` and
        ``class_names``.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, h, w, 3) uint8, ``target`` (n,) int64, ``target_names``
        (n_classes,) and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no ``galaxy_zoo.npz``; the message names the path that was tried
        and the form of the file.
    ValueError
        If the file is truncated or holds other data, or a parameter is unknown.

    See Also
    --------
    load_plankton : Load plankton, which also lies and sits anywhere.

    Notes
    -----
    Cite the data, and do not redistribute them.

    References
    ----------
    C. J. Lintott et al., "Galaxy Zoo: morphologies derived from visual inspection of
    galaxies from the Sloan Digital Sky Survey", MNRAS 389(3), 2008.

    C. Lintott et al., "Galaxy Zoo 1: data release of morphological classifications for
    nearly 900 000 galaxies", MNRAS 410(1), 2011.
    """
    if n_classes not in (5, 6):
        raise ValueError(
            f"n_classes={n_classes!r} is unknown: give 6, or 5 to make one class of "
            "the two kinds of spirals."
        )
    images, target, names = read_labelled(_GALAXIES, data_home, subset)
    if n_classes == 5:
        target, names = _merge_spirals(target, names)
    descr = describe(_GALAXIES, subset, images)
    return make_bunch(images, target, names, descr, return_X_y=return_X_y)


def _merge_spirals(
    target: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return classes (n,) and their names, with one class of spirals."""
    merged = ["Spiral" if name.startswith("Spiral") else name for name in names]
    kept = list(dict.fromkeys(merged))
    codes = np.array([kept.index(name) for name in merged])
    return codes[target], np.array(kept)
