"""Each map against plain loops, and the pose law of the package on smooth blobs."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster import _geometry
from invariant_cluster._geometry import (
    analytic_pose,
    angle_of,
    canonicalize_images,
    center_of_mass,
    complex_moment,
    compose_poses,
    disc_mask,
    image_mass,
    move_array,
    move_images,
    pixel_grid,
    pixels_to_units,
    rotation_matrix,
    sample_affine,
    symmetry_targets,
    to_canonical,
)

SIZES = [(40, 40), (32, 48), (48, 32)]
RULES = ["center_of_mass", "complex_moment", "principal_axis"]


def naive_point(row, column, height, width):
    """Centre of a pixel; the longer side's edges are at -1 and 1, y points up."""
    pixel = 2 / max(height, width)
    x = (column + 0.5) * pixel - width * pixel / 2
    y = height * pixel / 2 - (row + 0.5) * pixel
    return x, y


def naive_turn(point, theta):
    x, y = point
    return (
        math.cos(theta) * x - math.sin(theta) * y,
        math.sin(theta) * x + math.cos(theta) * y,
    )


def naive_value(image, x, y, fill):
    """Bilinear value of an image (h, w) at a point; ``fill`` outside the frame."""
    height, width = image.shape
    pixel = 2 / max(height, width)
    column = (x + width * pixel / 2) / pixel - 0.5
    row = (height * pixel / 2 - y) / pixel - 0.5
    total = 0.0
    for i in (math.floor(row), math.floor(row) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            inside = 0 <= i < height and 0 <= j < width
            value = image[i, j] if inside else fill
            total += (1 - abs(row - i)) * (1 - abs(column - j)) * value
    return total


def naive_move(image, theta, tau, fill):
    """``J'(x) = J(R(-theta) (x - tau))``, pixel by pixel."""
    moved = np.empty_like(image)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            x, y = naive_point(row, column, *image.shape)
            source = naive_turn((x - tau[0], y - tau[1]), -theta)
            moved[row, column] = naive_value(image, *source, fill)
    return moved


def naive_center(mass):
    total, sums = 0.0, [0.0, 0.0]
    for (row, column), value in np.ndenumerate(mass):
        x, y = naive_point(row, column, *mass.shape)
        total += value
        sums[0] += value * x
        sums[1] += value * y
    return [sums[0] / total, sums[1] / total]


def naive_moment(mass, center, p, q):
    """``mu_pq = sum w^p conj(w)^q J / sum J``."""
    total, moment = 0.0, 0j
    for (row, column), value in np.ndenumerate(mass):
        x, y = naive_point(row, column, *mass.shape)
        w = complex(x - center[0], y - center[1])
        total += value
        moment += value * w**p * w.conjugate() ** q
    return [(moment / total).real, (moment / total).imag]


def draw_blobs(height, width, n_channels, theta=None, tau=None, n=6):
    """Draw n objects of five Gaussian spots each, moved exactly: no interpolation."""
    rng = np.random.default_rng(7)
    short = min(height, width) / max(height, width)
    centers = rng.uniform(-0.3, 0.3, (n, 5, 2)) * short
    heights = rng.uniform(0.2, 1, (n, 5, n_channels))
    grid = pixel_grid(height, width).double().reshape(-1, 2).numpy()
    images = np.zeros((n, n_channels, height * width))
    for i in range(n):
        for spot, peak in zip(centers[i], heights[i], strict=True):
            if theta is not None:
                spot = np.add(naive_turn(spot, float(theta[i])), tau[i].numpy())
            square = ((grid - spot) ** 2).sum(axis=1)
            images[i] += peak[:, None] * np.exp(-square / (2 * (0.14 * short) ** 2))
    images = images.reshape(n, n_channels, height, width) / 3
    return torch.from_numpy(images).float()


def draw_moves(n=6, size=0.08):
    """Return angles all around and shifts of up to ``size`` in x and y."""
    theta = torch.arange(n) * (2 * math.pi / n) + 0.4
    return theta, (torch.rand(n, 2) * 2 - 1) * size


def circular_error(first, second):
    """Largest difference of angles."""
    difference = (first - second + math.pi).remainder(2 * math.pi) - math.pi
    return difference.abs().max().item()


def turned(points, theta):
    """Return R(theta) points, one angle a point."""
    return torch.tensor(
        [naive_turn(p, t) for p, t in zip(points.tolist(), theta.tolist(), strict=True)]
    )


# Grid, mask and angles


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (3, 5), (6, 2)])
def test_pixel_grid_equals_the_naive_twin(size):
    expected = [
        [naive_point(i, j, *size) for j in range(size[1])] for i in range(size[0])
    ]
    torch.testing.assert_close(pixel_grid(*size), torch.tensor(expected))


