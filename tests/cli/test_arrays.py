"""Arrays on the command line: their channels, their shape, and what is no image."""

import pickle
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

pytest.importorskip("typer")
pytest.importorskip("PIL.Image")
h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
pytest.importorskip("pyarrow")

from typer.testing import CliRunner  # noqa: E402

from invariant_cluster import (  # noqa: E402
    PolarFourierEmbedder,
    SCANClusterer,
    load_model,
    make_pipeline,
    save_model,
)
from invariant_cluster.cli import _app  # noqa: E402
from invariant_cluster.cli._arrays import (  # noqa: E402
    PickedChannels,
    parse_numbers,
    pick_channels,
    set_image_shape,
)
from invariant_cluster.datasets import open_images  # noqa: E402
from invariant_cluster.out_of_core import read_shards  # noqa: E402


def run(*arguments):
    return CliRunner().invoke(_app.app, [str(argument) for argument in arguments])


def told(*arguments):
    """Return the one line that a refused command prints beside the images' number."""
    result = run(*arguments)
    assert result.exit_code == 1, repr(result.exception) + result.output
    lines = [line for line in result.stderr.splitlines() if not line[:1].isdigit()]
    (line,) = lines
    assert line.startswith("Error: ")
    return line


def reach(*arguments):
    """Return the pipeline and the images that fit would train."""
    with mock.patch.object(_app, "_fit_and_write") as reached:
        result = run("fit", *arguments, "-k", 3, "--out", "run", "--device", "cpu")
    assert result.exit_code == 0, result.output
    return reached.call_args.args[0], reached.call_args.args[1].images


def fit(source, out, *options):
    return run(
        *("fit", source, "-k", 3, "--out", out, "--device", "cpu"),
        *("--features", "scattering", *options),
    )


@pytest.fixture(autouse=True)
def brief_training(monkeypatch):
    def make_brief(*arguments, **settings):
        return make_pipeline(*arguments, **settings).set_params(cluster__max_epochs=1)

    monkeypatch.setattr("invariant_cluster.make_pipeline", make_brief)


@pytest.fixture
def bands(images):
    """Images of five channels, the last axis."""
    gain = np.array([1.0, 0.8, 0.6, 0.4, 0.2])
    return (images[..., None] * gain).astype(np.uint8)


@pytest.fixture(scope="module")
def model(images, tmp_path_factory):
    """The path of a model of images without channels."""
    clusterer = SCANClusterer(
        3, n_neighbors=3, max_epochs=1, fine_tune=False, device="cpu", random_state=0
    )
    embedder = PolarFourierEmbedder(d=4, device="cpu", random_state=0)
    pipe = Pipeline([("embed", embedder), ("cluster", clusterer)]).fit(images)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save_model(pipe, path)
    return path


def save_hdf5(path, array):
    with h5py.File(path, "w") as file:
        file["images"] = array


SAVE = {
    ".npy": np.save,
    ".npz": lambda path, array: np.savez(path, images=array),
    ".h5": save_hdf5,
    ".zarr": lambda path, array: zarr.save_array(str(path), array),
}


@pytest.mark.parametrize("suffix", SAVE)
@pytest.mark.parametrize("first", [False, True], ids=["last axis", "first axis"])
@pytest.mark.parametrize("picked", ["0", "3", "0,1,2", "4,0", "0,0,0,1,2"])
def test_channels_are_picked_from_either_axis(bands, tmp_path, suffix, first, picked):
    path = tmp_path / f"bands{suffix}"
    SAVE[suffix](path, np.moveaxis(bands, -1, 1) if first else bands)
    pipe, given = reach(path, "--channels", picked, "--features", "scattering")
    rows = [int(number) for number in picked.split(",")]
    expected = bands[..., rows[0]] if len(rows) == 1 else bands[..., rows]
    np.testing.assert_array_equal(given, expected)
    assert given.dtype == np.uint8
    assert pipe[0].image_shape == expected.shape[1:]


def test_stored_channels_are_read_when_taken(bands, tmp_path):
    np.save(tmp_path / "bands.npy", bands)
    stored = open_images(tmp_path / "bands.npy")
    picked = pick_channels(tmp_path, stored, (1, 3))
    assert isinstance(picked, PickedChannels)
    assert (picked.shape, picked.dtype, picked.ndim) == ((48, 16, 16, 2), "uint8", 4)
    assert picked.nbytes == bands[..., :2].nbytes
    for copy in (picked, pickle.loads(pickle.dumps(picked))):
        for rows in (3, slice(5, 9), [7, 2], np.arange(48) > 40):
            np.testing.assert_array_equal(copy[rows], bands[rows][..., [1, 3]])
        np.testing.assert_array_equal(np.asarray(copy), bands[..., [1, 3]])
        assert len(copy) == 48


