"""What every loader of data that come with the package returns."""

import inspect

import numpy as np
import pytest
from sklearn.utils import Bunch

from invariant_cluster import datasets


def needs_no_file(loader):
    parameters = inspect.signature(loader).parameters
    required = [p for p in parameters.values() if p.default is inspect.Parameter.empty]
    return not required and "data_home" not in parameters


LOADERS = [
    name
    for name in datasets.__all__
    if name.startswith("load_") and needs_no_file(getattr(datasets, name))
]


@pytest.fixture(params=LOADERS)
def load(request):
    return getattr(datasets, request.param)


def test_bundled_loaders_are_found():
    assert {"load_oriented_digits", "load_wafer_maps"} <= set(LOADERS)


def test_bunch_of_any_loader(load):
    bunch = load()
    assert isinstance(bunch, Bunch)
    n = len(bunch.images)
    assert bunch.images.ndim in {3, 4}
    assert (bunch.target.shape, bunch.target.dtype) == ((n,), np.int64)
    assert set(bunch.target) == set(range(len(bunch.target_names)))
    title, line = bunch.DESCR.splitlines()[:2]
    assert title
    assert set(line) == {"="}
    if "theta" in bunch:
        assert (bunch.theta.shape, bunch.tau.shape) == ((n,), (n, 2))


def test_pair_of_any_loader_equals_its_bunch(load):
    images, target = load(return_X_y=True)
    bunch = load()
    np.testing.assert_array_equal(images, bunch.images)
    np.testing.assert_array_equal(target, bunch.target)
