"""Random views: each image its own, as large as the paper says, never mirrored."""

import math

import pytest
import torch
import torch.nn.functional as F

from invariant_cluster.geometry import (
    analytic_pose,
    center_of_mass,
    complex_moment,
    disc_mask,
    image_mass,
    pixel_grid,
    rotation_matrix,
)
from invariant_cluster.views import (
    AUGMENTATIONS,
    Augmentation,
    Variation,
    _deformation,
    deform,
    mirror_some,
    rigid_views,
    speckle,
    vary,
)

FILL = torch.zeros(1, 1, 1)


def draw_spots(n, side=24, n_channels=1):
    """Return one small, smooth, chiral object near the centre, n times."""
    points = pixel_grid(side, side)
    image = torch.zeros(side, side)
    for x, y, peak in [(0.2, 0, 0.9), (-0.05, 0.2, 0.6), (-0.2, -0.05, 0.3)]:
        square = (points - torch.tensor([x, y])).square().sum(dim=-1)
        image += peak * torch.exp(-square / (2 * 0.1**2))
    return image.clamp(0, 1).expand(n, n_channels, side, side).clone()


def pose_of(images):
    return analytic_pose(image_mass(images), "complex_moment", translates=True)


def moment(images, p, q):
    mass = image_mass(images)
    return torch.view_as_complex(complex_moment(mass, center_of_mass(mass), p, q))


def turns_of(images):
    """Angles relative to the object as drawn, in [-pi, pi)."""
    theta = pose_of(images)[0] - pose_of(draw_spots(1))[0]
    return (theta + math.pi).remainder(2 * math.pi) - math.pi


def relative_spread(images):
    """Second moment relative to the object's as drawn: its zoom, squared."""
    return moment(images, 1, 1).real / moment(draw_spots(1), 1, 1).real


def assert_uniform(values, low, high):
    """Kolmogorov's test at a level of about 1 in 10,000."""
    place = (values.sort().values - low) / (high - low)
    expected = torch.linspace(0, 1, len(values))
    assert (place - expected).abs().max() < 2.2 / math.sqrt(len(values))


# Rigid views


def test_angles_are_uniform():
    views = rigid_views(draw_spots(1000), translation_std=0.0, fill=0.0)
    assert_uniform(turns_of(views), -math.pi, math.pi)


def test_shifts_are_normal_with_a_standard_deviation_of_the_longer_side():
    images = torch.zeros(1500, 1, 16, 24)
    images[:] = torch.exp(-pixel_grid(16, 24).square().sum(dim=-1) / (2 * 0.08**2))
    views = rigid_views(images, translation_std=0.03, fill=0.0)
    shift = center_of_mass(views.sum(dim=1)) / 2  # the longer side is 2 units
    assert shift.std(dim=0).tolist() == pytest.approx([0.03, 0.03], rel=0.1)
    assert shift.mean(dim=0).tolist() == pytest.approx([0, 0], abs=0.004)
    assert torch.corrcoef(shift.T)[0, 1].abs() < 0.11


def test_without_translation_the_object_stays_at_its_distance_from_the_centre():
    images = draw_spots(50)
    views = rigid_views(images, translation_std=0.0, fill=0.0)
    distance = center_of_mass(image_mass(images)).norm(dim=1)
    moved = center_of_mass(image_mass(views)).norm(dim=1)
    torch.testing.assert_close(moved, distance, atol=1e-3, rtol=0)


def test_what_enters_the_frame_is_the_fill():
    fill = torch.tensor([0.2, 0.5, 0.9])[:, None, None]
    images = fill.expand(20, 3, 12, 16).clone()
    views = rigid_views(images, translation_std=0.3, fill=fill)
    torch.testing.assert_close(views, images)


# Deformation


def is_mirrored(views, images):
    """Tell which views show the mirror image, by the sign of a chiral invariant."""

    def handedness(x):
        return (moment(x, 3, 0) * moment(x, 2, 1).conj() ** 3).imag.sign()

    return handedness(views) != handedness(images)


@pytest.mark.parametrize("reflection", [False, True])
def test_copies_are_mirrored_only_where_a_reflection_means_nothing(reflection):
    images = draw_spots(400, side=40)
    options = {"fill": FILL, "reflection": reflection}
    views = rigid_views(images, translation_std=0.0, **options)
    moved = Augmentation("R").move(images, FILL, reflection=reflection)
    for copies in [views, moved]:
        share = is_mirrored(copies, images).float().mean()
        assert (0.4 < share < 0.6) if reflection else (share < 0.01)


