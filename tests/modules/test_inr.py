"""The implicit network against one small MLP an image, and the model around it."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import disc_mask, image_mass, pixel_grid
from invariant_cluster.images import infer_layout
from invariant_cluster.modules import (
    IRLINR,
    FourierFeatures,
    Hypernetwork,
    HypernetworkDecoder,
    ImageAligner,
    ImplicitNetwork,
    PoseEncoder,
    PoseRule,
    PoseVectors,
    ResNet18,
)

SMALL = {"n_frequencies": 6, "hidden": (10, 7)}
PAPER = {"n_frequencies": 256, "hidden": (256, 256, 256)}


def naive_features(points, frequencies):
    """Appendix A: ``(cos(2 pi B x), sin(2 pi B x))``."""
    phases = [
        [2 * math.pi * (b[0] * x + b[1] * y) for b in frequencies] for x, y in points
    ]
    return [[*map(math.cos, row), *map(math.sin, row)] for row in phases]


def naive_network(points, eta, frequencies, sizes):
    """One image's MLP with its weights w_1, b_1, w_2, b_2, ... in turn, in NumPy."""
    x = np.array(naive_features(points, frequencies))
    for layer in range(len(sizes) - 1):
        n_in, n_out = sizes[layer : layer + 2]
        weight, eta = eta[: n_in * n_out].reshape(n_in, n_out), eta[n_in * n_out :]
        bias, eta = eta[:n_out], eta[n_out:]
        x = x @ weight + bias
        if layer < len(sizes) - 2:
            x = np.maximum(x, 0)
    assert len(eta) == 0
    return x


def run_image_by_image(implicit, points, eta):
    """Build an ``nn.Sequential`` for each image from its own weights, and run it."""
    outputs = []
    for image_points, weights in zip(points, eta, strict=True):
        x, start = implicit.features(image_points), 0
        for n_in, n_out in zip(implicit.sizes, implicit.sizes[1:], strict=False):
            stop = start + n_in * n_out
            weight = weights[start:stop].reshape(n_in, n_out)
            x = torch.nn.functional.linear(x, weight.T, weights[stop : stop + n_out])
            start = stop + n_out
            if start < len(weights):
                x = torch.relu(x)
        outputs.append(x)
    return torch.stack(outputs)


def draw_weights(implicit, n):
    """Return n sets of weights near an initialisation, biases included."""
    eta = torch.stack([implicit.initial_weights() for _ in range(n)])
    return eta + 0.05 * torch.randn_like(eta)


def make_model(
    *,
    size=(8, 8),
    n_channels=1,
    rule="complex_moment",
    translates=True,
    align=False,
    side=None,
    background=0.0,
):
    shape = size if n_channels == 1 else (*size, n_channels)
    trunk = ResNet18(n_channels, 2)
    aligner = ImageAligner(
        PoseRule(rule, translates),
        align=align,
        intensity_range=(0, 1),
        background=torch.full((n_channels,), background),
        layout=infer_layout(np.empty((1, *shape))),
        side=side,
    )
    encoder = PoseEncoder(aligner, trunk, trunk.n_features, d=5)
    implicit = ImplicitNetwork(n_channels, **SMALL)
    return IRLINR(
        encoder, HypernetworkDecoder(Hypernetwork(5, implicit, hidden=(9,)), implicit)
    )


# Fourier features


def test_fourier_features_equal_the_naive_twin():
    features, points = FourierFeatures(5, 2.0), torch.rand(3, 4, 2) * 2 - 1
    expected = [
        naive_features(image.tolist(), features.frequencies.tolist())
        for image in points
    ]
    torch.testing.assert_close(
        features(points), torch.tensor(expected), atol=1e-5, rtol=0
    )


def test_frequencies_are_normal_with_the_given_scale_and_not_trained():
    features = FourierFeatures(20_000, 3.0)
    assert features.frequencies.shape == (20_000, 2)
    assert features.frequencies.std().item() == pytest.approx(3, rel=0.02)
    assert features.frequencies.mean().item() == pytest.approx(0, abs=0.05)
    assert not list(features.parameters())
    assert "frequencies" in features.state_dict()


# The batched network


def test_number_of_weights_of_the_papers_network():
    network = ImplicitNetwork(3)
    assert network.sizes == (512, 256, 256, 256, 3)
    pairs = [(512, 256), (256, 256), (256, 256), (256, 3)]
    assert network.n_weights == sum(n_in * n_out + n_out for n_in, n_out in pairs)
    assert not list(network.parameters())


@pytest.mark.parametrize("n_channels", [1, 3])
def test_values_equal_the_naive_twin(n_channels):
    implicit = ImplicitNetwork(n_channels, **SMALL)
    eta, points = draw_weights(implicit, 4), torch.rand(4, 9, 2) * 2 - 1
    logits = implicit(points, eta)
    frequencies = implicit.features.frequencies.tolist()
    for i in range(4):
        twin = naive_network(
            points[i].tolist(), eta[i].double().numpy(), frequencies, implicit.sizes
        )
        np.testing.assert_allclose(logits[i].numpy(), twin, atol=1e-5)


