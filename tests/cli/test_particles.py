"""The commands read particles as RELION and cryoSPARC keep them."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

pytest.importorskip("typer")
pytest.importorskip("jinja2")
pytest.importorskip("pyarrow")
pytest.importorskip("starfile")
mrcfile = pytest.importorskip("mrcfile")

from typer.testing import CliRunner  # noqa: E402

from invariant_cluster import save_model  # noqa: E402
from invariant_cluster.cli import _app  # noqa: E402
from invariant_cluster.cli._inputs import draw_images, read_images  # noqa: E402
from invariant_cluster.out_of_core import read_shards  # noqa: E402

FILES = ("mic1", "mic2")


def write(path, array, is_stack=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(array.astype(np.float32))
        if is_stack:
            file.set_image_stack()
    return path


def write_cs(path, files):
    rows = np.zeros(10, dtype=[("uid", "u8"), ("blob/path", "S40"), ("blob/idx", "u4")])
    rows["blob/path"] = np.repeat(files, 5)
    rows["blob/idx"] = np.tile(np.arange(5), 2)
    with path.open("wb") as file:
        np.save(file, rows)


@pytest.fixture
def project(tmp_path, images):
    """A folder of two stacks of five images, and the three kinds of lists of them."""
    for start, name in zip((0, 5), FILES, strict=True):
        write(tmp_path / "job042" / f"{name}.mrcs", images[start : start + 5])
    lines = [f"{row:06d}@job042/{name}.mrcs" for name in FILES for row in range(1, 6)]
    star = "\n".join(["data_particles", "", "loop_", "_rlnImageName #1", *lines, ""])
    (tmp_path / "particles.star").write_text(star)
    stacks = [f"job042/{name}.mrcs" for name in FILES]
    (tmp_path / "particles.txt").write_text("\n".join(stacks))
    write_cs(tmp_path / "particles.cs", [f">{stack}" for stack in stacks])
    return tmp_path


@pytest.fixture
def names():
    return [f"{row:06d}@job042/{name}.mrcs" for name in FILES for row in range(1, 6)]


def fit(path, *options):
    """Run fit up to the training; return its result and the images it would take."""
    reached = mock.Mock()
    with mock.patch.object(_app, "_fit_and_write", reached):
        arguments = ["fit", path, "-k", "2", "--out", f"{path}_run", *options]
        result = CliRunner().invoke(_app.app, [str(value) for value in arguments])
    return result, reached.call_args.args[1] if reached.called else None


@pytest.mark.parametrize(
    "kind", ["job042", ".", *map("particles".__add__, [".star", ".cs", ".txt"])]
)
def test_fit_joins_the_stacks(project, images, names, kind):
    result, given = fit(project / kind)
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(given.images, images[:10])
    prefix = "job042/" if kind == "job042" else ""
    assert given.names == [name.replace(prefix, "") for name in names]
    assert "10 images of shape (16, 16) from" in result.output


def test_a_sample_keeps_its_names(project, images, names):
    given, n_images = draw_images(project / "particles.star", 4, size=8)
    assert n_images == 10
    rows = [names.index(name) for name in given.names]
    assert len(set(rows)) == 4
    np.testing.assert_array_equal(given.images, images[rows])


def test_a_single_stack_is_named_by_its_rows(project, images):
    given = read_images(project / "job042" / "mic2.mrcs", size=8)
    assert given.names == list("01234")
    np.testing.assert_array_equal(given.images, images[5:10])


def test_predict_names_the_particles(
    project, names, images, make_embedder, make_clusterer
):
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    save_model(pipe.fit(images), project / "model.safetensors")
    arguments = ["predict", project / "model.safetensors", project / "particles.star"]
    out = project / "labels.csv"
    arguments = [str(value) for value in [*arguments, "--out", out]]
    assert CliRunner().invoke(_app.app, arguments).exit_code == 0
    table = pd.read_csv(out)
    assert table["file"].tolist() == names
    assert table["cluster"].tolist() == pipe.predict(images[:10]).tolist()
    shards = [*arguments[:3], "--shards", "--rows-per-shard", "4", "--out"]
    shards = [*shards, str(project / "shards")]
    assert CliRunner().invoke(_app.app, shards).exit_code == 0
    again = read_shards(project / "shards")
    assert again["file"].tolist() == names
    assert again["cluster"].tolist() == table["cluster"].tolist()


def test_a_volume_is_refused(project):
    cube = np.random.default_rng(0).normal(size=(24, 24, 24))
    result, given = fit(write(project / "map.mrc", cube, is_stack=False))
    assert given is None
    assert result.exit_code == 1
    told = result.output.strip().splitlines()
    assert len(told) == 1
    assert "map.mrc is a volume of 24 x 24 x 24 (a reconstruction" in told[0]


def test_nan_is_told_before_training_by_the_particles_name(project, images):
    spoilt = images[:5].astype(np.float32)
    spoilt[2, 4, 4] = np.nan
    with pytest.warns(RuntimeWarning):  # mrcfile's, as it writes
        write(project / "job042" / "mic2.mrcs", spoilt)
    result, given = fit(project / "particles.star")
    assert given is None
    assert result.exit_code == 1
    assert "Error: 000003@job042/mic2.mrcs contains NaN or infinity" in result.output


def test_cs_files_without_stacks_are_refused(project):
    write_cs(project / "particles.cs", [b"", b""])
    result, given = fit(project / "particles.cs")
    assert given is None
    assert "particles.cs names no stack for its row 0: blob/path is empty" in (
        result.output
    )


def test_odd_headers_are_read(project, images):
    path = project / "job042" / "mic1.mrcs"
    raw = bytearray(path.read_bytes())
    raw[212:216] = b"\x44\x20\x20\x20"
    path.write_bytes(raw)
    with pytest.warns(UserWarning, match="1 of the 2 stacks of .* 44 20 20 20"):
        given = read_images(project / "job042", size=8)
    np.testing.assert_array_equal(given.images, images[:10])


def test_help_names_the_kinds():
    shown = CliRunner().invoke(_app.app, ["fit", "--help"], env={"COLUMNS": "200"})
    for kind in (".mrc", ".mrcs", ".star", ".cs", ".txt"):
        assert kind in shown.output
