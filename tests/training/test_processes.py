"""Two processes of torchrun train as one does."""

import os
import pickle
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from invariant_cluster.training import Team, current_team, from_first, join_team
from invariant_cluster.training._processes import check_shares, gathered, share_of

SCRIPT = Path(__file__).with_name("together.py")
# Of the greatest gradient; what float32 rounds off grows on its way through some nets.
TOLERANCE = {
    "IRL-INR": 1e-4,
    "SimCLR": 1e-3,
    "SCAN": 1e-3,
    "self": 1e-3,
    "TEMI": 1e-3,
    "own": 1e-5,
}
KINDS = list(TOLERANCE)

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch without torch.distributed"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What two processes measure, and what they print."""
    folder = tmp_path_factory.mktemp("together")
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [sys.executable, *torchrun, SCRIPT, folder],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found = [pickle.loads((folder / f"{i}.pickle").read_bytes()) for i in range(2)]
    return found, done.stderr


@pytest.fixture(scope="module")
def two(run):
    return run[0]


@pytest.fixture(scope="module")
def one():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def one_step(one):
    return one["steps"]()


def scaled_error(found, expected):
    """Return the greatest error, as a share of the greatest value of all arrays."""
    assert found.keys() == expected.keys()
    scale = max(np.abs(array).max() for array in expected.values())
    return max(np.abs(found[k] - expected[k]).max() for k in expected) / scale


def test_each_process_knows_its_number(two):
    assert [found["team"] for found in two] == [(0, 2), (1, 2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [0, 1])
def test_gradients_are_those_of_one_process_on_the_whole_batch(
    two, one_step, kind, rank
):
    found, expected = two[rank]["steps"][kind], one_step[kind]
    assert scaled_error(found["gradients"], expected["gradients"]) < TOLERANCE[kind]
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert np.any([np.abs(g).max() > 1e-3 for g in expected["gradients"].values()])


@pytest.mark.parametrize("rank", [0, 1])
def test_resnet_is_normalized_by_the_statistics_of_all(two, one, rank):
    assert scaled_error(two[rank]["resnet"], one["resnet_step"](0, 1)) < 1e-10


def test_priors_of_temi_are_the_means_over_all(two, one_step):
    expected = one_step["TEMI"]["criterion"]["prior"]
    for found in two:
        prior = found["steps"]["TEMI"]["criterion"]["prior"]
        np.testing.assert_allclose(prior, expected, rtol=1e-5)
    assert np.ptp(expected) > 1e-3


@pytest.mark.parametrize("kind", [*KINDS, "odd"])
def test_nets_are_left_as_one_process_leaves_them(two, one_step, kind):
    for found in two:
        step = found["steps"][kind]
        assert step["changed"] == []
        assert step["attributes"] == one_step[kind]["attributes"]
        assert step["state"].keys() == one_step[kind]["state"].keys()


def test_rows_that_cannot_be_divided_are_left_out(two, one_step):
    assert two[0]["steps"]["odd"]["loss"] == two[1]["steps"]["odd"]["loss"]
    assert two[0]["steps"]["odd"]["loss"] != one_step["odd"]["loss"]


@pytest.mark.parametrize("fit", ["fit", "unseeded"])
def test_all_processes_return_the_same_model(two, fit):
    first, second = (found[fit] for found in two)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


def test_a_seed_gives_the_same_model_again(two):
    for name, value in two[0]["again"].items():
        np.testing.assert_array_equal(value, two[0]["fit"][name], err_msg=name)
    assert np.abs(two[0]["fit"]["z"] - two[0]["unseeded"]["z"]).max() > 1e-3


def test_one_process_gives_as_good_a_model(two, one):
    alone = one["fit_pipeline"](0)
    together = two[0]["fit"]
    assert {k: np.shape(v) for k, v in alone.items()} == {
        k: np.shape(v) for k, v in together.items()
    }
    np.testing.assert_allclose(together["loss"], alone["loss"], rtol=0.05)


def test_the_score_of_a_model_is_that_in_one_process(two, one):
    np.testing.assert_allclose(two[0]["search"], two[1]["search"])
    np.testing.assert_allclose(two[0]["search"], one["search"](), rtol=0.1)


def test_only_the_first_process_shows_progress(run):
    assert run[1].count("| 4/4 [") == 3


def test_children_and_threads_do_not_join(two):
    assert two[0]["children"] == [Team(0, 1)] * 2
    assert [found["thread"] for found in two] == [Team(0, 1)] * 2


def test_early_stopping_stops_all_at_the_same_epoch(two, one):
    assert [found["stopped"] for found in two] == [one["stop_early"]()] * 2
    assert two[0]["stopped"] < 9


def test_ctrl_c_leaves_no_result_with_several_processes(two):
    for found in two:
        (kind, _), is_fitted = found["interrupted"]
        assert kind == "KeyboardInterrupt"
        assert not is_fitted


@pytest.mark.parametrize(
    ("case", "kind", "text"),
    [
        ("odd", "ValueError", "batch_size=5 cannot be divided among 2 processes"),
        ("two", "ValueError", "use a multiple of 2, at least 4, or another number"),
        ("scan", "ValueError", "batch_size=7 cannot be divided among 2 processes"),
        ("few", "ValueError", "n_samples=3 is too few for 2 processes"),
        ("rows", "ValueError", "X differs between the 2 processes of this training"),
        ("lr", "FloatingPointError", "The training loss became nan in epoch 1"),
        ("first", "ValueError", "process 0"),
    ],
)
def test_an_error_is_raised_in_every_process(two, case, kind, text):
    for found in two:
        assert found["errors"][case][0] == kind
        assert text in found["errors"][case][1]


DYING = """
import os
import sys
from pathlib import Path

from skorch.callbacks import Callback

from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import load_oriented_digits


class Die(Callback):
    def on_batch_end(self, net, **_):
        if os.environ["RANK"] == "1":
            os._exit(3)


embedder = IRLINREmbedder(
    d=4, encoder_width=2, n_frequencies=4, inr_hidden=(4,), hypernetwork_hidden=(4,),
    batch_size=8, max_epochs=9, device="cpu", callbacks=[Die()],
)
try:
    embedder.fit(load_oriented_digits().images[:32])
except RuntimeError as error:
    assert not hasattr(embedder, "net_")
    print(error)
"""


def test_the_others_stop_when_a_process_dies():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", DYING],
            env={**os.environ, **common, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=100) for process in started]
    assert started[1].returncode == 3
    assert "Another process of this training stopped or did not answer" in told[0][0]


def test_one_process_shares_with_nobody():
    assert join_team("cpu") == current_team() == Team(0, 1)
    assert current_team().is_first
    assert from_first(lambda: 7) == 7
    check_shares(5, 1)
    assert share_of([4, 2, 9], current_team()) == [4, 2, 9]
    assert gathered("name") == "name"


def test_shares_divide_a_batch():
    batch = [5, 3, 8, 1, 9, 2, 7]
    shares = [share_of(batch, Team(rank, 3)) for rank in range(3)]
    assert [len(share) for share in shares] == [2, 2, 2]
    assert sorted(row for share in shares for row in share) == sorted(batch[:6])


def test_torchrun_with_one_process_is_one_process(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, {"RANK": "0", "WORLD_SIZE": "1"}.get(name, "0"))
    assert join_team("cpu") == Team(0, 1)
    assert not torch.distributed.is_initialized()