@pytest.mark.parametrize("size", SIZES)
def test_the_longer_sides_edges_are_at_one(size):
    grid, pixel = pixel_grid(*size), pixels_to_units(*size)
    assert grid.abs().max().item() + pixel / 2 == pytest.approx(1)
    assert (grid[:, 1:, 0] - grid[:, :-1, 0]).unique().numpy() == pytest.approx(pixel)
    assert grid[0, 0, 1] > grid[1, 0, 1]  # y points up


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (8, 13), (13, 8)])
def test_disc_mask_equals_the_naive_twin(size):
    radius = min(size) / max(size)
    expected = [
        [math.hypot(*naive_point(i, j, *size)) <= radius for j in range(size[1])]
        for i in range(size[0])
    ]
    assert disc_mask(*size).tolist() == expected


def test_rotation_matrix_turns_counter_clockwise():
    theta, _ = draw_moves()
    points = torch.randn(6, 2)
    product = (rotation_matrix(theta) @ points[:, :, None]).squeeze(-1)
    torch.testing.assert_close(product, turned(points, theta))


def test_angle_of_lies_in_the_half_open_range():
    theta = torch.linspace(0, 2 * math.pi, 50)[:-1]
    torch.testing.assert_close(angle_of(3 * theta.cos(), 3 * theta.sin()), theta)
    edge = angle_of(torch.ones(3), torch.tensor([-1e-9, -1e-30, 0.0]))
    assert edge.tolist() == [0, 0, 0]
    assert angle_of(torch.zeros(1), torch.zeros(1)).item() == 0


@pytest.mark.parametrize("per_image", [False, True])
def test_to_canonical_equals_the_naive_twin(per_image):
    theta, tau = draw_moves(size=1.0)
    points = torch.randn(6, 5, 2) if per_image else torch.randn(5, 2)
    expected = [
        [
            naive_turn(
                (p[0] - tau[i, 0].item(), p[1] - tau[i, 1].item()), -theta[i].item()
            )
            for p in (points[i] if per_image else points).tolist()
        ]
        for i in range(6)
    ]
    result = to_canonical(points, rotation_matrix(theta), tau)
    torch.testing.assert_close(result, torch.tensor(expected), atol=1e-6, rtol=1e-5)


def test_compose_poses_equals_the_product_of_matrices():
    def homogeneous(theta, tau):
        (a, c), (b, d) = naive_turn((1, 0), theta), naive_turn((0, 1), theta)
        return np.array([[a, b, tau[0]], [c, d, tau[1]], [0, 0, 1]])

    outer, inner = draw_moves(), draw_moves(size=0.5)
    theta, tau = compose_poses(*outer, *inner)
    assert ((theta >= 0) & (theta < 2 * math.pi)).all()
    for i in range(len(theta)):
        first = homogeneous(outer[0][i].item(), outer[1][i].tolist())
        product = first @ homogeneous(inner[0][i].item(), inner[1][i].tolist())
        found = homogeneous(theta[i].item(), tau[i].tolist())
        np.testing.assert_allclose(found, product, atol=1e-6)


# Motion


@pytest.mark.parametrize("size", [(8, 8), (8, 11), (11, 8)])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_move_images_equals_the_naive_twin(size, n_channels):
    images = torch.rand(3, n_channels, *size)
    theta = torch.tensor([0.0, 0.7, 4.0])
    tau = torch.tensor([[0.3, -0.2], [0.0, 0.0], [-0.1, 0.55]])
    fill = torch.linspace(0.2, 0.9, n_channels)[:, None, None]
    moved = move_images(images, theta, tau, fill)
    for i in range(3):
        for c in range(n_channels):
            twin = naive_move(
                images[i, c].double().numpy(),
                theta[i].item(),
                tau[i].tolist(),
                fill[c].item(),
            )
            np.testing.assert_allclose(moved[i, c].numpy(), twin, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (8, 11)])
