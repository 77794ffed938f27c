"""Tensors that are made once and kept."""

import pytest
import torch
from torch import nn

from invariant_cluster.geometry import (
    disc_mask,
    disc_points,
    homogeneous_grid,
    kept,
    kept_disc,
    pixel_grid,
)

CPU = torch.device("cpu")
SIZES = [(8, 8), (8, 11), (11, 8)]


def test_the_same_arguments_give_the_same_tensor():
    made = []

    @kept
    def count(n):
        made.append(n)
        return torch.arange(n)

    assert count(3) is count(3)
    assert count(4).tolist() == [0, 1, 2, 3]
    assert made == [3, 4]


def test_a_tensor_first_made_in_inference_mode_can_be_trained_with():
    points = kept(lambda n: torch.ones(n, 2))
    with torch.inference_mode():
        points(3)
    layer = nn.Linear(2, 1)
    layer(points(3)).sum().backward()
    assert layer.weight.grad.tolist() == [[3.0, 3.0]]


def test_nothing_is_kept_while_a_model_is_exported():
    class Shifted(nn.Module):
        def forward(self, x):
            return x + ones(3)

    ones = kept(lambda n: torch.ones(n))
    torch.export.export(Shifted(), (torch.rand(3),))
    assert type(ones(3)) is torch.Tensor
    assert ones(3).sum() == 3


@pytest.mark.parametrize("size", SIZES)
def test_a_kept_disc_is_the_disc(size):
    mask = disc_mask(*size)
    assert torch.equal(kept_disc(*size, torch.float32, CPU), mask.float())
    assert torch.equal(disc_points(*size, CPU), mask.flatten().nonzero()[:, 0])


@pytest.mark.parametrize("size", SIZES)
def test_the_grid_of_the_whole_frame_is_the_pixel_grid(size):
    found = homogeneous_grid(*size, max(size), torch.float32, CPU)
    torch.testing.assert_close(found[:, :2], pixel_grid(*size).reshape(-1, 2))
    assert (found[:, 2] == 1).all()


def test_a_frame_inside_the_image_has_the_images_units():
    found = homogeneous_grid(4, 4, 8, torch.float32, CPU)
    inner = pixel_grid(8, 8)[2:6, 2:6].reshape(-1, 2)
    torch.testing.assert_close(found[:, :2], inner)