def test_a_sample_is_drawn_of_the_picked_channels(bands, tmp_path):
    np.save(tmp_path / "bands.npy", bands)
    options = ("--channels", "2", "--features", "scattering", "--sample", 9)
    _, given = reach(tmp_path / "bands.npy", *options)
    assert given.shape == (9, 16, 16)
    assert {image.tobytes() for image in given} <= {
        image.tobytes() for image in bands[..., 2]
    }


def test_fit_predict_and_report_with_the_same_channels(bands, images, tmp_path):
    bands, images = bands[:24], images[:24]
    path, out = tmp_path / "bands.npy", tmp_path / "run"
    np.save(path, bands)
    result = fit(path, out, "--channels", "0")
    assert result.exit_code == 0, result.output
    assert "24 images of shape (16, 16) from" in result.stderr
    table = pd.read_csv(out / "labels.csv")
    np.testing.assert_array_equal(
        table["cluster"], load_model(out / "model.safetensors").predict(images)
    )
    again = run("predict", out, path, "--channels", "0")
    assert again.stdout == (out / "labels.csv").read_text()
    written = run(
        *("predict", out, path, "--channels", "0", "--shards"),
        *("--out", tmp_path / "shards"),
    )
    assert written.exit_code == 0, written.output
    labels = read_shards(tmp_path / "shards")["cluster"]
    np.testing.assert_array_equal(labels, table["cluster"])
    shown = run("report", out, path, "--channels", "0", "--out", tmp_path / "r.html")
    assert shown.exit_code == 0, shown.output
    for command in (
        ("predict", out, path),
        ("predict", out, path, "--channels", "0,1"),
        ("predict", out, path, "--shards", "--out", tmp_path / "more"),
        ("report", out, path, "--out", tmp_path / "more.html"),
    ):
        line = told(*command)
        assert "the model was trained on images of shape (16, 16)" in line
        assert "pick the same channels as in fit with --channels" in line


def test_two_channels_are_clustered_without_a_report(bands, tmp_path):
    path, out = tmp_path / "bands.npy", tmp_path / "run"
    np.save(path, bands[:12])
    result = fit(path, out, "--channels", "1,3")
    assert result.exit_code == 0, result.output
    assert "No report: it cannot show images of 2 channels" in result.stderr
    assert {file.name for file in out.iterdir()} == {"labels.csv", "model.safetensors"}
    assert load_model(out / "model.safetensors")[0].image_shape_ == (16, 16, 2)


def test_image_shape_of_flat_rows_and_of_five_channels(bands, images, tmp_path):
    np.save(tmp_path / "flat.npy", bands[:12].reshape(12, -1))
    np.save(tmp_path / "bands.npy", bands[:12])
    for name in ("flat.npy", "bands.npy"):
        out = tmp_path / name[:4]
        result = fit(tmp_path / name, out, "--image-shape", "16,16,5")
        assert result.exit_code == 0, result.output
        assert load_model(out / "model.safetensors")[0].image_shape_ == (16, 16, 5)
        again = run("predict", out, tmp_path / name)
        assert again.stdout == (out / "labels.csv").read_text()
    np.save(tmp_path / "wide.npy", images[:12, :, :12].reshape(12, -1))
    result = fit(tmp_path / "wide.npy", tmp_path / "wide", "--image-shape", "16,12")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "wide" / "report.html").exists()


@pytest.mark.parametrize("features", ["joint", "learned", "scattering", "averages"])
def test_every_embedder_gets_the_image_shape(images, features):
    pipe = make_pipeline(3, features=features)
    set_image_shape(pipe, images, (16, 12), settled=False)
    shapes = [v for k, v in pipe.get_params().items() if k.endswith("image_shape")]
    assert shapes == [(16, 12)] * (2 if features == "joint" else 1)