def test_sample_affine_equals_the_naive_twin(size):
    images, matrix = torch.rand(2, 1, *size), torch.randn(2, 2, 2)
    offset = torch.randn(2, 2) * 0.2
    sampled = sample_affine(images, matrix, offset, 0.3)
    for i in range(2):
        image = images[i, 0].double().numpy()
        for row in range(size[0]):
            for column in range(size[1]):
                point = matrix[i].double().numpy() @ naive_point(row, column, *size)
                x, y = point + offset[i].double().numpy()
                expected = naive_value(image, x, y, 0.3)
                assert sampled[i, 0, row, column].item() == pytest.approx(
                    expected, abs=1e-5
                )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_motion_follows_its_formula_on_continuous_images(size, n_channels):
    theta, tau = draw_moves()
    moved = move_images(draw_blobs(*size, n_channels), theta, tau)
    exact = draw_blobs(*size, n_channels, theta, tau)
    inside = disc_mask(*size)
    assert (moved - exact).abs()[..., inside].max() < 0.04  # of a peak of 0.84
    assert (draw_blobs(*size, n_channels) - exact).abs().max() > 0.3


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("side", [8, 9])
def test_quarter_turns_of_square_images_are_exact(quarters, side):
    images = torch.rand(2, 3, side, side)
    angle = torch.full((2,), quarters * math.pi / 2)
    moved = move_images(images, angle, torch.zeros(2, 2), fill=0.5)
    expected = torch.rot90(images, quarters, (2, 3))
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_whole_pixel_shifts_are_exact_and_filled():
    images = torch.rand(1, 1, 8, 12)
    tau = torch.tensor([[3.0, 2.0]]) * pixels_to_units(8, 12)  # right and up
    moved = move_images(images, torch.zeros(1), tau, fill=0.25)[0, 0]
    torch.testing.assert_close(moved[:-2, 3:], images[0, 0, 2:, :-3], atol=1e-5, rtol=0)
    outside = torch.cat([moved[-2:].flatten(), moved[:, :3].flatten()])
    torch.testing.assert_close(outside, torch.full_like(outside, 0.25))


@pytest.mark.parametrize("size", SIZES)
def test_canonicalize_undoes_a_move(size):
    images, pose = draw_blobs(*size, 1), draw_moves()
    back = canonicalize_images(draw_blobs(*size, 1, *pose), *pose)
    inside = disc_mask(*size)
    assert (back - images).abs()[..., inside].max() < 0.04


def test_constant_images_stay_constant_when_filled_with_their_value():
    images = torch.full((6, 1, 9, 14), 0.7)
    assert torch.equal(move_images(images, *draw_moves(), fill=0.7), images)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_move_array_equals_move_images_and_keeps_dtype(dtype, monkeypatch):
    monkeypatch.setattr(_geometry, "_CHUNK", 4)  # six images: one chunk and a half
    images = (draw_blobs(16, 24, 3) * 200).numpy().astype(dtype)
    theta, tau = (part.numpy() for part in draw_moves(size=3.0))  # pixels
    fill = np.array([10.0, 20.0, 30.0])[:, None, None]
    moved = move_array(images, theta, tau, fill)
    twin = move_images(
        torch.from_numpy(images.astype("float32")),
        torch.from_numpy(theta),
        torch.from_numpy(tau) * (2 / 24),
        torch.from_numpy(fill).float(),
    )
    assert moved.dtype == images.dtype
    tolerance = 0.5 if images.dtype.kind in "iu" else 1e-4  # rounded, not truncated
    assert np.abs(moved - twin.numpy()).max() <= tolerance + 1e-4


def test_move_array_stays_within_the_range_of_the_integers():
    images = np.full((1, 1, 8, 8), 255, dtype=np.uint8)
    moved = move_array(images, np.array([0.3]), np.zeros((1, 2)), fill=400)
    assert moved.max() == 255
    assert moved[0, 0, 4, 4] == 255


# Moments


@pytest.mark.parametrize("size", [(8, 8), (8, 11), (11, 8)])
def test_center_of_mass_equals_the_naive_twin(size):
    mass = torch.rand(3, *size)
    expected = [naive_center(m) for m in mass.double().numpy()]
    torch.testing.assert_close(center_of_mass(mass), torch.tensor(expected).float())


@pytest.mark.parametrize(("p", "q"), [(2, 1), (3, 2), (1, 1), (2, 0)])
def test_complex_moment_equals_the_naive_twin(p, q):
    mass, center = torch.rand(3, 8, 11), torch.randn(3, 2) * 0.1
    expected = [
        naive_moment(m, c, p, q)
        for m, c in zip(mass.double().numpy(), center.tolist(), strict=True)
    ]
    result = complex_moment(mass, center, p, q)
    torch.testing.assert_close(
        result, torch.tensor(expected).float(), atol=1e-6, rtol=1e-5
    )


def test_image_mass_sums_channels_inside_the_disc():
    images, background = torch.rand(2, 3, 8, 10), torch.tensor([0.1, 0.5, 0.9])
    mass = image_mass(images, background[:, None, None])
    for i in range(2):
        for row in range(8):
            for column in range(10):
                inside = math.hypot(*naive_point(row, column, 8, 10)) <= 0.8
                values = zip(images[i, :, row, column], background, strict=True)
                total = sum(abs(float(value - empty)) for value, empty in values)
                expected = total if inside else 0
                assert mass[i, row, column].item() == pytest.approx(expected)


