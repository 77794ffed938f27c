"""Variational encoders and their bound, against loops and closed forms."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from invariant_cluster import TargetVAEEmbedder
from invariant_cluster.geometry import (
    disc_mask,
    move_images,
    pixel_grid,
    rotation_matrix,
)
from invariant_cluster.images import infer_layout
from invariant_cluster.losses import gaussian_divergence
from invariant_cluster.modules import (
    AttentionVAEEncoder,
    Gaussian,
    ImageAligner,
    MLPVAEEncoder,
    PoseRule,
    PoseVAE,
    Reconstruction,
    SpatialGenerator,
    VAEBatch,
)
from invariant_cluster.training import ELBOObjective


def make_aligner(size=(16, 16), translates=True):
    return ImageAligner(
        PoseRule("principal_axis", translates),
        align=False,
        intensity_range=(0, 1),
        background=torch.zeros(1),
        layout=infer_layout(np.empty((1, *size))),
    )


def make_attention(size=(16, 16), translates=True, **options):
    settings = {"n_rotations": 4, "n_kernels": 3, "kernel_size": 5}
    return AttentionVAEEncoder(
        make_aligner(size, translates),
        d=2,
        translation_std=0.1,
        **{**settings, **options},
    ).eval()


def make_mlp_encoder(translates=True):
    aligner = make_aligner((8, 8), translates)
    return MLPVAEEncoder(aligner, d=2, hidden=(7,), translation_std=0.1).eval()


def make_blobs(n=3, side=16):
    """Return images that are 0 but in the middle, (n, 1, side, side)."""
    images = torch.zeros(n, 1, side, side)
    middle = slice(side // 2 - 3, side // 2 + 3)
    images[:, :, middle, middle] = torch.rand(n, 1, 6, 6)
    return images


def sharpen(encoder, factor=20.0):
    """Let attention differ much between places, as it does after training."""
    with torch.no_grad():
        encoder.attention.weight.mul_(factor)
    return encoder


# Normal distributions


def test_divergence_is_that_of_torch():
    mean, log_std = torch.randn(5, 3), torch.randn(5, 3)
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.7))
    torch.testing.assert_close(gaussian_divergence(mean, log_std, 1.7), expected)


def test_gaussian_samples_its_mean_and_deviation():
    gaussian = Gaussian.of(torch.tensor([[2.0, -1.0, 0.0, -2.0]]).repeat(20_000, 1))
    drawn = gaussian.sample()
    torch.testing.assert_close(
        drawn.mean(dim=0), torch.tensor([2.0, -1.0]), atol=0.03, rtol=0
    )
    torch.testing.assert_close(
        drawn.std(dim=0), torch.tensor([1.0, math.exp(-2)]), atol=0.02, rtol=0
    )


def test_gaussian_splits_into_columns():
    gaussian = Gaussian(torch.randn(4, 3), torch.randn(4, 3))
    first, others = gaussian.split(1)
    assert torch.equal(torch.cat([first.mean, others.mean], dim=1), gaussian.mean)
    torch.testing.assert_close(
        first.divergence() + others.divergence(), gaussian.divergence()
    )


# The bound


def test_bound_equals_the_naive_twin():
    logits, targets = torch.randn(2, 5, 1), torch.rand(2, 5, 1)
    divergence = torch.tensor([0.5, 1.5])
    batch = VAEBatch(Reconstruction(logits, targets), divergence, n_pixels=40)
    total = 0.0
    for logit, target in zip(logits.flatten(), targets.flatten(), strict=True):
        s = 1 / (1 + math.exp(-logit))
        total -= float(target * math.log(s) + (1 - target) * math.log(1 - s))
    per_image = total / 2 * 40 / 5  # 5 of 40 pixels were drawn
    terms = ELBOObjective(3.0)(batch)
    assert terms["loss"].item() == pytest.approx(per_image + 3.0 * 1.0, rel=1e-5)
    assert terms["divergence"].item() == pytest.approx(1.0)


def test_model_counts_the_pixels_of_the_disc():
    model = PoseVAE(make_mlp_encoder(), SpatialGenerator(2, 1, (4,)))
    batch = model.forward_sample(torch.rand(3, 1, 8, 8), n_pixels=5)
    assert batch.n_pixels == int(disc_mask(8, 8).sum())
    assert batch.reconstruction.logits.shape == (3, 5, 1)


def test_generated_image_turns_with_the_drawn_pose():
    """Drawing in pose (theta, tau) shows what the canonical image has there."""
    generator = SpatialGenerator(2, 1, (6,))
    model = PoseVAE(make_mlp_encoder(), generator).eval()
    z, theta = torch.randn(2, 2), torch.tensor([0.0, math.pi / 2])
    still = model.draw_image(z, theta * 0, torch.zeros(2, 2))
    turned = model.draw_image(z, theta, torch.zeros(2, 2))
    torch.testing.assert_close(turned[0], still[0])
    torch.testing.assert_close(turned[1], still[1].rot90(dims=(1, 2)))


# Spatial-VAE's encoder


@pytest.mark.parametrize("translates", [True, False])
def test_mlp_encoder_divergence_equals_the_naive_twin(translates):
    encoder = make_mlp_encoder(translates)
    seen = torch.rand(3, 1, 8, 8)
    mean, log_std = encoder.layers(seen.flatten(1)).detach().chunk(2, dim=1)
    expected = []
    for i in range(3):
        total = 0.0
        for k in range(5):  # theta, tau_x, tau_y, z_1, z_2
            if k in (1, 2) and not translates:
                continue
            prior = math.pi if k == 0 else 1.0
            std = math.exp(log_std[i, k])
            total += math.log(prior / std) - 0.5
            total += (std**2 + float(mean[i, k]) ** 2) / (2 * prior**2)
        expected.append(total)
    torch.testing.assert_close(
        encoder.sample(seen).divergence.detach(), torch.tensor(expected)
    )


def test_mlp_encoder_keeps_the_object_in_the_middle_without_translation():
    encoder = make_mlp_encoder(translates=False)
    seen = torch.rand(3, 1, 8, 8)
    assert not encoder.sample(seen).tau.any()
    assert not encoder.infer_aligned(seen).tau.any()


def test_mlp_encoder_samples_around_its_estimate():
    encoder = make_mlp_encoder()
    seen = torch.rand(1, 1, 8, 8).expand(4000, -1, -1, -1)
    sample = encoder.sample(seen)
    tau = encoder.infer_aligned(seen[:1]).tau
    torch.testing.assert_close(
        sample.z.mean(dim=0), encoder.embed_aligned(seen[:1])[0], atol=0.1, rtol=0
    )
    torch.testing.assert_close(sample.tau.mean(dim=0), tau[0], atol=0.02, rtol=0)


# TARGET-VAE's encoder


def test_kernels_turn_counter_clockwise():
    kernels = make_attention().lift
    turned = kernels.turned().unflatten(0, (4, -1))
    for quarter in range(4):
        torch.testing.assert_close(
            turned[quarter],
            kernels.weight.rot90(quarter, dims=(2, 3)),
            atol=1e-5,
            rtol=1e-4,
        )


def test_group_convolution_equals_the_naive_twin():
    lift = make_attention().lift
    image = torch.rand(1, 1, 6, 6)
    padded = np.pad(image[0, 0].numpy(), 2)
    kernels = lift.turned().detach().unflatten(0, (4, 3)).numpy()
    expected = np.empty((4, 3, 6, 6))
    for r in range(4):
        for k in range(3):
            for i in range(6):
                for j in range(6):
                    patch = padded[i : i + 5, j : j + 5]
                    expected[r, k, i, j] = (patch * kernels[r, k, 0]).sum()
    bias = lift.bias.detach().numpy()[None, :, None, None]
    np.testing.assert_allclose(lift(image)[0].detach(), expected + bias, atol=1e-5)


def test_prior_is_a_distribution_around_the_middle():
    prior = make_attention().log_prior.exp()
    assert prior.sum().item() == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(prior[0], prior[3])
    grid = pixel_grid(16, 16).reshape(-1, 2)
    variance = (prior.sum(dim=0)[:, None] * grid.square()).sum(dim=0)
    torch.testing.assert_close(variance, torch.full((2,), 0.2**2), atol=1e-3, rtol=0)


@torch.no_grad()
def test_attention_divergence_equals_the_naive_twin(monkeypatch):
    encoder = sharpen(make_attention((8, 8), kernel_size=3))
    seen = torch.rand(2, 1, 8, 8)
    drawn = {}

    def one_hot(logits, **_):
        drawn["index"] = logits.argmax(dim=1)
        return torch.nn.functional.one_hot(drawn["index"], logits.shape[1]).float()

    monkeypatch.setattr(torch.nn.functional, "gumbel_softmax", one_hot)
    divergence = encoder.sample(seen).divergence
    found = encoder._find(seen)
    for i in range(2):
        total = 0.0
        for r in range(4):
            for p in range(64):
                log_q = float(found.log_q[i, r, p])
                total += math.exp(log_q) * (log_q - float(encoder.log_prior[r, p]))
        r, p = divmod(int(drawn["index"][i]), 64)
        outputs = encoder.posterior(found.features[i, r, :, p])
        for k, prior in enumerate([math.pi / 4, 1.0, 1.0]):
            mean, std = float(outputs[k]), math.exp(outputs[3 + k])
            total += math.log(prior / std) + (std**2 + mean**2) / (2 * prior**2) - 0.5
        assert divergence[i].item() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("translates", [True, False])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_turns_the_pose_and_leaves_z(translates, quarters):
    options = {} if translates else {"kernel_size": None}
    encoder = sharpen(make_attention(translates=translates, **options))
    still = make_blobs()
    turned = still.rot90(quarters, dims=(2, 3))
    torch.testing.assert_close(
        encoder.embed_aligned(turned), encoder.embed_aligned(still)
    )
    (theta, tau), (theta_turned, tau_turned) = (
        encoder.infer_aligned(seen)[1:] for seen in (still, turned)
    )
    alpha = torch.full((3,), quarters * math.pi / 2)
    torch.testing.assert_close(
        rotation_matrix(theta_turned), rotation_matrix(theta + alpha), atol=1e-4, rtol=0
    )
    expected = (rotation_matrix(alpha) @ tau[:, :, None]).squeeze(-1)
    torch.testing.assert_close(tau_turned, expected, atol=1e-5, rtol=0)


def test_a_shift_moves_tau_and_leaves_z():
    encoder = make_attention()
    with torch.no_grad():  # look at the image alone, not at the prior of places
        encoder.log_prior.fill_(0.0)
        encoder.attention.weight.copy_(
            torch.tensor([60.0, 0.0, 0.0])[None, :, None, None]
        )
        encoder.mix.weight.copy_(torch.eye(3)[:, :, None, None])
        encoder.lift.weight.abs_()
    still = make_blobs()
    t = torch.tensor([[3.0, -2.0]]).repeat(3, 1) * 2 / 16
    shifted = move_images(still, torch.zeros(3), t)
    torch.testing.assert_close(
        encoder.embed_aligned(shifted), encoder.embed_aligned(still), atol=1e-3, rtol=0
    )
    moved = encoder.infer_aligned(shifted).tau - encoder.infer_aligned(still).tau
    torch.testing.assert_close(moved, t, atol=0.01, rtol=0)


def test_attention_looks_at_the_middle_of_long_images():
    encoder = make_attention((8, 12), translates=False, kernel_size=None)
    seen = torch.rand(2, 1, 8, 12)
    other = seen.clone()
    other[..., :2], other[..., -2:] = 1.0, 0.0
    torch.testing.assert_close(
        encoder.embed_aligned(other), encoder.embed_aligned(seen)
    )
    assert not encoder.infer_aligned(seen).tau.any()


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
@pytest.mark.parametrize("background", [0, 90, 255])
def test_attention_sees_no_edge_around_the_background(background, images):
    """A blank image has nothing to look at, so its tau is the prior's mean, 0."""
    embedder = TargetVAEEmbedder(
        d=4,
        n_rotations=1,
        n_kernels=4,
        n_frequencies=4,
        generator_hidden=(4,),
        intensity_range=(0, 255),
        background=background,
        max_epochs=1,
        batch_size=16,
        device="cpu",
        precision="float32",
        random_state=0,
    ).fit(images)
    _, tau = embedder.predict_pose(np.full_like(images[:1], background))
    np.testing.assert_allclose(tau, 0, atol=1e-5)
