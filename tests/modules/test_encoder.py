"""ResNet, pose head, hypernetwork, and the encoder that scales and aligns."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from invariant_cluster.geometry import move_images
from invariant_cluster.images import infer_layout
from invariant_cluster.modules import (
    Hypernetwork,
    ImageAligner,
    ImplicitNetwork,
    PoseEncoder,
    PoseRule,
    PoseVectors,
    ResNet18,
    _resnet,
    make_mlp,
)

RULES = ["center_of_mass", "complex_moment", "principal_axis"]


class Pooled(nn.Module):
    """A trunk of two features: mean and largest value."""

    def forward(self, images):
        return torch.stack([images.mean(dim=(1, 2, 3)), images.amax(dim=(1, 2, 3))], 1)


def make_encoder(
    trunk=None,
    *,
    rule="complex_moment",
    translates=True,
    align=True,
    intensity_range=(0.0, 1.0),
    background=(0.0,),
    size=(16, 16),
    d=4,
    side=None,
):
    shape = size if len(background) == 1 else (*size, len(background))
    resnet = ResNet18(len(background), 2)
    aligner = ImageAligner(
        PoseRule(rule, translates),
        align=align,
        intensity_range=intensity_range,
        background=torch.tensor(background),
        layout=infer_layout(np.empty((1, *shape))),
        side=side,
    )
    n_features = resnet.n_features if trunk is None else 2
    return PoseEncoder(aligner, trunk or resnet, n_features, d=d).eval()


def draw_object(n, side=32, n_channels=1):
    """Return n smooth, lopsided objects of peak 0.9 on black."""
    y, x = torch.meshgrid(*2 * [torch.linspace(-1, 1, side)], indexing="ij")
    images = []
    for i in range(n):
        spots = [(0.3, 0.05 * i, 0.9), (-0.1, 0.25, 0.5), (-0.2, -0.15, 0.3)]
        image = sum(
            a * torch.exp(-((x - u) ** 2 + (y - v) ** 2) / 0.04) for u, v, a in spots
        )
        images.append(image)
    return torch.stack(images)[:, None].expand(-1, n_channels, -1, -1).clamp(0, 1)


def angles(n):
    return torch.arange(n) * (2 * math.pi / n) + 0.3


# ResNet18


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (32, 32), (40, 24)])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_resnet_averages_any_size_to_its_features(size, n_channels):
    resnet = ResNet18(n_channels, width=2)
    assert resnet.n_features == 16
    assert resnet(torch.rand(2, n_channels, *size)).shape == (2, 16)


def test_the_stem_keeps_the_resolution():
    resnet = ResNet18(1, width=2)
    assert resnet.stem(torch.rand(1, 1, 16, 16)).shape[-2:] == (16, 16)
    assert resnet.stages(resnet.stem(torch.rand(1, 1, 16, 16))).shape[-2:] == (2, 2)


def test_resnet18_has_the_known_number_of_weights():
    """torchvision's has 11,176,512 without its last layer and with a 7x7 RGB stem."""
    n_weights = sum(p.numel() for p in ResNet18(3).parameters())
    assert n_weights == 11_176_512 - 64 * 3 * (49 - 9)
    convolutions = [m for m in ResNet18(3).modules() if isinstance(m, nn.Conv2d)]
    assert sum(m.kernel_size == (3, 3) for m in convolutions) == 17


@pytest.mark.parametrize("n_channels", [1, 3])
def test_in_evaluation_the_normalisation_is_folded_into_the_convolutions(
    n_channels, monkeypatch
):
    resnet = ResNet18(n_channels, width=3)
    images = torch.rand(8, n_channels, 17, 20)
    for norm in resnet.modules():
        if isinstance(norm, nn.BatchNorm2d):  # neither 0 nor 1, as after training
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
    resnet(images)
    folded = resnet.eval()(images)
    apart = []

    def normalize_apart(x, conv, norm):
        apart.append(norm)
        return norm(conv(x))

    monkeypatch.setattr(_resnet, "normalized", normalize_apart)
    torch.testing.assert_close(folded, resnet(images), atol=1e-5, rtol=1e-4)
    assert len(apart) == 20


def test_a_residual_block_without_weights_is_its_skip():
    resnet = ResNet18(1, width=2)
    block = resnet.stages[0].eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.rand(1, 2, 8, 8)
    torch.testing.assert_close(block(x), x)


# MLP and pose head


