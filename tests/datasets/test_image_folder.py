"""Folders of images become one array; what cannot be read without loss is named."""

import struct
import sys
import zlib

import numpy as np
import pytest

from invariant_cluster.datasets import load_image_folder

Image = pytest.importorskip("PIL.Image")


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def make_grey(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    save(root / "b" / "2.png", make_grey(20, 30))
    save(root / "b" / "1.png", make_grey(64, 64, seed=1))
    save(root / "b" / "below" / "3.bmp", make_grey(9, 7))
    save(root / "a" / "x.tif", make_grey(100, 40))
    (root / ".hidden").mkdir()
    (root / ".DS_Store").write_bytes(b"no image")
    (root / "a" / ".x.png").write_bytes(b"no image")
    (root / "a" / "Thumbs.db").write_bytes(b"no image")
    (root / "b" / ".cache").mkdir()
    (root / "b" / ".cache" / "y.png").write_bytes(b"no image")
    return root


def test_bunch(folder):
    bunch = load_image_folder(folder)
    assert bunch.images.shape == (4, 64, 64)
    assert bunch.images.dtype == np.uint8
    assert bunch.target.tolist() == [0, 1, 1, 1]
    assert bunch.target.dtype == np.int64
    assert bunch.target_names.tolist() == ["a", "b"]
    endings = [name.replace("\\", "/").split("images/")[1] for name in bunch.filenames]
    assert endings == ["a/x.tif", "b/1.png", "b/2.png", "b/below/3.bmp"]
    np.testing.assert_array_equal(bunch.images[1], make_grey(64, 64, seed=1))
    assert "4 images of 2 classes" in bunch.DESCR


def test_pair_without_a_bunch(folder):
    images, target = load_image_folder(str(folder), size=16, return_X_y=True)
    assert images.shape == (4, 16, 16)
    assert target.tolist() == [0, 1, 1, 1]


def test_flat_folder_has_no_classes(tmp_path):
    save(tmp_path / "1.png", make_grey(10, 10))
    save(tmp_path / "2.png", make_grey(12, 10))
    bunch = load_image_folder(tmp_path, size=10)
    assert bunch.images.shape == (2, 10, 10)
    assert bunch.target is None
    assert bunch.target_names.shape == (0,)
    images, target = load_image_folder(tmp_path, size=10, return_X_y=True)
    assert images.shape == (2, 10, 10)
    assert target is None


@pytest.mark.parametrize("shape", [(30, 60), (60, 30)])
def test_padding_is_the_background_and_the_shape_stays(tmp_path, shape):
    pixels = np.full(shape, 230, dtype=np.uint8)
    middle = tuple(slice(side // 2 - 6, side // 2 + 6) for side in shape)
    pixels[middle] = 20
    save(tmp_path / "a" / "1.png", pixels)
    image = load_image_folder(tmp_path, size=30).images[0].astype(int)
    assert (image[:10] > 225).all()
    assert (image[:, :10] > 225).all()
    inside = np.argwhere(image < 125)
    assert inside.min(axis=0).tolist() == [12, 12]
    assert inside.max(axis=0).tolist() == [17, 17]


def test_rgb(tmp_path):
    pixels = np.zeros((10, 12, 3), dtype=np.uint8)
    pixels[..., 0], pixels[..., 2] = 200, 50
    save(tmp_path / "a" / "1.png", pixels)
    image = load_image_folder(tmp_path, size=8).images[0]
    assert image.shape == (8, 8, 3)
    assert (image == [200, 0, 50]).all()


def test_mixed_colors_are_an_error_or_converted(tmp_path):
    save(tmp_path / "a" / "1.png", np.full((8, 8, 3), [100, 100, 100], dtype=np.uint8))
    save(tmp_path / "a" / "2.png", np.full((8, 8), 100, dtype=np.uint8))
    message = (
        r"differ in colour .*: RGB uint8 \(1, such as .*1\.png\), grey uint8 .*2\.png"
    )
    with pytest.raises(ValueError, match=message):
        load_image_folder(tmp_path, size=8)
    grey = load_image_folder(tmp_path, size=8, color="grey").images
    rgb = load_image_folder(tmp_path, size=8, color="rgb").images
    assert grey.shape == (2, 8, 8)
    assert rgb.shape == (2, 8, 8, 3)
    assert (grey == 100).all()
    assert (rgb == 100).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_stay(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 65536, (12, 12)).astype(np.uint16)
    save(tmp_path / "a" / f"1.{suffix}", pixels)
    images = load_image_folder(tmp_path, size=12).images
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images[0], pixels)


def test_floats_and_wide_integers_stay(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32)
    save(tmp_path / "float" / "a" / "1.tif", pixels)
    np.testing.assert_array_equal(
        load_image_folder(tmp_path / "float", size=12).images[0], pixels
    )
    save(tmp_path / "wide" / "a" / "1.tif", np.full((9, 9), 100_000, dtype=np.int32))
    images = load_image_folder(tmp_path / "wide", size=9).images
    assert images.dtype == np.int32
    assert (images == 100_000).all()


def test_mixed_depths_are_an_error(tmp_path):
    save(tmp_path / "a" / "1.png", np.zeros((9, 9), dtype=np.uint8))
    save(tmp_path / "a" / "2.png", np.zeros((9, 9), dtype=np.uint16))
    with pytest.raises(
        ValueError, match=r"in colour or depth.*uint16.*different depths"
    ):
        load_image_folder(tmp_path, color="grey")


def write_png_rgb16(path):
    """Write a PNG of 16 bits a channel, which Pillow cannot write."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\x12\x34" * 27) * 9
    header = struct.pack(">IIBBBBB", 9, 9, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows))]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IEND", b"")]))


def test_16_bit_color_is_not_cut_silently(tmp_path):
    write_png_rgb16(tmp_path / "a" / "deep.png")
    with pytest.raises(ValueError, match=r"deep\.png.*16 bits per channel.*to 8"):
        load_image_folder(tmp_path)


def test_palettes_masks_and_transparency(tmp_path):
    red = np.zeros((9, 9, 4), dtype=np.uint8)
    red[:, :5] = [255, 0, 0, 255]
    save(tmp_path / "alpha" / "a" / "1.png", red)
    image = load_image_folder(tmp_path / "alpha", size=9).images[0]
    assert (image[:, :5] == [255, 0, 0]).all()
    assert (image[:, 5:] == 255).all()

    (tmp_path / "palette" / "a").mkdir(parents=True)
    palette = Image.fromarray(red[..., :3]).quantize(2)
    palette.save(tmp_path / "palette" / "a" / "1.png")
    image = load_image_folder(tmp_path / "palette", size=9).images[0]
    assert (image[:, :5] == [255, 0, 0]).all()

    save(tmp_path / "mask" / "a" / "1.png", np.eye(9, dtype=bool))
    image = load_image_folder(tmp_path / "mask", size=9).images[0]
    np.testing.assert_array_equal(image, np.eye(9) * 255)


def test_stacks_are_an_error(tmp_path):
    (tmp_path / "a").mkdir()
    pages = [Image.fromarray(make_grey(9, 9, seed=seed)) for seed in range(3)]
    pages[0].save(tmp_path / "a" / "s.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"s\.tif cannot be read.*holds 3 frames"):
        load_image_folder(tmp_path)


def test_nothing_but_nan_is_an_error(tmp_path):
    save(tmp_path / "a" / "1.tif", np.full((9, 9), np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match=r"1\.tif.*none of its pixels has a value"):
        load_image_folder(tmp_path)


@pytest.mark.parametrize("kept", [0, 10, 60, 200])
def test_cut_off_image_is_named(tmp_path, kept):
    save(tmp_path / "a" / "1.png", make_grey(40, 40))
    save(tmp_path / "a" / "2.png", make_grey(40, 40))
    cut = tmp_path / "a" / "2.png"
    cut.write_bytes(cut.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"2\.png cannot be read as an image.*again"):
        load_image_folder(tmp_path)


def test_files_that_are_no_images_are_named(tmp_path):
    save(tmp_path / "a" / "1.png", make_grey(9, 9))
    (tmp_path / "a" / "notes.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(ValueError, match=r"notes\.txt cannot be read as an image"):
        load_image_folder(tmp_path)


def test_folders_that_are_not_as_they_should_be(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path='.*nowhere' is not a folder"):
        load_image_folder(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"path='.*empty' is empty: give a folder"):
        load_image_folder(empty)
    save(folder / "loose.png", make_grey(9, 9))
    with pytest.raises(ValueError, match=r"also the file .*loose\.png: move the file"):
        load_image_folder(folder)
    (folder / "loose.png").unlink()
    (folder / "c").mkdir()
    with pytest.raises(ValueError, match="c holds no images: fill or remove"):
        load_image_folder(folder)


def test_bad_parameters(folder):
    with pytest.raises(ValueError, match="color='blue' is unknown"):
        load_image_folder(folder, color="blue")
    with pytest.raises(ValueError, match="size == 2, must be >= 8"):
        load_image_folder(folder, size=2)


def test_missing_pillow_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="Pillow, which is not installed: run"):
        load_image_folder(folder)
