"""Masks beside images: what is 0 in the mask of an image becomes its background."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from invariant_cluster.datasets import Reading, load_image_folder, open_images

Image = pytest.importorskip("PIL.Image")

SIDE = 20
GROUND, OBJECT, NEIGHBOUR = 30, 200, 120


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path)
    return path


def make_image(number):
    """A grey image with an object, and a neighbour at another place than it."""
    image = np.full((SIDE, SIDE), GROUND, np.uint8)
    image[15:18, 2:5] = NEIGHBOUR
    image[6:12, 6 : 10 + number] = OBJECT
    return image


def make_mask(number):
    return (make_image(number) == OBJECT).astype(np.uint8) * 255


def clean(number):
    return np.where(make_mask(number) > 0, make_image(number), GROUND)


NAMES = ("a/0", "a/1", "b/0")  # equal names in two classes
CLEAN = np.stack([clean(number) for number in range(3)])
LAYOUTS = {
    "suffix": ("{}_mask.png", "_mask", "_mask"),
    "other suffix": ("{}-seg.tif", "-seg", "-seg"),
    "inner folder": ("masks/{}.bmp", "masks", "masks"),
    "inner folder of a name": ("seg/of/{}.bmp", "seg/of", "seg/of"),
    "inner folder with the suffix": ("masks/{}_mask.png", "masks", "masks"),
    "sibling folder": ("../masks/{}.png", "masks", "../masks"),
    "sibling folder of a name": ("../images_seg/{}.png", "images_seg", "../*_seg"),
    "mirrored folder": ("../../seg/images/{}.png", None, "../../seg/*"),
}
AUTO = ["suffix", "inner folder", "inner folder with the suffix", "sibling folder"]


def make_folder(root, layout="suffix"):
    """A folder of classes with masks in one of the layouts."""
    folder = root / "images"
    for number, name in enumerate(NAMES):
        save(folder / f"{name}.png", make_image(number))
        place = folder / LAYOUTS[layout][0].format(name)
        save(Path(os.path.normpath(place)), make_mask(number))
    return folder


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "data")


def both(folder, **options):
    """Return the bunch, after checking that opened images are the same."""
    bunch = load_image_folder(folder, size=SIDE, **options)
    opened = open_images(folder, size=SIDE, **options)
    np.testing.assert_array_equal(opened[:], bunch.images)
    assert opened.reading == bunch.reading
    return bunch


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_zero_becomes_background(tmp_path, layout):
    folder = make_folder(tmp_path / "data", layout)
    _, masks, stored = LAYOUTS[layout]
    masks = masks or str(tmp_path / "seg" / "images")
    bunch = both(folder, masks=masks)
    np.testing.assert_array_equal(bunch.images, CLEAN)
    assert bunch.target.tolist() == [0, 0, 1]
    assert bunch.n_files == 3
    assert bunch.reading.masks == stored
    # Another folder, read in the same way, has its masks at the same place.
    other = tmp_path / "new" / "images"
    shutil.copytree(tmp_path / "data", tmp_path / "new")
    if layout == "mirrored folder":
        for root in ("data", "new"):
            (tmp_path / root / "images").rename(tmp_path / root / f"of_{root}")
        shutil.copytree(tmp_path / "seg" / "images", tmp_path / "seg" / "of_new")
        shutil.rmtree(tmp_path / "seg" / "images")
        other = tmp_path / "new" / "of_new"
    elif "sibling" not in layout:
        shutil.rmtree(folder)
    again = load_image_folder(other, reading=bunch.reading).images
    np.testing.assert_array_equal(again, CLEAN)


@pytest.mark.parametrize("layout", AUTO)
def test_auto_finds_masks(tmp_path, layout):
    bunch = both(make_folder(tmp_path, layout), masks="auto")
    np.testing.assert_array_equal(bunch.images, CLEAN)
    assert bunch.reading.masks == "auto"


def test_masks_in_each_class_folder(tmp_path):
    for number, name in enumerate(NAMES):
        save(tmp_path / f"{name}.png", make_image(number))
        place = (tmp_path / name).parent / "masks"
        save(place / f"{name[-1]}.png", make_mask(number))
    for masks in ("auto", "masks"):
        bunch = both(tmp_path, masks=masks)
        np.testing.assert_array_equal(bunch.images, CLEAN)


def test_a_folder_seen_from_the_working_directory(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "data")
    for path in list(folder.rglob("*_mask.png")):
        name = path.name.replace("_mask", "")
        place = tmp_path / "_others" / path.parent.name
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / name)
    monkeypatch.chdir(tmp_path)
    images = both(folder, masks=Path("_others")).images  # a path is no suffix
    np.testing.assert_array_equal(images, CLEAN)


def test_inverted_masks(folder):
    for path in folder.rglob("*_mask.png"):
        save(path, 255 - np.asarray(Image.open(path)))
    bunch = both(folder, masks="auto", invert_masks=True)
    np.testing.assert_array_equal(bunch.images, CLEAN)
    assert bunch.reading.invert_masks


def test_any_value_but_zero_is_the_object(tmp_path):
    save(tmp_path / "x.png", make_image(0))
    mask = make_mask(0).astype(np.uint16) // 255
    mask[mask > 0] = np.arange(1, 1 + np.count_nonzero(mask))  # numbers of parts
    save(tmp_path / "x_mask.tif", mask)
    np.testing.assert_array_equal(both(tmp_path, masks="_mask").images, CLEAN[:1])


def test_background_is_that_of_the_pixels_around_the_object(tmp_path):
    """An object may cover most of the border, or all of it; channels are apart."""
    color = np.full((SIDE, SIDE, 3), (10, 20, 30), np.uint8)
    most, all_of_it = np.ones((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool)
    most[:8, :8] = False
    all_of_it[4:16, 4:16] = False
    for name, mask in [("most", most), ("all", all_of_it)]:
        image = color.copy()
        image[mask] = 250
        image[5, 5] = 0  # outside of both objects
        save(tmp_path / f"{name}.png", image)
        save(tmp_path / f"{name}_mask.png", mask)
    found = both(tmp_path, masks="auto").images
    for image, mask in zip(found, (all_of_it, most), strict=True):
        expected = np.where(mask[..., None], np.uint8(250), color)
        np.testing.assert_array_equal(image, expected)


def test_masks_with_other_options(folder, tmp_path):
    """Crop, scale, one mask of all files and exclude= work as without masks."""
    bare = tmp_path / "bare"
    for number, name in enumerate(NAMES):
        save(bare / f"{name}.png", clean(number))
    bar = np.zeros((SIDE, SIDE), bool)
    bar[8:10] = True
    for options in (
        {"crop": (5, 0, 1, 3), "keep_scale": True},
        {"mask": bar},
        {"exclude": ["a/1.png"]},
        {"color": "rgb", "max_images": 2, "random_state": 0},
    ):
        given = dict(options)
        load = load_image_folder if "max_images" in options else both
        found = []
        for place, masks in ((folder, "auto"), (bare, None)):
            given["exclude"] = [place / name for name in options.get("exclude", ())]
            found.append(load(place, masks=masks, **given))
        np.testing.assert_array_equal(found[0].images, found[1].images)
        np.testing.assert_array_equal(found[0].sizes, found[1].sizes)
        assert found[0].n_files == found[1].n_files


def spoil(folder):
    """Spoil masks in all the ways there are; return the reasons by file."""
    save(folder / "c" / "none.png", make_image(0))
    for name in ("cut", "empty", "large", "twice"):
        save(folder / "c" / f"{name}.png", make_image(0))
        save(folder / "c" / f"{name}_mask.png", make_mask(0))
    (folder / "c" / "cut_mask.png").write_bytes(b"no image")
    save(folder / "c" / "empty_mask.png", np.zeros((SIDE, SIDE), np.uint8))
    save(folder / "c" / "large_mask.png", np.ones((SIDE, 9), np.uint8))
    save(folder / "c" / "twice_mask.bmp", make_mask(0))
    return {
        "cut": "cut_mask.png cannot be read: ",
        "empty": "empty_mask.png marks no object in what is read of the image: mark",
        "large": "large_mask.png has 20 x 9 pixels, but the image has 20 x 20: save",
        "none": "it has no mask; one must lie beside its image as *_mask.*",
        "twice": "it has 2 masks (twice_mask.bmp, twice_mask.png); one must",
    }


def test_bad_masks_are_listed_in_one_error(folder):
    reasons = spoil(folder)
    with pytest.raises(ValueError, match="5 of 8 files of path=") as raised:
        load_image_folder(folder, masks="_mask")
    lines = str(raised.value).splitlines()[1:6]
    for line, (name, reason) in zip(lines, reasons.items(), strict=True):
        assert line.strip().startswith(f"{os.path.join('c', name)}.png: ")
        assert reason in line
    with pytest.raises(ValueError, match=r"cut_mask\.png cannot be read"):
        open_images(folder, masks="_mask", size=SIDE)[:]


def test_images_of_bad_masks_are_skipped(folder):
    spoil(folder)
    bunch = both(folder, masks="_mask", on_error="skip")
    np.testing.assert_array_equal(bunch.images, CLEAN)
    assert len(bunch.skipped) == 5


def test_a_crop_may_leave_no_object(folder):
    with pytest.raises(ValueError, match=r"marks no object in what is read"):
        load_image_folder(folder, masks="auto", crop=(12, 0, 0, 0))


def test_masks_that_leave_out_nothing_are_told(folder):
    save(folder / "b" / "0_mask.png", np.full((SIDE, SIDE), 7, np.uint8))
    with pytest.warns(
        UserWarning, match=r"the mask leaves out nothing in 1 of 3 files"
    ):
        images = load_image_folder(folder, size=SIDE, masks="auto").images
    np.testing.assert_array_equal(images[2], make_image(2))


@pytest.mark.parametrize("layout", ["suffix", "inner folder"])
@pytest.mark.parametrize("load", [load_image_folder, open_images])
def test_masks_that_nobody_asked_for_are_told(tmp_path, layout, load):
    folder = make_folder(tmp_path, layout)
    message = r"3 files of .* named like masks of others, such as .* Use masks='auto'"
    with pytest.warns(UserWarning, match=message) as told:
        load(folder, color="grey")
    assert f" of {os.path.join('a', '0.png')}, and were read" in str(told[0].message)
    reading = Reading(size=SIDE, masks="auto")
    assert len(load_image_folder(folder, reading=reading).images) == 3


def test_other_names_with_mask_are_images(tmp_path):
    """No warning: none of these is the mask of another file."""
    for name in ("a_mask.png", "masks/b.png", "_mask.png", "mask.png"):
        save(tmp_path / name, make_image(0))
    assert len(load_image_folder(tmp_path / "masks").images) == 1
    with pytest.warns(UserWarning, match="beside the class folders") as told:
        assert len(load_image_folder(tmp_path).images) == 4
    assert len(told) == 1


def test_masks_that_are_not_found(tmp_path):
    folder = tmp_path / "images"
    save(folder / "a.png", make_image(0))
    with pytest.raises(
        ValueError, match=r"masks='auto' finds no masks for path=.*Name"
    ):
        load_image_folder(folder, masks="auto")
    with pytest.raises(
        ValueError, match=r"masks='_seg' finds no mask for path=.*lies b"
    ):
        load_image_folder(folder, masks="_seg")
    with pytest.raises(ValueError, match=r"masks='seg' is no folder in path=.*suffix"):
        load_image_folder(folder, masks="seg")
    (tmp_path / "seg").mkdir()
    with pytest.raises(ValueError, match=r"masks='seg' but .*seg holds no image files"):
        load_image_folder(folder, masks="seg")
    for place in (folder, tmp_path):
        with pytest.raises(ValueError, match=r"masks=.* holds the images themselves"):
            load_image_folder(folder, masks=place)
    save(folder / "masks" / "a.png", make_mask(0))
    save(folder / "a_mask.png", make_mask(0))
    with pytest.raises(ValueError, match=r"two kinds in .*: give masks='_mask' or"):
        load_image_folder(folder, masks="auto")
    with pytest.raises(ValueError, match=r"masks='_mask' finds no image for"):
        load_image_folder(
            folder, masks="_mask", exclude=[folder / "a.png", folder / "masks"]
        )


def test_bad_arguments(folder):
    for masks in (True, 3, np.zeros((3, 3)), ["a_mask.png"]):
        with pytest.raises(
            TypeError, match=r"(?s)masks=.* is no text: give 'auto', a suf"
        ):
            load_image_folder(folder, masks=masks)
    with pytest.raises(ValueError, match="masks='' is empty: give"):
        load_image_folder(folder, masks="")
    with pytest.raises(TypeError, match="invert_masks=1 is no bool: give"):
        load_image_folder(folder, masks="auto", invert_masks=1)
    with pytest.raises(ValueError, match="invert_masks=True but there are no masks: s"):
        load_image_folder(folder, invert_masks=True)


def test_readings_are_kept_as_text():
    reading = Reading(masks="../masks", invert_masks=True)
    assert Reading.from_json(reading.to_json()) == reading
    assert Reading.from_json('{"size": 32, "crop": null}') == Reading(size=32)
    assert replace(reading, masks=None, invert_masks=False) == Reading()


def test_a_cache_follows_the_masks(folder, tmp_path):
    options = {"size": SIDE, "cache": tmp_path / "cache", "masks": "auto"}
    load_image_folder(folder, **options)
    path = folder / "a" / "1_mask.png"
    save(path, np.eye(SIDE, dtype=np.uint8))
    os.utime(path, ns=(1, 1))
    images = load_image_folder(folder, **options).images
    inside = np.eye(SIDE, dtype=bool)
    expected = CLEAN.copy()
    expected[1] = np.where(inside, make_image(1), GROUND)
    np.testing.assert_array_equal(images, expected)
    path.unlink()
    with pytest.raises(ValueError, match=r"1 of 3 files .*(?s:.)*it has no mask"):
        load_image_folder(folder, **options)


def test_jobs_read_masks_too(folder):
    images = load_image_folder(folder, size=SIDE, masks="auto", n_jobs=2).images
    np.testing.assert_array_equal(images, CLEAN)


def test_endings_of_two_parts(tmp_path):
    fits = pytest.importorskip("astropy.io.fits")
    fits.writeto(tmp_path / "ngc.1.fits.gz", make_image(0).astype(np.float32)[::-1])
    save(tmp_path / "ngc.1_mask.png", make_mask(0))
    images = both(tmp_path, masks="auto").images
    np.testing.assert_array_equal(images, CLEAN[:1])