@pytest.mark.parametrize("options", [SMALL, PAPER, {"n_frequencies": 4, "hidden": ()}])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_batch_equals_a_loop_over_images_in_values_and_gradients(options, n_channels):
    implicit = ImplicitNetwork(n_channels, **options)
    points = torch.rand(3, 40, 2) * 2 - 1
    results = []
    for run in (implicit, lambda p, eta: run_image_by_image(implicit, p, eta)):
        torch.manual_seed(1)
        eta = draw_weights(implicit, 3).requires_grad_()
        moved = points.clone().requires_grad_()
        logits = run(moved, eta)
        (logits.sin()).mean().backward()
        results.append((logits.detach(), eta.grad, moved.grad))
    for batched, looped in zip(*results, strict=True):
        assert looped.abs().max() > 1e-3
        torch.testing.assert_close(batched, looped, atol=1e-5, rtol=1e-5)


def test_each_image_depends_on_its_own_weights_only():
    implicit = ImplicitNetwork(**SMALL)
    eta = draw_weights(implicit, 3).requires_grad_()
    implicit(torch.rand(3, 5, 2), eta)[1].sum().backward()
    assert eta.grad[1].any()
    assert not eta.grad[[0, 2]].any()


def test_initial_weights_keep_the_signal_at_one_scale():
    network = ImplicitNetwork(1, n_frequencies=128, hidden=(128, 128))
    eta = torch.stack([network.initial_weights() for _ in range(20)])
    logits = network(torch.rand(20, 64, 2) * 2 - 1, eta)
    assert logits.std().item() == pytest.approx(1, rel=0.3)


# The model


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (12, 8)])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_what_is_trained_is_what_is_drawn(size, n_channels):
    """Reconstructed pixels are those of the whole image drawn in the same pose."""
    model = make_model(size=size, n_channels=n_channels).eval()
    images = torch.rand(4, n_channels, *size)
    encoding = model.encoder.encode(images)
    direction = torch.nn.functional.normalize(torch.randn(4, 2))
    encoding = encoding._replace(pose=PoseVectors(torch.randn(4, 2) * 0.2, direction))
    rule = model.encoder.pose_rule
    logits, targets = model.reconstruct_sample(encoding)
    drawn = model.draw_image(
        encoding.z, rule.theta(encoding.pose), rule.tau(encoding.pose)
    )
    inside = disc_mask(*size)
    assert drawn.shape == images.shape
    assert torch.equal(targets, images[..., inside].transpose(1, 2))
    torch.testing.assert_close(
        logits.sigmoid(), drawn[..., inside].transpose(1, 2), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    ("align", "rule", "learns"),
    [
        (False, "complex_moment", True),
        (True, "complex_moment", False),
        (True, None, True),
    ],
)
def test_the_reconstruction_trains_the_pose_unless_a_rule_aligned_the_images(
    align, rule, learns
):
    model = make_model(align=align, rule=rule)
    encoding = model.encoder.encode(torch.rand(4, 1, 8, 8))
    logits, _ = model.reconstruct_sample(encoding)
    inputs = [*encoding.pose, encoding.z]
    *pose, z = torch.autograd.grad(logits.square().sum(), inputs, allow_unused=True)
    assert z.abs().max() > 0
    assert [part is not None and bool(part.any()) for part in pose] == [learns] * 2


def test_a_drawn_image_turns_with_its_pose():
    model = make_model()
    z, tau = torch.randn(2, 5), torch.zeros(2, 2)
    upright = model.draw_image(z, torch.zeros(2), tau)
    turned = model.draw_image(z, torch.full((2,), math.pi / 2), tau)
    torch.testing.assert_close(
        turned, torch.rot90(upright, 1, (2, 3)), atol=1e-4, rtol=0
    )
    pixel = torch.tensor([[2 / 8, 0.0]] * 2)
    shifted = model.draw_image(z, torch.zeros(2), pixel)
    torch.testing.assert_close(shifted[..., 1:], upright[..., :-1], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("size", "side"), [((16, 16), 10), ((15, 15), 9), ((20, 16), 12), ((16, 20), 12)]
)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_drawn_field_of_view_lies_in_the_middle_of_background(size, side, n_channels):
    model = make_model(size=size, n_channels=n_channels, side=side, background=0.3)
    z, rest = torch.randn(2, 5), (torch.zeros(2), torch.zeros(2, 2))
    drawn = model.draw_image(z, *rest)
    assert drawn.shape == (2, n_channels, *size)
    points = pixel_grid(side, side).reshape(1, -1, 2).expand(2, -1, -1)
    inner = model.draw(z, points).sigmoid().transpose(1, 2)
    inner = inner.reshape(2, n_channels, side, side)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    middle = drawn[..., top : top + side, left : left + side]
    inside = disc_mask(side, side)
    torch.testing.assert_close(
        middle[..., inside], inner[..., inside], atol=1e-4, rtol=0
    )
    pixels_away = pixel_grid(*size).norm(dim=-1) * max(size) / 2
    outside = drawn[..., pixels_away > side / 2]
    torch.testing.assert_close(outside, torch.full_like(outside, 0.3))