def test_half_of_the_images_are_mirrored_left_to_right():
    images = torch.rand(400, 3, 8, 10)
    mirrored = mirror_some(images)
    changed = (mirrored != images).any(dim=3).any(dim=2).any(dim=1)
    assert 0.4 < changed.float().mean() < 0.6
    assert torch.equal(mirrored[changed], images[changed].flip(3))


def test_noise_of_strength_0_is_the_image_itself():
    images = torch.rand(3, 1, 8, 8)
    assert speckle(images, 0.0, FILL) is images


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_noise_drops_and_adds_the_documented_shares(strength):
    full, empty = torch.ones(500, 1, 20, 20), torch.zeros(500, 1, 20, 20)
    dropped = (speckle(full, strength, FILL) == 0).float().mean(dim=(1, 2, 3))
    assert dropped.max() == pytest.approx(0.4 * strength, abs=0.1)
    assert dropped.std() == pytest.approx(0.4 * strength / math.sqrt(12), abs=0.03)
    assert dropped.mean() == pytest.approx(0.2 * strength, abs=0.02)
    inside = disc_mask(20, 20)
    specks = speckle(empty, strength, FILL)[:, 0]
    assert not specks[:, ~inside].any()
    added = (specks[:, inside] > 0).float().mean(dim=1)
    assert added.mean() == pytest.approx(0.05 * strength, abs=0.01)
    assert specks.max() <= 1


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_specks_differ_from_any_background_and_stay_in_range(value):
    fill = torch.full((1, 1, 1), value)
    noisy = speckle(torch.full((50, 1, 16, 16), value), 1.0, fill)
    assert (noisy != value).any()
    assert noisy.min() >= 0
    assert noisy.max() <= 1


def test_a_speck_weakens_nothing_that_is_there():
    images = torch.rand(50, 1, 16, 16)
    noisy = speckle(images, 1.0, FILL)
    assert ((noisy >= images) | (noisy == 0)).all()


def test_images_vary_by_deformation_and_then_noise():
    images = draw_spots(4)
    assert vary(images, Variation(reflection=True), FILL) is images
    torch.manual_seed(0)
    both = vary(images, Variation(0.5, 0.7), FILL)
    torch.manual_seed(0)
    expected = speckle(deform(images, 0.5, FILL), 0.7, FILL)
    assert torch.equal(both, expected)


def draw_spot(n, height, width, at=(0.0, 0.0), radius=0.05):
    """Return one small spot of peak 0.9, n times."""
    square = (pixel_grid(height, width) - torch.tensor(at)).square().sum(dim=-1)
    image = 0.9 * torch.exp(-square / (2 * radius**2))
    return image.expand(n, 1, height, width).clone()


def test_a_deformation_of_strength_0_is_the_image_itself():
    images = torch.rand(3, 1, 9, 14)
    assert deform(images, 0.0, FILL) is images
    assert deform(images, 0, FILL) is images


@pytest.mark.parametrize("size", [(16, 16), (12, 20), (20, 12)])
def test_a_deformation_equals_its_twin_from_the_formula(size, monkeypatch):
    """Matrices, shift and bicubic bend, each by torch's own function."""
    n, strength, sampled = 3, 0.7, []
    images = torch.rand(n, 1, *size)
    monkeypatch.setattr(
        _deformation,
        "sample_points",
        lambda images, points, fill: sampled.append(points) or images,
    )
    torch.manual_seed(0)
    deform(images, strength, FILL)
    torch.manual_seed(0)
    stretch = torch.matrix_exp(torch.randn(n, 2, 2) * 0.1 * strength)
    matrix = stretch @ rotation_matrix(torch.randn(n) * 0.15 * strength)
    shift, *nodes = (torch.randn(n, 26, 2) * 0.06 * strength).unbind(dim=1)
    nodes = torch.stack(nodes, dim=2).unflatten(2, (5, 5))
    bend = F.interpolate(nodes, size, mode="bicubic", align_corners=True)
    points = torch.einsum("nij,hwj->nhwi", matrix, pixel_grid(*size))
    expected = points + shift[:, None, None] + bend.permute(0, 2, 3, 1)
    torch.testing.assert_close(sampled[0], expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (17, 17), (12, 20), (20, 12)])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("strength", [0.5, 1.0, 4.0])
