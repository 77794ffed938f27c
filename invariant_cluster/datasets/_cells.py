"""Blood cells of BCCD, cut out of smears."""

from __future__ import annotations

import os

from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._labelled_archive import LabelledArchive, load_labelled

_CELLS = LabelledArchive(
    file="cells.npz",
    title="Blood cells (BCCD)",
    about="""Single blood cells in colour, cut out of photographs of smears, centred and
scaled to one size. Training and test images come from different smears.""",
    source=(
        "Cut the cells out of the photographs of "
        "https://github.com/Shenggan/BCCD_Dataset at its boxes."
    ),
    terms="""Cite BCCD Dataset, https://github.com/Shenggan/BCCD_Dataset. It is under
the MIT licence: keep its notice with copies.""",
    is_color=True,
    class_names=("RBC", "WBC", "Platelets"),
)


def load_cells(
    *,
    subset: str = "train",
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return blood cells of BCCD, in colour and of three unequal classes.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Part to load; "all" puts the training images first. The parts come from
        different smears.
    data_home : path-like, default=None
        Folder that holds ``cells.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``train_images`` (n, h, w, 3)
        uint8, ``train_labels`` (n,), ``test_images``, ``test_labels`` and
        ``class_names``.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, h, w, 3) uint8, ``target`` (n,) int64, ``target_names`` (3,):
        red cells, white cells and platelets, and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no ``cells.npz``; the message names the path that was tried and the
        form of the file.
    ValueError
        If the file is truncated or holds other data, or ``subset`` is unknown.

    See Also
    --------
    load_plankton : Load organisms that lie anywhere, in grey.

    Notes
    -----
    BCCD has the MIT licence: keep its notice with copies.

    References
    ----------
    BCCD Dataset, https://github.com/Shenggan/BCCD_Dataset.
    """
    return load_labelled(
        _CELLS, data_home=data_home, subset=subset, return_X_y=return_X_y
    )
