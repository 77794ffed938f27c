"""What users see of IRLINREmbedder, and what a trained one has learned."""

import itertools
import pickle
import re
import time
import warnings

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from invariant_cluster import ImageEmbedding, IRLINREmbedder
from invariant_cluster._geometry import move_array
from invariant_cluster.datasets import load_oriented_digits, make_oriented
from invariant_cluster.metrics import (
    invariance_score,
    rotation_error,
    translation_error,
)

RULES = ["center_of_mass", "complex_moment", "principal_axis", None]
INVARIANCES = ["rotation", "rotation+translation"]


# Layouts, dtypes and units

LAYOUTS = {
    "uint8": lambda X: (X, {}),
    "bool": lambda X: (X > 100, {}),
    "int64": lambda X: (X.astype(np.int64) - 100, {}),
    "float16": lambda X: (X.astype(np.float16), {}),
    "float32": lambda X: (X.astype(np.float32) / 255, {}),
    "float64": lambda X: (X * 3.0 - 7.0, {}),
    "other byte order": lambda X: (X.astype(">f4"), {}),
    "strided": lambda X: (X[::2, ::-1].transpose(0, 2, 1), {}),
    "list": lambda X: (list(X), {}),
    "non-square": lambda X: (X[:, 2:14], {}),
    "channels last": lambda X: (np.stack([X, X, 255 - X], axis=-1), {}),
    "channels first": lambda X: (np.stack([X, X, 255 - X], axis=1), {}),
    "non-square RGB": lambda X: (np.stack([X, X, X], axis=-1)[:, 2:14], {}),
    "five channels": lambda X: (
        np.stack([X] * 5, axis=-1),
        {"image_shape": (16, 16, 5)},
    ),
    "flat": lambda X: (X.reshape(len(X), -1), {}),
    "flat non-square": lambda X: (
        X[:, 2:14].reshape(len(X), -1),
        {"image_shape": (12, 16)},
    ),
    "flat RGB": lambda X: (
        np.stack([X, X, X], axis=-1).reshape(len(X), -1),
        {"image_shape": (16, 16, 3)},
    ),
    "flat, channels first": lambda X: (
        np.stack([X, X, X], axis=1).reshape(len(X), -1),
        {"image_shape": (3, 16, 16)},
    ),
    "flat, padded": lambda X: (X.reshape(len(X), -1)[:, :250], {}),
}


