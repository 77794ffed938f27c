"""Image data sets without a meaningful orientation, and the measurement model.

Every loader returns a ``sklearn.utils.Bunch`` with ``images`` of shape (n, h, w) or
(n, h, w, c), ``target`` (int64 class indices of shape (n,)), ``target_names`` and
``DESCR``, or ``(images, target)`` with ``return_X_y=True``. Where the true pose is
known, the Bunch holds it: ``theta`` in radians and ``tau`` in pixels. Nothing is
downloaded: data that are neither bundled nor generated are read from the folder
``data_home`` or, if it is None, the environment variable ``INVARIANT_CLUSTER_DATA``.
``open_images`` is the exception: it returns images that are read when they are taken.
"""

from invariant_cluster.datasets._cells import load_cells
from invariant_cluster.datasets._die_files import holds_dies
from invariant_cluster.datasets._die_table import load_die_table, load_klarf
from invariant_cluster.datasets._dsprites import make_dsprites
from invariant_cluster.datasets._fail_maps import make_fail_maps
from invariant_cluster.datasets._galaxies import load_galaxies
from invariant_cluster.datasets._image_folder import load_image_folder
from invariant_cluster.datasets._missing_pixels import fill_images, warn_of_missing
from invariant_cluster.datasets._mixed_wm38 import load_mixed_wm38
from invariant_cluster.datasets._mnist_u import fetch_mnist_u
from invariant_cluster.datasets._open_images import open_images
from invariant_cluster.datasets._oriented import make_oriented
from invariant_cluster.datasets._oriented_digits import load_oriented_digits
from invariant_cluster.datasets._palette import describe_palette
from invariant_cluster.datasets._plankton import load_plankton
from invariant_cluster.datasets._projections import load_projections
from invariant_cluster.datasets._reading import Reading, make_reading
from invariant_cluster.datasets._sampling import sample_images
from invariant_cluster.datasets._steel import load_steel
from invariant_cluster.datasets._stored_images import StoredImages
from invariant_cluster.datasets._wafer_arrays import (
    WaferMaps,
    as_fail_maps,
    open_wafers,
)
from invariant_cluster.datasets._wafer_maps import load_wafer_maps
from invariant_cluster.datasets._wm811k import load_wm811k

__all__ = [
    "Reading",
    "StoredImages",
    "WaferMaps",
    "as_fail_maps",
    "describe_palette",
    "fetch_mnist_u",
    "fill_images",
    "holds_dies",
    "load_cells",
    "load_die_table",
    "load_galaxies",
    "load_image_folder",
    "load_klarf",
    "load_mixed_wm38",
    "load_oriented_digits",
    "load_plankton",
    "load_projections",
    "load_steel",
    "load_wafer_maps",
    "load_wm811k",
    "make_dsprites",
    "make_fail_maps",
    "make_oriented",
    "make_reading",
    "open_images",
    "open_wafers",
    "sample_images",
    "warn_of_missing",
]
