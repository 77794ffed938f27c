"""Folders of images become one array; what cannot be read without loss is named."""

import sys

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
        r"differ in colour .*: grey uint8 \(1, such as .*2\.png\), RGB uint8 .*1\.png"
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


def test_floats_stay(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32)
    save(tmp_path / "a" / "1.tif", pixels)
    images = load_image_folder(tmp_path, size=12).images
    np.testing.assert_array_equal(images[0], pixels)


def test_palettes_and_bits(tmp_path):
    red = np.zeros((9, 9, 3), dtype=np.uint8)
    red[:, :5] = [255, 0, 0]
    (tmp_path / "palette" / "a").mkdir(parents=True)
    palette = Image.fromarray(red).quantize(2)
    palette.save(tmp_path / "palette" / "a" / "1.png")
    image = load_image_folder(tmp_path / "palette", size=9).images[0]
    assert (image[:, :5] == [255, 0, 0]).all()

    save(tmp_path / "mask" / "a" / "1.png", np.eye(9, dtype=bool))
    image = load_image_folder(tmp_path / "mask", size=9).images[0]
    np.testing.assert_array_equal(image, np.eye(9) * 255)


def test_changes_are_told_once_with_their_number(tmp_path):
    for number in range(5):
        pixels = np.random.default_rng(number).random((9, 9)).astype(np.float32)
        pixels[:number, 0] = np.nan  # none in 0.tif
        save(tmp_path / f"{number}.tif", pixels)
    with pytest.warns(UserWarning, match=r"in 4 of 5 files, such as 1\.tif") as told:
        images = load_image_folder(tmp_path, size=9).images
    assert len(told) == 1
    assert np.isfinite(images).all()


@pytest.mark.parametrize("kept", [0, 10, 60, 200])
def test_cut_off_image_is_named(tmp_path, kept):
    save(tmp_path / "a" / "1.png", make_grey(40, 40))
    save(tmp_path / "a" / "2.png", make_grey(40, 40))
    cut = tmp_path / "a" / "2.png"
    cut.write_bytes(cut.read_bytes()[:kept])
    message = (
        r"(?s)1 of 2 files .*cannot be read.*a.2\.png: .*leave them out with on_err"
    )
    with pytest.raises(ValueError, match=message):
        load_image_folder(tmp_path)


def test_files_of_no_known_kind_are_named(tmp_path):
    save(tmp_path / "a" / "1.png", make_grey(9, 9))
    (tmp_path / "a" / "notes").write_text("hello", encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)1 of 2 files .*a.notes: "):
        load_image_folder(tmp_path)


def test_all_bad_files_are_named_at_once(tmp_path):
    for number in range(30):
        save(tmp_path / f"{number:02d}.png", make_grey(9, 9))
    for number in range(4, 29):
        (tmp_path / f"{number:02d}.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="25 of 30 files") as raised:
        load_image_folder(tmp_path)
    lines = str(raised.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:21]] == [
        f"{number:02d}.png" for number in range(4, 24)
    ]
    assert lines[21].strip() == "and 5 more"
    assert "repair" not in str(raised.value).lower()


def test_bad_files_are_skipped(folder):
    whole = load_image_folder(folder)
    (folder / "a" / "bad.png").write_bytes(b"no image")
    (folder / "c").mkdir()
    (folder / "c" / "empty.png").touch()
    bunch = load_image_folder(folder, on_error="skip")
    np.testing.assert_array_equal(bunch.images, whole.images)
    assert bunch.filenames.tolist() == whole.filenames.tolist()
    assert bunch.target.tolist() == [0, 1, 1, 1]
    assert bunch.target_names.tolist() == ["a", "b"]
    np.testing.assert_array_equal(bunch.sizes, whole.sizes)
    assert bunch.skipped.columns.tolist() == ["file", "reason"]
    assert bunch.skipped.file.tolist() == [
        str(folder / "a" / "bad.png"),
        str(folder / "c" / "empty.png"),
    ]
    assert bunch.skipped.reason.str.len().min() > 5
    assert len(whole.skipped) == 0
    left_out = load_image_folder(folder, exclude=bunch.skipped.file)
    np.testing.assert_array_equal(left_out.images, whole.images)


def test_nothing_but_bad_files_is_an_error(tmp_path):
    (tmp_path / "1.png").write_bytes(b"no image")
    for on_error in ("raise", "skip"):
        with pytest.raises(ValueError, match=r"(?s)1 of 1 files .*1\.png: "):
            load_image_folder(tmp_path, on_error=on_error)


def test_sizes_are_those_of_the_files(folder):
    sizes = load_image_folder(folder).sizes
    assert sizes.dtype == np.int64
    assert sizes.tolist() == [[100, 40], [64, 64], [20, 30], [9, 7]]
    cropped = load_image_folder(folder, crop=(1, 2, 3, 0)).sizes
    np.testing.assert_array_equal(cropped, sizes - [4, 2])


def test_images_beside_class_folders_are_read_without_classes(folder):
    save(folder / "loose.png", make_grey(9, 9))
    with pytest.warns(UserWarning, match=r"beside the class folders.*loose\.png"):
        bunch = load_image_folder(folder)
    assert bunch.images.shape == (5, 64, 64)
    assert bunch.target is None
    assert bunch.target_names.shape == (0,)


def test_folders_that_are_not_as_they_should_be(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path='.*nowhere' is not a folder"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"path='.*' holds no image files: give a fol"):
        load_image_folder(tmp_path)


def test_a_link_to_the_folder_above_ends(folder):
    try:
        (folder / "b" / "round").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    assert len(load_image_folder(folder).images) == 4


def test_bad_parameters(folder):
    with pytest.raises(ValueError, match="color='blue' is unknown"):
        load_image_folder(folder, color="blue")
    with pytest.raises(ValueError, match="size == 2, must be >= 8"):
        load_image_folder(folder, size=2)
    for name in ("transparent", "mixed_depth", "on_error"):
        with pytest.raises(ValueError, match=f"{name}='pink' is unknown: choose"):
            load_image_folder(folder, **{name: "pink"})
    for crop in [(1, 2, 3), (1, 2, 3, -1), (1, 2, 3, 0.5), 4, "1234"]:
        with pytest.raises(ValueError, match=r"crop=.* is no margin: give the pixels"):
            load_image_folder(folder, crop=crop)
    with pytest.raises(TypeError, match="keep_scale='yes' is no bool"):
        load_image_folder(folder, keep_scale="yes")
    with pytest.raises(TypeError, match="reading='none' is no Reading: give"):
        load_image_folder(folder, reading="none")
    reading = load_image_folder(folder).reading
    with pytest.raises(ValueError, match=r"reading= holds all .*: leave out size, col"):
        load_image_folder(folder, reading=reading, size=32)


def test_missing_pillow_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="Pillow, which is not installed: run"):
        load_image_folder(folder)
