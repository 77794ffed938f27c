"""Plankton of the National Data Science Bowl 2015."""

from __future__ import annotations

import os

from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._labelled_archive import LabelledArchive, load_labelled

_PLANKTON = LabelledArchive(
    file="plankton.npz",
    title="Plankton (National Data Science Bowl 2015)",
    about="Single organisms in grey on white, at any angle.",
    source=(
        "The images are those of https://www.kaggle.com/c/datasciencebowl, resized to "
        "one size."
    ),
    terms="""Cite the data, and do not redistribute them:

R. K. Cowen, S. Sponaugle, K. Robinson and J. Luo, "PlanktonSet 1.0: Plankton imagery
data collected from F.G. Walton Smith in Straits of Florida from 2014-06-03 to
2014-06-06 and used in the 2015 National Data Science Bowl", NOAA National Centers for
Environmental Information, 2015.""",
)


def load_plankton(
    *,
    subset: str = "train",
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return plankton of the National Data Science Bowl 2015, grey on white.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Part to load; "all" puts the training images first.
    data_home : path-like, default=None
        Folder that holds ``plankton.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``train_images`` (n, h, w) uint8,
        ``train_labels`` (n,), ``test_images``, ``test_labels`` and ``class_names``,
        whichever of the competition's classes these are.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, h, w) uint8, ``target`` (n,) int64, ``target_names`` and
        ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no ``plankton.npz``; the message names the path that was tried and
        the form of the file.
    ValueError
        If the file is truncated or holds other data, or ``subset`` is unknown.

    See Also
    --------
    load_galaxies : Load galaxies, in colour on black.

    Notes
    -----
    Cite the data, and do not redistribute them. The split is not that of the
    competition, whose test images have no public labels.

    References
    ----------
    R. K. Cowen, S. Sponaugle, K. Robinson and J. Luo, "PlanktonSet 1.0: Plankton
    imagery data collected from F.G. Walton Smith in Straits of Florida from 2014-06-03
    to 2014-06-06 and used in the 2015 National Data Science Bowl", NOAA National
    Centers for Environmental Information, 2015.
    """
    return load_labelled(
        _PLANKTON, data_home=data_home, subset=subset, return_X_y=return_X_y
    )
