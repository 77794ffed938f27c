"""Where the user keeps archives, for tests that need a real one."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_archive():
    """Return a checker that skips the test unless the real archive is there."""

    def check(name):
        folder = os.environ.get("INVARIANT_CLUSTER_DATA")
        if not folder or not (Path(folder) / name).is_file():
            pytest.skip(f"INVARIANT_CLUSTER_DATA holds no {name}")

    return check
