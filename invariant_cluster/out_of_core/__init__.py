"""Clusters of more images than memory holds: by shards, and by dask.

``datasets.open_images`` opens the images and ``datasets.sample_images`` draws those to
fit a model to.
"""

from invariant_cluster.out_of_core._predict_dask import predict_dask
from invariant_cluster.out_of_core._predict_shards import predict_shards
from invariant_cluster.out_of_core._read_shards import read_shards

__all__ = ["predict_dask", "predict_shards", "read_shards"]
