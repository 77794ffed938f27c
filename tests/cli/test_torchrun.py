"""The command line, started by torchrun: two processes fit one model."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("typer")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from typer.testing import CliRunner

from invariant_cluster import __version__
from invariant_cluster.training import Team

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch without torch.distributed"
)


def torchrun(*arguments):
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    return subprocess.run(
        [sys.executable, *launcher, "-m", "invariant_cluster", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_the_first_process_writes_and_prints(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (24, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    out = tmp_path / "run"
    fit = ["fit", tmp_path / "images.npy", "-k", 2, "--out", out, "--device", "cpu"]
    done = torchrun(*fit, "--method", "irl-inr", "--epochs", 1)
    assert done.returncode == 0, done.stderr
    for told in ("24 images of shape", "Wrote", "open it in a browser"):
        assert told in done.stderr
    assert done.stderr.count("24 images of shape") == 1
    assert done.stderr.count("model.safetensors") == 1
    table = pd.read_csv(out / "labels.csv")
    assert len(table) == 24


@pytest.mark.parametrize("command", ["predict", "report"])
def test_the_others_leave_commands_that_are_not_shared(command, tmp_path, monkeypatch):
    from invariant_cluster.cli import _app

    monkeypatch.setattr("invariant_cluster.training.join_team", lambda _: Team(1, 2))
    arguments = [command, str(tmp_path), str(tmp_path), "--out", str(tmp_path / "out")]
    with warnings.catch_warnings():
        done = CliRunner().invoke(_app.app, arguments)
    assert done.exit_code == 0
    assert done.output == ""
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "invariant_cluster", "--version"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"invariant-cluster {__version__}\n"
