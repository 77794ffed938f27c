"""PNG, JPEG, BMP, GIF, WebP and PNM files are read back to their values."""

import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from invariant_cluster.readers import UnreadableError, read_image

SHAPE = (9, 14)


def make_bytes(rng, *shape):
    return rng.integers(0, 256, shape, dtype=np.uint8)


def check(path, pixels, **how):
    picture = read_image(path, **how)
    assert picture.pixels.dtype == pixels.dtype
    assert picture.pixels.dtype.isnative
    np.testing.assert_array_equal(picture.pixels, pixels)
    return picture


@pytest.mark.parametrize("suffix", ["png", "bmp", "pgm"])
def test_grey_of_8_bits(tmp_path, rng, suffix):
    pixels = make_bytes(rng, *SHAPE)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}")
    picture = check(tmp_path / f"a.{suffix}", pixels)
    assert picture.notes == ()
    assert not picture.has_alpha


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "webp"])
def test_rgb_of_8_bits(tmp_path, rng, suffix):
    if suffix == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    pixels = make_bytes(rng, *SHAPE, 3)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", lossless=True)
    assert check(tmp_path / f"a.{suffix}", pixels).notes == ()


@pytest.mark.parametrize("suffix", ["png", "bmp", "pbm"])
def test_masks_are_0_and_255(tmp_path, rng, suffix):
    mask = rng.random(SHAPE) < 0.3
    Image.fromarray(mask).save(tmp_path / f"a.{suffix}")
    check(tmp_path / f"a.{suffix}", mask.astype(np.uint8) * np.uint8(255))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_few_bits_of_png_are_spread_over_8(tmp_path, rng, write_png, depth):
    samples = rng.integers(0, 2**depth, SHAPE)
    write_png(tmp_path / "a.png", samples, depth=depth, colour_type=0)
    expected = samples * 255 // (2**depth - 1)
    check(tmp_path / "a.png", expected.astype(np.uint8))


@pytest.mark.parametrize("top", [255, 65535])
def test_grey_of_16_bits_stays_whatever_its_values(tmp_path, rng, write_png, top):
    pixels = rng.integers(0, top + 1, SHAPE).astype(np.uint16)
    write_png(tmp_path / "raw.png", pixels, depth=16, colour_type=0)
    check(tmp_path / "raw.png", pixels)
    Image.fromarray(pixels).save(tmp_path / "pillow.png")
    check(tmp_path / "pillow.png", pixels)
    raw = b"P5\n14 9\n65535\n" + pixels.astype(">u2").tobytes()
    (tmp_path / "a.pgm").write_bytes(raw)
    check(tmp_path / "a.pgm", pixels)