@pytest.mark.filterwarnings("ignore:Rows of 250 values:UserWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_outputs_have_the_layout_of_the_input(layout, make_embedder, images):
    X, parameters = LAYOUTS[layout](images)
    n, *one = np.shape(X)
    embedder = make_embedder(**parameters)
    z = embedder.fit_transform(X)

    assert isinstance(z, ImageEmbedding)
    assert (z.shape, z.dtype) == ((n, 4), np.float32)
    np.testing.assert_array_equal(embedder.transform(X), z)

    theta, tau = embedder.predict_pose(X)
    assert (theta.shape, theta.dtype) == ((n,), np.float32)
    assert (tau.shape, tau.dtype) == ((n, 2), np.float32)

    outputs = [
        embedder.reconstruct(X),
        embedder.reconstruct(X, canonical=True),
        embedder.canonicalize(X),
        embedder.canonicalize(X, learned=False),
    ]
    for output in outputs:
        assert (output.shape, output.dtype) == ((n, *one), np.float32)
    assert all(np.isfinite(a).all() for a in [z, theta, tau, *outputs])

    assert isinstance(embedder.score(X), float)
    assert embedder.score(X) < 0
    assert embedder.n_features_in_ == np.prod(one)
    if len(one) > 1:
        assert embedder.image_shape_ == tuple(one)


@pytest.mark.parametrize("n_channels", [3, 5])
@pytest.mark.parametrize("layout", ["channels first", "flat", "flat, channels first"])
def test_layouts_of_the_same_pixels_give_the_same(
    layout, n_channels, make_embedder, images
):
    last = np.stack([images // (1 + c) for c in range(n_channels)], axis=-1)
    first = np.ascontiguousarray(np.moveaxis(last, -1, 1))
    X, image_shape = {
        "channels first": (first, first.shape[1:]),
        "flat": (last.reshape(len(last), -1), last.shape[1:]),
        "flat, channels first": (first.reshape(len(last), -1), first.shape[1:]),
    }[layout]
    embedder = make_embedder(image_shape=last.shape[1:]).fit(last)
    other = make_embedder(image_shape=image_shape).fit(X)

    def back(output):
        if "first" not in layout:
            return output.reshape(last.shape)
        return np.moveaxis(output.reshape(first.shape), 1, -1)

    np.testing.assert_allclose(
        other.transform(X), embedder.transform(last), rtol=1e-3, atol=1e-4
    )
    for method in ["reconstruct", "canonicalize"]:
        expected = getattr(embedder, method)(last)
        np.testing.assert_allclose(
            back(getattr(other, method)(X)), expected, rtol=1e-3, atol=0.1
        )


def test_outputs_have_the_units_of_the_input(make_embedder, images):
    """Other units of the same images: the same z, outputs in those units."""
    embedder = make_embedder(intensity_range=(0, 255), background=0).fit(images)
    other = make_embedder(intensity_range=(-3, 4), background=-3)
    in_units = images / 255 * 7 - 3
    other.fit(in_units)

    def to_units(values):
        return values / 255 * 7 - 3

    z, z_in_units = embedder.transform(images), other.transform(in_units)
    np.testing.assert_allclose(z_in_units, z, atol=0.02)
    np.testing.assert_allclose(
        other.canonicalize(in_units),
        to_units(embedder.canonicalize(images)),
        atol=0.05,
    )
    np.testing.assert_allclose(
        other.reconstruct(in_units), to_units(embedder.reconstruct(images)), atol=0.05
    )
    assert other.score(in_units) == pytest.approx(embedder.score(images), rel=1e-2)


def test_score_equals_its_naive_twin(make_embedder, images):
    """Mean over the disc of the squared errors of scaled images, channels summed."""
    X = np.stack([images, 255 - images, images // 2], axis=-1)[:, 2:14]
    embedder = make_embedder(intensity_range=(20, 220)).fit(X)
    drawn, errors = embedder.reconstruct(X), []
    for image, copy in zip(X.astype(float), drawn.astype(float), strict=True):
        scaled = np.clip((image - 20) / 200, 0, 1) - np.clip((copy - 20) / 200, 0, 1)
        errors.append(
            [
                (scaled[row, column] ** 2).sum()
                for row in range(12)
                for column in range(16)
                if np.hypot(row - 5.5, column - 7.5) <= 6
            ]
        )
    assert embedder.score(X) == pytest.approx(-np.mean(errors), rel=1e-4)


@pytest.mark.parametrize("learned", [True, False])
def test_canonicalize_undoes_the_predicted_pose(learned, make_embedder):
    """Moving a canonical image by the pose gives back the image."""
    smooth = make_blobs(24)
    embedder = make_embedder().fit(smooth)
    theta, tau = embedder.predict_pose(smooth, learned=learned)
    canonical = embedder.canonicalize(smooth, learned=learned)
    back = move_array(canonical[:, None], theta, tau, 0.0)[:, 0]
    inner = back_and_smooth_inside(back, smooth)
    assert np.corrcoef(*inner)[0, 1] > 0.98


def make_blobs(n, side=24, seed=0):
    """Return smooth images of two unequal blobs near the centre, (n, side, side)."""
    rng = np.random.default_rng(seed)
    row, column = np.indices((side, side)) - (side - 1) / 2
    images = np.zeros((n, side, side))
    for image in images:
        for width, height in [(2.0, 1.0), (1.2, 0.7)]:
            y, x = rng.uniform(-3, 3, 2)
            distance = np.hypot(row - y, column - x)
            image += height * np.exp(-((distance / width) ** 2) / 2)
    return (images * 100).astype(np.float32)


def back_and_smooth_inside(back, smooth):
    """Return the two within the central disc, which no small move leaves."""
    row, column = np.indices(smooth.shape[1:]) - (smooth.shape[1] - 1) / 2
    inside = np.hypot(row, column) < smooth.shape[1] / 3
    return back[:, inside].ravel(), smooth[:, inside].ravel()


def smoothed(images):
    """Without the finest detail, which bilinear moves blur."""
    return gaussian_filter(images, (0, 1, 1))


def test_the_input_is_not_changed(make_embedder, images):
    X = images.astype(np.float32)
    before = X.copy()
    embedder = make_embedder().fit(X)
    embedder.transform(X)
    embedder.canonicalize(X)
    np.testing.assert_array_equal(X, before)


def test_images_are_held_by_reference(make_embedder, images):
    embedder = make_embedder().fit(images)
    embedding = embedder.transform(images)
    assert embedding.images is images
    assert embedding.encoder is embedder.encoder_


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_memmap_stays_a_memmap(mode, dtype, make_embedder, images, tmp_path):
    X = images.astype(dtype)
    path = tmp_path / "images"
    X.tofile(path)
    mapped = np.memmap(path, dtype=dtype, mode=mode, shape=X.shape)
    embedder = make_embedder()
    embedding = embedder.fit_transform(mapped)
    assert isinstance(embedding.images, np.memmap)
    assert np.shares_memory(embedding.images, mapped)
    np.testing.assert_array_equal(embedding, make_embedder().fit_transform(X))
    for method in ["reconstruct", "canonicalize"]:
        assert getattr(embedder, method)(mapped).shape == X.shape
    np.testing.assert_array_equal(np.fromfile(path, dtype).reshape(X.shape), X)


def test_feature_names_out(make_embedder, images):
    embedder = make_embedder(d=3).fit(images)
    names = embedder.get_feature_names_out()
    assert names.tolist() == ["irlinrembedder0", "irlinrembedder1", "irlinrembedder2"]


# Training

LOSS_TERMS = {"reconstruction", "consistency", "symmetry"}


def test_history_has_one_row_an_epoch_and_one_column_a_term(make_embedder, images):
    embedder = make_embedder(max_epochs=3).fit(images)
    history = embedder.history_
    assert len(history) == embedder.n_iter_ == 3
    assert {"loss", "squared_error", "seconds"} | LOSS_TERMS <= set(history.columns)
    assert np.isfinite(history.to_numpy(dtype=float)).all()
    assert history["squared_error"].nunique() == 3
    assert (history["seconds"] > 0).all()


@pytest.mark.parametrize("kept", sorted(LOSS_TERMS))
def test_weights_choose_the_terms(kept, make_embedder, images):
    weights = {f"{term}_weight": 0.0 for term in LOSS_TERMS} | {f"{kept}_weight": 2.0}
    history = make_embedder(max_epochs=2, **weights).fit(images).history_
    np.testing.assert_allclose(history["loss"], 2 * history[kept], rtol=1e-5)
    assert (history[kept] > 0).all()


@pytest.mark.parametrize("reconstruction", ["cross_entropy", "squared_error"])
def test_squared_error_is_reported_whatever_is_minimised(
    reconstruction, make_embedder, images
):
    history = make_embedder(reconstruction=reconstruction).fit(images).history_
    minimised = history["reconstruction"].to_numpy()
    reported = history["squared_error"].to_numpy()
    assert np.allclose(minimised, reported) == (reconstruction == "squared_error")
    assert (reported > 0).all()


def test_training_lowers_the_reconstruction_error(make_embedder, images):
    embedder = make_embedder(max_epochs=20, lr=1e-2).fit(images)
    errors = embedder.history_["squared_error"].to_numpy()
    assert errors[-1] < 0.9 * errors[0]


def test_silent_by_default(make_embedder, images, capsys):
    make_embedder(max_epochs=2).fit(images)
    assert capsys.readouterr() == ("", "")


class Pause(Callback):
    """Long enough for the bar to be drawn again."""

    def on_epoch_end(self, net, **_):
        time.sleep(0.15)


def test_verbose_tells_the_time_left_from_the_first_epoch_on(
    make_embedder, images, capsys
):
    make_embedder(max_epochs=3, verbose=1, callbacks=[Pause()]).fit(images)
    printed = "".join(capsys.readouterr())
    # A bar as "3/9 [00:00<00:01": done, all, spent, left.
    bars = re.findall(r"(\d+)/(\d+) \[\d\d:\d\d<\d\d:\d\d", printed)
    assert any(0 < int(done) < int(total) for done, total in bars)
    assert "loss" in printed
    assert "reconstruction" not in printed


def test_more_verbose_tells_the_terms(make_embedder, images, capsys):
    make_embedder(max_epochs=2, verbose=2).fit(images)
    printed = "".join(capsys.readouterr())
    for term in LOSS_TERMS:
        assert len(re.findall(rf"{term} [\d.e+-]+", printed)) == 2


def never_better():
    """Return a callback that stops after the third epoch, silently."""
    return EarlyStopping(
        monitor="train_loss", patience=2, threshold=1e9, threshold_mode="abs", sink=len
    )


def test_early_stopping(make_embedder, images):
    embedder = make_embedder(max_epochs=8, callbacks=[never_better()])
    try:
        embedder.fit(images)
    except KeyboardInterrupt:  # by which skorch's callback stops
        pytest.fail("early stopping was taken for Ctrl-C", pytrace=False)
    assert embedder.n_iter_ == len(embedder.history_) == 3
    assert np.isfinite(embedder.transform(images)).all()


class Watch(Callback):
    """Notes the weights at the start of training, and how many epochs there were."""

    def on_train_begin(self, net, **_):
        self.weights_ = weights_of(net.module_)
        self.epochs_ = 0

    def on_epoch_end(self, net, **_):
        self.epochs_ += 1


def weights_of(module):
    return {name: w.detach().clone() for name, w in module.state_dict().items()}


def equal_weights(first, second):
    return all(torch.equal(first[name].cpu(), second[name].cpu()) for name in first)


@pytest.mark.parametrize("warm_start", [True, False])
def test_warm_start_goes_on(warm_start, make_embedder, images):
    watch = Watch()
    embedder = make_embedder(warm_start=warm_start, callbacks=[watch], max_epochs=2)
    trained = weights_of(embedder.fit(images).net_.module_)
    z = np.asarray(embedder.transform(images))

    embedder.set_params(max_epochs=3).fit(images[:40])
    assert equal_weights(watch.weights_, trained) == warm_start
    assert watch.epochs_ == 3
    assert embedder.n_iter_ == len(embedder.history_) == (5 if warm_start else 3)
    assert not np.allclose(embedder.transform(images), z)


def test_warm_start_takes_fewer_images_than_a_batch(make_embedder, images):
    embedder = make_embedder(warm_start=True).fit(images)
    before = weights_of(embedder.net_.module_)
    embedder.fit(images[:8])
    assert embedder.n_iter_ == 2
    assert not equal_weights(before, weights_of(embedder.net_.module_))


def test_warm_start_takes_more_images(make_embedder, images):
    embedder = make_embedder(warm_start=True).fit(images[:20])
    embedder.set_params(max_epochs=2).fit(images).fit(images)
    assert embedder.n_iter_ == 5


def test_warm_start_refuses_other_images(make_embedder, images):
    embedder = make_embedder(warm_start=True).fit(images)
    z = np.asarray(embedder.transform(images))
    with pytest.raises(ValueError, match=r"\(48, 12, 16\).*\(n, 16, 16\)"):
        embedder.fit(images[:, :12])
    np.testing.assert_array_equal(embedder.transform(images), z)


class Interrupt(Callback):
    """Presses Ctrl-C at the end of an epoch, or in its midst."""

    def __init__(self, epoch=1, *, midst=False):
        self.epoch = epoch
        self.midst = midst

    def on_batch_end(self, net, **_):
        if self.midst and len(net.history) == self.epoch:
            raise KeyboardInterrupt

    def on_epoch_end(self, net, **_):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("midst", "n_complete"), [(False, 2), (True, 1)])
def test_interrupt_keeps_what_was_trained(midst, n_complete, make_embedder, images):
    interrupt = Interrupt(2, midst=midst)
    embedder = make_embedder(max_epochs=9, callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt):
        embedder.fit(images)
    assert embedder.n_iter_ == len(embedder.history_) == n_complete
    assert np.isfinite(embedder.transform(images)).all()
    assert embedder.score(images) < 0


def test_interrupt_of_the_first_epoch(make_embedder, images):
    embedder = make_embedder(callbacks=[Interrupt(1, midst=True)])
    with pytest.raises(KeyboardInterrupt):
        embedder.fit(images)
    assert embedder.n_iter_ == len(embedder.history_) == 0
    assert "loss" in embedder.history_.columns
    assert np.isfinite(embedder.transform(images)).all()


def test_warm_start_after_an_interrupt(make_embedder, images):
    interrupt = Interrupt(2)
    embedder = make_embedder(max_epochs=3, warm_start=True, callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt):
        embedder.fit(images)
    embedder.fit(images)
    assert embedder.n_iter_ == 5


class Poison(Callback):
    """Makes the weights NaN before an epoch, or after it."""

    def __init__(self, epoch, *, after=False):
        self.epoch = epoch
        self.after = after

    def poison(self, net):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                for parameter in net.module_.parameters():
                    parameter.fill_(float("nan"))

    def on_epoch_begin(self, net, **_):
        if not self.after:
            self.poison(net)

    def on_epoch_end(self, net, **_):
        if self.after:
            self.poison(net)


PUBLIC = ["transform", "predict_pose", "reconstruct", "canonicalize", "score"]


def nan_methods(embedder, images):
    """Return the public methods that return NaN, rather than raise."""
    returned = {}
    for method in PUBLIC:
        try:
            outputs = getattr(embedder, method)(images)
        except (NotFittedError, FloatingPointError):
            continue
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        returned[method] = all(np.isfinite(part).all() for part in parts)
    return [method for method, finite in returned.items() if not finite]


def fit_and_transform(embedder, images):
    """Training that ends in NaN is told of by one of the two."""
    embedder.fit(images)
    embedder.transform(images)


def test_nan_loss_stops_training(make_embedder, images):
    embedder = make_embedder(max_epochs=5, lr=0.00123, callbacks=[Poison(2)])
    with pytest.raises(
        FloatingPointError, match=r"loss became nan in epoch 2: lower lr.*0\.00123"
    ):
        embedder.fit(images)
    assert nan_methods(embedder, images) == []


def test_nan_after_the_last_loss_is_found(make_embedder, images):
    """The step after the last loss can make weights NaN that no loss has seen."""
    embedder = make_embedder(max_epochs=2, callbacks=[Poison(2, after=True)])
    with pytest.raises(FloatingPointError, match="lower lr"):
        fit_and_transform(embedder, images)
    assert nan_methods(embedder, images) == []


@pytest.mark.parametrize("batch_size", [16, 64])
def test_far_too_high_lr(batch_size, make_embedder, images):
    """With one batch, the only loss is computed before the only step."""
    embedder = make_embedder(lr=1e20, batch_size=batch_size)
    with pytest.raises(FloatingPointError, match="lower lr"):
        fit_and_transform(embedder, images)
    assert nan_methods(embedder, images) == []


@pytest.mark.parametrize("warm_start", [False, True])
def test_nan_loss_of_a_second_fit(warm_start, make_embedder, images):
    """Neither the old net, which warm_start trains on, nor a new one returns NaN."""
    embedder = make_embedder(warm_start=warm_start, callbacks=[Poison(2)]).fit(images)
    embedder.set_params(max_epochs=3)
    with pytest.raises(FloatingPointError, match=r"epoch \d"):
        embedder.fit(images)
    assert nan_methods(embedder, images) == []


# Randomness


def test_a_seed_decides_everything(make_embedder, images):
    z = make_embedder(random_state=3).fit_transform(images)
    torch.manual_seed(99)
    np.testing.assert_array_equal(
        make_embedder(random_state=3).fit_transform(images), z
    )
    assert not np.allclose(make_embedder(random_state=4).fit_transform(images), z)


def test_random_state_instance(make_embedder, images):
    first, second = (
        make_embedder(random_state=np.random.RandomState(5)).fit_transform(images)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.usefixtures("generators_unchanged")
def test_global_generators_stay(make_embedder, images):
    embedder = make_embedder(n_pixels=20).fit(images)
    embedder.transform(images)
    embedder.predict_pose(images)
    embedder.reconstruct(images)
    embedder.score(images)


# Images without anything to learn from


def dots():
    """Return images of one bright pixel each, whose direction is rounding alone."""
    images = np.zeros((30, 16, 16), dtype=np.uint8)
    images[np.arange(30), 4 + np.arange(30) % 8, 4 + np.arange(30) % 7] = 255
    return images


def discs():
    row, column = np.indices((16, 16)) - 7.5
    disc = (np.hypot(row, column) < 4).astype(np.float32)
    return np.stack([disc * brightness for brightness in np.linspace(0.5, 1, 30)])


POOR_IMAGES = {
    "constant": lambda X: np.full_like(X, 7),
    "black": lambda X: np.zeros_like(X),
    "constant floats": lambda X: np.full(X.shape, 0.1),
    "white": lambda X: np.full_like(X, 255),
    "duplicates": lambda X: np.repeat(X[:1], len(X), axis=0),
    "two kinds": lambda X: np.repeat(X[:2], len(X) // 2, axis=0),
    "one object among blanks": lambda X: np.concatenate([X[:1], 0 * X[1:]]),
    "dots": lambda X: dots(),
    "discs": lambda X: discs(),
    "two images": lambda X: X[:2],
}


@pytest.mark.parametrize("invariance", INVARIANCES)
@pytest.mark.parametrize("kind", POOR_IMAGES)
def test_poor_images_train_and_transform(kind, invariance, make_embedder, images):
    X = POOR_IMAGES[kind](images)
    embedder = make_embedder(invariance=invariance, max_epochs=2).fit(X)
    assert np.isfinite(embedder.history_.to_numpy(dtype=float)).all()
    outputs = [
        embedder.transform(X),
        *embedder.predict_pose(X),
        embedder.reconstruct(X),
        embedder.canonicalize(X),
        embedder.score(X),
    ]
    assert all(np.isfinite(output).all() for output in outputs)


@pytest.mark.parametrize("rule", RULES[:3])
def test_an_image_without_mass_has_pose_zero(rule, make_embedder, images):
    X = np.concatenate([np.zeros_like(images[:3]), images])
    embedder = make_embedder(symmetry_breaking=rule).fit(X)
    theta, tau = embedder.predict_pose(X, learned=False)
    assert (theta[:3] == 0).all()
    assert (tau[:3] == 0).all()
    assert (tau[3:] != 0).any()


# Options


@pytest.mark.parametrize("align", [True, False, "auto"])
@pytest.mark.parametrize("invariance", INVARIANCES)
@pytest.mark.parametrize("rule", RULES)
def test_rules_and_invariances(rule, invariance, align, make_embedder, images):
    embedder = make_embedder(
        symmetry_breaking=rule, invariance=invariance, align=align
    ).fit(images)
    for learned in [True, False]:
        theta, tau = embedder.predict_pose(images, learned=learned)
        assert ((theta >= 0) & (theta < 2 * np.pi)).all()
        assert np.isfinite(tau).all()
        assert (tau == 0).all() == (invariance == "rotation")
    assert np.isfinite(embedder.transform(images)).all()
    assert np.isfinite(embedder.reconstruct(images)).all()
    # Without a rule, nothing teaches the pose but the reconstruction.
    assert (embedder.history_["symmetry"] == 0).all() == (rule is None)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_automatic_rule(invariance, make_embedder, images):
    automatic, explicit, different = (
        make_embedder(invariance=invariance, symmetry_breaking=name).fit(images)
        for name in ["auto", "principal_axis", "complex_moment"]
    )
    z = automatic.transform(images)
    np.testing.assert_array_equal(explicit.transform(images), z)
    theta, _ = automatic.predict_pose(images, learned=False)
    assert not np.allclose(different.predict_pose(images, learned=False)[0], theta)


def test_the_weight_of_the_symmetry_loss_follows_the_alignment(make_embedder, images):
    for align, weight in [(True, 0.01), (False, 15.0)]:
        automatic, explicit = (
            make_embedder(align=align, symmetry_weight=value).fit_transform(images)
            for value in ["auto", weight]
        )
        np.testing.assert_array_equal(automatic, explicit)


def test_z_is_normalised_only_if_asked(make_embedder, images):
    normal = make_embedder().fit_transform(images)
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normal.std(axis=0), 1, atol=0.05)
    raw = make_embedder(normalize=False).fit(images)
    z = raw.transform(images)
    assert not np.allclose(z.std(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(z[:3], raw.transform(images[:3]), rtol=1e-3, atol=1e-4)


def test_the_rate_of_a_constant_schedule_stays(make_embedder, images):
    def last_rate(schedule):
        embedder = make_embedder(lr=1e-3, lr_schedule=schedule, max_epochs=3)
        return embedder.fit(images).net_.optimizer_.param_groups[0]["lr"]

    assert last_rate("constant") == 1e-3
    assert last_rate("one_cycle") < 1e-4


def test_the_recipe_of_the_paper(make_embedder, images):
    """Sections 3.3, 3.4 and 4 of the paper; of its sizes the defaults."""
    paper = IRLINREmbedder.paper()
    assert not hasattr(paper, "net_")
    assert (paper.reconstruction, paper.consistency) == ("squared_error", "cosine")
    assert paper.reconstruction_weight == paper.consistency_weight == 1
    assert (paper.symmetry_weight, paper.symmetry_breaking) == (15, "center_of_mass")
    assert (paper.lr, paper.weight_decay, paper.batch_size) == (1e-4, 5e-4, 128)
    assert (paper.d, paper.encoder_width, paper.n_frequencies) == (512, 64, 256)
    assert paper.max_epochs == 200
    assert paper.set_params(encoder_width=2).encoder_width == 2

    tiny = {"d": 4, "encoder_width": 2, "n_frequencies": 4, "inr_hidden": (4,)}
    tiny |= {"hypernetwork_hidden": (4,), "max_epochs": 2, "batch_size": 16}
    fitted = paper.set_params(**tiny, random_state=0, device="cpu").fit(images)
    encoder = fitted.encoder_
    assert (encoder.aligner.side, encoder.aligner.align) == (None, False)
    assert encoder.variation == (0, 0, False)
    # Nothing standardises z, and the step stays as long as it was.
    assert not [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
    assert fitted.net_.optimizer_.param_groups[0]["lr"] == 1e-4


def test_automatic_alignment_follows_the_rule(make_embedder, images):
    for rule in RULES:
        automatic, aligned = (
            make_embedder(symmetry_breaking=rule, align=align).fit_transform(images)
            for align in ["auto", True]
        )
        assert np.array_equal(automatic, aligned) == (rule is not None)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_alignment_makes_z_invariant_before_any_learning(invariance, make_embedder):
    std = 0.0 if invariance == "rotation" else 0.05
    blobs = make_blobs(60)
    moved, _, _ = make_oriented(blobs, translation_std=std, random_state=1)
    scores = {True: [], False: []}
    for align, seed in itertools.product([True, False], range(3)):
        embedder = make_embedder(
            encoder=Trunk,
            invariance=invariance,
            align=align,
            lr=1e-12,
            random_state=seed,
        )
        z = embedder.fit_transform(blobs)
        scores[align].append(invariance_score(z, embedder.transform(moved)))
    # Some untrained encoders map all blobs to the same z, which scores 0.
    assert np.median(scores[True]) > 0.6
    assert np.median(scores[False]) < 0.3


class Trunk(nn.Module):
    """A user's encoder: (n, c, h, w) -> (n, 4 c)."""

    def __init__(self, n_channels):
        super().__init__()
        self.n_channels = n_channels
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        assert images.shape[1] == self.n_channels
        assert images.min() >= -1e-4
        assert images.max() <= 1 + 1e-4
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1) * self.scale


@pytest.mark.parametrize("n_channels", [1, 3])
def test_users_encoder(n_channels, make_embedder, images):
    X = np.stack([images] * n_channels, axis=-1)
    embedder = make_embedder(encoder=Trunk)
    z = embedder.fit_transform(X)
    assert z.shape == (48, 4)
    trunks = [m for m in embedder.encoder_.modules() if isinstance(m, Trunk)]
    assert [trunk.n_channels for trunk in trunks] == [n_channels]
    assert trunks[0].scale.item() != 1.0


def test_encoder_width_scales_the_encoder(make_embedder, images):
    def count(width):
        encoder = make_embedder(encoder_width=width).fit(images).encoder_
        return sum(parameter.numel() for parameter in encoder.parameters())

    assert 3 < count(4) / count(2) < 5


def test_automatic_background_and_range(make_embedder, images):
    white = 255 - images
    assert make_embedder().fit(images).background_.tolist() == [0]
    embedder = make_embedder().fit(white)
    assert embedder.background_.tolist() == [255]
    assert embedder.intensity_range_ == (0, 255)
    wafers = (images > 80).astype(np.uint8) + (images > 160)
    assert make_embedder().fit(wafers).intensity_range_ == (0, 2)
    spiked = images.astype(float)
    spiked[0, 8, 8] = 1e6
    assert make_embedder().fit(spiked).intensity_range_[1] < 1e5


def test_background_fills_and_defines_mass(make_embedder, images):
    """Dark objects on white: the same poses and z as their negatives."""
    white = make_embedder().fit(255 - images)
    black = make_embedder().fit(images)
    for mine, other in zip(
        white.predict_pose(255 - images, learned=False),
        black.predict_pose(images, learned=False),
        strict=True,
    ):
        np.testing.assert_allclose(mine, other, atol=1e-3)
    np.testing.assert_allclose(
        white.canonicalize(255 - images, learned=False),
        255 - black.canonicalize(images, learned=False),
        atol=0.5,
    )


def test_given_background(make_embedder, images):
    rgb = np.stack([images] * 3, axis=-1)
    assert make_embedder(background=9).fit(rgb).background_.tolist() == [9, 9, 9]
    embedder = make_embedder(background=[1, 2, 3]).fit(rgb)
    assert embedder.background_.tolist() == [1, 2, 3]
    # A fill of its own colour comes in at the corners.
    blank = np.broadcast_to(np.array([0, 0, 200]), rgb.shape).astype(np.uint8)
    shifted = blank.copy()
    shifted[:, 6:9, 3:6] = 255
    given = make_embedder(background=[0, 0, 200], intensity_range=(0, 255)).fit(shifted)
    canonical = given.canonicalize(shifted, learned=False)
    np.testing.assert_allclose(canonical[:, 0, 0], [[0, 0, 200]] * 48, atol=0.1)
    np.testing.assert_allclose(canonical[:, -1, -1], [[0, 0, 200]] * 48, atol=0.1)


def test_given_intensity_range(make_embedder, images):
    embedder = make_embedder(intensity_range=(50, 150)).fit(images)
    assert embedder.intensity_range_ == (50, 150)
    for output in [embedder.reconstruct(images), embedder.canonicalize(images)]:
        assert output.min() >= 50 - 1e-3
        assert output.max() <= 150 + 1e-3
    # Beyond the range nothing is seen.
    np.testing.assert_array_equal(
        embedder.transform(images.clip(50, 150)), embedder.transform(images)
    )


def test_n_pixels(make_embedder, images):
    z, few, all_of_them, too_many = (
        make_embedder(n_pixels=n_pixels).fit_transform(images)
        for n_pixels in [None, 10, 16 * 16, 10**6]
    )
    assert np.isfinite(few).all()
    assert not np.allclose(few, z)
    np.testing.assert_array_equal(all_of_them, z)
    np.testing.assert_array_equal(too_many, z)


def test_precision(make_embedder, images):
    z, single, half = (
        make_embedder(precision=precision).fit_transform(images)
        for precision in ["auto", "float32", "bfloat16"]
    )
    assert single.dtype == half.dtype == np.float32
    assert np.isfinite(half).all()
    assert not np.array_equal(half, single)
    # What "auto" means depends on what the processor multiplies fast.
    assert np.array_equal(z, single) or np.array_equal(z, half)


@pytest.mark.parametrize(
    "consistency",
    ["nt_xent", "cross_correlation", "centered_cosine", "cosine", "mse"],
)
def test_consistency_losses(consistency, make_embedder, images):
    embedder = make_embedder(consistency=consistency).fit(images)
    assert (embedder.history_["consistency"] > 0).all()
    assert np.isfinite(embedder.transform(images)).all()


# Deformation


class Camera(nn.Module):
    """A user's encoder that keeps what it is trained on."""

    def __init__(self, n_channels):
        super().__init__()
        self.trunk, self.photos = Trunk(n_channels), []

    def forward(self, images):
        if self.training:
            self.photos.append(images.detach().clone())
        return self.trunk(images)


def photograph(embedder, images):
    """Return the images, and two views of each, as the first training step saw them."""
    embedder.set_params(encoder=Camera, batch_size=len(images)).fit(images)
    first, *_ = embedder.encoder_.trunk.photos
    return [view.numpy() for view in first[:, 0].chunk(3)]


def test_without_deformation_views_are_moved_and_nothing_else(make_embedder):
    """Moved back to their analytic pose they are the image again."""
    blobs = make_blobs(24)
    embedder = make_embedder(deformation=0, translation_std=0.05, field_of_view=1)
    images, *views = photograph(embedder, blobs)
    for view in views:
        error = np.abs(view - images).mean(axis=(1, 2)) / images.mean(axis=(1, 2))
        assert np.median(error) < 0.1
        assert error.max() < 0.4  # bilinear, twice


def test_without_alignment_and_deformation_views_are_rigid_copies(make_embedder):
    """A turn keeps the mass and the distances within an object; views differ."""
    blobs = make_blobs(24)
    embedder = make_embedder(deformation=0, translation_std=0.05, align=False)
    images, *views = photograph(embedder, blobs)

    def invariants(pictures):
        row, column = np.indices(pictures.shape[1:])
        mass = pictures.sum(axis=(1, 2))
        y, x = ((pictures * axis).sum(axis=(1, 2)) / mass for axis in (row, column))
        square = (row - y[:, None, None]) ** 2 + (column - x[:, None, None]) ** 2
        return mass, (pictures * square).sum(axis=(1, 2)) / mass

    for view in views:
        for found, expected in zip(invariants(view), invariants(images), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0.15)
        assert np.abs(view - images).mean() > 0.2 * images.mean()
    assert np.abs(views[0] - views[1]).mean() > 0.2 * images.mean()


def test_deformation_changes_the_views_and_not_the_images(make_embedder):
    blobs, changes = make_blobs(24), []
    plain, *_ = photograph(make_embedder(deformation=0), blobs)
    for strength in [0.0, 0.5, 2.0]:
        images, *views = photograph(make_embedder(deformation=strength), blobs)
        np.testing.assert_array_equal(images, plain)
        changes.append(np.mean([np.abs(view - images).mean() for view in views]))
    assert changes[0] < 0.7 * changes[1]
    assert changes[1] < 0.7 * changes[2]


@pytest.mark.parametrize("moves", INVARIANCES)
def test_reflection_mirrors_half_of_the_views(moves, make_embedder, many_digits):
    """Aligned by its axis, a mirrored digit is the digit mirrored top to bottom."""
    digits = many_digits[:200]
    options = {"deformation": 0, "translation_std": 0.0, "field_of_view": 1}
    for invariance, low, high in [(moves, 0, 0.1), (f"{moves}+reflection", 0.3, 0.7)]:
        embedder = make_embedder(invariance=invariance, **options)
        images, *views = photograph(embedder, digits)
        for view in views:
            as_is = np.abs(view - images).mean(axis=(1, 2))
            mirrored = np.abs(view[:, ::-1] - images).mean(axis=(1, 2))
            assert low <= (mirrored < as_is).mean() <= high


def test_reflection_alone_changes_no_pose(make_embedder, images):
    poses = [
        make_embedder(invariance=name).fit(images).predict_pose(images, learned=False)
        for name in ["rotation", "rotation+reflection"]
    ]
    np.testing.assert_array_equal(poses[0][0], poses[1][0])
    assert not poses[1][1].any()


def test_noise_changes_the_views_and_not_the_images(make_embedder, images):
    plain, *_ = photograph(make_embedder(deformation=0), images)
    images, *views = photograph(make_embedder(deformation=0, noise=1.0), images)
    np.testing.assert_array_equal(images, plain)
    for view in views:
        assert 0.1 < (view[images > 0.5] == 0).mean() < 0.4


@pytest.mark.parametrize("deformation", [0, 0.0, 1, 3.0])
def test_any_strength_of_deformation_trains(deformation, make_embedder, images):
    rgb = np.stack([images, images, 255 - images], axis=-1)[:, 2:14]
    embedder = make_embedder(deformation=deformation).fit(rgb)
    assert np.isfinite(embedder.history_.to_numpy(dtype=float)).all()
    assert np.isfinite(embedder.transform(rgb)).all()


# Field of view


def in_a_frame(images, margin=12, std=0.06, seed=3):
    """Put each image somewhere in a larger frame of its own background, 0."""
    framed = np.pad(images, [(0, 0), (margin, margin), (margin, margin)])
    return make_oriented(
        framed,
        rotate=False,
        translation_std=std,
        random_state=seed,
        return_pose=False,
    )


def test_small_objects_in_a_large_frame_are_encoded_alone(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Camera).fit(framed)
    side = embedder.encoder_.aligner.side
    assert side % 2 == 0
    assert 12 <= side <= 24  # a digit of 16 x 16 pixels
    assert {photo.shape[2:] for photo in embedder.encoder_.trunk.photos} == {
        (side, side)
    }
    for outputs in [embedder.reconstruct(framed), embedder.canonicalize(framed)]:
        assert outputs.shape == framed.shape


def test_a_field_of_view_of_1_encodes_everything(make_embedder, images):
    framed = in_a_frame(images)
    for whole in [1, 1.0]:
        embedder = make_embedder(encoder=Camera, field_of_view=whole).fit(framed)
        assert embedder.encoder_.aligner.side is None
        shapes = {photo.shape[2:] for photo in embedder.encoder_.trunk.photos}
        assert shapes == {(40, 40)}


@pytest.mark.parametrize(
    ("size", "field_of_view", "side"),
    [
        ((40, 40), 0.5, 20),
        ((40, 40), 0.45, 18),
        ((40, 40), 0.001, 8),
        ((39, 39), 0.5, 20),
        ((40, 30), 0.5, 20),
        ((30, 40), 0.5, 20),
        ((30, 40), 0.9, None),  # more than the shorter side
        ((40, 40), 0.999, None),
    ],
)
def test_a_given_field_of_view(size, field_of_view, side, make_embedder, images):
    framed = in_a_frame(images)[:, : size[0], : size[1]]
    embedder = make_embedder(encoder=Trunk, field_of_view=field_of_view).fit(framed)
    assert embedder.encoder_.aligner.side == side
    assert embedder.reconstruct(framed).shape == framed.shape


def test_without_alignment_the_field_of_view_has_no_effect(make_embedder, images):
    framed = in_a_frame(images)
    whole, same = (
        make_embedder(encoder=Trunk, align=False, field_of_view=side).fit(framed)
        for side in [1, 0.4]
    )
    for method in ["transform", "reconstruct"]:
        np.testing.assert_array_equal(
            getattr(same, method)(framed), getattr(whole, method)(framed)
        )


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_the_field_of_view_reaches_as_far_as_objects_move(
    invariance, make_embedder, images
):
    """From the middle of the image, where they are only turned."""
    framed = in_a_frame(images, std=0.12)
    embedder = make_embedder(encoder=Trunk, invariance=invariance).fit(framed)
    side = embedder.encoder_.aligner.side
    assert (side is None or side >= 28) == (invariance == "rotation")


def test_a_field_of_view_for_three_channels_on_white(make_embedder, images):
    framed = in_a_frame(images)
    colored = np.stack([255 - framed, 255 - framed // 2, 255 - framed // 3], axis=-1)
    embedder = make_embedder(encoder=Trunk).fit(colored)
    # Range and mass differ a little: the channels are scaled together.
    black = make_embedder(encoder=Trunk).fit(framed)
    assert abs(embedder.encoder_.aligner.side - black.encoder_.aligner.side) <= 2
    drawn = embedder.reconstruct(colored, canonical=True)
    np.testing.assert_allclose(drawn[:, [0, 0, -1, -1], [0, -1, 0, -1]], 255, atol=1e-3)


def test_noise_all_over_is_encoded_whole(make_embedder):
    noise = np.random.default_rng(0).random((30, 24, 24))
    assert make_embedder(encoder=Trunk).fit(noise).encoder_.aligner.side is None


def test_a_pickled_embedder_keeps_its_field_of_view(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Trunk).fit(framed)
    copy = pickle.loads(pickle.dumps(embedder))
    assert copy.encoder_.aligner.side == embedder.encoder_.aligner.side < 40
    for method in ["transform", "reconstruct", "canonicalize"]:
        np.testing.assert_array_equal(
            getattr(copy, method)(framed), getattr(embedder, method)(framed)
        )


def test_a_warm_start_keeps_its_field_of_view(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Trunk, warm_start=True).fit(framed)
    side = embedder.encoder_.aligner.side
    embedder.fit(np.pad(images, [(0, 0), (12, 12), (12, 12)]) // 2)
    assert embedder.encoder_.aligner.side == side
    with pytest.raises(ValueError, match=r"field_of_view=1.*warm_start=False"):
        embedder.set_params(field_of_view=1).fit(framed)


def test_a_clusterer_fine_tunes_what_the_field_of_view_shows(
    make_embedder, make_clusterer, images
):
    framed = in_a_frame(images)
    embedding = make_embedder(encoder=Camera).fit_transform(framed)
    side = embedding.encoder.aligner.side
    clusterer = make_clusterer(augmentation="R+T+D").fit(embedding)
    photos = clusterer.encoder_.trunk.photos[len(embedding.encoder.trunk.photos) :]
    assert photos
    assert {photo.shape[2:] for photo in photos} == {(side, side)}
    assert clusterer.predict_proba(embedding).shape == (48, 3)


def test_at_rest_the_net_is_on_the_cpu(make_embedder, images):
    """So that a pickle loads where there is no GPU."""
    embedder = make_embedder(device="auto").fit(images)
    embedder.transform(images)
    tensors = embedder.net_.module_.state_dict().values()
    assert {tensor.device.type for tensor in tensors} == {"cpu"}
    assert not embedder.net_.module_.training


def test_no_warning_of_ours(make_embedder, images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_embedder().fit(images).transform(images)


# What a trained model has learned

N_TRAINED = 400
LEARNER = {
    "d": 16,
    "n_frequencies": 32,
    "inr_hidden": (32,),
    "hypernetwork_hidden": (32,),
}


@pytest.fixture(scope="module")
def many_digits():
    images, _ = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
    return images[:N_TRAINED]


@pytest.fixture(scope="module")
def trained(make_embedder, many_digits):
    return make_embedder(
        **LEARNER, encoder_width=4, max_epochs=8, batch_size=50, lr=3e-3
    ).fit(many_digits)


MOVES = {
    "turned": {"translation_std": 0.0},
    "shifted": {"translation_std": 0.05, "rotate": False},
    "turned and shifted": {"translation_std": 0.05},
}


@pytest.mark.parametrize("move", MOVES)
def test_z_stays_when_the_image_moves(move, trained, many_digits):
    moved = make_oriented(many_digits, random_state=1, return_pose=False, **MOVES[move])
    assert np.abs(moved.astype(float) - many_digits).mean() > 5
    z, z_moved = trained.transform(many_digits), trained.transform(moved)
    assert invariance_score(z, z_moved) > 0.7
    # Of other images, z points elsewhere.
    assert abs(invariance_score(z, np.roll(z, 1, axis=0))) < 0.3


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("move", MOVES)
def test_pose_follows_a_known_move(move, learned, trained, many_digits):
    """``theta' = theta + alpha``, ``tau' = R(alpha) tau + t``."""
    moved, alpha, shift = make_oriented(many_digits, random_state=1, **MOVES[move])
    theta, tau = trained.predict_pose(many_digits, learned=learned)
    theta_moved, tau_moved = trained.predict_pose(moved, learned=learned)

    turn = np.angle(np.exp(1j * (theta_moved - theta - alpha)))
    assert np.median(np.abs(turn)) < np.deg2rad(10)

    cos, sin = np.cos(alpha), np.sin(alpha)
    expected_x = cos * tau[:, 0] - sin * tau[:, 1] + shift[:, 0]
    expected_y = sin * tau[:, 0] + cos * tau[:, 1] + shift[:, 1]
    distance = np.hypot(tau_moved[:, 0] - expected_x, tau_moved[:, 1] - expected_y)
    assert np.median(distance) < 1


def test_pose_tells_the_move_alone(trained, many_digits):
    """Poses of one image in many orientations differ as its moves do."""
    copies = np.repeat(many_digits[5:6], 60, axis=0)
    moved, alpha, shift = make_oriented(copies, translation_std=0.05, random_state=2)
    theta, tau = trained.predict_pose(moved)
    assert rotation_error(alpha, theta) < 10
    assert translation_error(shift, tau) < 1


def test_reconstruction_beats_the_mean_image(trained, many_digits):
    scaled = many_digits / 255
    row, column = np.indices((20, 20)) - 9.5
    inside = np.hypot(row, column) <= 10
    mean_image = ((scaled - scaled.mean(axis=0)) ** 2)[:, inside].mean()
    assert -trained.score(many_digits) < 0.8 * mean_image


def test_canonical_reconstructions_are_the_posed_ones_moved(trained, many_digits):
    theta, tau = trained.predict_pose(many_digits)
    canonical = trained.reconstruct(many_digits, canonical=True)
    posed = trained.reconstruct(many_digits)
    moved = move_array(canonical[:, None], theta, tau, 0.0)[:, 0]
    pair = back_and_smooth_inside(smoothed(moved), smoothed(posed))
    assert np.corrcoef(*pair)[0, 1] > 0.98


@pytest.fixture(scope="module")
def white_frames(many_digits):
    """Dark digits of 20 x 20 pixels somewhere in white frames of 44 x 44."""
    return 255 - in_a_frame(many_digits[:150])


@pytest.fixture(scope="module")
def trained_in_frames(make_embedder, white_frames):
    return make_embedder(**LEARNER, max_epochs=6, batch_size=25, lr=5e-3).fit(
        white_frames
    )


def test_z_of_small_objects_stays_when_they_move(trained_in_frames, white_frames):
    assert trained_in_frames.encoder_.aligner.side < 30
    moved = make_oriented(
        white_frames, translation_std=0.05, random_state=1, return_pose=False
    )
    z, z_moved = (trained_in_frames.transform(X) for X in (white_frames, moved))
    assert invariance_score(z, z_moved) > 0.7
    assert abs(invariance_score(z, np.roll(z, 1, axis=0))) < 0.3


@pytest.mark.parametrize("learned", [True, False])
def test_pose_of_small_objects_follows_a_known_move(
    learned, trained_in_frames, white_frames
):
    moved, alpha, shift = make_oriented(
        white_frames, translation_std=0.05, random_state=1
    )
    theta, tau = trained_in_frames.predict_pose(white_frames, learned=learned)
    theta_moved, tau_moved = trained_in_frames.predict_pose(moved, learned=learned)
    turn = np.angle(np.exp(1j * (theta_moved - theta - alpha)))
    assert np.median(np.abs(turn)) < np.deg2rad(10)
    expected = np.exp(1j * alpha) * (tau @ [1, 1j]) + shift @ [1, 1j]
    assert np.median(np.abs(tau_moved @ [1, 1j] - expected)) < 1


def test_the_learned_pose_of_small_objects_is_near_the_analytic_one(
    trained_in_frames, white_frames
):
    """In pixels of the whole image, not of the square that is encoded."""
    theta, tau = trained_in_frames.predict_pose(white_frames)
    rule_theta, rule_tau = trained_in_frames.predict_pose(white_frames, learned=False)
    assert np.median(np.hypot(*(tau - rule_tau).T)) < 2
    assert np.median(np.abs(np.angle(np.exp(1j * (theta - rule_theta))))) < 0.35
    assert np.hypot(*rule_tau.T).max() > 5


def test_small_objects_are_drawn_where_they_are_on_background(
    trained_in_frames, white_frames
):
    drawn = trained_in_frames.reconstruct(white_frames)
    assert drawn.shape == white_frames.shape
    _, tau = trained_in_frames.predict_pose(white_frames)
    row, column = np.indices((44, 44)) - 21.5
    x, y = tau.T[:, :, None, None]
    away = (
        np.hypot(column - x, -row - y)
        > trained_in_frames.encoder_.aligner.side / 2 + 0.01
    )
    np.testing.assert_allclose(drawn[away], 255, atol=1e-3)
    inside = np.hypot(row, column) <= 22
    blank = ((1 - white_frames / 255) ** 2)[:, inside].mean()
    assert -trained_in_frames.score(white_frames) < 0.7 * blank


def test_canonical_drawings_of_small_objects_are_the_posed_ones_moved(
    trained_in_frames, white_frames
):
    theta, tau = trained_in_frames.predict_pose(white_frames)
    canonical = trained_in_frames.reconstruct(white_frames, canonical=True)
    posed = trained_in_frames.reconstruct(white_frames)
    moved = move_array(canonical[:, None], theta, tau, 255.0)[:, 0]
    pair = back_and_smooth_inside(smoothed(moved), smoothed(posed))
    assert np.corrcoef(*pair)[0, 1] > 0.98


def test_copies_share_a_canonical_view(trained, many_digits):
    moved = make_oriented(
        many_digits, translation_std=0.03, random_state=1, return_pose=False
    )
    first = trained.canonicalize(many_digits).reshape(N_TRAINED, -1)
    second = trained.canonicalize(moved).reshape(N_TRAINED, -1)

    def similarity(a, b):
        return np.mean([np.corrcoef(*pair)[0, 1] for pair in zip(a, b, strict=True)])

    own, other = similarity(first, second), similarity(first, np.roll(second, 1, 0))
    assert own > 0.9
    assert other < own - 0.1


def test_z_does_not_depend_on_the_rest_of_the_batch(trained, many_digits):
    z = trained.transform(many_digits)
    order = np.random.default_rng(0).permutation(N_TRAINED)
    one_by_one = np.concatenate(
        [trained.transform(many_digits[i : i + 1]) for i in range(8)]
    )
    np.testing.assert_allclose(
        trained.transform(many_digits[order]), z[order], rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(one_by_one, z[:8], rtol=1e-3, atol=1e-4)
    theta, tau = trained.predict_pose(many_digits)
    theta_some, tau_some = trained.predict_pose(many_digits[:7])
    np.testing.assert_allclose(
        np.exp(1j * theta_some), np.exp(1j * theta[:7]), atol=1e-3
    )
    np.testing.assert_allclose(tau_some, tau[:7], atol=1e-3)
