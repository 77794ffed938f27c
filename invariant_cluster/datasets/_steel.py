"""Surface defects of hot-rolled steel, of NEU."""

from __future__ import annotations

import os

from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._labelled_archive import LabelledArchive, load_labelled

_STEEL = LabelledArchive(
    file="steel.npz",
    title="Steel surfaces (NEU)",
    about="""Defects of hot-rolled steel strips, in grey: textures without an object, of
different brightness. The rolling direction leaves traces, so the orientation is not
wholly arbitrary.""",
    source=(
        "The images are those of the NEU surface defect database "
        "(http://faculty.neu.edu.cn/songkechen/), resized to one size."
    ),
    terms="""Cite the data, and do not redistribute them:

K. Song and Y. Yan, "A noise robust method based on completed local binary patterns for
hot-rolled steel strip surface defects", Applied Surface Science 285, 2013.""",
    class_names=(
        "crazing",
        "inclusion",
        "patches",
        "pitted_surface",
        "rolled-in_scale",
        "scratches",
    ),
)


def load_steel(
    *,
    subset: str = "train",
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return surface defects of hot-rolled steel, of NEU: textures in grey.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Part to load; "all" puts the training images first.
    data_home : path-like, default=None
        Folder that holds ``steel.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``train_images`` (n, h, w) uint8,
        ``train_labels`` (n,), ``test_images``, ``test_labels`` and ``class_names``.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, h, w) uint8, ``target`` (n,) int64, ``target_names`` (6,) and
        ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no ``steel.npz``; the message names the path that was tried and the
        form of the file.
    ValueError
        If the file is truncated or holds other data, or ``subset`` is unknown.

    See Also
    --------
    load_cells : Load objects with a centre.

    Notes
    -----
    The images have no object, neither a centre nor a direction of mass: give
    ``IRLINREmbedder`` ``align=False``. The rolling direction leaves traces, so score
    rotated copies too. Cite the data, and do not redistribute them.

    References
    ----------
    K. Song and Y. Yan, "A noise robust method based on completed local binary patterns
    for hot-rolled steel strip surface defects", Applied Surface Science 285, 2013.
    """
    return load_labelled(
        _STEEL, data_home=data_home, subset=subset, return_X_y=return_X_y
    )
