"""Each map against plain loops, and the pose law of the package on smooth blobs."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import (
    _motion,
    analytic_pose,
    angle_of,
    canonicalize_images,
    center_of_mass,
    complex_moment,
    compose_poses,
    disc_mask,
    exponential,
    image_mass,
    move_array,
    move_images,
    pixel_grid,
    pixels_to_units,
    principal_axis,
    rotation_matrix,
    sample_affine,
    sample_points,
    symmetry_targets,
    to_canonical,
)
from invariant_cluster.geometry._moments import low_moments
from invariant_cluster.geometry._principal_axis import _steepest_angle

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


def naive_axis(mass, about, p, q):
    """Best of 100,000 angles of ``Re(a e^{-it}) + 1/2 Re(b e^{-2it})``, a along it."""

    def moment(p, q):
        return complex(*naive_moment(mass, about, p, q))

    spread = moment(1, 1).real
    a, b = moment(p, q) / spread ** ((p + q) / 2), moment(2, 0) / spread
    t = np.arange(100_000) * (2 * math.pi / 100_000)
    height = (a * np.exp(-1j * t) + 0.5 * b * np.exp(-2j * t)).real
    best = t[height.argmax()]
    length = (a * np.exp(-1j * best)).real
    return [length * math.cos(best), length * math.sin(best)]


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


def draw_spots(spots, turns, size=48, width=0.07, shift=(0.0, 0.0)):
    """Draw spots (x, y, peak), turned by each angle and then shifted, as masses.

    Without interpolation; a shift moves the image's object, (n, size, size).
    """
    grid = pixel_grid(size, size)
    mass = torch.zeros(len(turns), size, size)
    for x, y, peak in spots:
        points = turned(torch.tensor([[x, y]] * len(turns)), turns)
        offset = grid - (points + torch.tensor(shift))[:, None, None]
        mass += peak * torch.exp(-offset.square().sum(dim=-1) / (2 * width**2))
    return mass


def axis_of(mass, translates=True):
    about = center_of_mass(mass) if translates else torch.zeros(len(mass), 2)
    return principal_axis(mass, about, first=(2, 1) if translates else (1, 0))


def direction_of(vectors):
    return angle_of(vectors[:, 0], vectors[:, 1])


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


@pytest.mark.parametrize("scale", [0.0, 1e-6, 0.1, 1.0, 5.0])
def test_the_exponential_equals_torchs(scale):
    matrix = torch.randn(200, 2, 2, dtype=torch.float64) * scale
    torch.testing.assert_close(exponential(matrix), torch.matrix_exp(matrix))


def test_the_exponential_of_a_turn_is_a_rotation():
    theta = torch.linspace(-3, 3, 7)
    zero = torch.zeros_like(theta)
    turns = torch.stack([zero, -theta, theta, zero], dim=1).reshape(-1, 2, 2)
    torch.testing.assert_close(exponential(turns), rotation_matrix(theta))


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


@pytest.mark.parametrize("size", [(8, 8), (8, 11), (11, 8)])
def test_sample_points_equals_the_naive_twin(size):
    images, points = torch.rand(2, 3, *size), torch.rand(2, 4, 5, 2) * 2.4 - 1.2
    fill = torch.tensor([0.2, 0.5, 0.9])[:, None, None]
    sampled = sample_points(images, points, fill)
    assert sampled.shape == (2, 3, 4, 5)
    for i, c, row, column in np.ndindex(*sampled.shape):
        image = images[i, c].double().numpy()
        x, y = points[i, row, column].tolist()
        expected = naive_value(image, x, y, fill[c].item())
        assert sampled[i, c, row, column].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_sample_points_of_an_affine_map_equals_sample_affine(size):
    images, matrix = torch.rand(3, 2, *size), torch.randn(3, 2, 2)
    offset, fill = torch.randn(3, 2) * 0.2, torch.tensor([0.3, 0.6])[:, None, None]
    points = torch.einsum("nij,hwj->nhwi", matrix, pixel_grid(*size))
    torch.testing.assert_close(
        sample_points(images, points + offset[:, None, None], fill),
        sample_affine(images, matrix, offset, fill),
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize("size", SIZES)
def test_sampling_an_image_at_its_own_grid_is_the_image(size):
    images = torch.rand(3, 2, *size)
    points = pixel_grid(*size).expand(3, -1, -1, -1)
    torch.testing.assert_close(
        sample_points(images, points, 0.5), images, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    ("size", "side"),
    [((16, 16), 10), ((15, 15), 9), ((16, 24), 12), ((24, 16), 16), ((15, 21), 7)],
)
def test_a_side_returns_the_middle_of_the_full_sampling(size, side):
    """For sides that lie on the image's pixels: both even or both odd."""
    images, matrix = torch.rand(3, 2, *size), torch.randn(3, 2, 2)
    offset, fill = torch.randn(3, 2) * 0.2, torch.tensor([0.3, 0.6])[:, None, None]
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    full = sample_affine(images, matrix, offset, fill)
    cropped = sample_affine(images, matrix, offset, fill, side=side)
    middle = full[..., top : top + side, left : left + side]
    torch.testing.assert_close(cropped, middle, atol=1e-4, rtol=0)

    pose = draw_moves(3)
    full = canonicalize_images(images, *pose, fill)
    cropped = canonicalize_images(images, *pose, fill, side=side)
    middle = full[..., top : top + side, left : left + side]
    torch.testing.assert_close(cropped, middle, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("size", "side"), [((15, 15), 8), ((16, 21), 9), ((21, 16), 8), ((16, 16), 7)]
)
def test_a_side_between_pixels_has_pixels_of_the_same_size(size, side):
    """Its grid is the square's own, on the scale of the image."""
    images, (theta, tau) = torch.rand(3, 1, *size), draw_moves(3)
    points = pixel_grid(side, side) * (side / max(size))
    moved = torch.einsum("nij,hwj->nhwi", rotation_matrix(theta), points)
    torch.testing.assert_close(
        canonicalize_images(images, theta, tau, 0.3, side=side),
        sample_points(images, moved + tau[:, None, None], 0.3),
        atol=1e-4,
        rtol=0,
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
    monkeypatch.setattr(_motion, "_CHUNK", 4)  # six images: one chunk and a half
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


def test_low_moments_equal_the_naive_twin():
    mass, point = torch.rand(3, 8, 11, dtype=torch.float64), torch.randn(3, 2) * 0.3
    center, central = low_moments(mass)
    moved = central.about(point - center)
    for moments, about in ((central, center), (moved, point)):
        for name, p, q in (("first", 1, 0), ("second", 2, 0), ("third", 2, 1)):
            pairs = zip(mass.numpy(), about.tolist(), strict=True)
            twin = torch.tensor([naive_moment(m, c, p, q) for m, c in pairs])
            torch.testing.assert_close(getattr(moments, name), twin.to(mass))
        pairs = zip(mass.numpy(), about.tolist(), strict=True)
        spread = [naive_moment(m, c, 1, 1)[0] for m, c in pairs]
        torch.testing.assert_close(moments.spread[:, 0], torch.tensor(spread).to(mass))


def test_the_moments_of_a_small_object_far_from_the_middle_keep_their_digits():
    mass = torch.zeros(1, 96, 96)
    mass[0, 10:15, 60:64] = torch.rand(5, 4)
    found = symmetry_targets(mass, "complex_moment", translates=True)[1]
    twin = mass[0].double().numpy()
    expected = torch.tensor([naive_moment(twin, naive_center(twin), 2, 1)])
    assert (found - expected).norm() < 1e-5 * expected.norm()


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
    found, axis = symmetry_targets(mass, "principal_axis", translates=translates)
    assert torch.equal(found, center)
    torch.testing.assert_close(axis, axis_of(mass, translates))
    _, nothing = symmetry_targets(mass, None, translates=translates)
    assert not nothing.any()


@pytest.mark.parametrize("rule", [*RULES, None])
def test_without_translation_tau_is_zero(rule):
    mass = image_mass(draw_blobs(40, 40, 1))
    theta, tau = analytic_pose(mass, rule, translates=False)
    assert not tau.any()
    assert theta.any() == (rule is not None)


# The principal axis

LOPSIDED = [(0.3, 0.05, 0.9), (-0.1, 0.2, 0.6), (-0.2, -0.05, 0.3)]
HEAVY_END = [(0.4, 0.0, 1.0), (0.15, 0.0, 0.5), (-0.1, 0.0, 0.4), (-0.4, 0.0, 0.3)]
EVEN_BAR = [(x, 0.0, 1.0) for x in (-0.4, -0.2, 0.0, 0.2, 0.4)]
# An isosceles triangle whose second moments are those of a disc (mu_20 = 0), heavy at
# its tip: mu_21 points away from the tip.
ROUND = [(0.25, 0.0, 1.0), (-0.25, 0.125**0.5, 0.5), (-0.25, -(0.125**0.5), 0.5)]
ALL_AROUND = torch.arange(90) * (2 * math.pi / 90) + 0.01


@pytest.mark.parametrize("first", [(2, 1), (1, 0)])
@pytest.mark.parametrize("size", [(12, 12), (9, 13)])
def test_principal_axis_equals_the_naive_twin(first, size):
    mass = torch.rand(8, *size) ** 4
    about = center_of_mass(mass) if first == (2, 1) else torch.randn(8, 2) * 0.1
    expected = [
        naive_axis(m, c, *first)
        for m, c in zip(mass.double().numpy(), about.tolist(), strict=True)
    ]
    found = principal_axis(mass, about, first=first)
    expected = torch.tensor(expected, dtype=torch.float32)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("scale", [0.0, 0.01, 0.25, 1.0, 5.0])
def test_the_steepest_angle_is_the_best_of_many(scale):
    """A true maximum; of two that are as good as equal it may be the second best."""
    one = scale * torch.randn(200, dtype=torch.complex128)
    two = torch.randn(200, dtype=torch.complex128)

    def height(angles):
        turn = torch.polar(torch.ones_like(angles), -angles)
        return (one[:, None] * turn + two[:, None] * turn.square()).real

    angles = torch.linspace(0, 2 * math.pi, 5001, dtype=torch.float64).expand(200, -1)
    theta = _steepest_angle(*map(torch.view_as_real, (one, two))).double()[:, None]
    lost = height(angles).amax(dim=1) - height(theta)[:, 0]
    assert (lost < 0.1 * one.abs() + 1e-6).all()
    assert (lost < 1e-6).double().mean() > 0.95
    nearby = height(theta + torch.tensor([-1e-3, 1e-3]))
    assert (height(theta) >= nearby).all()


def test_the_steepest_angle_of_one_direction_alone_is_that_direction():
    one = torch.view_as_real(torch.polar(torch.rand(90) + 0.1, ALL_AROUND))
    assert circular_error(_steepest_angle(one, 0 * one), ALL_AROUND) < 1e-5


@pytest.mark.parametrize("spots", [LOPSIDED, HEAVY_END, ROUND])
@pytest.mark.parametrize("translates", [True, False])
def test_the_principal_axis_turns_with_the_image_by_any_angle(spots, translates):
    upright = axis_of(draw_spots(spots, torch.zeros(90)), translates)
    axis = axis_of(draw_spots(spots, ALL_AROUND), translates)
    expected = turned(upright, ALL_AROUND)
    torch.testing.assert_close(axis, expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("spots", [LOPSIDED, HEAVY_END, ROUND])
def test_the_principal_axis_stays_when_the_image_is_shifted(spots):
    axis = axis_of(draw_spots(spots, ALL_AROUND, size=64))
    moved = axis_of(draw_spots(spots, ALL_AROUND, size=64, shift=(-0.1, 0.15)))
    torch.testing.assert_close(moved, axis, atol=2e-3, rtol=0)


@pytest.mark.parametrize("translates", [True, False])
def test_the_principal_axis_knows_neither_size_nor_brightness(translates):
    def draw(scale):
        spots = [(scale * x, scale * y, peak) for x, y, peak in LOPSIDED]
        return draw_spots(spots, ALL_AROUND, size=64, width=0.12 * scale)

    axis = axis_of(draw(1.0), translates)
    torch.testing.assert_close(axis_of(3 * draw(1.0), translates), axis)
    torch.testing.assert_close(axis_of(draw(0.6), translates), axis, atol=0.01, rtol=0)


def test_the_axis_of_a_bar_is_its_long_side():
    """About the centre: its heavier end; about its own: the end that reaches far."""
    heavy = draw_spots(HEAVY_END, ALL_AROUND)
    assert circular_error(direction_of(axis_of(heavy, False)), ALL_AROUND) < 0.01
    light_end = ALL_AROUND + math.pi
    assert circular_error(direction_of(axis_of(heavy, True)), light_end) < 0.01


@pytest.mark.parametrize("translates", [True, False])
def test_the_axis_of_a_bar_with_equal_ends_is_short(translates):
    axis = axis_of(draw_spots(EVEN_BAR, ALL_AROUND), translates)
    assert axis.norm(dim=1).max() < 0.01
    assert (
        axis_of(draw_spots(HEAVY_END, ALL_AROUND), translates).norm(dim=1).min() > 0.3
    )
    assert circular_error(2 * direction_of(axis), 2 * ALL_AROUND) < 0.01  # either end


def test_the_axis_of_a_round_object_is_that_of_the_complex_moment():
    mass = draw_spots(ROUND, ALL_AROUND)
    center = center_of_mass(mass)
    assert complex_moment(mass, center, 2, 0).norm(dim=1).max() < 1e-5
    moment = direction_of(complex_moment(mass, center))
    assert circular_error(direction_of(axis_of(mass)), moment) < 1e-3
    assert circular_error(moment, ALL_AROUND + math.pi) < 0.01


@pytest.mark.parametrize("first", [(2, 1), (1, 0)])
def test_the_axis_of_nothing_and_of_a_point_is_finite_and_short(first):
    mass = torch.zeros(3, 9, 9)
    mass[1, 4, 4] = mass[2, 2, 7] = 1.0
    axis = principal_axis(mass, center_of_mass(mass), first=first)
    assert axis.isfinite().all()
    assert axis[:2].norm(dim=1).max() < 1e-5
    assert direction_of(axis[:1]).item() == 0


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


def test_move_array_fills_each_image_with_its_own_value(monkeypatch):
    monkeypatch.setattr(_motion, "_CHUNK", 2)
    fill = np.arange(15.0).reshape(5, 3, 1, 1)
    images = np.broadcast_to(fill, (5, 3, 8, 8))
    moved = move_array(images, np.full(5, 0.7), np.ones((5, 2)), fill)
    np.testing.assert_allclose(moved, images, atol=1e-5)
