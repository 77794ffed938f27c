"""The commands as a user types them, on tiny models."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

pytest.importorskip("typer")
Image = pytest.importorskip("PIL.Image")
mrcfile = pytest.importorskip("mrcfile")
h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
pytest.importorskip("pyarrow")

from typer.testing import CliRunner  # noqa: E402

from invariant_cluster import (  # noqa: E402
    IRLINREmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    load_model,
    make_pipeline,
    save_model,
)
from invariant_cluster.cli import main  # noqa: E402
from invariant_cluster.cli._app import app  # noqa: E402
from invariant_cluster.cli._choices import (  # noqa: E402
    Kind,
    Method,
    Network,
    Shown,
    StretchKind,
)
from invariant_cluster.embedders import LIGHT, NETWORKS  # noqa: E402
from invariant_cluster.images import STRETCHES  # noqa: E402
from invariant_cluster.out_of_core import read_shards  # noqa: E402
from invariant_cluster.pipelines import FEATURES, KINDS  # noqa: E402
from invariant_cluster.verdict import LEVELS  # noqa: E402

POSE = ["theta", "theta_std", "tau_x", "tau_y"]
COLUMNS = ["file", "cluster", "confidence", "score", *POSE]
FILES = {"labels.csv", "model.safetensors", "report.html"}


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch):
    """Light networks are tiny, and trained for one epoch where no number is given."""
    tiny = {
        "d": 4,
        "encoder_width": 2,
        "n_frequencies": 4,
        "inr_hidden": (4,),
        "hypernetwork_hidden": (4,),
        "n_pixels": None,
        "batch_size": 16,
        "lr": 1e-3,
    }
    for name, size in tiny.items():
        monkeypatch.setitem(LIGHT, name, size)

    def make_brief(*arguments, **settings):
        pipe = make_pipeline(*arguments, **settings)
        given = pipe.get_params()
        for name in ("embed__max_epochs", "embed__learned__max_epochs"):
            if given.get(name) == "auto":
                pipe.set_params(**{name: 1})
        return pipe.set_params(cluster__max_epochs=1, cluster__fine_tune_max_epochs=1)

    monkeypatch.setattr("invariant_cluster.make_pipeline", make_brief)


@pytest.fixture
def array(images, tmp_path):
    """The path of an array of images."""
    path = tmp_path / "images.npy"
    np.save(path, images)
    return path


@pytest.fixture
def folder(images, tmp_path):
    """The path of a folder of PNG files."""
    path = tmp_path / "pictures"
    path.mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image).save(path / f"digit_{row:02d}.png")
    return path


@pytest.fixture(scope="module")
def saved(make_embedder, make_clusterer, images, tmp_path_factory):
    """The path of a fitted model, and the model."""
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    save_model(pipe.fit(images), path)
    return path, pipe


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def fit(source, out, *options, code=0):
    return run("fit", source, "-k", 3, "--out", out, *options, code=code)


def test_fit_writes_labels_model_and_report(folder, images, tmp_path):
    out = tmp_path / "run"
    result = fit(folder, out, "--size", 16)
    assert {path.name for path in out.iterdir()} == FILES
    table = pd.read_csv(out / "labels.csv")
    assert list(table) == [*COLUMNS, "height", "width"]
    assert (table[["height", "width"]] == 16).all(axis=None)
    assert list(table["file"]) == [f"digit_{row:02d}.png" for row in range(len(images))]
    model = load_model(out / "model.safetensors")
    np.testing.assert_array_equal(table["cluster"], model.predict(images))
    theta, tau, std = model[0].predict_pose(images, return_std=True)
    theta = np.where(np.isnan(std), np.nan, theta)
    np.testing.assert_allclose(table["theta"], theta, atol=1e-4)
    np.testing.assert_allclose(table["theta_std"], std, atol=1e-4)
    np.testing.assert_allclose(table[["tau_x", "tau_y"]], tau, atol=6e-3)
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert "48 images of shape (16, 16)" in result.stderr


def test_predict_labels_as_fit_did(array, tmp_path):
    out = tmp_path / "run"
    fit(array, out)
    run("predict", out, array, "--out", tmp_path / "again.csv")
    first, second = (
        (out / "labels.csv").read_text(),
        (tmp_path / "again.csv").read_text(),
    )
    assert first == second
    shown = run("predict", out / "model.safetensors", array)
    assert shown.stdout == first


def test_predict_resizes_files_as_the_model_needs(saved, folder, images):
    path, pipe = saved
    lines = run("predict", path, folder).stdout.splitlines()
    labels = [int(line.split(",")[1]) for line in lines[1:]]
    assert labels == pipe.predict(images).tolist()


def test_report_of_a_saved_model(saved, array, tmp_path):
    run("report", saved[0], array, "--out", tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_demo_tells_its_accuracy(tmp_path, monkeypatch):
    from invariant_cluster.datasets import load_wafer_maps

    maps = load_wafer_maps(fail_map=True)
    maps.images, maps.target = maps.images[::40], maps.target[::40]
    monkeypatch.setattr("invariant_cluster.datasets.load_wafer_maps", lambda **_: maps)
    result = run("demo", "--out", tmp_path / "demo", "--epochs", 1)
    assert {path.name for path in (tmp_path / "demo").iterdir()} == FILES
    assert "Accuracy of clusters matched one to one with classes: " in result.stderr


@pytest.mark.parametrize("kind", ["npz", "mrcs", "named"])
def test_kinds_of_files(saved, images, array, tmp_path, kind):
    path = tmp_path / f"images.{'npz' if kind == 'named' else kind}"
    options = []
    if kind == "npz":
        np.savez(path, images=images, target=np.zeros(3))
    elif kind == "named":
        np.savez(path, pictures=images, target=np.zeros(3))
        options = ["--key", "pictures"]
    else:
        with mrcfile.new(path) as file:
            file.set_data(images.astype(np.float32))
    expected = run("predict", saved[0], array).stdout
    assert run("predict", saved[0], path, *options).stdout == expected


def test_settings_reach_the_estimators(array, tmp_path):
    out = tmp_path / "run"
    options = ["--kind", "wafers", "--epochs", 2, "--seed", 5]
    fit(array, out, *options, "--invariance", "rotation")
    model = load_model(out / "model.safetensors")
    learned, scattering = model[0].named_embedders_.values()
    assert learned.invariance == scattering.invariance == "rotation"
    assert learned.noise == 2.0
    assert learned.n_iter_ == 2
    assert learned.random_state == model[1].random_state == 5
    assert model[1].augmentation == "R"


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("scattering", ScatteringEmbedder),
        ("polar", PolarFourierEmbedder),
        ("irl-inr", IRLINREmbedder),
    ],
)
def test_one_feature_space(array, tmp_path, method, kind):
    out = tmp_path / "run"
    result = fit(array, out, "--method", method)
    assert f"Method: {method} (" in result.stderr
    assert "), as --method says.\n" in result.stderr
    model = load_model(out / "model.safetensors")
    assert type(model[0]) is kind
    assert model[1].fine_tuned_ == (method == "irl-inr")
    columns = pd.read_csv(out / "labels.csv").columns.tolist()
    assert columns == (COLUMNS if method == "irl-inr" else COLUMNS[:4])


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_missing_pixels_are_background_and_counted(images, tmp_path, suffix):
    values = images.astype(np.float32)
    values[::4, :2] = np.nan
    path, out = tmp_path / f"fluxes.{suffix}", tmp_path / "run"
    np.save(path, values) if suffix == "npy" else np.savez(path, images=values)
    told = f"{path.name}: 384 pixels (3.1 %) in 12 images are NaN or infinite"
    assert told in fit(path, out, "--features", "scattering").stderr
    done = run("predict", out, path, "--out", tmp_path / "labels.csv")
    assert told in done.stderr
    labels = pd.read_csv(out / "labels.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "labels.csv"), labels)
    run("predict", out, path, "--shards", "--out", tmp_path / "shards")
    np.testing.assert_array_equal(
        read_shards(tmp_path / "shards").cluster, labels.cluster
    )


@pytest.mark.parametrize("stretch", ["asinh", "auto"])
def test_a_huge_range_is_stretched_and_told(images, tmp_path, stretch):
    flux = 10 ** np.random.default_rng(0).uniform(0, 6, len(images))
    path, out = tmp_path / "fluxes.npy", tmp_path / "run"
    np.save(path, (images * flux[:, None, None]).astype(np.float32))
    done = fit(path, out, "--features", "scattering", "--stretch", stretch)
    assert ("huge range" in done.stderr) == (stretch == "auto")
    assert load_model(out / "model.safetensors")["embed"].tone_.stretch


@pytest.mark.parametrize("given", [("--object", "central"), ("--kind", "galaxies")])
def test_the_central_object_alone(array, tmp_path, given):
    out = tmp_path / "run"
    fit(array, out, "--method", "scattering", *given)
    embedder = load_model(out / "model.safetensors")[0]
    assert embedder.object == "central"
    assert embedder.tone_.central


def test_textures_need_no_training(array, tmp_path):
    out = tmp_path / "run"
    fit(array, out, "--kind", "textures")
    assert type(load_model(out / "model.safetensors")[0]) is ScatteringEmbedder


@pytest.mark.filterwarnings("ignore:n_clusters='auto'")
def test_the_number_of_clusters_is_chosen_and_told(array, tmp_path):
    out = tmp_path / "run"
    options = ("--kind", "textures", "-k", "auto", "--out", out)
    result = run("fit", array, *options)
    choice = load_model(out / "model.safetensors")["cluster"].choice_
    (told,) = [s for s in result.stderr.splitlines() if s.startswith(choice.reason)]
    assert f"{choice.n_clusters} clusters were chosen (" in told
    assert "fit again with -k NUMBER" in told


def test_the_verdict_ends_what_fit_prints(array, tmp_path):
    result = fit(array, tmp_path / "a", "--method", "polar")
    lines = result.stderr.strip().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith("Verdict: ")]
    level = lines[start].removeprefix("Verdict: ").split(".")[0]
    assert level in LEVELS
    troubles = lines[start + 1 :]
    assert all(line.split(":")[0].strip() in LEVELS[1:] for line in troubles)
    assert bool(troubles) == (level != "good")
    report = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert f'class="verdict {level}"' in report


@pytest.mark.parametrize("word", ["many", "0", "2.5"])
def test_other_words_for_the_number_are_refused(array, tmp_path, word, no_training):
    result = fit(array, tmp_path / "a", "-k", word, code=1)
    assert (
        f"--n-clusters {word} is neither a whole number of at least 1 nor auto: give "
        "for example -k 10" in result.stderr
    )
    assert not (tmp_path / "a").exists()


def test_too_few_images_to_choose_from_are_told(images, tmp_path, no_training):
    np.save(tmp_path / "few.npy", images[:20])
    result = fit(tmp_path / "few.npy", tmp_path / "a", "-k", "auto", code=1)
    assert "--n-clusters auto but n_samples=20" in result.stderr


def test_choices_are_those_of_the_pipeline():
    assert list(Kind) == list(KINDS)
    assert [method.replace("irl-inr", "learned") for method in Method] == [*FEATURES]
    assert tuple(Network) == NETWORKS
    assert tuple(StretchKind) == STRETCHES
    allowed = IRLINREmbedder._parameter_constraints["object"][0].options
    assert set(Shown) == allowed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist: give a folder or a file"),
        ("text", "is of an unknown kind: give a folder of images, .npy"),
        (np.array([{}], dtype=object), "cannot be read as arrays"),
        (np.zeros(3), "holds (3,), not images: give an array of shape (n, h, w)"),
        (np.full((30, 9, 9), np.nan), "image 0, cannot be used: none of its pixels"),
    ],
)
def test_bad_images_are_one_line(tmp_path, content, message):
    path = tmp_path / ("images.odt" if isinstance(content, str) else "images.npy")
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        np.save(path, content)
    result = fit(path, tmp_path / "run", code=1)
    errors = [line for line in result.stderr.splitlines() if "Error" in line]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in result.output
    assert not list((tmp_path / "run").glob("*"))


def test_archives_without_images_are_named(tmp_path):
    np.savez(tmp_path / "data.npz", a=np.zeros(2), b=np.zeros(2))
    result = fit(tmp_path / "data.npz", tmp_path / "run", code=1)
    assert "holds a, b, but not 'images': name the array of images" in result.stderr


def test_nothing_is_replaced_unasked(array, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "labels.csv").write_text("precious")
    result = fit(array, out, code=1)
    assert "labels.csv already exists: choose another path, or use" in result.stderr
    assert (out / "labels.csv").read_text() == "precious"
    fit(array, out, "--overwrite")
    assert (out / "labels.csv").read_text() != "precious"


def test_bad_models_are_one_line(saved, array, tmp_path):
    path, pipe = saved
    (tmp_path / "bad.safetensors").write_bytes(path.read_bytes()[:-9])
    result = run("predict", tmp_path / "bad.safetensors", array, code=1)
    assert "is not a model file, or is truncated" in result.stderr
    pipe[0].save(tmp_path / "embedder.safetensors")
    result = run("predict", tmp_path / "embedder.safetensors", array, code=1)
    assert "holds a single IRLINREmbedder" in result.stderr
    result = run("predict", tmp_path, array, code=1)
    assert "is not a file: give the path of a saved model" in result.stderr


def test_images_of_another_size_are_one_line(saved, tmp_path):
    np.save(tmp_path / "large.npy", np.zeros((3, 20, 20)))
    result = run("predict", saved[0], tmp_path / "large.npy", code=1)
    assert "was fitted on arrays of shape (n, 16, 16)" in result.stderr


def test_an_interrupt_writes_nothing(array, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "fit", interrupt)
    result = fit(array, tmp_path / "run", code=130)
    assert "Interrupted: only the files named above were written" in result.stderr
    assert "Wrote" not in result.stderr
    assert not list((tmp_path / "run").iterdir())


def test_what_is_missing_is_found_before_training(
    array, images, tmp_path, monkeypatch, no_training
):
    result = fit(array, tmp_path / "a", "-k", 49, code=1)
    assert "--n-clusters 49 but there are only 48 images: use fewer" in result.stderr
    (tmp_path / "file").write_text("x")
    result = fit(array, tmp_path / "file", code=1)
    assert "is a file: give the name of a folder" in result.stderr
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = fit(array, tmp_path / "b", code=1)
    assert "cluster_report needs jinja2, which is not installed" in result.stderr
    assert not (tmp_path / "b").exists()


def test_few_images_have_few_neighbours(images, tmp_path):
    np.save(tmp_path / "few.npy", images[:10])
    fit(tmp_path / "few.npy", tmp_path / "run")
    model = load_model(tmp_path / "run" / "model.safetensors")
    assert model[-1].neighbors_.shape == (10, 9)


def test_an_interrupt_of_the_report_leaves_the_rest(array, tmp_path, monkeypatch):
    from invariant_cluster.cli import _writing

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_writing, "cluster_report", interrupt)
    result = fit(array, tmp_path / "run", code=130)
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES - {
        "report.html"
    }
    assert "labels.csv." in result.stderr


def test_values_of_another_scale_are_warned_of(saved, images, tmp_path):
    np.save(tmp_path / "deep.npy", images.astype(np.uint16) * 257)
    result = run("predict", saved[0], tmp_path / "deep.npy")
    assert "Warning: The 48 new image(s) are not like the training images: " in (
        result.stderr
    )
    assert "multiplied by 257?" in result.stderr
    np.save(tmp_path / "same.npy", images)
    assert "Warning" not in run("predict", saved[0], tmp_path / "same.npy").stderr


def test_colours_become_what_the_model_knows(saved, images, tmp_path):
    folder = tmp_path / "colours"
    folder.mkdir()
    for row, image in enumerate(images[:5]):
        Image.fromarray(np.stack([image] * 3, axis=-1)).save(folder / f"{row}.png")
    lines = run("predict", saved[0], folder).stdout.splitlines()[1:]
    labels = [int(line.split(",")[1]) for line in lines]
    assert labels == saved[1].predict(images[:5]).tolist()


def test_models_without_pose_are_taken(make_polar_embedder, images, array, tmp_path):
    clusterer = SCANClusterer(3, n_neighbors=3, max_epochs=1, fine_tune=False)
    pipe = Pipeline([("embed", make_polar_embedder()), ("cluster", clusterer)])
    save_model(pipe.fit(images), tmp_path / "polar.safetensors")
    shown = run("predict", tmp_path / "polar.safetensors", array).stdout
    assert shown.splitlines()[0] == "file,cluster,confidence,score"


def test_misnamed_and_broken_archives_are_one_line(saved, images, array, tmp_path):
    np.savez(tmp_path / "a.npz", images=images)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "other.npy").write_bytes(whole)
    (tmp_path / "flat.npz").write_bytes(b"no archive")
    for name, told in [
        ("cut.npz", "cannot be read as arrays"),
        ("other.npy", "is an archive of arrays: rename it to .npz"),
        ("flat.npz", "cannot be read as arrays"),
    ]:
        result = run("predict", saved[0], tmp_path / name, code=1)
        assert told in result.stderr
    result = run("predict", saved[0], array, "--key", "a", code=1)
    assert "--key a is for .npz files" in result.stderr
    out = tmp_path / "none" / "labels.csv"
    result = run("predict", saved[0], array, "--out", out, code=1)
    assert "is in a folder that does not exist" in result.stderr


@pytest.mark.parametrize("command", ["fit", "predict", "report", "demo"])
def test_every_command_explains_itself(command):
    assert len(run(command, "--help").stdout) > 300


def test_wrong_usage_has_its_own_code(array, tmp_path):
    run("fit", array, "--out", tmp_path / "run", code=2)
    fit(array, tmp_path / "run", "--kind", "cats", code=2)


def test_it_is_installed():
    code = "from invariant_cluster.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("invariant-cluster 0.")


def test_without_typer_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "invariant_cluster.cli._app", None)
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "invariant_cluster.cli._app")
    with pytest.raises(SystemExit, match="pip install typer jinja2 pillow"):
        main()


def test_what_cannot_be_read_leaves_no_folder(tmp_path):
    fit(tmp_path / "nowhere", tmp_path / "run", code=1)
    assert not (tmp_path / "run").exists()


# Many images


def test_a_sample_is_told_and_is_what_is_trained_on(array, images, tmp_path):
    out = tmp_path / "run"
    result = fit(array, out, "--sample", 30, "--method", "scattering")
    assert "48 images of shape (16, 16)" in result.stderr
    assert "Training on 30 of them, drawn at random (--sample)" in result.stderr
    table = pd.read_csv(out / "labels.csv")
    rows = table["file"].to_numpy()
    assert len(set(rows)) == 30
    model = load_model(out / "model.safetensors")
    assert len(model[-1].neighbors_) == 30
    np.testing.assert_array_equal(table["cluster"], model.predict(images[rows]))


def test_no_sample_is_told_of_few_images(array, tmp_path):
    result = fit(array, tmp_path / "run", "--sample", 48, "--method", "scattering")
    assert "drawn at random" not in result.stderr


def test_files_that_are_not_drawn_are_not_read(folder, tmp_path):
    options = ["--sample", 30, "--size", 16, "--method", "scattering"]
    fit(folder, tmp_path / "run", *options)
    drawn = pd.read_csv(tmp_path / "run" / "labels.csv")["file"]
    for path in set(folder.iterdir()) - {folder / name for name in drawn}:
        if path.name != "digit_00.png":  # the first tells the form
            path.write_bytes(b"no image")
    fit(folder, tmp_path / "again", *options)
    again = pd.read_csv(tmp_path / "again" / "labels.csv")["file"]
    assert again.tolist() == drawn.tolist()


def test_shards_hold_the_labels_and_continue(saved, array, images, tmp_path):
    path, pipe = saved
    options = ["--out", tmp_path / "shards", "--shards", "--rows-per-shard", 20]
    result = run("predict", path, array, *options)
    assert "48 images of shape (16, 16)" in result.stderr
    assert "Wrote shards to " in result.stderr
    table = read_shards(tmp_path / "shards")
    assert list(table) == ["index", "cluster", "confidence"]
    assert table["cluster"].tolist() == pipe.predict(images).tolist()
    files = sorted((tmp_path / "shards").glob("*.parquet"))
    written = [file.stat().st_mtime_ns for file in files]
    assert len(written) == 3
    run("predict", path, array, *options)
    assert [file.stat().st_mtime_ns for file in files] == written


def test_shards_of_a_folder_name_the_files(saved, folder, tmp_path):
    run("predict", saved[0], folder, "--out", tmp_path / "shards", "--shards")
    names = read_shards(tmp_path / "shards")["file"]
    assert names.tolist() == [f"digit_{row:02d}.png" for row in range(48)]


def test_shards_of_another_run_are_replaced_when_asked(saved, array, images, tmp_path):
    options = ["--out", tmp_path / "shards", "--shards"]
    run("predict", saved[0], array, *options)
    np.save(tmp_path / "other.npy", images[:20])
    result = run("predict", saved[0], tmp_path / "other.npy", *options, code=1)
    assert "holds shards of other images" in result.stderr
    run("predict", saved[0], tmp_path / "other.npy", *options, "--overwrite")
    assert len(read_shards(tmp_path / "shards")) == 20


def test_wrong_use_of_shards_is_one_line(saved, array, tmp_path):
    result = run("predict", saved[0], array, "--shards", code=1)
    assert "--shards needs --out: give the folder to write to" in result.stderr
    (tmp_path / "file").write_text("x")
    result = run(
        "predict", saved[0], array, "--shards", "--out", tmp_path / "file", code=1
    )
    assert "is a file: give the name of a folder" in result.stderr
    result = run("predict", saved[0], array, "--scheduler", "tcp://host:1", code=1)
    assert "--scheduler tcp://host:1 is for --shards: add --shards" in result.stderr


def test_shards_warn_of_another_scale_once(saved, images, tmp_path):
    np.save(tmp_path / "deep.npy", images.astype(np.uint16) * 257)
    options = ["--out", tmp_path / "shards", "--shards", "--rows-per-shard", 20]
    result = run("predict", saved[0], tmp_path / "deep.npy", *options)
    assert result.stderr.count("Warning: The 20 new image(s) are not like the") == 1


@pytest.mark.parametrize("kind", ["h5", "zarr"])
def test_stores_of_arrays(saved, images, array, tmp_path, kind):
    path = tmp_path / f"images.{kind}"
    if kind == "h5":
        with h5py.File(path, "w") as file:
            file["pictures"], file["target"] = images, np.zeros(3)
    else:
        group = zarr.open_group(path, mode="w")
        group.create_array("pictures", shape=images.shape, dtype="u1")
        group["pictures"][:] = images
        group.create_array("target", shape=(3,), dtype="f8")
    expected = run("predict", saved[0], array).stdout
    assert run("predict", saved[0], path, "--key", "pictures").stdout == expected
    result = run("predict", saved[0], path, code=1)
    assert "name the array of images with --key." in result.stderr


def test_the_report_shows_plain_values(array, tmp_path):
    fit(array, tmp_path / "run")
    assert "Network.auto" not in (tmp_path / "run" / "report.html").read_text()


def test_fit_tells_its_stages_first(folder, tmp_path):
    told = fit(folder, tmp_path / "run", "--size", 16).stderr
    stages = "Stages: ScatteringEmbedder, IRLINREmbedder, SCANClusterer, labels, report"
    assert stages in told
    assert told.index(stages) < told.index("Wrote")


def test_long_predictions_show_bars_on_stderr(saved, array, monkeypatch):
    path, _ = saved
    quiet = run("predict", path, array)
    assert "%" not in quiet.stderr

    class SlowClock:
        now = 0.0

        def __call__(self):
            SlowClock.now += 1.0
            return SlowClock.now

    monkeypatch.setattr("tqdm.std.time", SlowClock())
    result = run("predict", path, array)
    for title in ("clusters", "poses"):
        assert f"{title}: 100%" in result.stderr
    assert result.stdout == quiet.stdout
