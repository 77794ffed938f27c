"""The command that adds brightness and noise, on some images."""

import numpy as np
import pytest

from benchmarks import nuisances
from benchmarks.data import Split

SMALL = ["--scale", "smoke", "--side", "16", "--epochs", "1", "--n-train", "64"]


@pytest.mark.slow
@pytest.mark.parametrize("nuisance", ["brightness", "scale", "noise"])
def test_each_row_is_measured(data_folder, capsys, nuisance):
    arguments = [nuisance, "--data", str(data_folder), "--snr", "0.5", *SMALL]
    nuisances.main(arguments)
    shown = capsys.readouterr().out.splitlines()[1:]
    assert len(shown) == {"brightness": 3, "scale": 3, "noise": 4}[nuisance]
    for line in shown:
        assert "k-means" in line
        assert "heads" in line


@pytest.mark.slow
def test_class_averages_are_judged_on_projections(data_folder, capsys):
    arguments = ["noise", "--dataset", "cryo", "--data", str(data_folder), *SMALL]
    nuisances.main([*arguments, "--snr", "1", "0.5", "--only", "class averaging"])
    shown = capsys.readouterr().out.splitlines()[1:]
    assert len(shown) == 2
    for line in shown:
        assert "class averaging: labels" in line
        assert "error of angles" in line


def draw():
    random = np.random.default_rng(0)
    images = random.integers(0, 200, (40, 32, 32), dtype=np.uint8)
    return Split(images, np.arange(40) % 2, images[:8], np.arange(8) % 2)


def test_every_second_image_is_dimmed():
    images = draw().train
    other = nuisances.dimmed(images)
    np.testing.assert_array_equal(other[::2], images[::2])
    np.testing.assert_allclose(other[1::2], 0.4 * images[1::2] + 30, atol=0.5)


def test_every_second_image_is_half_as_large():
    images = np.full((4, 32, 32), 20, dtype=np.uint8)
    images[:, 8:24, 8:24] = 220
    other = nuisances.halved(images)
    np.testing.assert_array_equal(other[::2], images[::2])
    assert (other[1] == 220).sum() == 64
    assert (other[1] == 20).sum() == 32 * 32 - 64


@pytest.mark.parametrize("snr", [2, 0.1])
def test_noise_has_the_ratio(snr):
    split = draw()
    noise = nuisances.add_noise(split, snr, 0).train - split.train
    ratio = split.train.var() / noise.var()
    assert ratio == pytest.approx(snr, rel=0.05)


def test_errors_are_up_to_an_offset_a_class():
    true = np.linspace(0, 6, 40)
    labels = np.arange(40) % 2
    theta = true + labels + np.radians(3) * np.sign(np.arange(40) % 4 - 1.5)
    assert nuisances.error_of(theta, true, labels) <= 6
    theta[:4] += np.pi
    assert nuisances.error_of(theta, true, labels) <= 6
    assert nuisances.error_of(np.zeros(40), true, labels) > 30
