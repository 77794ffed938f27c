"""The command that compares one process with two, on some images."""

import sys

import pytest
import torch

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch without torch.distributed"
)


@pytest.mark.slow
def test_each_way_is_run_and_compared(data_folder, monkeypatch, capfd):
    from benchmarks import two_processes

    arguments = ["--scale", "smoke", "--dataset", "mnist-u", "--data", data_folder]
    arguments += ["--seeds", "0"]
    monkeypatch.setattr(sys, "argv", ["two_processes", *map(str, arguments)])
    two_processes.main()
    shown = capfd.readouterr().out
    for told in ("1 x 1 threads", "1 x 2 threads", "2 x 1 threads", "seconds, times"):
        assert told in shown
    for measured in ("purity", "k-means", "SCAN"):
        assert shown.count(f"'{measured}'") == 3
