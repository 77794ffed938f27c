"""The files' own type is the images' type, whatever the values are."""

import numpy as np
import pytest

from invariant_cluster.datasets import load_image_folder, open_images

tifffile = pytest.importorskip("tifffile")
y, x = np.mgrid[:24, :24]
BLOB = 200 * np.exp(-(((x - 10) / 5) ** 2 + ((y - 12) / 2.5) ** 2))


def save(folder, *pages):
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages):
        tifffile.imwrite(folder / f"{number}.tif", page)
    return folder


@pytest.mark.parametrize(
    ("dtype", "pages"),
    [
        ("i2", [BLOB + 5] * 3),
        ("i2", [BLOB + 5, BLOB + 5, BLOB - 3]),
        ("i4", [BLOB + 5, BLOB + 5, BLOB * 400]),
        ("u4", [BLOB + 5, BLOB + 5, BLOB * 400]),
        ("u4", [BLOB / 200 * 4294967295]),
        ("i1", [BLOB - 100]),
        ("f8", [BLOB + 1e-9]),
    ],
)
def test_values_and_dtype_stay(tmp_path, dtype, pages):
    pages = [page.astype(dtype) for page in pages]
    images = load_image_folder(save(tmp_path, *pages), size=24).images
    assert images.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(images, pages)
    stored = open_images(tmp_path, size=24)
    assert stored.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stored[:], pages)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("size", [17, 40])
def test_resizing_does_not_wrap(tmp_path, dtype, size):
    info = np.iinfo(dtype)
    page = np.where((x // 3 + y // 3) % 2, info.max, info.min).astype(dtype)
    image = load_image_folder(save(tmp_path, page), size=size).images[0]
    assert image.dtype == page.dtype
    # The pattern turned into floats has the same shape, up to rounding.
    floats = save(tmp_path / "f", ((x // 3 + y // 3) % 2).astype("f8"))
    shares = load_image_folder(floats, size=size).images[0]
    span = float(info.max) - float(info.min)
    np.testing.assert_allclose((image - float(info.min)) / span, shares, atol=3e-3)
    assert image.max() == info.max or image.max() > info.max * 0.9


def mixed(folder):
    return save(folder, (BLOB + 5).astype("u1"), (BLOB * 100).astype("u2"))


def test_mixed_depths_are_an_error_that_counts_them(tmp_path):
    message = r"grey uint16 \(1, such as 1\.tif\), grey uint8 \(1, .*mixed_depth='widen"
    with pytest.raises(ValueError, match=message):
        load_image_folder(mixed(tmp_path))


def test_widening_keeps_the_values(tmp_path):
    images = load_image_folder(mixed(tmp_path), size=24, mixed_depth="widen").images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images[0], (BLOB + 5).astype("u1"))
    np.testing.assert_array_equal(images[1], (BLOB * 100).astype("u2"))


def test_scaling_maps_the_full_range(tmp_path):
    images = load_image_folder(mixed(tmp_path), size=24, mixed_depth="scale").images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images[0], 257 * (BLOB + 5).astype("u1").astype("u2"))
    np.testing.assert_array_equal(images[1], (BLOB * 100).astype("u2"))
    signed = save(tmp_path / "signed", np.array([[-128, 127]] * 2, "i1").repeat(8, 1))
    save(signed, *[(BLOB * 0).astype("i4")] * 2)
    tifffile.imwrite(signed / "a.tif", np.array([[-128, 127]] * 2, "i1").repeat(8, 1))
    some = load_image_folder(signed, size=16, mixed_depth="scale").images[2]
    assert (some.min(), some.max()) == (-(2**31), 2**31 - 1)


@pytest.mark.parametrize(
    ("given", "common"),
    [
        (["u1", "i2"], "i2"),
        (["u2", "i2"], "i4"),
        (["u1", "f4"], "f4"),
        (["i4", "f4"], "f8"),
        (["u1", "u2", "u4"], "u4"),
    ],
)
def test_widened_dtype_holds_all_values(tmp_path, given, common):
    pages = [(BLOB + 5).astype(dtype) for dtype in given]
    save(tmp_path, *pages)
    images = load_image_folder(tmp_path, size=24, mixed_depth="widen").images
    assert images.dtype == np.dtype(common)
    np.testing.assert_array_equal(images, pages)
    stored = open_images(tmp_path, size=24, mixed_depth="widen")
    assert stored.dtype == np.dtype(common)
    np.testing.assert_array_equal(stored[::-1], images[::-1])


def test_floats_have_no_range_to_scale(tmp_path):
    save(tmp_path, BLOB.astype("f4"), BLOB.astype("u1"))
    with pytest.raises(ValueError, match=r"'scale' maps .*uint8, float32: use mixed_d"):
        load_image_folder(tmp_path, mixed_depth="scale")


def test_another_folder_gets_the_dtype_of_the_first(tmp_path):
    first = load_image_folder(mixed(tmp_path / "a"), size=24, mixed_depth="widen")
    narrow = save(tmp_path / "b", (BLOB + 5).astype("u1"))
    assert load_image_folder(narrow, reading=first.reading).images.dtype == np.uint16
    assert open_images(narrow, reading=first.reading).dtype == np.uint16
    wide = save(tmp_path / "c", BLOB.astype("f4"))
    for load in (load_image_folder, open_images):
        with pytest.raises(ValueError, match="Files of float32 do not fit mixed_depth"):
            load(wide, reading=first.reading)
    alike = load_image_folder(narrow, size=24)
    with pytest.raises(
        ValueError, match=r"of uint16 do not fit mixed_depth='raise' .*u"
    ):
        load_image_folder(
            save(tmp_path / "d", BLOB.astype("u2")), reading=alike.reading
        )
