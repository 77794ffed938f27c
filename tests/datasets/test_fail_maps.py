"""Arrays of wafer maps become maps of failing dies."""

import pickle

import numpy as np
import pytest

from invariant_cluster.datasets import (
    Reading,
    WaferMaps,
    as_fail_maps,
    describe_palette,
    load_wafer_maps,
    make_fail_maps,
    open_images,
    open_wafers,
)


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:60]


@pytest.fixture(scope="module")
def fails():
    return load_wafer_maps(fail_map=True).images[:60]


@pytest.mark.parametrize(
    "values",
    [
        np.array([0, 1, 2], np.uint8),
        np.array([0, 127, 255], np.uint8),
        np.array([255, 0, 127], np.uint8),
        np.array([-1, 0, 1], np.int8),
        np.array([0, 1, -1], np.int64),
        np.array([0.0, 0.5, 1.0], np.float32),
        np.array([[255, 255, 255], [0, 150, 0], [200, 0, 0]], np.uint8),
    ],
)
def test_three_values_or_colours(maps, fails, values):
    images, palette = make_fail_maps(values[maps])
    np.testing.assert_array_equal(images, fails)
    assert images.dtype == np.uint8
    assert [color.role for color in palette] == ["outside", "pass", "fail"]
    again, _ = make_fail_maps(values[np.minimum(maps, 1)], palette=palette)
    assert not again.any()


def test_numbers_are_told_as_numbers(maps):
    _, palette = make_fail_maps(maps)
    share = 100 * (maps == 2).sum() / (maps > 0).sum()
    assert describe_palette(palette) == (
        f"0 (outside), 1 (pass, {100 - share:.0f} %), 2 (fail, {share:.0f} %)"
    )


def test_maps_of_failing_dies_stay(fails):
    images, palette = make_fail_maps(fails.astype(bool))
    np.testing.assert_array_equal(images, fails)
    assert [color.role for color in palette] == ["pass", "fail"]


def test_noisy_grey_maps(maps, fails):
    levels = np.array([20, 120, 230])[maps]
    noisy = np.repeat(np.repeat(levels, 5, axis=1), 5, axis=2)
    noisy = noisy + np.random.default_rng(0).integers(-4, 5, noisy.shape)
    images, _ = make_fail_maps(noisy.astype(np.uint8), size=32)
    np.testing.assert_array_equal(images, fails)


def test_grids_of_different_sizes(maps, fails):
    several = [np.repeat(wafer, 1 + row % 3, axis=0) for row, wafer in enumerate(maps)]
    images, _ = make_fail_maps(several)
    np.testing.assert_array_equal(images, fails)


def test_a_user_says_what_the_values_mean(maps):
    images, _ = make_fail_maps(maps, palette={0: "outside", 1: "fail", 2: "pass"})
    np.testing.assert_array_equal(images, maps == 1)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (np.zeros((3, 8, 8, 2)), "give numbers of shape"),
        (np.array([["a"]])[None], "give numbers of shape"),
        (np.zeros((3, 8, 8, 3)), "maps in colour are not uint8"),
        (np.arange(300.0).reshape(3, 10, 10), "they have 300 different values"),
        (np.full((3, 8, 8), 7), "all have one colour"),
        (np.full((3, 8, 8), np.nan), "maps has NaN or infinity: give those pixels"),
    ],
)
def test_other_arrays_are_refused(given, text):
    with pytest.raises(ValueError, match=text):
        make_fail_maps(given)


def test_stored_maps_are_read_when_they_are_taken(maps, fails, tmp_path):
    np.save(tmp_path / "maps.npy", np.array([0, 127, 255], np.uint8)[maps])
    opened = as_fail_maps(open_images(tmp_path / "maps.npy"), Reading(palette="auto"))
    assert isinstance(opened, WaferMaps)
    assert opened.shape == fails.shape
    np.testing.assert_array_equal(opened[[5, 2]], fails[[5, 2]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened))[:], fails)
    np.testing.assert_array_equal(np.asarray(opened), fails)
    # Other maps with that reading, and those of the usual values.
    np.testing.assert_array_equal(as_fail_maps(maps, opened.reading)[:], fails)