def test_deformed_images_keep_shape_and_range(size, n_channels, strength):
    images = (torch.rand(20, n_channels, *size) > 0.5).float()
    bent = deform(images, strength, torch.full((n_channels, 1, 1), 0.5))
    assert bent.shape == images.shape
    assert bent.dtype == torch.float32
    assert 0 <= bent.min() <= bent.max() <= 1


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
@pytest.mark.parametrize("values", [[0.0], [1.0], [0.2, 0.5, 0.9]])
def test_background_stays_background_when_deformed(size, values):
    fill = torch.tensor(values)[:, None, None]
    blank = fill.expand(20, len(values), *size).clone()
    torch.testing.assert_close(deform(blank, 1.0, fill), blank)


def test_what_a_deformation_brings_in_is_the_fill():
    bent = deform(torch.full((200, 1, 16, 16), 0.3), 1.0, torch.full((1, 1, 1), 0.8))
    center = bent[..., 6:10, 6:10]
    torch.testing.assert_close(center, torch.full_like(center, 0.3))
    assert (bent[:, 0, 0, 0] > 0.7).any()
    assert bent.min() > 0.1


def test_each_image_is_deformed_in_its_own_way_and_its_channels_alike():
    images = draw_spots(20, n_channels=3)
    bent = deform(images, 1.0, FILL.expand(3, 1, 1))
    assert len(bent.flatten(1).unique(dim=0)) == 20
    torch.testing.assert_close(bent[:, 1], bent[:, 0])
    torch.testing.assert_close(bent[:, 2], bent[:, 0])
    assert (bent - images).flatten(1).abs().amax(dim=1).min() > 0.05


def test_a_deformation_is_repeated_by_its_seed():
    torch.manual_seed(4)
    first = deform(draw_spots(5), 1.0, FILL)
    torch.manual_seed(4)
    assert torch.equal(deform(draw_spots(5), 1.0, FILL), first)


@pytest.mark.parametrize("size", [(32, 32), (24, 40), (40, 24)])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_spot_in_the_middle_moves_as_far_as_documented(size, strength):
    """Shift and bend, 0.03 of the longer side each, and neither to one side."""
    bent = deform(draw_spot(800, *size), strength, FILL)
    moved = center_of_mass(bent[:, 0]) / 2  # the longer side is 2 units
    expected = math.hypot(0.03, 0.03) * strength
    assert moved.std(dim=0).tolist() == pytest.approx([expected] * 2, rel=0.2)
    assert moved.mean(dim=0).tolist() == pytest.approx([0, 0], abs=expected / 5)
    assert torch.corrcoef(moved.T)[0, 1].abs() < 0.15


def test_two_spots_move_apart_and_turn_as_documented():
    """The distance changes by the stretch and by two bends; the turn is 0.15 rad."""
    images = draw_spot(800, 48, 48, at=(0.5, 0)) + draw_spot(800, 48, 48, at=(-0.5, 0))
    mass = deform(images, 1.0, FILL)[:, 0]
    half = pixel_grid(48, 48)[..., 0] > 0
    apart = center_of_mass(mass * half) - center_of_mass(mass * ~half)
    bend = 0.06 * math.sqrt(2)  # of two places, in units of a half side
    assert apart[:, 0].std().item() == pytest.approx(math.hypot(0.1, bend), rel=0.25)
    assert apart[:, 0].mean().item() == pytest.approx(1, abs=0.03)
    across = math.sqrt(0.15**2 + 0.1**2 + bend**2)  # turn, shear and bend
    assert apart[:, 1].std().item() == pytest.approx(across, rel=0.25)
    assert apart[:, 1].mean().item() == pytest.approx(0, abs=0.03)


def test_deformations_grow_with_their_strength():
    images, changes = draw_spots(50), []
    for strength in [0.1, 0.3, 1.0, 2.0]:
        torch.manual_seed(0)
        bent = deform(images, strength, FILL)
        changes.append((bent - images).abs().mean().item())
    assert changes == sorted(changes)
    assert changes[0] < 0.3 * changes[2]


def test_deformations_blur_some_images_and_sharpen_others(monkeypatch):
    monkeypatch.setattr(_deformation, "_TURN", 0.0)
    monkeypatch.setattr(_deformation, "_STRETCH", 0.0)
    monkeypatch.setattr(_deformation, "_BEND", 0.0)
    images = draw_spot(200, 16, 16, at=(1 / 16, 1 / 16), radius=0.2)
    image = images[0, 0]
    peak = deform(images, 1.0, FILL)[:, 0, 7, 8]
    mean = image[6:9, 7:10].mean()  # of 3 x 3 pixels about the peak
    low, high = image[7, 8] + 0.5 * (mean - image[7, 8]) * torch.tensor([1, -1])
    assert_uniform(peak, low, high.clamp(max=1))


