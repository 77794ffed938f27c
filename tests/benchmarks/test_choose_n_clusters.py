"""The command that compares criteria for the number of clusters."""

import numpy as np
import pytest

from benchmarks import pipeline_spaces, scales
from benchmarks.choose_n_clusters import main
from benchmarks.pipeline_spaces import (
    NAMES,
    WORDS_OF,
    Recipe,
    Space,
    load_images,
    load_space,
)
from invariant_cluster import make_pipeline


@pytest.mark.parametrize("name", NAMES)
def test_images_of_every_data_set(data_folder, name, monkeypatch):
    few = {"n_train": None, "n_test": None}
    monkeypatch.setitem(scales.MNIST_DATA, pipeline_spaces.SCALE, few)
    images, target = load_images(name, str(data_folder))
    assert len(images) == len(target) <= 4000
    make_pipeline(2, **WORDS_OF[name])


def test_steps_stand_for_epochs():
    assert Recipe(epochs=3).count_epochs(100) == 3
    assert Recipe().count_epochs(100) == "auto"
    steps = [Recipe(steps=1000).count_epochs(n) for n in (100, 4000, 60000)]
    assert steps == [200, 16, 8]


def test_z_is_computed_once(data_folder, tmp_path, monkeypatch):
    recipe = Recipe("scattering")
    first = load_space("steel", recipe, str(data_folder), str(tmp_path))
    monkeypatch.setattr(pipeline_spaces, "compute_space", None)
    again = load_space("steel", recipe, None, str(tmp_path))
    np.testing.assert_array_equal(first.z, again.z)
    assert again.n_classes == 6


def test_a_row_tells_suggestions_and_errors(tmp_path, capsys):
    centres = np.eye(8)[np.arange(120) % 4] * 9
    z = centres + np.random.default_rng(0).normal(size=centres.shape)
    path = tmp_path / f"digits-{Recipe(epochs=8).name}.npz"
    pipeline_spaces.store(path, Space(z, np.arange(120) % 4))
    given = ["digits", "--cache", str(tmp_path), "--epochs", "8", "--curves"]
    main([*given, "--values", "2", "4", "5", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert "4 (+0)" in printed
    assert "accuracy" in printed
    main([*given, "--auto"])
    printed = capsys.readouterr().out
    assert "4 (+0)" in printed
    assert "4 clusters were chosen (" in printed


def test_features_that_see_the_number_of_clusters_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["digits", "--features", "averages"])
    assert "invalid choice: 'averages'" in capsys.readouterr().err
