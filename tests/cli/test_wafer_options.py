"""Options of wafer maps are refused where they would do nothing."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from invariant_cluster.cli._app import app

PALETTE = "white=outside,green=pass,red=fail"


@pytest.fixture
def place(tmp_path):
    """Paths of each kind."""
    (tmp_path / "dies.csv").write_text("wafer,x,y,bin\n1,0,0,1\n1,1,0,2\n")
    np.save(tmp_path / "maps.npy", np.eye(8, dtype=np.uint8)[None])
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / "0.png")
    return tmp_path


def refusal(path, *options):
    """Return the error of a fit that reads a path."""
    given = ["fit", path, "-k", 2, "--out", path.parent / "run", *options]
    result = CliRunner().invoke(app, [str(argument) for argument in given])
    assert result.exit_code == 1
    return result.output


@pytest.mark.parametrize("name", ["maps.npy", "pictures"])
def test_bins_are_those_of_tables(place, name):
    told = refusal(place / name, "--pass-bins", "1,2")
    assert f"--pass-bins 1,2 is for tables of dies, not for {place / name}" in told


def test_tables_have_no_colours(place):
    told = refusal(place / "dies.csv", "--palette", PALETTE)
    assert f"--palette says what colours mean, but {place / 'dies.csv'} has" in told


def test_a_colour_has_one_meaning(place):
    told = refusal(place / "pictures", "--palette", f"{PALETTE},white=fail")
    assert f"--palette {PALETTE},white=fail names a colour twice" in told