def test_a_drawn_field_of_view_moves_with_its_pose():
    """By grid units of the whole image; what it leaves behind is background."""
    model = make_model(size=(16, 16), side=8, background=0.3)
    z, still = torch.randn(2, 5), torch.zeros(2, 2)
    upright = model.draw_image(z, torch.zeros(2), still)
    turned = model.draw_image(z, torch.full((2,), math.pi / 2), still)
    torch.testing.assert_close(
        turned, torch.rot90(upright, 1, (2, 3)), atol=1e-4, rtol=0
    )
    three_right = torch.tensor([[3 * 2 / 16, 0.0]] * 2)
    shifted = model.draw_image(z, torch.zeros(2), three_right)
    torch.testing.assert_close(shifted[..., 3:], upright[..., :-3], atol=1e-4, rtol=0)
    assert torch.equal(shifted[..., :4], torch.full((2, 1, 16, 4), 0.3))


def test_what_is_trained_is_what_is_drawn_in_a_field_of_view():
    """Targets are pixels of the square; the drawing shows them where they came from."""
    model = make_model(size=(16, 16), side=10, align=True).eval()
    encoding = model.encoder.encode(torch.rand(4, 1, 16, 16))
    direction = torch.nn.functional.normalize(torch.randn(4, 2))
    pose = PoseVectors(torch.randn(4, 2) * 0.1, direction)
    encoding = encoding._replace(pose=pose)
    logits, targets = model.reconstruct_sample(encoding)
    inside = disc_mask(10, 10)
    assert torch.equal(targets, encoding.seen[..., inside].transpose(1, 2))
    rule = model.encoder.pose_rule
    tau = rule.tau(pose) * model.encoder.aligner.zoom
    drawn = model.draw_image(encoding.z, rule.theta(pose), tau)[..., 3:13, 3:13]
    away = (pixel_grid(10, 10)[inside] - pose.center[:, None]).norm(dim=-1)
    known = away < 0.99
    torch.testing.assert_close(
        logits.sigmoid()[known], drawn[:, 0, inside][known][:, None], atol=1e-4, rtol=0
    )


def test_sampled_pixels_lie_in_the_disc_and_differ_from_draw_to_draw():
    model = make_model(size=(12, 12)).eval()
    rows = pixel_grid(12, 12)[..., 1].expand(3, 1, 12, 12) * 0.5 + 0.5
    columns = pixel_grid(12, 12)[..., 0] * 0.5 + 0.5
    images = rows + columns / 100  # each pixel has a value of its own
    encoding = model.encoder.encode(images)
    inside = set(images[0, 0][disc_mask(12, 12)].tolist())
    draws = [model.reconstruct_sample(encoding, 10).targets for _ in range(2)]
    for targets in draws:
        assert targets.shape == (3, 10, 1)
        values = targets[0].flatten().tolist()
        assert len(set(values)) == 10
        assert set(values) <= inside
    assert not torch.equal(*draws)
    everything = model.reconstruct_sample(encoding, 10_000).targets
    assert set(everything[0].flatten().tolist()) == inside


@pytest.mark.parametrize(("align", "side"), [(False, None), (True, None), (True, 8)])
def test_forward_views_encodes_images_and_both_views(align, side):
    model = make_model(size=(12, 12), align=align, side=side).eval()
    images, view1, view2 = torch.rand(3, 4, 1, 12, 12)
    seen = model.encoder.aligner(torch.cat([images, view1, view2]))
    batch = model.forward_views(seen, n_pixels=7)
    torch.testing.assert_close(batch.z1, model(view1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(batch.z2, model(view2), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(batch.mass, image_mass(seen[:4]))
    assert batch.reconstruction.logits.shape == (4, 7, 1)
    assert batch.pose.center.shape == batch.pose.direction.shape == (4, 2)


def test_with_one_copy_images_are_compared_with_their_view():
    model = make_model(size=(12, 12)).eval()
    images, view = torch.rand(2, 4, 1, 12, 12)
    seen = model.encoder.aligner(torch.cat([images, view]))
    batch = model.forward_views(seen, n_pixels=7, n_copies=1)
    torch.testing.assert_close(batch.z1, model(images), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(batch.z2, model(view), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(batch.mass, image_mass(seen[:4]))


def test_the_reconstruction_trains_every_part():
    model = make_model()
    batch = model.forward_views(torch.rand(12, 1, 8, 8), n_pixels=None)
    batch.reconstruction.logits.square().mean().backward()
    missing = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert not missing


def test_beyond_the_disc_of_a_small_object_there_is_background():
    model = make_model(size=(16, 16), background=0.3)
    z, rest = torch.randn(2, 5), (torch.zeros(2), torch.zeros(2, 2))
    drawn = model.draw_image(z, *rest, scale=torch.tensor([0.5, 2.0]))
    away = pixel_grid(16, 16).norm(dim=-1)
    small, large = drawn[0, 0], drawn[1, 0]
    assert torch.equal(small == 0.3, away > 0.5)
    assert not (large == 0.3).any()
