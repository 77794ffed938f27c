"""Coloured wafer maps are read back as the fail maps that they were drawn from."""

import io

import numpy as np
import pytest

from invariant_cluster.datasets import (
    Reading,
    describe_palette,
    load_image_folder,
    load_wafer_maps,
    open_images,
)

Image = pytest.importorskip("PIL.Image")
ImageDraw = pytest.importorskip("PIL.ImageDraw")

GREEN = ((255, 255, 255), (0, 160, 60), (220, 20, 30))
GREY = ((0, 0, 0), (127, 127, 127), (255, 255, 255))
NIGHT = ((0, 0, 0), (40, 60, 200), (250, 220, 40))
PALE = ((255, 255, 255), (222, 222, 222), (90, 90, 90))
N = 25


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:N]


@pytest.fixture(scope="module")
def fails():
    return load_wafer_maps(fail_map=True).images[:N]


def sharp(picture, side):
    return picture.resize((side, side), Image.NEAREST)


def smooth(picture, side):
    return sharp(picture, 640).resize((side, side), Image.LANCZOS)


def compressed(picture, side):
    file = io.BytesIO()
    sharp(picture, side).save(file, "JPEG", quality=80)
    return Image.open(file).convert("RGB")


def gridded(picture, side):
    """Lines between dies, black in the disc alone."""
    pixels = np.array(sharp(picture, side))
    inside = (pixels != pixels[0, 0]).any(axis=-1)
    lines = np.arange(side) % (side // 32) == 0
    pixels[(lines[:, None] | lines) & inside] = (0, 0, 0)
    return Image.fromarray(pixels)


def captioned(picture, side):
    """A text above the disc, which is not in the middle."""
    ground = picture.getpixel((0, 0))
    page = Image.new("RGB", (side + side // 4, side + side // 2), ground)
    page.paste(sharp(picture, side), (side // 5, side // 3))
    ImageDraw.Draw(page).text((4, 4), "LOT 7 WAFER 3: 83 %", fill=(120, 0, 120))
    return page


def draw(folder, maps, colors, way=sharp, side=128):
    folder.mkdir(parents=True, exist_ok=True)
    for row, wafer in enumerate(maps):
        picture = Image.fromarray(np.array(colors, np.uint8)[wafer])
        way(picture, side).save(folder / f"{row:03d}.png")
    return folder


def as_equal(images, fails):
    """Share of equal dies, and share of the failing dies that are found."""
    return (images == fails).mean(), images[fails == 1].mean()


@pytest.mark.parametrize(
    ("colors", "way", "side"),
    [
        (GREEN, sharp, 32),
        (GREEN, smooth, 150),
        (GREEN, compressed, 192),
        (GREEN, gridded, 192),
        (GREEN, captioned, 128),
        (GREY, sharp, 70),
        (GREY, smooth, 200),
        (NIGHT, smooth, 110),
        (NIGHT, captioned, 96),
        (PALE, smooth, 128),
    ],
)
def test_maps_in_colours_are_read_as_fail_maps(
    maps, fails, tmp_path, colors, way, side
):
    draw(tmp_path, maps, colors, way, side)
    bunch = load_image_folder(tmp_path, size=32, palette="auto")
    assert bunch.images.dtype == np.uint8
    assert bunch.reading.color == "auto"
    equal, found = as_equal(bunch.images, fails)
    assert equal > 0.99
    assert found > 0.99
    opened = open_images(tmp_path, size=32, palette="auto")
    np.testing.assert_array_equal(opened[:], bunch.images)
    assert opened.reading == bunch.reading


def test_the_palette_is_told_in_words(maps, tmp_path):
    bunch = load_image_folder(draw(tmp_path, maps, GREEN), palette="auto")
    share = (maps == 2).sum() / (maps > 0).sum()
    assert describe_palette(bunch.reading.palette) == (
        f"white (outside), green (pass, {100 - 100 * share:.0f} %), "
        f"red (fail, {100 * share:.0f} %)"
    )
    assert "white (outside)" in bunch.DESCR
    assert Reading.from_json(bunch.reading.to_json()) == bunch.reading


def test_palette_and_grey_files_are_read_too(maps, fails, tmp_path):
    for row, wafer in enumerate(maps):
        picture = Image.fromarray(np.array([9, 120, 250], np.uint8)[wafer])
        if row % 2:
            picture = picture.convert("P")
        sharp(picture, 64).save(tmp_path / f"{row:03d}.png")
    images = load_image_folder(tmp_path, size=32, palette="auto").images
    np.testing.assert_array_equal(images, fails)


def test_a_later_week_with_few_fails_is_read_with_the_same_palette(maps, tmp_path):
    reading = load_image_folder(
        draw(tmp_path / "first", maps, GREY), size=32, palette="auto"
    ).reading
    good = np.minimum(maps, 1)
    good[0, 16, 16] = 2
    later = load_image_folder(draw(tmp_path / "later", good, GREY), reading=reading)
    np.testing.assert_array_equal(later.images, good == 2)
    assert later.reading.palette == reading.palette


def test_other_colours_than_those_of_the_palette_are_told(maps, tmp_path):
    reading = load_image_folder(
        draw(tmp_path / "first", maps, GREEN), size=32, palette="auto"
    ).reading
    draw(tmp_path / "later", maps, NIGHT)
    with pytest.warns(UserWarning, match="not those of the palette in 25 of 25 files"):
        load_image_folder(tmp_path / "later", reading=reading)


def test_green_passes_even_where_most_dies_fail(maps, tmp_path):
    swapped = np.array([0, 2, 1], np.uint8)[maps]
    bunch = load_image_folder(draw(tmp_path, swapped, GREEN), size=32, palette="auto")
    np.testing.assert_array_equal(bunch.images, swapped == 2)


def test_a_user_names_the_colours(maps, fails, tmp_path):
    draw(tmp_path, maps, GREEN)
    named = {"white": "outside", "green": "pass", "#dc141e": "fail"}
    images = load_image_folder(tmp_path, size=32, palette=named).images
    np.testing.assert_array_equal(images, fails)
    other = {"white": "outside", "green": "fail", "#dc141e": "pass"}
    images = load_image_folder(tmp_path, size=32, palette=other).images
    np.testing.assert_array_equal(images, maps == 1)


def test_failing_dies_on_a_plain_ground(maps, fails, tmp_path):
    draw(tmp_path, fails, ((255, 255, 255), (200, 0, 0)))
    bunch = load_image_folder(tmp_path, size=32, palette="auto")
    np.testing.assert_array_equal(bunch.images, fails)


def test_a_cache_keeps_the_palette(maps, fails, tmp_path):
    draw(tmp_path / "maps", maps, GREEN)
    for _ in range(2):
        bunch = load_image_folder(
            tmp_path / "maps", size=32, palette="auto", cache=tmp_path / "cache"
        )
        np.testing.assert_array_equal(bunch.images, fails)
        assert isinstance(bunch.reading.palette, tuple)


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        ("noise", "they are not drawn in a few colours"),
        ("five colours", "5 colours instead of two or three"),
        ("squares", "corners have no common colour"),
        ("triangles", "no common disc"),
        ("good", "no die fails in any"),
        ("even", "grey and black are about equally frequent"),
    ],
)
def test_other_images_are_kept_as_they_are(maps, tmp_path, pictures, reason):
    rng = np.random.default_rng(0)
    white, grey, black = (255, 255, 255), (140, 140, 140), (0, 0, 0)
    if pictures == "noise":
        for row in range(5):
            noise = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / f"{row}.png")
    elif pictures == "five colours":
        bins = np.where(maps > 0, rng.integers(1, 5, maps.shape), 0)
        draw(tmp_path, bins, (*GREEN, (0, 0, 255), (255, 200, 0)))
    elif pictures == "squares":
        draw(tmp_path, rng.integers(0, 3, maps.shape), GREEN)
    elif pictures == "triangles":
        row, column = np.indices((32, 32))
        inside = (np.abs(column - 15.5) < (row - 8) / 2).astype(int)
        draw(tmp_path, inside * rng.integers(1, 3, maps.shape), GREEN)
    elif pictures == "good":
        draw(tmp_path, np.minimum(maps, 1), GREEN)
    else:
        even = np.where(maps > 0, rng.integers(1, 3, maps.shape), 0)
        draw(tmp_path, even, (white, grey, black))
    with pytest.warns(UserWarning, match=f"not recognised as wafer maps.*{reason}"):
        bunch = load_image_folder(tmp_path, size=32, palette="auto")
    assert bunch.reading.palette is None
    np.testing.assert_array_equal(
        bunch.images, load_image_folder(tmp_path, size=32).images
    )


@pytest.mark.parametrize(
    ("palette", "error", "text"),
    [
        ("green", TypeError, "palette='green' is no palette: give 'auto', or"),
        ({"gren": "pass", "red": "fail"}, ValueError, "the colour 'gren', which is un"),
        ({"green": "good", "red": "fail"}, ValueError, "the meaning 'good': give one"),
        ({"green": "pass"}, ValueError, "needs a colour that means 'fail'"),
        (
            {"nan": "pass", 2: "fail"},
            ValueError,
            "the value 'nan': give finite numbers",
        ),
        ({"#f00": "pass", "red": "fail"}, ValueError, "gives one colour two meanings"),
    ],
)
def test_bad_palettes_are_refused(tmp_path, palette, error, text):
    with pytest.raises(error, match=text):
        load_image_folder(tmp_path, palette=palette)


def test_true_size_is_not_for_wafer_maps(tmp_path):
    with pytest.raises(ValueError, match="keep_scale=True is not for wafer maps"):
        load_image_folder(tmp_path, palette="auto", keep_scale=True)