def test_an_mlp_is_linear_at_its_end():
    layers = make_mlp([3, 4, 5], nn.Tanh)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.Tanh, nn.Linear]
    assert layers(torch.rand(2, 3)).shape == (2, 5)


@pytest.mark.parametrize(
    ("rule", "n_outputs"), [(RULES[0], 2), (RULES[1], 4), (RULES[2], 4), (None, 4)]
)
def test_the_head_has_the_outputs_that_the_rule_needs(rule, n_outputs):
    assert PoseRule(rule, True).n_outputs == n_outputs
    outputs = torch.randn(3, n_outputs)
    center, direction = PoseRule(rule, True).split(outputs)
    assert torch.equal(center, outputs[:, :2])
    assert torch.equal(direction, outputs[:, n_outputs - 2 :])


@pytest.mark.parametrize("length", [0.1, 1.0, 50.0])
def test_rotation_and_theta_agree(length):
    theta = angles(8)
    direction = length * torch.stack([theta.cos(), theta.sin()], dim=1)
    pose, rule = PoseVectors(torch.zeros(8, 2), direction), PoseRule(None, True)
    torch.testing.assert_close(rule.theta(pose), theta)
    expected = [
        [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]] for a in theta
    ]
    torch.testing.assert_close(
        rule.rotation(pose), torch.tensor(expected), atol=1e-4, rtol=0
    )


def test_an_undecided_direction_has_a_bounded_gradient():
    direction = torch.zeros(1, 2, requires_grad=True)
    pose = PoseVectors(torch.zeros(1, 2), direction)
    PoseRule(None, True).rotation(pose).sum().backward()
    assert direction.grad.isfinite().all()
    assert PoseRule(None, True).theta(pose).item() == 0


@pytest.mark.parametrize("translates", [True, False])
def test_tau_is_the_center_or_zero(translates):
    pose = PoseVectors(torch.randn(3, 2), torch.randn(3, 2))
    tau = PoseRule("complex_moment", translates).tau(pose)
    assert torch.equal(tau, pose.center if translates else torch.zeros(3, 2))


# Hypernetwork


def test_the_hypernetwork_is_the_papers():
    implicit = ImplicitNetwork(1)
    layers = Hypernetwork(512, implicit).layers
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    sizes = [linear[0].in_features, *(layer.out_features for layer in linear)]
    assert sizes[:-1] == [512, 256, 256, 256]
    assert sizes[-1] % 8 == 0
    assert 0 <= sizes[-1] - implicit.n_weights < 8
    slopes = {m.negative_slope for m in layers if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.1}


def test_z_modulates_a_network_that_starts_sane():
    implicit = ImplicitNetwork(1, n_frequencies=64, hidden=(64, 64))
    hypernetwork = Hypernetwork(16, implicit, hidden=(32,))
    eta = hypernetwork(torch.randn(50, 16))
    assert eta.shape[1] >= implicit.n_weights
    assert 0 < eta.std(dim=0).mean() < 0.3 * eta.abs().mean()
    logits = implicit(torch.rand(50, 20, 2) * 2 - 1, eta)
    assert 0.5 < logits.std() < 3
    assert logits.std(dim=0).mean() > 0.01


# Encoder: scaling


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_scaling_maps_the_range_to_zero_and_one(dtype):
    encoder = make_encoder(intensity_range=(10, 30), background=(20.0,))
    raw = torch.tensor([0, 10, 15, 30, 200]).to(dtype)
    scaled = encoder.aligner.scale(raw)
    assert scaled.dtype == torch.float32
    assert scaled.tolist() == [0, 0, 0.25, 1, 1]
    assert encoder.aligner.unscale(scaled).tolist() == [10, 10, 15, 30, 30]
    assert encoder.aligner.fill.tolist() == [[[0.5]]]


def test_z_is_the_same_in_any_units():
    images = torch.rand(3, 1, 16, 16)
    torch.manual_seed(1)
    plain = make_encoder()
    torch.manual_seed(1)
    other = make_encoder(intensity_range=(-5, 5), background=(-5.0,))
    z = plain(images)
    torch.testing.assert_close(other(images * 10 - 5), z, atol=1e-4, rtol=1e-4)


# Encoder: z


def test_z_has_mean_zero_and_variance_one_over_a_batch():
    encoder = make_encoder(d=4).train()
    z = encoder.encode(torch.rand(64, 1, 16, 16)).z
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    variance = z.var(dim=0, unbiased=False)
    assert (variance <= 1 + 1e-5).all()
    assert not encoder.norm.affine


