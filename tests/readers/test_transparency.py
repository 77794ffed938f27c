"""Transparent pixels become the ground that shows the object."""

import struct

import numpy as np
import pytest
from PIL import Image, features

from invariant_cluster.readers import choose_ground, read_image

Y, X = np.mgrid[:32, :32]
INSIDE = ((X - 16) / 11) ** 2 + ((Y - 16) / 5) ** 2 < 1


def make_rgba(value):
    grey = np.where(INSIDE, value, 0).astype(np.uint8)
    return np.dstack([grey] * 3 + [np.where(INSIDE, 255, 0).astype(np.uint8)])


def save(path, value, how):
    """Save an object of one value on a transparent ground, in one of many ways."""
    rgba = make_rgba(value)
    marked = np.where(INSIDE, value, 1).astype(np.uint8)  # 1 is transparent
    if how == "tRNS grey":
        Image.fromarray(marked).save(path, transparency=1)
    elif how == "tRNS RGB":
        image = Image.fromarray(np.dstack([marked] * 3))
        image.save(path, transparency=(1, 1, 1))
    elif how == "palette":
        Image.fromarray(marked).convert("P").save(path, transparency=1)
    elif how == "palette bytes":
        opacity = bytes([255, 0, *[255] * 254])
        Image.fromarray(marked).convert("P").save(path, transparency=opacity)
    else:
        pixels = rgba[..., [0, 3]] if how == "LA" else rgba
        Image.fromarray(pixels).save(path, lossless=True)


WAYS = ["RGBA", "LA", "tRNS grey", "tRNS RGB", "palette", "palette bytes"]
FILES = [*((how, "a.png") for how in WAYS), ("palette", "a.gif"), ("RGBA", "a.webp")]


@pytest.mark.parametrize("color", ["auto", "grey", "rgb"])
@pytest.mark.parametrize(("value", "ground"), [(40, 255), (255, 0), (215, 0)])
@pytest.mark.parametrize(("how", "name"), FILES)
def test_objects_stay_visible(tmp_path, how, name, value, ground, color):
    if name.endswith("webp") and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    save(tmp_path / name, value, how)
    picture = read_image(tmp_path / name, color=color)
    pixels = picture.pixels.reshape(32, 32, -1)
    assert picture.has_alpha
    assert (pixels[INSIDE] == value).all()
    assert (pixels[~INSIDE] == ground).all()
    name = "white" if ground else "black"
    assert picture.notes == (f"transparent pixels became {name}",)


def test_16_bit_grey_with_a_transparent_value(tmp_path):
    pixels = np.where(INSIDE, 60_000, 300).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png", transparency=300)
    picture = read_image(tmp_path / "a.png")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, np.where(INSIDE, 60_000, 0))
    white = read_image(tmp_path / "a.png", transparent="white").pixels
    np.testing.assert_array_equal(white, np.where(INSIDE, 60_000, 65_535))


def write_bmp(path, rgba):
    """Write a BMP of 32 bits whose header (version 4) names a mask of opacity."""
    height, width = rgba.shape[:2]
    body = rgba[::-1, :, [2, 1, 0, 3]].tobytes()
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, *[0] * 5)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    start = 14 + 108
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    path.write_bytes(head + (header + masks).ljust(108, b"\0") + body)


@pytest.mark.parametrize(("value", "ground"), [(40, 255), (255, 0)])
def test_bmp(tmp_path, value, ground):
    write_bmp(tmp_path / "a.bmp", make_rgba(value))
    picture = read_image(tmp_path / "a.bmp")
    expected = np.where(INSIDE, value, ground)
    np.testing.assert_array_equal(picture.pixels, np.dstack([expected] * 3))
    assert picture.has_alpha


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_transparent_value_of_few_bits(tmp_path, write_png, depth):
    top = 2**depth - 1
    samples = np.where(INSIDE, top, top - 1)
    path = tmp_path / "a.png"
    write_png(path, samples, depth=depth, colour_type=0, transparent=[top - 1])
    np.testing.assert_array_equal(read_image(path).pixels, np.where(INSIDE, 255, 0))


@pytest.mark.parametrize("ground", ["black", "white"])
def test_half_transparent_pixels_are_mixed_exactly(tmp_path, rng, ground):
    rgba = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png", transparent=ground).pixels
    white = 255 if ground == "white" else 0
    for y in range(20):
        for x in range(30):
            share = rgba[y, x, 3] / 255
            for c in range(3):
                exact = rgba[y, x, c] * share + white * (1 - share)
                assert abs(int(found[y, x, c]) - exact) <= 0.5 + 1e-9


def test_opaque_alpha_changes_nothing(tmp_path, rng):
    rgba = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    picture = read_image(tmp_path / "a.png")
    assert picture.has_alpha
    assert picture.notes == ()
    np.testing.assert_array_equal(picture.pixels, rgba[..., :3])


def test_hidden_colours_do_not_count(tmp_path):
    rgba = make_rgba(40)
    rgba[~INSIDE, :3] = 255  # white, but transparent
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png").pixels[~INSIDE] == 255).all()
    rgba[..., 3] = 0
    Image.fromarray(rgba).save(tmp_path / "b.png")
    assert (read_image(tmp_path / "b.png").pixels == 0).all()


@pytest.mark.parametrize(("value", "ground"), [(40, "white"), (230, "black")])
def test_one_ground_for_a_folder(tmp_path, value, ground):
    paths = [tmp_path / f"{i:02d}.png" for i in range(70)]
    for i, path in enumerate(paths):
        # A few objects differ from most; opaque and damaged files do not count.
        save(path, 255 - value if i % 10 == 0 else value, "RGBA")
    Image.fromarray(np.full((9, 9), value, dtype=np.uint8)).save(paths[1])
    paths[2].write_bytes(b"no image")
    paths[3].write_bytes(b"")
    assert choose_ground(paths) == ground
    assert choose_ground(paths[::-1]) == ground


def test_a_few_files_with_transparency_are_found(tmp_path):
    paths = [tmp_path / f"{i:03d}.png" for i in range(300)]
    opaque = np.zeros((8, 8, 4), dtype=np.uint8)
    opaque[..., 3] = 255
    for path in paths:
        Image.fromarray(opaque).save(path)
    assert choose_ground(paths) == "black"
    save(paths[123], 40, "LA")
    assert choose_ground(paths) == "white"


def test_the_ground_without_transparency_is_black(tmp_path):
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(tmp_path / "a.png")
    assert choose_ground([tmp_path / "a.png"]) == "black"
    assert choose_ground([]) == "black"


@pytest.mark.parametrize("suffix", ["tif", "webp", "gif"])
def test_the_ground_of_other_formats(tmp_path, suffix):
    if suffix == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    how = "palette" if suffix == "gif" else "RGBA"
    path = tmp_path / f"a.{suffix}"
    if suffix == "tif":
        Image.fromarray(make_rgba(40)).save(path)
    else:
        save(path, 40, how)
    assert choose_ground([path]) == "white"
