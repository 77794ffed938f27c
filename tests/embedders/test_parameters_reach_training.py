"""Each parameter of an embedder changes z, or the docstring says when it is ignored.

A row of the tables names a parameter and a value that is not the default. What is not
in a table is a circumstance of training, with the reason why it leaves z alone.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster import IRLINREmbedder
from tests.conftest import FEATURE_EMBEDDERS

# Of the standard deviation of z. Rounding moves z by less than a tenth of that.
LEAST_CHANGE = 0.01


class Row(NamedTuple):
    """A parameter and another value; where z changes with it, and where it does not."""

    parameter: str
    other: Any
    under: dict[str, Any] = {}
    idle: tuple[dict[str, Any], ...] = ()


class Trunk(nn.Module):
    """A user's encoder."""

    def __init__(self, n_channels):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(n_channels, 2, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten()
        )

    def forward(self, images):
        return self.layers(images)


EVERY = [
    Row("stretch", "asinh"),
    Row("d", 5),
    Row("invariance", "rotation"),
    Row("intensity_range", (0, 128)),
    Row("smoothing", 1.0),
    Row("object", "central"),
    Row("max_epochs", 2),
    Row("batch_size", 12),
    Row("lr", 4e-3),
    Row("lr_schedule", "constant"),
    Row("weight_decay", 1.0),
    Row("random_state", 1),
]
OWN_ENCODER = {"encoder": Trunk}
TRUNK = [
    Row("encoder", Trunk),
    Row("encoder_width", 3, idle=(OWN_ENCODER,)),
    Row("invariance", "rotation+translation+reflection"),
    Row("background", 50),
]
TURNS = {"invariance": "rotation"}
VAE = [
    Row("align", True),
    Row("generator_hidden", (5,)),
    Row("divergence_weight", 10.0),
    Row("divergence_weight", 0.0),
    Row("translation_std", 0.3, idle=(TURNS,)),
    Row("n_pixels", 10),
]
TEXTURES = {"align": None}
MLP, PIXELS = {"decoder": "mlp"}, {"decoder": "pixels"}
RULELESS, UNALIGNED = {"symmetry_breaking": None}, {"align": False}
OTHER_LOSSES = ("cross_correlation", "centered_cosine", "cosine", "mse")
ROWS = {
    "IRL-INR": [
        *EVERY,
        *TRUNK,
        Row("network", "full"),
        Row("decoder", "mlp"),
        Row("decoder", "pixels"),
        Row("n_frequencies", 5, idle=(PIXELS,)),
        Row("n_frequencies", 5, MLP),
        Row("frequency_scale", 1.0, idle=(PIXELS,)),
        Row("frequency_scale", 1.0, MLP),
        Row("inr_hidden", (5,), idle=(PIXELS,)),
        Row("inr_hidden", (5,), MLP),
        Row("hypernetwork_hidden", (5,), idle=(MLP, PIXELS)),
        Row("translation_std", 0.3, idle=(TURNS,)),
        Row("align", False),
        Row("field_of_view", 0.5, idle=(UNALIGNED, RULELESS)),
        Row("symmetry_breaking", "center_of_mass"),
        Row("symmetry_breaking", "complex_moment"),
        Row("symmetry_breaking", None),
        Row("reconstruction", "squared_error"),
        *(Row("consistency", name) for name in OTHER_LOSSES),
        Row("n_copies", 2),
        Row("temperature", 0.1, idle=tuple({"consistency": c} for c in OTHER_LOSSES)),
        Row("deformation", 0.0),
        Row("noise", 1.0),
        Row("reconstruction_weight", 3.0),
        Row("consistency_weight", 1.0),
        Row("symmetry_weight", 15.0, idle=(RULELESS,)),
        Row("symmetry_weight", 0.0, UNALIGNED),
        Row("n_pixels", 10),
        Row("n_pixels", 10, PIXELS),
    ],
    "SimCLR": [
        *EVERY,
        *TRUNK,
        Row("augmentation", "R"),
        Row("augmentation", "S1"),
        Row("augmentation", "S1+S2+R+T"),
        Row("projection_dim", 5),
        Row("temperature", 0.1),
        Row("invariance", "rotation", idle=({"augmentation": "S1+R+T"},)),
        Row("invariance", "rotation", {"augmentation": "S1+R+T", "align": True}),
        Row("align", True),
    ],
    "TARGET-VAE": [
        *EVERY,
        *VAE,
        Row("n_rotations", 8),
        Row("n_kernels", 5),
        Row("kernel_size", 5, idle=(TURNS,)),
        Row("n_frequencies", 5),
        Row("frequency_scale", 4.0),
        Row("background", 50),
        Row("stretch", "asinh"),
        Row("smoothing", 1.0),
        Row("object", "central"),
        Row("background", 50, {"align": True}),
    ],
    "spatial-VAE": [
        *EVERY,
        *VAE,
        Row("encoder_hidden", (9,)),
        Row("background", 50, {"align": True}, idle=(UNALIGNED,)),
    ],
    "polar Fourier": [
        Row("d", 5),
        Row("radial_basis", "zernike"),
        Row("n_radii", 8, idle=({"radial_basis": "zernike"},)),
        Row("n_angles", 32, idle=({"radial_basis": "zernike"},)),
        Row("n_orders", 8, idle=({"radial_basis": "zernike"},)),
        Row("degree", 8, {"radial_basis": "zernike"}, idle=({},)),
        Row("power", 1.0),
        Row("whiten", 0.5),
        Row("invariance", "rotation"),
        Row("background", 50),
        Row("stretch", "asinh"),
        Row("smoothing", 1.0),
        Row("object", "central"),
        # The last components of many, which a PCA that draws finds least well.
        Row(
            "random_state",
            1,
            {"n_radii": 32, "n_orders": 33, "d": 30},
            idle=({}, {"radial_basis": "zernike"}),
        ),
    ],
    "scattering": [
        Row("d", 5),
        Row("align", None),
        Row("n_scales", 2),
        Row("n_scales", 3, TEXTURES),
        Row("n_angles", 4),
        Row("n_angles", 4, TEXTURES),
        Row("n_turns", 0, idle=(TEXTURES,)),
        Row("order", 1),
        Row("order", 1, TEXTURES),
        Row("whiten", 0.5),
        Row("power", 1.0),
        Row("side", 16),
        Row("side", 8, TEXTURES),
        Row("field_of_view", 0.6, idle=(TEXTURES,)),
        Row("invariance", "rotation"),
        Row("invariance", "rotation+translation+reflection"),
        Row("background", 50),
        Row("stretch", "asinh"),
        Row("smoothing", 1.0),
        Row("object", "central"),
        Row("intensity_range", (0, 128)),
        # The last components of many, which a PCA that draws finds least well.
        Row("random_state", 1, {"d": 30}),
    ],
    "class averages": [
        Row("n_averages", 3),
        Row("n_rotations", 8),
        Row("max_shift", 0.25, idle=(TURNS,)),
        Row("n_starts", 1),
        Row("n_iterations", 1),
        Row("side", 8),
        Row("invariance", "rotation"),
        Row("invariance", "rotation+translation+reflection"),
        Row("random_state", 1),
    ],
}
TRAINED = [kind for kind in ROWS if kind not in FEATURE_EMBEDDERS]
# Three steps of a VAE at its own rate hardly move z.
SETTINGS = {"TARGET-VAE": {"lr": 1e-2}, "spatial-VAE": {"lr": 1e-2}}