def test_arrays_need_neither_option(images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    pipe, given = reach(tmp_path / "images.npy")
    np.testing.assert_array_equal(given, images)
    assert all(
        shape is None
        for name, shape in pipe.get_params().items()
        if name.endswith("image_shape")
    )


@pytest.mark.parametrize("text", ["", "a", "1;2", "-1", "1,", "1 2", "0.5", "16x16"])
def test_what_is_no_list_of_numbers(images, tmp_path, text):
    np.save(tmp_path / "images.npy", images)
    for option in ("--channels", "--image-shape"):
        given = ("-k", 3, "--out", tmp_path / "run", f"{option}={text}")
        line = told("fit", tmp_path / "images.npy", *given)
        assert f"{option} {text} is not understood: give whole numbers joined" in line
    assert parse_numbers("--channels", " 0, 2") == (0, 2)
    assert parse_numbers("--channels", None) is None


@pytest.mark.parametrize(
    ("shape", "picked", "message"),
    [
        ((9, 16, 16), "0", r"array of shape (9, 16, 16), without an axis of channels"),
        ((9, 256), "0", "without an axis of channels: omit --channels, or give"),
        ((9, 16, 16, 5), "5", "with the channels 0 to 4: give some of them"),
        ((9, 5, 16, 16), "0,9", "with the channels 0 to 4: give some of them"),
        ((9, 16, 16, 16), "0", "can be the first or the last axis of an image: give"),
    ],
)
def test_channels_that_are_not_there(tmp_path, shape, picked, message):
    np.save(tmp_path / "images.npy", np.zeros(shape, np.uint8))
    given = ("-k", 3, "--out", tmp_path / "run", "--channels", picked)
    line = told("fit", tmp_path / "images.npy", *given)
    assert f"--channels {picked} but {tmp_path / 'images.npy'} holds" in line
    assert message in line


def test_channels_of_files_are_those_of_color(images, tmp_path):
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, image in enumerate(images[:4]):
        Image.fromarray(image).save(folder / f"{row}.png")
    given = ("-k", 3, "--out", tmp_path / "run", "--channels", "0")
    assert "image files: convert them with --color" in told("fit", folder, *given)


def test_ambiguous_channels_name_the_options(bands, tmp_path):
    np.save(tmp_path / "bands.npy", bands)
    result = fit(tmp_path / "bands.npy", tmp_path / "run")
    lines = result.stderr.splitlines()
    (line,) = {line for line in lines if "are ambiguous" in line}
    assert "shape (16, 16, 5) are ambiguous" in line
    assert "--image-shape and --channels of the command line" in line


# What an array may hold that is no image: the array, and what is said of it.
SPOILT = {
    "no image": (lambda X: X[:0], "no images: give an array of one or more"),
    "no pixel": (lambda X: X[:, :0], "no images: give an array of one or more"),
    "text": (lambda X: X.astype("S3"), "dtype |S3: give an array of real numbers"),
    "fields": (
        lambda X: np.zeros(X.shape, [("a", "f4"), ("b", "u1")]),
        "give an array of real numbers",
    ),
    "complex": (lambda X: X + 1j, "complex128: give an array of real numbers"),
    "one value": (lambda X: X[0, 0, 0], "holds (), not images: give an array"),
    "one row": (lambda X: X[0, 0], "holds (16,), not images: give an array"),
    "five axes": (lambda X: X[:, None, None], "holds (48, 1, 1, 16, 16), not images"),
}
WITHOUT_HDF5 = {
    "dates": (lambda X: X.astype("datetime64[s]"), "datetime64[s]: give an array"),
    "durations": (lambda X: X.astype("timedelta64[s]"), "timedelta64[s]: give an"),
    "unicode": (lambda X: X.astype(str), "dtype <U3: give an array of real numbers"),
}
# zarr stores no array without an axis, and warns of text and fields.
NOT_IN_ZARR = ("one value", "text", "fields", "unicode")
CASES = [
    *[(s, k) for s in (".npy", ".npz", ".h5") for k in SPOILT],
    *[(s, k) for s in (".npy", ".npz") for k in WITHOUT_HDF5],
    *[(".zarr", k) for k in {**SPOILT, **WITHOUT_HDF5} if k not in NOT_IN_ZARR],
]


@pytest.mark.parametrize(("suffix", "kind"), CASES)
def test_arrays_of_something_else(images, model, tmp_path, suffix, kind):
    spoil, message = {**SPOILT, **WITHOUT_HDF5}[kind]
    path = tmp_path / f"spoilt{suffix}"
    SAVE[suffix](path, spoil(images))
    for command in (
        ("fit", path, "-k", 3, "--out", tmp_path / "run"),
        ("predict", model, path),
        ("predict", model, path, "--shards", "--out", tmp_path / "shards"),
        ("report", model, path, "--out", tmp_path / "report.html"),
    ):
        line = told(*command)
        assert str(path) in line
        assert message in line


def save_empty_group(path):
    with h5py.File(path, "w") as file:
        file.create_group("nothing")


def save_without_data(path):
    with h5py.File(path, "w") as file:
        file["images"] = h5py.Empty("f4")


def save_damaged(path):
    np.savez_compressed(path, images=np.arange(10_000).reshape(100, 10, 10))
    raw = bytearray(path.read_bytes())
    raw[300:340] = bytes(40)
    path.write_bytes(raw)


FILES = {
    "none.npz": (lambda path: np.savez(path), "holds no array: save one, numpy.savez"),
    "objects.npz": (
        lambda path: np.savez(path, images=np.array([None, "a"])),
        "holds Python objects: save one array of real numbers",
    ),
    "damaged.npz": (save_damaged, "cannot be read as arrays"),
    "empty.npz": (lambda path: path.touch(), "cannot be read as arrays"),
    "empty.npy": (lambda path: path.touch(), "cannot be read as arrays"),
    "group.h5": (save_empty_group, "holds nothing"),
    "without_data.h5": (save_without_data, "holds (), not images"),
    "store.zarr": (lambda path: path.mkdir(), "cannot be read as arrays"),
    "na\nme.npy": (lambda path: path.write_text("x"), "cannot be read as arrays"),
    "nothing.npy": (lambda path: None, "does not exist: give a folder or a file"),
    "link.npy": (
        lambda path: path.symlink_to(path.parent / "nowhere.npy"),
        "is a link to nothing: give a folder or a file",
    ),
    "list.pkl": (
        lambda path: path.write_bytes(pickle.dumps([1])),
        "does not hold a DataFrame. Give LSWMD.pkl as published, or save anew only its",
    ),
    "table.pkl": (
        lambda path: pd.DataFrame({"a": [1]}).to_pickle(path),
        "has no column 'waferMap'",
    ),
    "rows.pickle": (
        lambda path: pd.DataFrame({"waferMap": []}).to_pickle(path),
        "has no rows: give a table of one map or more",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_something_else(model, tmp_path, name):
    make, message = FILES[name]
    make(tmp_path / name)
    for command in (
        ("fit", tmp_path / name, "-k", 3, "--out", tmp_path / "run"),
        ("predict", model, tmp_path / name),
    ):
        line = told(*command)
        assert message in line
        assert name.replace("\n", " ") in line


@pytest.fixture
def wafers():
    rng = np.random.default_rng(0)
    sides = rng.integers(20, 30, (30, 2))
    maps = [rng.integers(0, 3, shape, dtype=np.uint8) for shape in sides]
    return pd.DataFrame({"waferMap": maps, "dieSize": 1.0})


@pytest.mark.parametrize("name", ["LSWMD_clean.pkl", "my maps.PKL", "maps.pickle"])
def test_a_table_of_wafer_maps_of_any_name(wafers, tmp_path, name):
    wafers.to_pickle(tmp_path / name, compression=None)
    _, given = reach(tmp_path / name, "--kind", "wafers", "--size", 20)
    assert given.shape == (30, 20, 20)
    assert np.unique(given).tolist() == [0, 1]
    assert 0.3 < given.mean() < 0.37  # of three values, that of a failing die


def test_mixed_wm38_needs_no_key(tmp_path):
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (30, 52, 52))
    labels = np.zeros((30, 8), np.int64)
    np.savez(tmp_path / "MixedWM38.npz", arr_0=maps, arr_1=labels)
    _, given = reach(tmp_path / "MixedWM38.npz", "--size", 52)
    np.testing.assert_array_equal(given, maps == 2)
    _, given = reach(tmp_path / "MixedWM38.npz", "--key", "arr_0")
    np.testing.assert_array_equal(given, maps)
    np.savez(tmp_path / "other.npz", arr_0=maps, arr_1=labels[:, 0])
    given = ("-k", 3, "--out", tmp_path / "run")
    line = told("fit", tmp_path / "other.npz", *given)
    assert "holds arr_0, arr_1, but not 'images': name the array" in line
