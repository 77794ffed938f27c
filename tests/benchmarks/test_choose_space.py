"""The command that compares spaces without labels."""

import numpy as np

from benchmarks.choose_space import SPACES, D, compare, main
from benchmarks.pipeline_spaces import Recipe, Space, store


def draw():
    """Return rows whose second half of columns alone tells four classes."""
    random, target = np.random.default_rng(0), np.arange(160) % 4
    noise = random.normal(size=(160, 2 * D))
    noise[:, D:] += 9 * np.eye(D)[target]
    return noise.astype(np.float32), target


def test_the_space_with_the_classes_is_told_without_them():
    rows = compare(*draw(), seed=0)
    assert list(rows.index) == list(SPACES)
    assert rows["valley contrast"].idxmax() in ("scattering", "both")
    assert rows.loc["scattering", "accuracy"] == 1
    assert rows.loc["learned", "accuracy"] < 0.6


def test_rows_are_printed(tmp_path, capsys):
    z, target = draw()
    store(tmp_path / f"steel-{Recipe('joint', steps=5).name}.npz", Space(z, target))
    main(["steel", "--cache", str(tmp_path), "--steps", "5"])
    printed = capsys.readouterr().out
    assert "valley contrast" in printed
    assert all(space in printed for space in SPACES)
