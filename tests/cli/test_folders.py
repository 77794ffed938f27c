"""Folders of files on the command line: options of reading, bad files, places."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import Pipeline
from typer.testing import CliRunner

import invariant_cluster
from invariant_cluster import load_model, load_reading, save_model
from invariant_cluster.cli._app import app
from invariant_cluster.cli._warnings import one_line_warnings
from invariant_cluster.datasets import load_image_folder
from invariant_cluster.drift import DriftWarning


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture
def folder(images, tmp_path):
    """A folder of files that are larger than the images and have a mark below them."""
    path = tmp_path / "pictures"
    path.mkdir()
    for row, image in enumerate(images):
        picture = np.zeros((20, 16), np.uint8)
        picture[:16], picture[18, 3:9] = image, 255
        Image.fromarray(picture).save(path / f"{row:02d}.png")
    return path


@pytest.fixture
def trained(make_embedder, make_clusterer, folder, tmp_path):
    """A model that knows how its files were read."""
    bunch = load_image_folder(folder, size=16, crop=(0, 0, 4, 0))
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    pipe.fit(bunch.images)
    path = tmp_path / "trained.safetensors"
    save_model(pipe, path, reading=bunch.reading)
    return path


def spoil(folder):
    (folder / "bad.png").write_bytes(b"")
    (folder / "worse.jpg").write_bytes(b"\xff\xd8\xff")


def fit(folder, out, *options, code=0):
    return run("fit", folder, "-k", 2, "--out", out, "--size", 16, *options, code=code)


def test_files_are_cropped(folder, images, reached, tmp_path):
    fit(folder, tmp_path / "run", "--crop", "0,0,4,0")
    np.testing.assert_array_equal(reached[0].images, images)
    assert (reached[0].sizes == 16).all()
    assert reached[0].reading.crop == (0, 0, 4, 0)


def test_a_mask_hides_marks(folder, images, reached, tmp_path):
    mask = np.zeros((20, 16), np.uint8)
    mask[16:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    fit(folder, tmp_path / "run", "--mask", tmp_path / "mask.png")
    fit(folder, tmp_path / "other")
    masked, marked = (given.images for given in reached)
    assert masked[:, 13:].max() < 40 < marked[:, 13:].max()


def test_scale_is_kept(folder, reached, tmp_path):
    large = np.zeros((40, 40), np.uint8)
    large[10:30, 10:30] = 200
    Image.fromarray(large).save(folder / "large.png")
    fit(folder, tmp_path / "run", "--keep-scale")
    assert reached[0].reading.scale == pytest.approx(40 / 16)
    assert reached[0].sizes[-1].tolist() == [40, 40]


def add_masks(folder, images, place):
    """Save a mask of each file that shows its left half without the mark."""
    place.mkdir(exist_ok=True)
    mask = np.zeros((20, 16), np.uint8)
    mask[:16, :8] = 1
    for path in sorted(folder.iterdir()):
        Image.fromarray(mask).save(place / path.name)
    return mask[:16] > 0


def test_masks_of_single_images_show_their_objects(folder, images, reached, tmp_path):
    left = add_masks(folder, images, tmp_path / "masks")
    options = ["--crop", "0,0,4,0", "--masks"]
    result = fit(folder, tmp_path / "run", *options, "auto")
    told = "Masks (auto): the object is where they are not 0; where they are 0, images"
    assert told in result.stderr
    fit(folder, tmp_path / "run", *options, tmp_path / "masks")
    result = fit(folder, tmp_path / "run", *options, "masks", "--invert-masks")
    assert "(../masks): the object is where they are 0; where they" in result.stderr
    shown, same, inverted = (given.images for given in reached)
    np.testing.assert_array_equal(shown, same)
    np.testing.assert_array_equal(shown[:, left], images[:, left])
    np.testing.assert_array_equal(inverted[:, ~left], images[:, ~left])
    # Outside of the object there is one value, the background.
    assert np.ptp(shown[:, ~left], axis=1).max() == 0
    assert np.ptp(inverted[:, left], axis=1).max() == 0


def test_predict_masks_as_fit_did(
    make_embedder, make_clusterer, folder, images, tmp_path
):
    add_masks(folder, images, tmp_path / "masks")
    bunch = load_image_folder(folder, size=16, masks="masks")
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    labels = pipe.fit(bunch.images).predict(bunch.images)
    path, out = tmp_path / "trained.safetensors", tmp_path / "labels.csv"
    save_model(pipe, path, reading=bunch.reading)
    run("predict", path, folder, "--out", out)
    np.testing.assert_array_equal(pd.read_csv(out)["cluster"], labels)
    # Masks of other images may lie elsewhere, and are asked for if they do not.
    (tmp_path / "masks").rename(tmp_path / "moved")
    told = run("predict", path, folder, "--out", out, "--overwrite", code=1).stderr
    assert "Error: --masks ../masks is no folder in" in told
    where = ["--masks", tmp_path / "moved", "--overwrite"]
    run("predict", path, folder, "--out", out, *where)
    np.testing.assert_array_equal(pd.read_csv(out)["cluster"], labels)
    run("predict", path, folder, "--out", tmp_path / "shards", "--shards", *where)
    shards = pd.concat(map(pd.read_parquet, (tmp_path / "shards").glob("*.parquet")))
    np.testing.assert_array_equal(shards["cluster"], labels)


def test_masks_among_the_images_are_told(folder, images, reached, tmp_path):
    Image.fromarray(np.eye(20, 16, dtype=np.uint8)).save(folder / "00_mask.png")
    result = fit(folder, tmp_path / "run")
    assert "00_mask.png of 00.png, and were read as images" in result.stderr
    assert "Use --masks auto to show" in result.stderr
    result = fit(folder, tmp_path / "run", "--masks", "auto", code=1)
    assert "it has no mask; one must lie beside its image as *_mask.*" in result.stderr


@pytest.mark.parametrize("option", ["--crop", "--mask", "--masks"])
def test_options_of_files_are_not_for_arrays(option, images, folder, tmp_path):
    np.save(tmp_path / "images.npy", images)
    value = {"--crop": "1,1,1,1", "--mask": folder / "00.png"}.get(option, "auto")
    result = fit(tmp_path / "images.npy", tmp_path / "run", option, value, code=1)
    assert f"{option} is for folders of image files, not for" in result.stderr


def test_a_crop_that_is_none_is_told(folder, tmp_path):
    result = fit(folder, tmp_path / "run", "--crop", "1,2", code=1)
    assert "--crop 1,2 is no margin: give the pixels" in result.stderr


def test_mixed_depths_are_widened(folder, reached, tmp_path):
    Image.fromarray(np.full((16, 16), 40000, np.uint16)).save(folder / "deep.png")
    result = fit(folder, tmp_path / "run", code=1)
    assert "Use --mixed-depth widen" in result.stderr
    fit(folder, tmp_path / "run", "--mixed-depth", "widen")
    assert reached[0].images.dtype == np.uint16


def test_all_bad_files_are_named_a_line_each(folder, tmp_path):
    spoil(folder)
    result = fit(folder, tmp_path / "run", code=1)
    first, *named, remedy = result.stderr.splitlines()
    assert first.startswith(f"Error: 2 of 50 files of {folder} cannot")
    assert [line.split(":")[0] for line in named] == ["  bad.png", "  worse.jpg"]
    assert "--skip-unreadable" in remedy
    assert not (tmp_path / "run").exists()


def test_bad_files_are_left_out_and_listed(folder, images, tmp_path, monkeypatch):
    spoil(folder)
    make = invariant_cluster.make_pipeline

    def make_brief(*arguments, **settings):
        return make(*arguments, **{**settings, "features": "scattering"}).set_params(
            cluster__max_epochs=1
        )

    monkeypatch.setattr("invariant_cluster.make_pipeline", make_brief)
    result = fit(folder, tmp_path / "run", "--skip-unreadable", "--crop", "0,0,4,0")
    assert "Left out files that cannot be read: 2." in result.stderr
    skipped = pd.read_csv(tmp_path / "run" / "skipped.csv")
    assert list(skipped) == ["file", "reason"]
    assert skipped["file"].str.endswith(("bad.png", "worse.jpg")).all()
    assert len(pd.read_csv(tmp_path / "run" / "labels.csv")) == len(images)
    # The model reads other files in the same way, without being told.
    reading = load_reading(tmp_path / "run" / "model.safetensors")
    assert reading.crop == (0, 0, 4, 0)
    out = tmp_path / "more.csv"
    run("predict", tmp_path / "run", folder, "--out", out, "--skip-unreadable")
    assert len(pd.read_csv(tmp_path / "more_skipped.csv")) == 2
    labels = pd.read_csv(out)
    model = load_model(tmp_path / "run" / "model.safetensors")
    np.testing.assert_array_equal(labels["cluster"], model.predict(images))


def test_predict_reads_as_fit_did(trained, folder, images, tmp_path):
    run("predict", trained, folder, "--out", tmp_path / "labels.csv")
    table = pd.read_csv(tmp_path / "labels.csv")
    np.testing.assert_array_equal(table["cluster"], load_model(trained).predict(images))
    run("predict", trained, folder, "--out", tmp_path / "shards", "--shards")
    shards = pd.concat(map(pd.read_parquet, (tmp_path / "shards").glob("*.parquet")))
    np.testing.assert_array_equal(shards["cluster"], table["cluster"])


def test_shards_leave_bad_files_out(trained, folder, tmp_path):
    spoil(folder)
    options = ["--out", tmp_path / "shards", "--shards", "--skip-unreadable"]
    run("predict", trained, folder, *options)
    assert len(pd.read_csv(tmp_path / "shards" / "skipped.csv")) == 2


def test_the_output_may_lie_in_the_input(folder, images, reached, tmp_path):
    for out in (folder / "run", tmp_path / "elsewhere"):
        fit(folder, out)
    run_of_before = folder / "before"
    run_of_before.mkdir()
    for name in ("model.safetensors", "labels.csv", "report.html"):
        (run_of_before / name).write_text("x")
    Image.fromarray(images[0]).save(run_of_before / "picture.png")
    result = fit(folder, tmp_path / "third")
    assert "Warning: Folders of earlier runs were left out (1" in result.stderr
    assert [len(given.images) for given in reached] == [48, 48, 48]


def test_files_in_the_output_folder_are_left_out(folder, images, reached):
    (folder / "run").mkdir()
    Image.fromarray(images[0]).save(folder / "run" / "figure.png")
    fit(folder, folder / "run", "--overwrite")
    assert len(reached[0].images) == 48


def test_a_failed_run_leaves_nothing_that_stops_the_next(folder, tmp_path, reached):
    spoil(folder)
    fit(folder, folder / "run", code=1)
    assert not (folder / "run").exists()
    (folder / "empty" / "nested").mkdir(parents=True)
    fit(folder, folder / "run", "--skip-unreadable")
    assert len(reached[0].images) == 48


def test_what_is_no_image_is_left_out(folder, reached, tmp_path):
    for name in ("a.csv", "b.tsv", "c.txt", "d.xml", "e.html", ".hidden", "Thumbs.db"):
        (folder / name).write_text("x")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._00.png").write_bytes(b"\0\5\26\7")
    fit(folder, tmp_path / "run")
    assert len(reached[0].images) == 48


def test_decoded_images_are_kept(folder, reached, tmp_path):
    options = ["--cache", tmp_path / "cache", "--jobs", 1]
    fit(folder, tmp_path / "run", *options)
    for path in folder.iterdir():  # other bytes of the same length and time
        times = path.stat()
        path.write_bytes(b"x" * times.st_size)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    fit(folder, tmp_path / "run", *options)
    np.testing.assert_array_equal(reached[0].images, reached[1].images)


def test_a_sample_of_files_is_drawn(folder, reached, tmp_path):
    result = fit(folder, tmp_path / "run", "--sample", 10)
    assert len(reached[0].images) == len(set(reached[0].names)) == 10
    assert "48 images of shape (16, 16)" in result.stderr
    assert "Training on 10 of them, drawn at random" in result.stderr


def test_an_empty_folder_is_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    result = fit(tmp_path / "empty", tmp_path / "run", code=1)
    (line,) = result.stderr.splitlines()
    assert "holds no image files: give a folder of images" in line


def test_a_model_of_files_labels_arrays(trained, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    out = tmp_path / "labels.csv"
    result = run("predict", trained, tmp_path / "images.npy", "--out", out)
    assert "trained on files read with --crop, but" in result.stderr
    labels = pd.read_csv(out)["cluster"]
    np.testing.assert_array_equal(labels, load_model(trained).predict(images))


def test_a_model_of_grey_files_takes_colour_as_grey(trained, folder, images, tmp_path):
    for path in folder.iterdir():
        Image.open(path).convert("RGB").save(path)
    run("predict", trained, folder, "--out", tmp_path / "labels.csv")
    labels = pd.read_csv(tmp_path / "labels.csv")["cluster"]
    np.testing.assert_array_equal(labels, load_model(trained).predict(images))


@pytest.mark.parametrize(
    "options", [["--cache", "kept"], ["--skip-unreadable"], ["--color", "grey"]]
)
def test_no_option_is_ignored_for_arrays(options, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    result = fit(tmp_path / "images.npy", tmp_path / "run", *options, code=1)
    assert f"{options[0]} is for folders of image files, not for" in result.stderr


def test_shards_have_no_cache(trained, folder, tmp_path):
    out = ["--out", tmp_path / "shards", "--shards", "--cache", tmp_path / "cache"]
    result = run("predict", trained, folder, *out, code=1)
    assert "is not used by --shards: omit it." in result.stderr
    assert not (tmp_path / "cache").exists()


def test_skipped_files_are_those_of_the_last_run(trained, folder, tmp_path):
    spoil(folder)
    arguments = ["predict", trained, folder, "--out", tmp_path / "more.csv"]
    run(*arguments, "--skip-unreadable")
    assert (tmp_path / "more_skipped.csv").exists()
    (tmp_path / "more.csv").unlink()
    for name in ("bad.png", "worse.jpg"):
        (folder / name).unlink()
    result = run(*arguments, code=1)
    assert "more_skipped.csv already exists" in result.stderr
    run(*arguments, "--overwrite")
    assert not (tmp_path / "more_skipped.csv").exists()


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_skipped_files_of_any_name_are_listed(trained, folder, tmp_path):
    try:
        (folder / os.fsdecode(b"\xff.png")).write_bytes(b"no image")
    except OSError:
        pytest.skip("the file system takes text alone")
    out = tmp_path / "more.csv"
    run("predict", trained, folder, "--out", out, "--skip-unreadable")
    skipped = pd.read_csv(tmp_path / "more_skipped.csv")
    assert skipped["file"].str.endswith("\ufffd.png").all()


def test_a_warning_is_one_line(capsys):
    with one_line_warnings():
        for message in ("two\n  lines", "two\n  lines"):
            warnings.warn(message, DriftWarning, stacklevel=1)
    assert capsys.readouterr().err == "Warning: two lines\n"
