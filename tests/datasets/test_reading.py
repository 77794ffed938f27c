"""Files are masked, cropped and scaled as asked, and other folders in the same way."""

import pickle

import numpy as np
import pytest

from invariant_cluster.datasets import (
    Reading,
    _open_folder,
    _read_square,
    _settling,
    load_image_folder,
    make_reading,
    open_images,
)

Image = pytest.importorskip("PIL.Image")


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def ellipse(side):
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    return np.where((x / 0.35) ** 2 + (y / 0.15) ** 2 < 1, 40, 255).astype(np.uint8)


def both(folder, **options):
    """Images of a folder read at once and read when taken, which are the same."""
    images = load_image_folder(folder, **options).images
    np.testing.assert_array_equal(open_images(folder, **options)[:], images)
    return images


@pytest.fixture
def vignettes(tmp_path):
    """An object on white, above a scale bar that reaches the border."""
    for number in range(3):
        picture = np.full((36, 24), 255, dtype=np.uint8)
        picture[:24] = ellipse(24)
        picture[30:36, 3:18] = number
        save(tmp_path / "bars" / f"{number}.png", picture)
        picture[24:] = 255
        save(tmp_path / "clean" / f"{number}.png", picture)
    return tmp_path


def bar_mask():
    mask = np.zeros((36, 24), dtype=bool)
    mask[29:, 2:19] = True
    return mask


def test_masked_pixels_become_background(vignettes):
    clean = both(vignettes / "clean", size=20)
    assert not np.array_equal(both(vignettes / "bars", size=20), clean)
    masked = both(vignettes / "bars", size=20, mask=bar_mask())
    np.testing.assert_array_equal(masked, clean)


def test_mask_of_a_file_or_of_numbers(vignettes):
    path = save(vignettes / "mask.png", bar_mask().astype(np.uint8) * 255)
    expected = both(vignettes / "bars", size=20, mask=bar_mask())
    for mask in (path, str(path), bar_mask().astype(float).tolist()):
        np.testing.assert_array_equal(
            both(vignettes / "bars", size=20, mask=mask), expected
        )


def test_each_channel_is_masked_by_its_own_background(tmp_path):
    pixels = np.full((20, 20, 3), [200, 100, 50], dtype=np.uint8)
    pixels[12:, 5:9] = 0
    mask = (pixels == 0).all(axis=2)
    save(tmp_path / "1.png", pixels)
    assert (both(tmp_path, size=9, mask=mask) == [200, 100, 50]).all()


def test_crop_takes_off_the_sides(vignettes):
    picture = np.arange(36 * 24, dtype=np.uint16).reshape(36, 24)
    save(vignettes / "a" / "1.png", picture)
    images = both(vignettes / "a", size=20, crop=(10, 1, 6, 3))
    np.testing.assert_array_equal(images[0], picture[10:30, 3:23])
    np.testing.assert_array_equal(
        both(vignettes / "bars", size=24, crop=(0, 0, 12, 0)), [ellipse(24)] * 3
    )


def test_mask_is_applied_before_the_crop(vignettes):
    options = {"size": 20, "crop": (0, 0, 4, 0)}
    masked = both(vignettes / "bars", mask=bar_mask(), **options)
    np.testing.assert_array_equal(masked, both(vignettes / "clean", **options))


def test_masks_that_do_not_fit(vignettes):
    folder = vignettes / "bars"
    message = r"shape \(9, 9\), but .*0\.png holds \(36, 24\) pixels: give a mask of"
    for load in (load_image_folder, open_images):
        with pytest.raises(ValueError, match=message):
            load(folder, mask=np.eye(9))
    with pytest.raises(
        ValueError, match=r"crop=\(20, 0, 16, 0\) leaves nothing of .*0\."
    ):
        load_image_folder(folder, crop=(20, 0, 16, 0))
    with pytest.raises(
        ValueError, match=r"mask hides all \(36, 24\) pixels: mark only"
    ):
        load_image_folder(folder, mask=~np.zeros((36, 24), dtype=bool))
    for mask in (np.zeros((3, 9, 9)), np.zeros(4), np.array([["a"]]), np.zeros((0, 3))):
        with pytest.raises(
            ValueError, match=r"mask has the shape .*: give bool of sha"
        ):
            load_image_folder(folder, mask=mask)
    unchanged = load_image_folder(folder, mask=np.zeros((36, 24))).images
    np.testing.assert_array_equal(unchanged, load_image_folder(folder).images)


@pytest.fixture
def organisms(tmp_path):
    for side in (24, 120, 240):
        save(tmp_path / "organisms" / f"{side:03d}.png", ellipse(side))
    return tmp_path / "organisms"


def test_size_is_lost_or_kept(organisms):
    lost = both(organisms, size=48).astype(float)
    assert np.abs(lost[0] - lost[2]).mean() < 12
    kept = both(organisms, size=48, keep_scale=True)
    areas = (kept < 150).sum(axis=(1, 2))
    np.testing.assert_allclose(areas / areas[2], [0.01, 0.25, 1], atol=0.01)
    np.testing.assert_array_equal(kept[2], lost[2])
    bunch = load_image_folder(organisms, size=48, keep_scale=True)
    assert bunch.sizes.tolist() == [[24, 24], [120, 120], [240, 240]]
    assert "padded to a square of 240 pixels with" in bunch.DESCR