# Whether they have their effect is tested elsewhere, for each kind.
CIRCUMSTANCES = {
    "device": "where the same is computed; below",
    "precision": "rounding alone; test_embedders.py, test_precision",
    "callbacks": "the user's own; test_embedders.py, test_early_stopping",
    "warm_start": "acts on a second fit; test_embedders.py, test_warm_start_goes_on",
    "verbose": "what is printed; test_embedders.py, test_more_verbose_tells_the_terms",
    "image_shape": "names the axes; test_embedders.py, the layouts of flat rows",
}
UNSEEN = [
    ("device", "cpu:0"),
    ("callbacks", [Callback()]),
    ("warm_start", True),
    ("verbose", 2),
    ("image_shape", (16, 16)),
]


@pytest.fixture(scope="module")
def make_kind(makers, feature_makers):
    """Return a maker of embedders by kind and settings."""
    makers = {**makers, **feature_makers}

    def make(kind, **settings):
        return makers[kind](**{**SETTINGS.get(kind, {}), **settings})

    make.kinds = set(makers)
    return make


@pytest.fixture(scope="module")
def embed(make_kind, images):
    """Return z of the training images after a fit; equal fits are made once.

    A speck lies beside each digit, so that it matters which of them is seen.
    """
    done = {}
    images = images.copy()
    images[:, 1:3, 7:9] = 255

    def fit(kind, **settings):
        key = kind, repr(sorted(settings.items()))
        if key not in done:
            embedder = make_kind(kind, **settings)
            done[key] = np.asarray(embedder.fit_transform(images))
        return done[key]

    return fit


def change(z, other):
    """Return the largest difference, in standard deviations of z."""
    if z.shape != other.shape:
        return np.inf
    return np.abs(other - z).max() / z.std()