def test_arrays_that_are_no_wafer_maps_are_kept(images):
    with pytest.warns(UserWarning, match="not recognised as wafer maps and is kept"):
        kept = as_fail_maps(images.astype(float) / 7, Reading(palette="auto"))
    np.testing.assert_array_equal(kept, images / 7)
    assert as_fail_maps(images, Reading()) is images


def test_lists_in_files(maps, fails, tmp_path):
    several = [np.repeat(wafer, 1 + row % 3, axis=1) for row, wafer in enumerate(maps)]
    named = {f"w{row}": wafer for row, wafer in enumerate(several)}
    as_objects = np.empty(len(several), object)
    as_objects[:] = several
    np.savez(tmp_path / "maps.npz", **named)
    held = {
        "list": several,
        "tuple": tuple(several),
        "dict": named,
        "array": as_objects,
    }
    for name, one in held.items():
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(one))
    for name in ("maps.npz", "dict.pkl", "list.pkl", "tuple.pkl", "array.pkl"):
        opened = open_wafers(tmp_path / name, Reading(size=32))
        np.testing.assert_array_equal(opened[:], fails)
        assert opened.names[7] == ("w7" if name in ("maps.npz", "dict.pkl") else "7")


def test_a_value_without_a_meaning_is_told_and_does_not_fail(maps, fails):
    _, palette = make_fail_maps(maps)
    strange = np.where(np.arange(32) == 16, 3, maps)
    with pytest.warns(
        UserWarning, match=r"3\.12 % of the pixels .* not of the palette"
    ):
        images, _ = make_fail_maps(strange, palette=palette)
    np.testing.assert_array_equal(images, np.where(np.arange(32) == 16, 0, fails))
    with pytest.warns(UserWarning, match=r"^100 % of the pixels"):
        images, _ = make_fail_maps(maps, palette={7: "fail", 6: "pass"})
    assert not images.any()


def test_a_palette_of_numbers_is_not_that_of_other_numbers(maps, fails):
    of_three = as_fail_maps(maps, Reading(palette="auto")).reading
    for values in ([0, 127, 255], [0, 10, 20]):
        others = np.array(values, np.uint8)[maps]
        np.testing.assert_array_equal(as_fail_maps(others, of_three)[:], fails)
    np.testing.assert_array_equal(as_fail_maps(fails, of_three)[:], fails)
    of_fails = as_fail_maps(fails, Reading(palette="auto")).reading
    np.testing.assert_array_equal(as_fail_maps(maps, of_fails)[:], fails)
    with pytest.warns(UserWarning, match="have a value that is not of the palette"):
        own = as_fail_maps(maps, of_fails, exact=True)
    assert own.reading == of_fails
    np.testing.assert_array_equal(own[:], maps == 1)
    # Wafers of which all dies pass are no maps of failing dies.
    assert not as_fail_maps(np.minimum(maps, 1), of_three)[:].any()


def test_an_array_of_images_beside_others_is_no_list_of_maps(maps, tmp_path):
    rows, targets = maps.reshape(len(maps), -1), np.eye(len(maps), dtype=np.uint8)
    np.savez(tmp_path / "rows.npz", images=rows, targets=targets)
    assert open_wafers(tmp_path / "rows.npz", Reading()) is None
    noise = np.random.default_rng(0).integers(0, 2**15, (2, 40, 64))
    np.savez(tmp_path / "split.npz", train=noise[0], test=noise[1])
    with pytest.raises(ValueError, match=r"split\.npz holds 2 arrays .* \(--key\)"):
        open_wafers(tmp_path / "split.npz", Reading())


def test_other_files_are_left_to_others(maps, tmp_path):
    np.savez(tmp_path / "one.npz", images=maps)
    (tmp_path / "numbers.pkl").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "bad.pkl").write_bytes(b"no pickle")
    (tmp_path / "note.txt").write_text("stack.mrcs")
    for name in ("one.npz", "numbers.pkl", "bad.pkl", "note.txt"):
        assert open_wafers(tmp_path / name, Reading()) is None