def test_a_huge_frame_takes_little_memory(tmp_path):
    save(tmp_path / "1.png", np.full((8, 8), 9, dtype=np.uint8))
    save(tmp_path / "2.png", np.full((1, 30_000), 9, dtype=np.uint8))
    images = load_image_folder(tmp_path, size=8, keep_scale=True).images
    assert (images == 9).all()


def test_another_folder_is_read_at_the_same_scale(organisms, tmp_path):
    reading = load_image_folder(organisms, size=48, keep_scale=True).reading
    assert reading.scale == 5
    small = tmp_path / "small"
    save(small / "1.png", ellipse(120))
    alike = both(small, reading=reading)
    whole = both(organisms, size=48, keep_scale=True)
    np.testing.assert_array_equal(alike[0], whole[1])
    save(tmp_path / "large" / "1.png", np.pad(ellipse(240), 10))
    with pytest.warns(UserWarning, match=r"the edges were cut off.* in 1 of 1 files"):
        cut = load_image_folder(tmp_path / "large", reading=reading).images
    np.testing.assert_array_equal(cut[0], whole[2])


def test_a_reading_survives_as_text(vignettes):
    options = {"size": 20, "crop": (0, 0, 2, 0), "mask": bar_mask(), "keep_scale": True}
    bunch = load_image_folder(vignettes / "bars", color="grey", **options)
    again = Reading.from_json(bunch.reading.to_json())
    assert again == bunch.reading
    assert hash(again) == hash(bunch.reading)
    assert (again.dtype, again.scale) == ("uint8", 34 / 20)
    assert again.transparent in ("black", "white")
    np.testing.assert_array_equal(both(vignettes / "bars", reading=again), bunch.images)


@pytest.mark.parametrize("ground", ["black", "white"])
def test_one_ground_is_chosen_for_all_files(organisms, monkeypatch, ground):
    asked, used = [], []
    read_image = _read_square.read_image

    def note(path, *, color, transparent):
        used.append(transparent)
        return read_image(path, color=color, transparent=transparent)

    monkeypatch.setattr(
        _settling, "choose_ground", lambda paths: asked.append(list(paths)) or ground
    )
    monkeypatch.setattr(_read_square, "read_image", note)
    for load in (load_image_folder, open_images):
        found = load(organisms, size=16)
        assert found.reading.transparent == ground
        assert asked.pop() == [str(path) for path in sorted(organisms.iterdir())]
        found[:] if load is open_images else None
        assert set(used) == {ground}
        used.clear()
    monkeypatch.setattr(_settling, "_MOST_FOR_GROUND", 2)
    load_image_folder(organisms, size=16)
    assert len(asked.pop()) == 2
    load_image_folder(organisms, size=16, transparent="white")
    load_image_folder(organisms, reading=found.reading)
    assert asked == []


def test_opened_images_are_pickled_with_how_they_are_read(organisms, monkeypatch):
    stored = open_images(organisms, size=16, keep_scale=True, mixed_depth="widen")
    monkeypatch.setattr(_open_folder, "survey", None)  # all files are not read again
    again = pickle.loads(pickle.dumps(stored))
    assert again.reading == stored.reading
    np.testing.assert_array_equal(again[:], stored[:])


def test_opened_images_tell_how_they_are_read(organisms):
    stored = open_images(organisms, size=16, keep_scale=True)
    loaded = load_image_folder(organisms, size=16, keep_scale=True)
    assert stored.reading == loaded.reading


SHAPES = [(60, 100), (61, 100), (100, 37), (33, 33)]


@pytest.mark.parametrize("crop", [None, (5, 3, 2, 8)])
@pytest.mark.parametrize("keep_scale", [False, True])
def test_shifts_in_pixels_of_the_files_find_the_object(tmp_path, crop, keep_scale):
    spots = []
    for number, (height, width) in enumerate(SHAPES):
        image = np.zeros((height, width), np.uint8)
        row, column = height // 3, width // 2 + 4
        image[row : row + 5, column : column + 5] = 200
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        spots.append((row + 2.5, column + 2.5))  # from the outer edge of pixel 0
    bunch = load_image_folder(tmp_path, size=64, crop=crop, keep_scale=keep_scale)
    mass = bunch.images / bunch.images.sum(axis=(1, 2), keepdims=True)
    place = np.arange(64) + 0.5 - 32
    tau = np.column_stack([mass.sum(axis=1) @ place, -(mass.sum(axis=2) @ place)])
    x, y = bunch.reading.to_file_pixels(tau, bunch.sizes).T
    sides = np.array(SHAPES)
    found = np.column_stack([sides[:, 0] / 2 - y, sides[:, 1] / 2 + x])
    np.testing.assert_allclose(found, spots, atol=0.2)


def test_shifts_and_sizes_fit_each_other():
    with pytest.raises(ValueError, match="differ in length"):
        Reading().to_file_pixels(np.zeros((2, 2)), [[10, 20]])
    with pytest.raises(ValueError, match="tau has shape"):
        Reading().to_file_pixels(np.zeros(2), [[10, 20]])
    of_wafers = make_reading(palette={"white": "pass", "red": "fail"})
    with pytest.raises(ValueError, match="is not for wafer maps read with a palette"):
        of_wafers.to_file_pixels(np.zeros((1, 2)), [[10, 20]])
