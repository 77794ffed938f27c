"""The command that finds shapes of any size, place and orientation."""

import numpy as np

from benchmarks import dsprites


def test_each_row_is_measured(capsys):
    dsprites.main(["--n-train", "96", "--n-test", "48", "--epochs", "1"])
    shown = capsys.readouterr().out.splitlines()[1:]
    assert len(shown) == 4
    for line in shown:
        assert "purity" in line
        assert "heads" in line
    assert sum("heart, degrees" in line for line in shown) == 2


def test_errors_are_up_to_symmetry_and_offset():
    apart = np.radians(np.array([10, 100, 190, 280, 12, 102]))
    assert np.degrees(dsprites.angle_errors(apart, 4)).max() <= 2.001
    assert np.degrees(dsprites.angle_errors(apart, 1)).max() > 80
