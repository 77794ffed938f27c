"""The benchmarks' images are those of the archives, in the same split, bit for bit."""

import numpy as np
import pytest

from benchmarks.data import FILES, load_cryo_pose, load_split
from benchmarks.scales import get_settings

ARCHIVES = ["plankton", "galaxy-zoo", "galaxy-zoo-5", "cells", "steel", "cryo"]


def get_whole(dataset, side):
    """Return the settings of the scale, with all images at a side."""
    settings = get_settings(dataset, "smoke")
    data = {"side": side, "n_train": None, "n_test": None}
    return settings._replace(data=data)


def read_parts(path, dataset):
    """Return images and labels of both parts, read with NumPy alone."""
    arrays = np.load(path, allow_pickle=False)
    if dataset != "cryo":
        return [
            (arrays[f"{part}_images"], arrays[f"{part}_labels"])
            for part in ("train", "test")
        ]
    rows = np.arange(len(arrays["images"]))
    return [
        (arrays["images"][kept], arrays["labels"][kept])
        for kept in (rows % 4 != 3, rows % 4 == 3)
    ]


@pytest.mark.parametrize("dataset", ARCHIVES)
def test_a_split_is_that_of_the_archive(dataset, data_folder):
    split = load_split(dataset, get_whole(dataset, 32), str(data_folder))
    train, test = read_parts(data_folder / FILES[dataset], dataset)
    given = [(split.train, split.train_labels), (split.test, split.test_labels)]
    for (images, labels), (expected, classes) in zip(given, (train, test), strict=True):
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, expected)
        if dataset == "galaxy-zoo-5":
            # 2 is the anticlockwise kind of spirals, and the later classes move up.
            classes = np.where(classes >= 2, classes - 1, classes)
        np.testing.assert_array_equal(labels, classes)


@pytest.mark.parametrize("dataset", ARCHIVES)
def test_shrunk_images_are_means_of_areas(dataset, data_folder):
    split = load_split(dataset, get_whole(dataset, 16), str(data_folder))
    (images, _), _ = read_parts(data_folder / FILES[dataset], dataset)
    n, *axes = len(images), *images.shape[3:]
    means = images.reshape(n, 16, 2, 16, 2, *axes).mean(axis=(2, 4))
    np.testing.assert_array_equal(split.train, np.rint(means))


def test_cryo_pose_is_that_of_the_archive(data_folder):
    arrays = np.load(data_folder / FILES["cryo"], allow_pickle=False)
    pose = load_cryo_pose(get_whole("cryo", 16), str(data_folder))
    rows = np.arange(len(arrays["theta"])) % 4 == 3
    turns = np.exp(1j * (pose.theta - arrays["theta"][rows]))
    np.testing.assert_allclose(turns, 1, atol=1e-6)
    down, across = arrays["shift_yx"][rows].T
    expected = np.stack([across, -down], axis=1) / 2
    np.testing.assert_array_equal(pose.tau, expected)
