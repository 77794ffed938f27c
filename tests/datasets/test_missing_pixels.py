"""Arrays with pixels that have no value."""

import pickle
import warnings

import numpy as np
import pytest

from invariant_cluster.datasets import fill_images, open_images, warn_of_missing

h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")


def draw(shape=(20, 12, 10)):
    """Return images and copies with NaN and infinity in every third one."""
    rng = np.random.default_rng(0)
    images = rng.uniform(1, 9, shape).astype(np.float32)
    spoilt = images.copy()
    hit = rng.random(shape) < 0.1
    hit[np.arange(len(hit)) % 3 != 0] = False
    spoilt[hit] = np.where(rng.random(hit.sum()) < 0.5, np.nan, np.inf)
    return images, spoilt, hit


def naive_background(image):
    """Return the lower median of the known border pixels of an image (h, w)."""
    edges = [image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]
    values = sorted(v for v in np.concatenate(edges) if np.isfinite(v))
    return values[(len(values) - 1) // 2]


def test_missing_pixels_become_the_background_of_their_image():
    images, spoilt, hit = draw()
    filled = fill_images(spoilt, "X")
    np.testing.assert_array_equal(filled.images[~hit], images[~hit])
    for image, before, missing in zip(filled.images, spoilt, hit, strict=True):
        assert (image[missing] == naive_background(before)).all()
    np.testing.assert_array_equal(filled.n_missing, hit.sum(axis=(1, 2)))
    assert filled.n_pixels == hit.size


@pytest.mark.parametrize("axis", [1, -1])
def test_each_channel_has_its_background(axis):
    _, spoilt, hit = draw((20, 12, 10, 3))
    filled = fill_images(np.moveaxis(spoilt, -1, axis), "X")
    each = [fill_images(spoilt[..., c], "X").images for c in range(3)]
    np.testing.assert_array_equal(
        np.moveaxis(filled.images, axis, -1), np.stack(each, axis=-1)
    )
    np.testing.assert_array_equal(filled.n_missing, hit.any(axis=-1).sum(axis=(1, 2)))


def test_flat_rows_are_filled_by_their_median():
    rows = np.array([[1.0, 2.0, 7.0, np.nan], [1.0, 2.0, 3.0, 4.0]])
    filled = fill_images(rows, "X").images
    np.testing.assert_array_equal(filled, [[1, 2, 7, 2], [1, 2, 3, 4]])


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_whole_images_are_not_copied(dtype):
    images = np.ones((3, 8, 8), dtype=dtype)
    assert fill_images(images, "X").images is images


def test_an_image_without_a_value_is_named():
    images = np.ones((3, 8, 8))
    images[1] = np.nan
    with pytest.raises(ValueError, match="X, image 1, cannot be used: none of its"):
        fill_images(images, "X")


def write(kind, folder, images):
    path = folder / f"flux.{kind}"
    if kind == "npy":
        np.save(path, images)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=images, chunks=(4, *images.shape[1:]))
    else:
        zarr.save_array(path, images)
    return path


@pytest.mark.parametrize("kind", ["npy", "h5", "zarr"])
def test_opened_images_are_filled_and_counted(kind, tmp_path):
    _, spoilt, hit = draw()
    path = write(kind, tmp_path, spoilt)
    n_bad = np.count_nonzero(hit.any(axis=(1, 2)))
    share = f"{100 * hit.mean():.2g}"
    told = rf"flux.{kind}: {hit.sum()} pixels \({share} %\) in {n_bad} images are NaN"
    images = open_images(path)
    with pytest.warns(UserWarning, match=told):
        array = np.asarray(images)
    expected = fill_images(spoilt, "X").images
    np.testing.assert_array_equal(array, expected)
    with warnings.catch_warnings():  # it is told once
        warnings.simplefilter("error")
        np.testing.assert_array_equal(images[3], expected[3])
        np.testing.assert_array_equal(images[[6, 0]], expected[[6, 0]])
        np.testing.assert_array_equal(images[2:9:2], expected[2:9:2])
    with pytest.warns(UserWarning, match="of the 1 read first are NaN"):
        again = pickle.loads(pickle.dumps(images))[0]
    np.testing.assert_array_equal(again, expected[0])


def test_images_without_a_value_can_be_passed_over(tmp_path):
    images = np.ones((6, 8, 8))
    images[2] = np.nan
    np.save(tmp_path / "flux.npy", images)
    opened = open_images(tmp_path / "flux.npy")
    assert opened[[1, 3]].sum() == 128
    with pytest.raises(ValueError, match=r"flux\.npy, image 2, cannot be used"):
        opened[:]


def test_an_array_without_missing_pixels_stays_on_disk(tmp_path):
    np.save(tmp_path / "flux.npy", np.ones((6, 8, 8)))
    array = np.asanyarray(open_images(tmp_path / "flux.npy"))
    assert isinstance(array, np.memmap) or isinstance(array.base, np.memmap)


def test_nothing_is_told_of_whole_images():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missing("X", fill_images(np.ones((3, 8, 8)), "X"), 3)
