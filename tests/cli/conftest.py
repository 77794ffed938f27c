"""What tests of several commands share."""

import pytest


@pytest.fixture
def reached(monkeypatch):
    """What fit would train on, instead of training."""
    from invariant_cluster.cli import _app  # typer may be missing

    found = []
    monkeypatch.setattr(
        _app, "_fit_and_write", lambda pipe, given, out, **_: found.append(given)
    )
    return found