def test_in_evaluation_z_does_not_depend_on_the_batch():
    encoder, images = make_encoder(), torch.rand(5, 1, 16, 16)
    torch.testing.assert_close(encoder(images)[1:2], encoder(images[1:2]))


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_shapes(n_channels, size):
    encoder = make_encoder(background=(0.0,) * n_channels, size=size)
    images = torch.rand(2, n_channels, *size)
    encoding = encoder.encode(images)
    assert encoding.z.shape == encoder(images).shape == (2, 4)
    assert encoding.seen.shape == images.shape
    theta, tau = encoder.predict_pose(images)
    assert theta.shape == (2,)
    assert tau.shape == (2, 2)
    for learned in (True, False):
        assert encoder.canonical(images, learned=learned).shape == images.shape


# Encoder: alignment


def test_without_alignment_the_trunk_sees_the_images():
    encoder, images = make_encoder(align=False), torch.rand(2, 1, 16, 16)
    assert encoder.aligner(images) is images
    assert torch.equal(encoder.encode(images).seen, images)


@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_an_aligned_encoder_sees_the_same_whatever_the_pose(white, n_channels):
    encoder = make_encoder(background=(float(white),) * n_channels, size=(32, 32))
    images = draw_object(1, n_channels=n_channels).repeat(6, 1, 1, 1)
    images = 1 - images if white else images
    tau = torch.rand(6, 2) * 0.2 - 0.1
    seen = encoder.aligner(move_images(images, angles(6), tau, fill=float(white)))
    spread = seen.amax(dim=0) - seen.amin(dim=0)
    assert spread.max() < 0.1
    assert spread.mean() < 0.01
    unaligned = move_images(images, angles(6), tau, fill=float(white))
    assert (unaligned.amax(dim=0) - unaligned.amin(dim=0)).max() > 0.5


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("translates", [True, False])
def test_the_analytic_pose_follows_a_move(rule, translates):
    encoder = make_encoder(rule=rule, translates=translates, size=(32, 32))
    images, alpha = draw_object(4), angles(4)
    t = (torch.rand(4, 2) * 0.2 - 0.1) * (rule != "center_of_mass" and translates)
    theta, tau = encoder.aligner.analytic_pose(images)
    moved_theta, moved_tau = encoder.aligner.analytic_pose(
        move_images(images, alpha, t)
    )
    error = (moved_theta - theta - alpha + math.pi).remainder(2 * math.pi) - math.pi
    assert error.abs().max() < 0.02
    turn = torch.complex(alpha.cos(), alpha.sin())
    expected = torch.view_as_real(turn * torch.complex(*tau.T)) + t
    torch.testing.assert_close(moved_tau, expected, atol=1e-3, rtol=0)
    assert tau.any() == translates


@pytest.mark.parametrize("side", [None, 20])
@pytest.mark.parametrize("translates", [True, False])
def test_the_learned_pose_comes_on_top_of_the_alignment(translates, side):
    """A head that says a pose of the aligned image adds it to the analytic one.

    It says its shift in units of the frame that it sees.
    """
    encoder = make_encoder(Pooled(), translates=translates, size=(32, 32), side=side)
    unit = side / 32 if side else 1.0
    for layer in encoder.head:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    said = torch.tensor([0.1, 0.05, math.cos(0.5), math.sin(0.5)])
    encoder.head[-1].bias.data[encoder.d :] = said
    images = draw_object(4)
    theta, tau = encoder.aligner.analytic_pose(images)
    learned_theta, learned_tau = encoder.predict_pose(images)
    difference = (learned_theta - theta).remainder(2 * math.pi)
    torch.testing.assert_close(difference, torch.full((4,), 0.5))
    turn = torch.complex(theta.cos(), theta.sin()) * complex(0.1, 0.05)
    expected = tau + torch.view_as_real(turn) * translates * unit
    torch.testing.assert_close(learned_tau, expected)

    encoder.aligner.align, encoder.aligner.side = False, None
    theta, tau = encoder.predict_pose(images)
    torch.testing.assert_close(theta, torch.full((4,), 0.5))
    assert torch.equal(tau, (said[:2] * translates).expand(4, 2))


