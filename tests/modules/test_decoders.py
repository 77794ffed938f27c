"""Decoders: interchangeable maps of z and points to logits."""

import numpy as np
import pytest
import torch
from torch import nn

from invariant_cluster.geometry import pixel_grid
from invariant_cluster.losses import squared_error
from invariant_cluster.modules import FourierFeatures, PixelDecoder, SpatialGenerator


def quarter_turn(points):
    """Return R(-90 degrees) of points (n, p, 2)."""
    return torch.stack([points[..., 1], -points[..., 0]], dim=-1)


def grid_points(side, n):
    return pixel_grid(side, side).reshape(1, -1, 2).expand(n, -1, -1)


def draw(decoder, z, points, side):
    """Return the drawn images (n, c, side, side)."""
    return decoder(z, points).transpose(1, 2).unflatten(2, (side, side))


def test_spatial_generator_equals_the_naive_twin():
    generator = SpatialGenerator(3, 2, (5, 4), activation=nn.Tanh)
    z, points = torch.randn(2, 3), torch.rand(2, 6, 2) * 2 - 1
    first, last = generator.layers[1], generator.layers[3]
    expected = np.empty((2, 6, 2))
    for i in range(2):
        for p in range(6):
            hidden = generator.from_points.weight @ points[i, p]
            hidden = hidden + generator.from_points.bias
            hidden = torch.tanh(hidden + generator.from_z.weight @ z[i])
            hidden = torch.tanh(first.weight @ hidden + first.bias)
            expected[i, p] = (last.weight @ hidden + last.bias).detach().numpy()
    np.testing.assert_allclose(generator(z, points).detach(), expected, atol=1e-5)


def test_spatial_generator_sees_points_through_their_features():
    features = FourierFeatures(4, 1.0)
    generator = SpatialGenerator(3, 1, (5,), features=features)
    z, points = torch.randn(2, 3), torch.rand(2, 6, 2)
    assert generator.from_points.in_features == features.n_features == 8
    with torch.no_grad():
        features.frequencies.zero_()  # all points then look alike
    logits = generator(z, points)
    torch.testing.assert_close(logits, logits[:, :1].expand(-1, 6, -1))


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("side", [8, 13, 16])
def test_pixel_decoder_draws_at_least_the_side(side, n_channels):
    decoder = PixelDecoder(3, n_channels, side, width=2).eval()
    points = grid_points(side, 2)
    assert decoder(torch.randn(2, 3), points).shape == (2, side**2, n_channels)
    drawn = decoder.layers(decoder.start(torch.randn(2, 3)).unflatten(1, (-1, 4, 4)))
    assert drawn.shape[-1] >= side


def test_pixel_decoder_reads_its_own_pixels():
    decoder = PixelDecoder(3, 1, 16, width=2).eval()
    z = torch.randn(2, 3)
    pixels = decoder.layers(decoder.start(z).unflatten(1, (-1, 4, 4)))
    torch.testing.assert_close(draw(decoder, z, grid_points(16, 2), 16), pixels)


def test_pixel_decoder_turns_by_its_points():
    decoder = PixelDecoder(3, 1, 16, width=2).eval()
    z, points = torch.randn(2, 3), grid_points(16, 2)
    still = draw(decoder, z, points, 16)
    turned = draw(decoder, z, quarter_turn(points), 16)
    torch.testing.assert_close(turned, still.rot90(dims=(2, 3)), atol=1e-5, rtol=1e-4)


def test_pixel_decoder_goes_on_with_the_border_outside():
    decoder = PixelDecoder(3, 1, 8, width=2).eval()
    z = torch.randn(1, 3)
    inside, outside = torch.tensor([[[1.0, 0.3]]]), torch.tensor([[[4.0, 0.3]]])
    torch.testing.assert_close(decoder(z, outside), decoder(z, inside))


@torch.no_grad()
@pytest.mark.parametrize("decoder", ["hypernetwork", "mlp", "pixels"])
def test_decoder_draws_after_training_as_in_it(make_embedder, images, decoder):
    settings = {"max_epochs": 30, "batch_size": 48, "lr": 1e-2, "inr_hidden": (16, 16)}
    with torch.enable_grad():
        embedder = make_embedder(decoder=decoder, **settings).fit(images)
    model, raw = embedder.net_.module_, torch.tensor(images)[:, None]
    encoding = model.encoder.encode(model.encoder.aligner.scale(raw))
    error = squared_error(*model.reconstruct_sample(encoding))
    in_training = embedder.history_["squared_error"].iloc[-1]
    assert error.item() == pytest.approx(in_training, rel=0.1)


@pytest.mark.parametrize("decoder", ["hypernetwork", "mlp", "pixels"])
def test_embedder_learns_with_each_decoder(make_embedder, images, decoder):
    settings = {"inr_hidden": (16, 16), "max_epochs": 8, "lr": 1e-2}
    embedder = make_embedder(decoder=decoder, **settings).fit(images)
    errors = embedder.history_["reconstruction"]
    assert errors.iloc[-1] < 0.9 * errors.iloc[0]
    assert embedder.reconstruct(images).shape == images.shape
    assert np.isfinite(embedder.transform(images)).all()
