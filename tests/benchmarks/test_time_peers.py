"""The command that times training against other packages, with peers made here."""

import json
import sys
from functools import partial

import numpy as np
import pytest

from benchmarks import time_peers
from benchmarks.time_peers import Entrant, Peer
from invariant_cluster import IRLINREmbedder, SpatialVAEEmbedder

IMAGES = np.random.default_rng(0).random((12, 12, 12), dtype=np.float32)
TINY = IRLINREmbedder(
    d=2,
    encoder_width=2,
    n_frequencies=2,
    inr_hidden=(4,),
    hypernetwork_hidden=(4,),
    batch_size=8,
)
SMALL = SpatialVAEEmbedder(d=2, encoder_hidden=(4,), generator_hidden=(4,))


def start_fake(images):
    return {"Fake VAE": Entrant(7, lambda: float(len(images)))}


def start_missing(images):
    import no_such_package  # noqa: F401


PEERS = {
    "Fake": Peer(("numpy", "scipy"), start_fake),
    "Missing": Peer(("missing-peer",), start_missing),
}


@pytest.fixture
def command(monkeypatch):
    """Runs the command on tiny networks and fake peers."""
    ours = {"IRL-INR": (TINY, None), "spatial-VAE": (SMALL, 16)}
    monkeypatch.setattr(time_peers, "OURS", ours)
    monkeypatch.setattr(time_peers, "PEERS", PEERS)
    # The number of threads is the tests' own.
    monkeypatch.setattr(time_peers.torch, "set_num_threads", lambda n: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["time_peers", *map(str, arguments)])
        time_peers.main()

    return run


def test_all_that_is_installed_is_measured(command, tmp_path, capsys):
    out = tmp_path / "rates.json"
    command("--repeat", 2, "--side", 12, "--n-images", 128, "--out", out)
    shown = capsys.readouterr().out
    record = json.loads(out.read_text())
    assert [*record["rates"]] == ["IRL-INR", "spatial-VAE", "Fake VAE"]
    assert all(name in shown for name in record["rates"])
    assert all(len(found) == 2 for found in record["rates"].values())
    assert all(rate > 0 for found in record["rates"].values() for rate in found)
    assert record["rates"]["Fake VAE"] == [128, 128]
    assert f"Fake: numpy {np.__version__}, scipy" in shown


def test_a_missing_peer_is_named_with_its_remedy():
    entrants, lines = time_peers.start_peers(IMAGES, PEERS)
    assert [*entrants] == ["Fake VAE"]
    assert lines[1] == (
        "Missing is not measured: no_such_package is not installed, run 'pip install "
        "missing-peer'"
    )


def test_too_few_images_are_refused(command, capsys):
    with pytest.raises(SystemExit):
        command("--n-images", 100)
    assert "--n-images 100 is less than the largest batch" in capsys.readouterr().err


def test_images_of_an_embedder_are_those_it_trained_on(monkeypatch):
    # Batches of 8 of 12 images: the clock shows one second more at each look.
    moments = iter(range(100))
    monkeypatch.setattr(time_peers.time, "process_time", lambda: next(moments))
    entrant = time_peers.start_embedder(TINY, IMAGES)
    assert entrant.batch_size == 8
    assert entrant.train() == entrant.train() == 8


def test_entrants_take_turns():
    turns = []

    def train(name):
        turns.append(name)
        return float(len(turns))

    entrants = {name: Entrant(1, partial(train, name)) for name in "ab"}
    rates = time_peers.measure(entrants, repeat=2)
    assert "".join(turns) == "ababab"
    assert rates == {"a": [3, 5], "b": [4, 6]}  # the first two are the warm-up


def test_ratios_are_of_the_same_round():
    assert time_peers.compare([2, 6, 4], [1, 2, 4]) == "2.00 (1.00 to 3.00)"
