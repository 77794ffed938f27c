"""Pixels of files without a value are counted, as those of arrays are."""

import warnings

import numpy as np
import pytest

from invariant_cluster.datasets import load_image_folder, open_images

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def folder(tmp_path):
    """Three files, of 100, 200 and 100 pixels, of which 5, 0 and 3 have no value."""
    root = tmp_path / "images"
    root.mkdir()
    for name, width in (("a", 10), ("b", 20), ("c", 10)):
        pixels = np.full((10, width), 2, np.float32)
        pixels[4:7, 4:7] = 9
        if name == "a":
            pixels[0, :5] = np.nan
        if name == "c":
            pixels[5, :3] = np.inf
        tifffile.imwrite(root / f"{name}.tif", pixels)
    return root


def told(load, *arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(*arguments, **options)
    return [str(warning.message) for warning in caught]


def test_pixels_and_files_are_counted(folder, tmp_path):
    expected = (
        "8 pixels (2 %) in 2 of 3 files, such as a.tif, are NaN or infinite: set to "
        "each image's background, the median of its border."
    )
    assert told(load_image_folder, folder) == [expected]
    # The same if some is cut off, and from a cache.
    cached = {"crop": (0, 0, 1, 1), "cache": tmp_path / "cache"}
    for _ in range(2):
        assert told(load_image_folder, folder, **cached) == [expected]
    (folder / "c.tif").unlink()
    (line,) = told(load_image_folder, folder)
    assert line.startswith("5 pixels (1.7 %) in 1 of 2 files, such as a.tif, are NaN: ")


def test_opened_files_are_not_counted(folder):
    lines = told(lambda: open_images(folder)[:])
    assert [line.split(",")[0] for line in lines] == [
        "NaN became background in some files",
        "infinity became background in some files",
    ]


def test_a_pixel_counts_once_for_all_channels(tmp_path):
    pixels = np.full((10, 10, 3), 2, np.float32)
    pixels[3, 3], pixels[4, 4, 1] = np.nan, np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    (line,) = told(load_image_folder, tmp_path)
    assert line.startswith("2 pixels (2 %) in 1 of 1 files")