def test_pgm_is_scaled_from_its_maximum(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5\n4 1\n4095\n" + b"\0\0\0\1\x08\0\x0f\xff")
    expected = np.rint(np.array([[0, 1, 2048, 4095]]) * 65535 / 4095)
    check(tmp_path / "a.pgm", expected.astype(np.uint16))
    (tmp_path / "b.pgm").write_bytes(b"P2\n3 1\n100\n0 50 100\n")
    check(tmp_path / "b.pgm", np.array([[0, 128, 255]], dtype=np.uint8))


@pytest.mark.parametrize(
    ("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)], ids=["RGB", "LA", "RGBA"]
)
def test_colours_of_16_bits_are_not_cut(
    tmp_path, rng, write_png, colour_type, channels
):
    samples = rng.integers(0, 65536, (*SHAPE, channels))
    write_png(tmp_path / "a.png", samples, depth=16, colour_type=colour_type)
    with pytest.raises(UnreadableError, match=r"16 bits per channel.*reduces to 8"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("maximum", [1023, 65535])
def test_ppm_of_16_bits_is_not_cut(tmp_path, maximum):
    body = b"\1\2" * (14 * 9 * 3)
    (tmp_path / "a.ppm").write_bytes(b"P6\n14 9\n%d\n" % maximum + body)
    with pytest.raises(UnreadableError, match=r"16 bits per channel.*save it as TIFF"):
        read_image(tmp_path / "a.ppm")


def test_jpeg_is_what_pillow_decodes(tmp_path, rng):
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    for name, pixels in (("grey", smooth), ("rgb", np.dstack([smooth] * 3))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.jpg", quality=95)
        found = read_image(tmp_path / f"{name}.jpg").pixels
        assert found.shape == pixels.shape
        assert np.abs(found.astype(int) - pixels).max() <= 4


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    red = Image.new("RGB", (16, 16), (200, 30, 30))
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    picture = read_image(tmp_path / "a.jpg")
    assert picture.pixels.shape == (16, 16, 3)
    assert np.abs(picture.pixels.astype(int) - [200, 30, 30]).max() <= 4
    assert picture.notes == ("CMYK became RGB",)


def test_phone_photo_gives_its_first_frame(tmp_path):
    red, blue = (Image.new("RGB", (24, 24), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[blue])
    picture = read_image(tmp_path / "a.jpg")
    assert np.abs(picture.pixels.astype(int) - [255, 0, 0]).max() <= 4
    assert picture.notes == ("the first of several frames was taken (MPO)",)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animations_are_refused(tmp_path, suffix):
    if suffix == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableError, match="holds 3 frames: save each frame as its"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp"])
def test_palettes_become_rgb(tmp_path, rng, suffix):
    colours = make_bytes(rng, 7, 3)
    pixels = colours[rng.integers(0, 7, SHAPE)]
    palette = Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE)
    palette.save(tmp_path / f"a.{suffix}")
    check(tmp_path / f"a.{suffix}", pixels)


@pytest.mark.parametrize("levels", [2, 40, 256])
def test_gif_is_rgb_whatever_its_palette(tmp_path, levels):
    pixels = (np.arange(256) % levels).reshape(16, 16).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.gif")
    check(tmp_path / "a.gif", np.dstack([pixels] * 3))


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_pictures_are_turned_as_viewers_show_them(tmp_path, rng, tag, suffix):
    if suffix == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    exif = Image.Exif()
    exif[0x0112] = tag
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(make_bytes(rng, *SHAPE, 3)).save(path, exif=exif, lossless=True)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    notes = ("turned as its EXIF tag says",) if tag > 1 else ()
    assert check(path, shown).notes == notes


def test_16_bits_and_transparency_are_turned_too(tmp_path, rng):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = rng.integers(0, 65536, SHAPE).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    check(tmp_path / "a.png", np.rot90(pixels, -1))
    rgba = make_bytes(rng, *SHAPE, 4)
    rgba[..., 3] = np.where(rng.random(SHAPE) < 0.5, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "b.png", exif=exif)
    expected = np.where(rgba[..., 3:] == 0, 0, rgba[..., :3])
    check(tmp_path / "b.png", np.rot90(expected, -1), transparent="black")


def test_damaged_exif_does_not_hide_the_picture(tmp_path, rng):
    pixels = make_bytes(rng, *SHAPE)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=b"Exif\0\0no TIFF at all")
    assert check(tmp_path / "a.png", pixels).notes == ()


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif", "webp", "ppm"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_cut_off_files_are_named(tmp_path, rng, suffix, share):
    if suffix == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(make_bytes(rng, 40, 40, 3)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadableError, match="it is cut off, damaged, or") as caught:
        read_image(path)
    assert "copy it again or, if another program opens it" in caught.value.reason


def test_bombs_are_refused(tmp_path, write_png):
    write_png(tmp_path / "a.png", np.zeros((1, 1)), depth=8, colour_type=0)
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnreadableError, match=r"exceeds limit.*: save a smaller image"):
        read_image(tmp_path / "a.png")


def test_missing_pillow_says_how_to_get_it(tmp_path, rng, monkeypatch):
    Image.fromarray(make_bytes(rng, *SHAPE)).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="Pillow, which is not installed: run 'pip"):
        read_image(tmp_path / "a.png")
