"""The exported encoder equals transform, in onnxruntime."""

import sys
import warnings

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def run(path, images):
    session = onnxruntime.InferenceSession(path)
    (z,) = session.run(["z"], {"images": images.astype(np.float32)})
    return z


def check(embedder, images, path):
    embedder.export_onnx(path)
    for n in (1, 7, len(images)):
        expected = np.asarray(embedder.transform(images[:n]))
        np.testing.assert_allclose(run(path, images[:n]), expected, rtol=0, atol=1e-4)


def test_every_embedder(make_any_embedder, images, tmp_path):
    check(make_any_embedder().fit(images), images, tmp_path / "encoder.onnx")


@pytest.mark.parametrize(
    "parameters",
    [
        {"symmetry_breaking": "center_of_mass", "invariance": "rotation"},
        {"align": False, "consistency": "cosine"},
    ],
)
def test_every_alignment(make_embedder, images, tmp_path, parameters):
    embedder = make_embedder(**parameters).fit(images)
    check(embedder, images, tmp_path / "encoder.onnx")


def test_few_images_without_direction_differ_by_more(make_embedder, images, tmp_path):
    embedder = make_embedder(symmetry_breaking="complex_moment").fit(images)
    embedder.export_onnx(tmp_path / "encoder.onnx")
    apart = np.abs(run(tmp_path / "encoder.onnx", images) - embedder.transform(images))
    assert np.mean(apart.max(axis=1) < 1e-4) > 0.9
    assert apart.max() < 0.01


@pytest.mark.parametrize("layout", ["hwc", "chw", "flat", "padded"])
def test_images_are_given_as_at_fit(make_embedder, images, tmp_path, layout):
    colour = np.stack([images, images // 2, images // 3], axis=-1)
    flat = images.reshape(len(images), -1)
    given = {
        "hwc": colour,
        "chw": np.moveaxis(colour, -1, 1),
        "flat": flat,
        "padded": flat[:, :-3],
    }[layout]
    embedder = make_embedder(align=False)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Rows of 253 values do not fill a square"
        )
        embedder.fit(given)
    check(embedder, given, tmp_path / "encoder.onnx")


def test_missing_packages_and_folders_are_named(
    make_embedder, images, tmp_path, monkeypatch
):
    embedder = make_embedder().fit(images)
    with pytest.raises(FileNotFoundError, match="folder that does not exist"):
        embedder.export_onnx(tmp_path / "none" / "encoder.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match="pip install onnx onnxscript"):
        embedder.export_onnx(tmp_path / "encoder.onnx")
    assert list(tmp_path.iterdir()) == []
