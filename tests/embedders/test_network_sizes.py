"""Sizes and lengths of training that are "auto"."""

import re

import numpy as np
import pytest
import torch

from invariant_cluster import IRLINREmbedder
from invariant_cluster.embedders import FULL, LIGHT, _network_sizes
from invariant_cluster.embedders._network_sizes import (
    choose_network,
    settle_epochs,
    settle_sizes,
)


def parameters(**changes):
    return IRLINREmbedder(**{"device": "cpu", **changes}).get_params()


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(
        _network_sizes, "resolve_device", lambda _: torch.device("cuda")
    )


def test_sizes_by_network_and_machine(gpu):
    assert settle_sizes(parameters()) == FULL
    assert settle_sizes(parameters(network="light")) == LIGHT
    assert choose_network("auto", "auto") == "full"


def test_a_cpu_has_the_light_network():
    assert settle_sizes(parameters()) == LIGHT
    assert settle_sizes(parameters(network="full")) == FULL


@pytest.mark.parametrize("name", ["d", "encoder_width", "n_frequencies", "batch_size"])
def test_the_light_network_is_smaller_and_the_docstring_tells_both(
    name, read_parameters
):
    assert LIGHT[name] < FULL[name]
    told = read_parameters(IRLINREmbedder)[name]
    assert {str(LIGHT[name]), str(FULL[name])} <= set(re.findall(r"\d+", told))


@pytest.mark.parametrize("name", LIGHT)
def test_every_size_is_auto_by_default_and_a_given_one_stays(name):
    assert parameters()[name] == "auto"
    given = {"n_pixels": None, "lr": 0.1}
    value = given.get(name, (3,) if "hidden" in name else 7)
    sizes = settle_sizes(parameters(**{name: value}))
    assert sizes == {**LIGHT, name: value}


@pytest.mark.parametrize(
    ("n_images", "epochs"),
    [(10, 200), (1797, 143), (6400, 40), (60_000, 8), (10**7, 8)],
)
def test_light_networks_train_for_some_4000_steps(n_images, epochs):
    assert settle_epochs(parameters(), n_images) == epochs


def test_epochs_of_full_networks_and_given_ones(gpu):
    assert settle_epochs(parameters(), 10**6) == 200
    assert settle_epochs(parameters(max_epochs=3), 10**6) == 3


def test_epochs_follow_the_batch_size():
    assert settle_epochs(parameters(batch_size=128), 6400) == 80


def test_fit_uses_the_sizes(images, monkeypatch):
    tiny = {**LIGHT, "d": 4, "encoder_width": 2, "inr_hidden": (4,), "batch_size": 16}
    monkeypatch.setitem(_network_sizes.SIZES, "light", tiny)
    embedder = IRLINREmbedder(max_epochs=1, device="cpu", random_state=0).fit(images)
    assert embedder.transform(images).shape == (48, 4)
    assert embedder.net_.batch_size == 16
    assert embedder.net_.lr == 2e-3
    assert embedder.net_.n_pixels == 256
    assert embedder.d == "auto"


def test_a_saved_model_has_the_sizes_it_was_trained_with(images, monkeypatch, tmp_path):
    tiny = {**LIGHT, "d": 4, "encoder_width": 2, "inr_hidden": (4,), "batch_size": 16}
    monkeypatch.setitem(_network_sizes.SIZES, "light", tiny)
    embedder = IRLINREmbedder(max_epochs=1, device="cpu", random_state=0).fit(images)
    embedder.save(tmp_path / "model")
    monkeypatch.setitem(_network_sizes.SIZES, "light", LIGHT)  # another version's
    loaded = IRLINREmbedder.load(tmp_path / "model")
    assert loaded.d == "auto"
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))