def name_of(value):
    if isinstance(value, Row):
        settings = {value.parameter: value.other, **value.under}
        return ", ".join(f"{name}={name_of(v)}" for name, v in settings.items())
    if isinstance(value, list):  # callbacks, which print where they are in memory
        return str([type(item).__name__ for item in value])
    return str(getattr(value, "__name__", value))


def test_every_kind_has_a_table(make_kind):
    assert set(ROWS) == make_kind.kinds


@pytest.mark.parametrize("kind", ROWS)
def test_every_parameter_has_a_row_or_is_a_circumstance(kind, make_kind):
    rows = {row.parameter for row in ROWS[kind]}
    assert not rows & set(CIRCUMSTANCES)
    parameters = set(make_kind(kind).get_params())
    assert rows == parameters - set(CIRCUMSTANCES)
    assert kind in FEATURE_EMBEDDERS or set(CIRCUMSTANCES) <= parameters


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind, rows in ROWS.items() for row in rows],
    ids=name_of,
)
def test_another_value_gives_another_z(kind, row, embed):
    z = embed(kind, **row.under)
    other = embed(kind, **{**row.under, row.parameter: row.other})
    assert change(z, other) > LEAST_CHANGE


@pytest.mark.parametrize(
    ("kind", "row", "idle"),
    [
        (kind, row, idle)
        for kind, rows in ROWS.items()
        for row in rows
        for idle in row.idle
    ],
    ids=name_of,
)
def test_an_ignored_value_gives_the_same_z_and_is_said_to_be(
    kind, row, idle, embed, make_kind, read_parameters
):
    z = embed(kind, **idle)
    np.testing.assert_array_equal(embed(kind, **{**idle, row.parameter: row.other}), z)
    told = read_parameters(type(make_kind(kind)))[row.parameter]
    if told == "As in :class:`IRLINREmbedder`.":
        told = read_parameters(IRLINREmbedder)[row.parameter]
    assert "gnored" in told


@pytest.mark.parametrize("kind", TRAINED)
def test_rounding_is_no_change(kind, embed):
    z, other = (embed(kind, lr=lr) for lr in (2e-3, 2e-3 * (1 + 1e-6)))
    assert change(z, other) < LEAST_CHANGE / 10


@pytest.mark.parametrize("kind", TRAINED)
@pytest.mark.parametrize(("parameter", "value"), UNSEEN, ids=name_of)
def test_circumstances_leave_z_as_it_is(kind, parameter, value, embed):
    np.testing.assert_array_equal(embed(kind, **{parameter: value}), embed(kind))


class Start(Callback):
    """Keeps the weights from before training."""

    def on_train_begin(self, net, **_):
        self.weights_ = [p.detach().clone() for p in net.module_.parameters()]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [*((kind, {}) for kind in TRAINED), ("IRL-INR", MLP), ("IRL-INR", PIXELS)],
    ids=name_of,
)
def test_training_moves_every_weight(kind, settings, make_kind, images):
    """Weights that only start otherwise would change z too: a width must be trained."""
    start = Start()
    embedder = make_kind(kind, weight_decay=0.0, callbacks=[start], **settings)
    trained = embedder.fit(images).net_.module_.parameters()
    for before, after in zip(start.weights_, trained, strict=True):
        assert not torch.equal(before, after)


class Devices(Callback):
    """Notes on which device a net trains."""

    def __init__(self):
        self.seen = set()

    def on_batch_begin(self, net, **_):
        self.seen.add(net.device)


def test_the_net_trains_on_the_device_that_was_named(make_any_embedder, images):
    devices = Devices()
    embedder = make_any_embedder(device="cpu:0", callbacks=[devices]).fit(images)
    assert devices.seen == {"cpu:0"}
    assert embedder.net_.device == "cpu"


def test_a_warm_start_trains_on_that_device_too(make_any_embedder, images):
    devices = Devices()
    settings = {"device": "cpu:0", "warm_start": True, "callbacks": [devices]}
    embedder = make_any_embedder(**settings).fit(images)
    devices.seen.clear()
    embedder.fit(images)
    assert devices.seen == {"cpu:0"}


def test_rows_of_a_feature_embedder_are_folded_to_the_shape_given(
    make_any_feature_embedder, images
):
    wide = images[:, 2:14]
    flat = make_any_feature_embedder(image_shape=(12, 16)).fit_transform(
        wide.reshape(len(wide), -1)
    )
    z = make_any_feature_embedder().fit_transform(wide)
    np.testing.assert_array_equal(flat, z)