@pytest.mark.parametrize("translates", [True, False])
def test_symmetry_targets_are_what_each_rule_says(translates):
    mass = torch.rand(4, 9, 9)
    center, direction = symmetry_targets(mass, "center_of_mass", translates=translates)
    torch.testing.assert_close(center, center_of_mass(mass))
    assert torch.equal(direction, center)
    _, moment = symmetry_targets(mass, "complex_moment", translates=translates)
    about = center if translates else torch.zeros(4, 2)
    torch.testing.assert_close(moment, complex_moment(mass, about))
    _, nothing = symmetry_targets(mass, None, translates=translates)
    assert not nothing.any()


@pytest.mark.parametrize("rule", [*RULES, None])
def test_without_translation_tau_is_zero(rule):
    mass = image_mass(draw_blobs(40, 40, 1))
    theta, tau = analytic_pose(mass, rule, translates=False)
    assert not tau.any()
    assert theta.any() == (rule is not None)


# The pose law


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_the_pose_follows_a_move(size, n_channels, white, rule):
    """theta' = theta + alpha, tau' = R(alpha) tau + t."""
    alpha, t = draw_moves()
    if rule == "center_of_mass":
        t = torch.zeros_like(t)  # it says nothing of theta once images are translated

    def pose_of(images):
        mass = image_mass(1 - images, 1.0) if white else image_mass(images)
        return analytic_pose(mass, rule, translates=True)

    theta, tau = pose_of(draw_blobs(*size, n_channels))
    moved_theta, moved_tau = pose_of(draw_blobs(*size, n_channels, alpha, t))
    assert circular_error(moved_theta, theta + alpha) < 0.005
    expected = turned(tau, alpha) + t
    torch.testing.assert_close(moved_tau, expected, atol=1e-4, rtol=0)
    assert ((moved_theta >= 0) & (moved_theta < 2 * math.pi)).all()


@pytest.mark.parametrize("rule", RULES)
def test_the_pose_follows_interpolated_moves(rule):
    images = draw_blobs(40, 40, 1)
    alpha, t = draw_moves()
    t = t * (rule != "center_of_mass")
    theta, tau = analytic_pose(image_mass(images), rule, translates=True)
    moved = image_mass(move_images(images, alpha, t))
    moved_theta, moved_tau = analytic_pose(moved, rule, translates=True)
    assert circular_error(moved_theta, theta + alpha) < 0.01
    expected = turned(tau, alpha) + t
    torch.testing.assert_close(moved_tau, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("rule", RULES)
def test_the_pose_of_turned_images_that_are_not_translated(rule):
    images, (alpha, _) = draw_blobs(40, 40, 1), draw_moves()
    turned_images = draw_blobs(40, 40, 1, alpha, torch.zeros(6, 2))
    theta, _ = analytic_pose(image_mass(images), rule, translates=False)
    moved, _ = analytic_pose(image_mass(turned_images), rule, translates=False)
    assert circular_error(moved, theta + alpha) < 0.005


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", RULES)
def test_moved_images_have_the_same_canonical_view(size, rule):
    alpha, t = draw_moves()
    t = t * (rule != "center_of_mass")

    def canonical(images):
        pose = analytic_pose(image_mass(images), rule, translates=True)
        return canonicalize_images(images, *pose)

    images, moved = draw_blobs(*size, 3), draw_blobs(*size, 3, alpha, t)
    inside = disc_mask(*size)
    error = (canonical(moved) - canonical(images)).abs()[..., inside]
    assert error.max() < 0.03
    assert error.mean() < 0.001
    assert (moved - images).abs()[..., inside].mean() > 0.02


@pytest.mark.parametrize("rule", RULES)
def test_a_canonical_view_has_pose_zero(rule):
    images = draw_blobs(40, 40, 1)
    pose = analytic_pose(image_mass(images), rule, translates=True)
    if rule == "center_of_mass":  # its theta needs the mass off the centre
        pose = pose[0], torch.zeros_like(pose[1])
    canonical = canonicalize_images(images, *pose)
    theta, tau = analytic_pose(image_mass(canonical), rule, translates=True)
    assert circular_error(theta, torch.zeros(6)) < 0.02
    if rule == "complex_moment":
        assert tau.abs().max() < 2e-3


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_no_mass_is_pose_zero(rule, value):
    images = torch.full((2, 3, 10, 14), value)
    theta, tau = analytic_pose(image_mass(images, value), rule, translates=True)
    assert theta.tolist() == [0, 0]
    assert tau.tolist() == [[0, 0], [0, 0]]


def test_mass_outside_the_disc_does_not_count():
    images = torch.zeros(1, 1, 12, 12)
    images[..., 0, 0] = 1  # a corner, which a rotation throws away
    assert not image_mass(images).any()
