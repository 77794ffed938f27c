"""The command that judges good and spoilt fits."""

import json

import numpy as np
import pytest

from benchmarks.verdicts import GOOD, SPOILT, Given, Source, judge, main
from invariant_cluster.verdict import LEVELS


@pytest.fixture
def small(digits, monkeypatch):
    """Small digits in place of the data sets' files."""
    images, target = digits
    monkeypatch.setattr(Source, "load", lambda source, name: (images, target))
    return images, target


def test_no_fit_is_good_and_spoilt():
    assert len(GOOD) >= 12
    assert len(SPOILT) >= 12
    assert not set(GOOD) & set(SPOILT)


def test_blank_images_are_told(digits):
    images, target = digits
    given = Given(np.zeros_like(images), target, {"features": "polar", "n_clusters": 3})
    record = judge(given, seed=0)
    assert record["level"] == "bad"
    assert record["troubles"]["blank"] == 1


@pytest.mark.parametrize(
    ("fit", "is_spoilt"), [("digits", False), ("fifty clusters", True)]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_each_fit_is_a_line(small, capsys, monkeypatch, fit, is_spoilt):
    kept = {**GOOD, **SPOILT}[fit]
    few = {"n_clusters": 12, "n_neighbors": 5} if is_spoilt else {"n_neighbors": 5}

    def smaller(source):
        given = kept(source)
        return given._replace(parameters={**given.parameters, **few})

    monkeypatch.setitem(SPOILT if is_spoilt else GOOD, fit, smaller)
    main(["--fits", fit, "--seed", "1"])
    record = json.loads(capsys.readouterr().out)
    assert (record["fit"], record["spoilt"], record["seed"]) == (fit, is_spoilt, 1)
    assert record["level"] in LEVELS
    assert 0 < record["accuracy"] <= 1
    assert "images per cluster" in record["troubles"]  # there are 48 images