# Augmentations: motion


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_is_made_of_its_parts(name):
    augmentation = Augmentation(name)
    parts = [part for part in ("S1", "S2", "R", "T", "D") if augmentation.has(part)]
    assert "+".join(parts) == name


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentations_keep_shape_and_range(name):
    augmentation, fill = (
        Augmentation(name),
        torch.tensor([0.2, 0.5, 0.9])[:, None, None],
    )
    images = torch.rand(8, 3, 12, 16)
    changed = augmentation.distort(
        augmentation.move(images, fill), fill, Variation(1.0)
    )
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    assert not torch.equal(changed, images)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_image_is_changed_in_its_own_way(name):
    changed = Augmentation(name).move(draw_spots(20), FILL)
    changed = Augmentation(name).distort(changed, FILL, Variation(1.0))
    assert len(changed.flatten(1).unique(dim=0)) >= 18


def test_r_turns_all_around_and_does_nothing_else():
    views = Augmentation("R").move(draw_spots(1000), FILL)
    assert_uniform(turns_of(views), -math.pi, math.pi)
    spread = relative_spread(views)
    torch.testing.assert_close(spread, torch.ones(1000), atol=0.05, rtol=0)


def test_t_shifts_by_up_to_7_percent_of_the_longer_side():
    images = torch.zeros(1000, 1, 16, 24)
    images[:] = torch.exp(-pixel_grid(16, 24).square().sum(dim=-1) / (2 * 0.08**2))
    views = Augmentation("R+T").move(images, FILL)
    for shift in center_of_mass(views.sum(dim=1)).T:
        assert_uniform(shift / 2, -0.07, 0.07)


@pytest.mark.parametrize("name", ["S1", "S1+S2"])
def test_without_r_nothing_turns(name):
    views = Augmentation(name).move(draw_spots(100), FILL)
    assert turns_of(views).abs().max() < 0.1


@pytest.mark.parametrize("name", ["S1", "S1+S2+R+T"])
def test_s1_crops_half_to_all_of_the_area(name):
    square = pixel_grid(96, 96).square().sum(dim=-1)
    images = torch.exp(-square / (2 * 0.06**2)).expand(300, 1, 96, 96)
    views = Augmentation(name).move(images, FILL)[:, 0]  # the spot stays in the frame
    spread = complex_moment(views, center_of_mass(views), 1, 1)[:, 0]
    before = complex_moment(images[:1, 0], torch.zeros(1, 2), 1, 1)[:, 0]
    assert_uniform(before / spread, 0.5, 1)


@pytest.mark.parametrize("size", [(16, 16), (16, 32), (32, 16)])
def test_crops_lie_within_the_image(size):
    """Nothing of the fill enters, but for half a pixel of interpolation at the edge."""
    views = Augmentation("S1").move(torch.ones(200, 1, *size), FILL)
    assert views.min() > 0.5


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_no_augmentation_mirrors(name):
    """mu_31 conj(mu_21)^2 is the same for turned images, and conjugate for mirrored."""

    def chirality(images):
        value = moment(images, 3, 1) * moment(images, 2, 1).conj() ** 2
        return value.imag.sign()

    images = draw_spots(200)
    assert (chirality(images.flip(-1)) == -chirality(images)).all()
    views = Augmentation(name).move(images, FILL)
    assert (chirality(views) == chirality(images)).all()


# Augmentations: values


@pytest.mark.parametrize("name", ["R", "R+T"])
def test_without_s1_and_s2_values_stay(name):
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(Augmentation(name).distort(images, FILL, Variation(1.0)), images)


def test_s2_cuts_out_and_s1_does_not():
    images = torch.full((200, 1, 12, 12), 0.7)
    s1 = Augmentation("S1").distort(images, FILL, Variation(1.0))
    s2 = Augmentation("S1+S2").distort(images, FILL, Variation(1.0))
    assert (s1 > 0).all()
    assert ((s2 == 0).flatten(1).sum(dim=1) > 0).all()


@pytest.mark.parametrize("name", ["R+D", "R+T+D"])
def test_d_moves_as_without_it_and_then_deforms(name):
    images, moved = draw_spots(20), []
    for parts in (name, name.removesuffix("+D")):
        torch.manual_seed(3)
        moved.append(Augmentation(parts).move(images, FILL))
    assert torch.equal(*moved)
    assert torch.equal(Augmentation(name).distort(images, FILL, Variation(0.0)), images)
    changed = []
    for strength in (0.4, 2.0):
        torch.manual_seed(4)
        changed.append(Augmentation(name).distort(images, FILL, Variation(strength)))
        torch.manual_seed(4)
        assert torch.equal(changed[-1], deform(images, strength, FILL))
    assert not torch.equal(*changed)