@pytest.mark.parametrize("translates", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_the_learned_pose_begins_at_the_alignment(rule, translates):
    encoder = make_encoder(rule=rule, translates=translates)
    pose = encoder.encode(torch.rand(5, 1, 16, 16)).pose
    half_a_pixel = 1 / 16
    assert encoder.pose_rule.tau(pose).norm(dim=1).max() < half_a_pixel
    rotation = encoder.pose_rule.rotation(pose)
    torch.testing.assert_close(rotation, torch.eye(2).expand(5, 2, 2))


@pytest.mark.parametrize("align", [True, False])
def test_canonical_views_by_the_rule_need_no_alignment(align):
    encoder = make_encoder(align=align, size=(32, 32))
    images = draw_object(1).repeat(4, 1, 1, 1)
    moved = move_images(images, angles(4), torch.rand(4, 2) * 0.1)
    views = encoder.canonical(moved, learned=False)
    assert (views.amax(dim=0) - views.amin(dim=0)).mean() < 0.01


# Encoder: field of view


@pytest.mark.parametrize(
    ("size", "side", "zoom"), [((16, 16), 8, 0.5), ((24, 40), 10, 0.25)]
)
def test_zoom_is_the_side_in_units_of_the_longer_side(size, side, zoom):
    assert make_encoder(size=size, side=side).aligner.zoom == pytest.approx(zoom)
    assert make_encoder(size=size).aligner.zoom == 1


@pytest.mark.parametrize(
    ("size", "side"), [((32, 32), 16), ((31, 31), 15), ((24, 32), 16), ((32, 24), 18)]
)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_the_trunk_sees_the_middle_of_the_aligned_image(size, side, n_channels):
    background = (0.3,) * n_channels
    encoder = make_encoder(size=size, side=side, background=background)
    whole = make_encoder(size=size, background=background)
    images = torch.rand(3, n_channels, *size)
    full, seen = whole.aligner(images), encoder.aligner(images)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    middle = full[..., top : top + side, left : left + side]
    torch.testing.assert_close(seen, middle, atol=1e-4, rtol=0)
    assert encoder.encode(images).seen.shape == (3, n_channels, side, side)
    assert encoder(images).shape == (3, 4)
    for learned in (True, False):
        assert encoder.canonical(images, learned=learned).shape == images.shape


def test_the_analytic_pose_and_the_canonical_view_are_of_the_whole_image():
    images = draw_object(3)
    whole, part = make_encoder(size=(32, 32)), make_encoder(size=(32, 32), side=12)
    for mine, other in zip(
        part.aligner.analytic_pose(images),
        whole.aligner.analytic_pose(images),
        strict=True,
    ):
        assert torch.equal(mine, other)
    assert torch.equal(
        part.canonical(images, learned=False), whole.canonical(images, learned=False)
    )


def test_a_large_frame_around_the_object_changes_nothing_that_is_seen():
    """The same side of a larger image: the same pixels, z, and pose in pixels."""
    images = draw_object(4)
    framed = torch.nn.functional.pad(images, (10, 10, 10, 10))
    torch.manual_seed(1)
    near = make_encoder(size=(32, 32), side=20)
    torch.manual_seed(1)
    far = make_encoder(size=(52, 52), side=20)
    torch.testing.assert_close(
        far.aligner(framed), near.aligner(images), atol=0.01, rtol=0
    )
    torch.testing.assert_close(far(framed), near(images), atol=0.01, rtol=0)
    theta, tau = near.predict_pose(images)
    far_theta, far_tau = far.predict_pose(framed)
    torch.testing.assert_close(far_theta.cos(), theta.cos(), atol=0.02, rtol=0)
    torch.testing.assert_close(far_tau * 52 / 2, tau * 32 / 2, atol=0.05, rtol=0)


@pytest.mark.parametrize("rule", [*RULES, None])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_constant_images_give_no_nan(rule, value):
    encoder = make_encoder(rule=rule, background=(0.4,)).train()
    images = torch.full((4, 1, 16, 16), value, requires_grad=True)
    encoding = encoder.encode(images)
    encoding.z.sum().backward()
    assert encoding.z.isfinite().all()
    for pose in (encoder.aligner.analytic_pose(images), encoder.predict_pose(images)):
        assert all(part.isfinite().all() for part in pose)
    gradients = [p.grad for p in encoder.trunk.parameters()]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_an_image_without_mass_is_left_where_it_is():
    encoder = make_encoder(background=(0.4,))
    images = torch.full((2, 1, 16, 16), 0.4)
    assert torch.equal(encoder.aligner(images), images)
    theta, tau = encoder.aligner.analytic_pose(images)
    assert not theta.any()
    assert not tau.any()
