"""The bundled sample of real wafer maps."""

from __future__ import annotations

from importlib.resources import as_file

from invariant_cluster.datasets._archives import read_split
from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._wafers import bundled_data, make_wafer_bunch

_DESCR = """Wafer maps (sample of MIR-WM811K)
=================================

1,799 real wafer maps, 32x32, of nine classes: Center, Donut, Edge-Loc, Edge-Ring,
Loc, Near-full, Random, Scratch and none. The orientation of a wafer in the tester
means nothing, so neither does that of its defect.

How the sample was chosen: from a training part of 5,440 labelled maps of MIR-WM811K,
at most 900 a class, resized to 64x64 and then to 32x32 by nearest neighbour, so that
the pixels stay discrete. Of maps that are equal one was kept; of the rest at most 221
a class were drawn at random (seed 0; Near-full has only 31) and put in random order.
Class shares are therefore not those of production. `benchmarks/make_wafer_sample.py`
makes the sample again.
"""


def load_wafer_maps(*, fail_map: bool = False, return_X_y: bool = False) -> Dataset:
    """Return the bundled sample of real wafer maps: no file, no download.

    1,799 maps of nine defect classes, at most 221 a class, from MIR-WM811K (Wu, Jang
    and Chen, 2015); ``DESCR`` says how they were chosen and what to cite.

    Parameters
    ----------
    fail_map : bool, default=False
        Return 1 where a die fails and 0 elsewhere, instead of the three values.
    return_X_y : bool, default=False

    Returns
    -------
    Bunch or (images, target)
        ``images`` (1799, 32, 32) uint8 of values 0 (no die), 1 (pass) and 2 (fail),
        ``target`` (1799,) int64, ``target_names`` (9,) and ``DESCR``.

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
