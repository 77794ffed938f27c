"""The bundled sample of real wafer maps."""

from __future__ import annotations

from importlib.resources import as_file

from invariant_cluster.datasets._archives import read_split
from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._wafers import bundled_data, make_wafer_bunch

_DESCR = """Wafer maps (sample of MIR-WM811K)
=================================

1,799 real wafer maps, 32x32, of nine classes: Center, Donut, Edge-Loc, Edge-Ring,
Loc, Near-full, Random, Scratch and none. The orientation of a wafer in the tester is
arbitrary, and so is that of its defect.

The sample was drawn from a training part of 5,440 labelled maps of MIR-WM811K, at most
900 per class. These were resized to 64x64 and then to 32x32 by nearest neighbour, so
the pixels stay discrete. One of each set of equal maps was kept. At most 221 maps per
class were then drawn at random (seed 0; Near-full has only 31) and put in random order.
Class shares are therefore not those of production. `benchmarks/make_wafer_sample.py`
creates the sample.
"""


def load_wafer_maps(*, fail_map: bool = False, return_X_y: bool = False) -> Dataset:
    """Return the bundled sample of 1,799 real wafer maps.

    The maps are of nine defect classes, at most 221 per class, from MIR-WM811K. They
    come with the package: no file, no download. ``DESCR`` states how they were chosen
    and what to cite.

    Parameters
    ----------
    fail_map : bool, default=False
        Whether to return 1 for a failing die and 0 elsewhere, instead of the three
        values.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (1799, 32, 32) uint8 with values 0 (no die), 1 (pass) and 2 (fail),
        ``target`` (1799,) int64, ``target_names`` (9,) and ``DESCR``.

    See Also
    --------
    load_wm811k : Load the full data set from a file.

    References
    ----------
    M.-J. Wu, J.-S. R. Jang and J.-L. Chen, "Wafer map failure pattern recognition and
    similarity ranking for large-scale data sets", IEEE Transactions on Semiconductor
    Manufacturing 28(1), 2015.

    Examples
    --------
    >>> from invariant_cluster.datasets import load_wafer_maps
    >>> images, target = load_wafer_maps(return_X_y=True)
    >>> images.shape, images.dtype, target.shape
    ((1799, 32, 32), dtype('uint8'), (1799,))
    """
    with as_file(bundled_data().joinpath("wafer_maps.npz")) as path:
        images, target, names = read_split(path, None)
    return make_wafer_bunch(
        images, target, names, _DESCR, fail_map=fail_map, return_X_y=return_X_y
    )
