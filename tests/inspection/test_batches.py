"""Clusters that follow the batch are told without classes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.inspection import check_batches


def test_shares_equal_the_naive_twin():
    random = np.random.default_rng(0)
    labels, batch = random.integers(0, 4, 90), random.choice(["x", "y", "z"], 90)
    shares = check_batches(labels, batch, random_state=0).shares
    for name in "xyz":
        for cluster in range(4):
            naive = np.mean(labels[batch == name] == cluster)
            assert shares.loc[name, cluster] == pytest.approx(naive)


def test_batches_at_random_are_not_told():
    random = np.random.default_rng(0)
    p_values = []
    for seed in range(20):
        labels, batch = random.integers(0, 5, 60), random.integers(0, 3, 60)
        found = check_batches(labels, batch, random_state=seed)
        naive = adjusted_mutual_info_score(batch, labels)
        assert found.mutual_information == pytest.approx(naive, abs=1e-12)
        assert not found.follows
        p_values.append(found.p_value)
    assert 0.2 < np.mean(p_values) < 0.8


def test_clusters_that_are_the_batches_are_told():
    labels, batch = np.repeat([3, 7], 30), ["old"] * 30 + ["new"] * 30
    told = (
        "The clusters follow the batches: adjusted mutual information 1.00, by chance "
        "at most 0.* 100% of batch new is in cluster 7. Unless .*'brightness'"
    )
    with pytest.warns(UserWarning, match=told):
        found = check_batches(labels, batch, random_state=0)
    assert found.follows
    assert found.p_value == 1 / 200
    assert found.by_chance < 0.3


def test_a_weak_tie_of_many_images_is_not_told():
    batch = np.repeat([0, 1], 2000)
    labels = np.r_[np.arange(2000) < 900, np.arange(2000) < 1100].astype(int)
    found = check_batches(labels, batch, random_state=0)
    assert found.p_value == 1 / 200  # sure, but 45 % against 55 %
    assert not found.follows


def test_seed_and_columns():
    frame = pd.DataFrame({"cluster": [0, 1] * 20, "day": [1, 1, 2, 2] * 10})
    first, again = (
        check_batches(frame["cluster"], frame["day"], random_state=1) for _ in range(2)
    )
    assert first[1:] == again[1:]


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (["a"] * 6, r"batch has 1 different value\(s\): give the batches of images"),
        (["a", None, "b"] * 2, r"batch has 2 missing value\(s\), first in row 1"),
        (["a", "b"], "inconsistent numbers of samples"),
        (np.ones((6, 2)), "should be a 1d array"),
    ],
)
def test_what_are_no_batches(batch, told):
    with pytest.raises(ValueError, match=told):
        check_batches(range(6), batch)


def test_brightness_frees_clusters_from_a_dimmer_microscope():
    digits = load_oriented_digits(size=16)
    images = digits.images[np.isin(digits.target, (1, 3))][:240]
    batch = np.arange(240) % 2
    dimmed = (0.4 * images + 30).astype(np.uint8)
    images = np.where(batch[:, None, None] == 1, dimmed, images)

    def check(invariance):
        embedder = PolarFourierEmbedder(d=8, invariance=invariance, random_state=0)
        z = embedder.fit_transform(images)
        labels = KMeans(2, n_init=10, random_state=0).fit_predict(z)
        return check_batches(labels, batch, random_state=0)

    with pytest.warns(UserWarning, match="The clusters follow the batches"):
        check("rotation+translation")
    assert check("rotation+translation+brightness").mutual_information < 0.05
