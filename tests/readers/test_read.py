"""What is the same for every format: content, colours, missing values, errors."""

import pickle

import numpy as np
import pytest
from PIL import Image

from invariant_cluster.readers import UnreadableError, read_image

tifffile = pytest.importorskip("tifffile")


def test_the_content_decides_not_the_name(tmp_path, rng):
    pixels = rng.integers(0, 65536, (9, 12)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    for name in ("a.png", "A.JPG", "a", "a.dat"):
        (tmp_path / name).write_bytes((tmp_path / "a.tif").read_bytes())
        np.testing.assert_array_equal(read_image(tmp_path / name).pixels, pixels)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"8BPS\0\1" + b"\0" * 600, "a Photoshop document"),
        (b"\0\0\1\0\1\0" + b"\0" * 600, "an icon"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"\0\0\0\x20ftypheic", "a HEIC image"),
        (b"\0\0\0\x20ftypavif", "an AVIF image"),
        (b"\0\0\0\x20ftypisom", "a video"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PK\3\4" + b"\0" * 30, "a ZIP archive"),
        (b"\0" * 128 + b"DICM", "a DICOM image"),
        (b"\0" * 208 + b"MAP " + b"\0" * 900, "an MRC map"),
        (b"PF\n3 3\n-1.0\n", "a PFM image"),
        (b"Pf\n3 3\n-1.0\n", "a PFM image"),
        (b"<?xml version='1.0'?>", "an XML text"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path, content, name):
    (tmp_path / "a.png").write_bytes(content)
    message = f"it is {name}.*which is not read: save it as PNG or TIFF"
    with pytest.raises(UnreadableError, match=message):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"it is empty \(0 bytes\): copy or download it again"),
        (b"object_id\tarea\na\t1\n", r"of none of the formats .*PNG, JPEG, TIFF, FITS"),
        (b"P", r"none of the formats"),
        (b"\x89PNG\r\n\x1a\n", r"it is cut off, damaged, or of a variant"),
        (b"II*\0", r"it is cut off, damaged"),
        (b"\x1f\x8b\x08\0", r"it is cut off, damaged"),
    ],
)
def test_what_is_no_image_is_told(tmp_path, content, reason):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason) as caught:
        read_image(tmp_path / "a.png")
    error = caught.value
    assert error.path == tmp_path / "a.png"
    assert str(error) == f"{error.path} cannot be read as an image: {error.reason}."
    assert "repair" not in error.reason.lower()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_files_that_cannot_be_opened_are_told(tmp_path):
    with pytest.raises(UnreadableError, match=r"it cannot be opened .No such file"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(UnreadableError, match="it cannot be opened"):
        read_image(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_raises_no_other_error(tmp_path, seed):
    """Bytes that changed give an image or the one error, whatever the decoder does."""
    rng = np.random.default_rng(seed)
    path = tmp_path / ["a.png", "a.tif", "a.bmp", "a.gif"][seed % 4]
    Image.fromarray(rng.integers(0, 256, (20, 20), dtype=np.uint8)).save(path)
    data = bytearray(path.read_bytes())
    for place in rng.integers(4, min(len(data), 150), 3):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    try:
        assert read_image(path).pixels.size
    except UnreadableError as error:
        assert error.reason  # noqa: PT017


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_colours_are_converted(tmp_path, rng, dtype):
    rgb = (rng.random((9, 12, 3)) * 250).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb")
    grey = read_image(tmp_path / "a.tif", color="grey").pixels
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    exact = 0.299 * red + 0.587 * green + 0.114 * blue
    assert grey.dtype == dtype
    tolerance = 1e-4 if dtype == "float32" else 0.5 + 1e-9
    np.testing.assert_allclose(grey, exact, rtol=0, atol=tolerance)
    tifffile.imwrite(tmp_path / "b.tif", grey)
    again = read_image(tmp_path / "b.tif", color="rgb").pixels
    np.testing.assert_array_equal(again, np.dstack([grey] * 3))
    same = read_image(tmp_path / "a.tif", color="rgb").pixels
    np.testing.assert_array_equal(same, rgb)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_none_become_background(tmp_path, value):
    pixels = np.full((9, 12), 3, dtype=np.float32)
    pixels[2:6, 3:8] = 50
    damaged = pixels.copy()
    damaged[0, :5] = damaged[4, 1] = value
    tifffile.imwrite(tmp_path / "a.tif", damaged)
    picture = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, pixels)
    name = "NaN" if np.isnan(value) else "infinity"
    assert picture.notes == (f"{name} became background",)


def test_background_of_a_border_without_values(tmp_path):
    pixels = np.full((9, 12), np.nan)
    pixels[1:-1, 1:-1] = 3
    pixels[4, 4] = 50
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    found = read_image(tmp_path / "a.tif").pixels
    assert found[4, 4] == 50
    assert (np.delete(found.ravel(), 4 * 12 + 4) == 3).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_value_at_all_is_refused(tmp_path, value):
    tifffile.imwrite(tmp_path / "a.tif", np.full((9, 9), value, dtype=np.float32))
    with pytest.raises(UnreadableError, match=r"none of its pixels has a value.*leave"):
        read_image(tmp_path / "a.tif")
