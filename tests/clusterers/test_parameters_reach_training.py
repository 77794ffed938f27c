"""Each parameter of a clusterer changes the clusters, or is said to be ignored.

Compared are the log-probabilities of the training rows: heads that start from k-means
are sure of most rows, so that probabilities hardly move.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
from skorch.callbacks import Callback

from tests.conftest import CLUSTERERS, clusterer_maker

# Of the standard deviation of log-probabilities. Rounding: less than a tenth of that.
LEAST_CHANGE = 0.01


class Row(NamedTuple):
    """A parameter and another value; where it acts, and where it is ignored."""

    parameter: str
    other: Any
    under: dict[str, Any] = {}
    idle: tuple[dict[str, Any], ...] = ()


HEADS = {"fine_tune": False}
# Longer: where heads start, sure of most rows, the entropy hardly has a gradient.
LONG = {"max_epochs": 10, "lr": 0.1, **HEADS}
LABELS = {
    "self_label": True,
    "confidence_threshold": 0.4,
    "self_label_lr": 1e-2,
    "self_label_max_epochs": 2,
}
UNLABELLED = {**LABELS, "self_label": False}
SCAN = [
    Row("n_clusters", 4, HEADS),
    Row("n_neighbors", 9, LONG),
    Row("n_neighbors", 9),
    Row("n_heads", 8, {"n_clusters": 7, **HEADS}),
    Row("entropy_weight", 50.0, {"entropy_target": "uniform", **LONG}),
    Row("entropy_target", "uniform", LONG, idle=({"entropy_weight": 0.0, **LONG},)),
    Row("max_epochs", 20, LONG),
    Row("lr", 0.03, LONG),
    Row("lr", 0.1),
    Row("batch_size", 12, LONG),
    Row("batch_size", 12),
    Row("weight_decay", 1.0, LONG),
    Row("weight_decay", 1.0),
    Row("random_state", 1, LONG),
    Row("fine_tune", False),
    Row("augmentation", "R", idle=(HEADS,)),
    Row("fine_tune_max_epochs", 2, idle=(HEADS,)),
    Row("fine_tune_lr", 1e-2, idle=(HEADS,)),
    Row("n_rounds", 2, idle=(HEADS,)),
    Row("self_label", True, UNLABELLED, idle=(HEADS,)),
    Row("confidence_threshold", 0.7, LABELS, idle=(UNLABELLED, LABELS | HEADS)),
    Row("self_label_max_epochs", 4, LABELS, idle=(UNLABELLED, LABELS | HEADS)),
    Row("self_label_lr", 1e-3, LABELS, idle=(UNLABELLED, LABELS | HEADS)),
]
TEMI = [
    Row("n_clusters", 4, HEADS),
    Row("n_neighbors", 9, LONG),
    Row("n_neighbors", 9),
    Row("n_heads", 8, {"n_clusters": 7, **HEADS}),
    Row("beta", 1.0, LONG),
    Row("beta", 1.0),
    Row("teacher_momentum", 0.0, LONG),
    Row("teacher_momentum", 0.0, {"fine_tune_lr": 0.01}),
    Row("max_epochs", 20, LONG),
    Row("lr", 0.03, LONG),
    Row("lr", 0.1),
    Row("batch_size", 12, LONG),
    Row("batch_size", 12),
    Row("weight_decay", 1.0, LONG),
    Row("weight_decay", 1.0),
    Row("random_state", 1, LONG),
    Row("fine_tune", False),
    Row("augmentation", "R", idle=(HEADS,)),
    Row("fine_tune_max_epochs", 2, idle=(HEADS,)),
    Row("fine_tune_lr", 1e-2, idle=(HEADS,)),
]
# A new clusterer is a row here, with the last parameter of its fine-tuning.
ROWS = {"SCAN": SCAN, "TEMI": TEMI}
LAST = {"SCAN": "self_label_lr", "TEMI": "fine_tune_lr"}
EACH = [(kind, row) for kind, rows in ROWS.items() for row in rows]
# Whether they have their effect is tested elsewhere.
CIRCUMSTANCES = {
    "device": "where the same is computed; below",
    "precision": "rounding alone; test_scan_clusterer.py, test_precision_is_...",
    "callbacks": "the user's own; test_scan_clusterer.py, test_early_stopping",
    "verbose": "what is printed; test_scan_clusterer.py, test_verbose_tells_...",
}


@pytest.fixture(scope="module")
def embedding(make_embedder, images):
    return make_embedder(max_epochs=2).fit_transform(images)


@pytest.fixture(scope="module")
def cluster(embedding):
    """Return log-probabilities of the training rows; equal fits are made once."""
    done = {}

    def fit(kind, **settings):
        key = kind, repr(sorted(settings.items()))
        if key not in done:
            clusterer = clusterer_maker(kind)(**settings).fit(embedding)
            done[key] = clusterer.predict_log_proba(embedding)
        return done[key]

    return fit


def change(log_p, other):
    """Return the largest difference, in standard deviations of the first."""
    if log_p.shape != other.shape:
        return np.inf
    return np.abs(other - log_p).max() / log_p.std()


def name_of(value):
    if isinstance(value, Row):
        settings = {value.parameter: value.other, **value.under}
        return ", ".join(f"{name}={v}" for name, v in settings.items())
    return str(value)


def test_every_clusterer_has_rows():
    assert ROWS.keys() == LAST.keys() == CLUSTERERS.keys()


@pytest.mark.parametrize("kind", ROWS)
def test_every_parameter_has_a_row_or_is_a_circumstance(kind):
    rows = {row.parameter for row in ROWS[kind]}
    assert not rows & set(CIRCUMSTANCES)
    assert rows | set(CIRCUMSTANCES) == set(clusterer_maker(kind)().get_params())


@pytest.mark.parametrize(("kind", "row"), EACH, ids=name_of)
def test_another_value_gives_other_clusters(kind, row, cluster):
    log_p = cluster(kind, **row.under)
    other = cluster(kind, **{**row.under, row.parameter: row.other})
    assert change(log_p, other) > LEAST_CHANGE


@pytest.mark.parametrize(
    ("kind", "row", "idle"),
    [(kind, row, idle) for kind, row in EACH for idle in row.idle],
    ids=name_of,
)
def test_an_ignored_value_gives_the_same_clusters_and_is_said_to_be(
    kind, row, idle, cluster, read_parameters
):
    log_p = cluster(kind, **idle)
    other = cluster(kind, **{**idle, row.parameter: row.other})
    np.testing.assert_array_equal(other, log_p)
    told = read_parameters(CLUSTERERS[kind].estimator)
    if idle.get("fine_tune") is False and row.parameter != "entropy_target":
        assert f"below up to ``{LAST[kind]}`` are ignored" in told["fine_tune"]
        order = list(told)
        last = order.index(LAST[kind])
        assert order.index("fine_tune") < order.index(row.parameter) <= last
    else:
        assert "Ignored" in told[row.parameter]


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("settings", [HEADS, {}], ids=str)
@pytest.mark.parametrize("name", ["lr", "fine_tune_lr"])
def test_rounding_is_no_change(name, settings, kind, cluster):
    default = CLUSTERERS[kind].estimator().get_params()[name]
    other = cluster(kind, **{name: default * (1 + 1e-6)}, **settings)
    assert change(cluster(kind, **settings), other) < LEAST_CHANGE / 10


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "cpu:0"),
        ("callbacks", [Callback()]),
        ("verbose", 2),
    ],
)
def test_circumstances_leave_the_clusters_as_they_are(name, value, kind, cluster):
    np.testing.assert_array_equal(cluster(kind, **{name: value}), cluster(kind))


def test_the_nets_of_all_stages_are_on_the_device_that_was_named(
    make_clusterer, embedding
):
    class Watch(Callback):
        def on_train_begin(self, net, **_):
            seen.append(net.device)

    seen = []
    settings = {"self_label": True, "self_label_max_epochs": 1}
    make_clusterer(device="cpu:0", callbacks=[Watch()], **settings).fit(embedding)
    assert seen == ["cpu:0"] * 3
