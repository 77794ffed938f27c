"""Rigid geometry of image batches: pixel grid, motion, moments and analytic pose.

One convention holds everywhere in the package. The origin is the image's centre,
x points right and **y points up**, the edges of the longer side lie at -1 and 1, and
the scale is isotropic: one pixel is ``2 / max(h, w)`` long. These lengths are called
grid units. Angles are in radians and run counter-clockwise as displayed. The pose
(theta, tau) of an image J relates it to its canonical orientation::

    J(x) = I_can(R(-theta) (x - tau))
"""

from invariant_cluster.geometry._area import area_weights, shrink_square
from invariant_cluster.geometry._correlation import (
    Match,
    PoseGrid,
    Poses,
    average_images,
    match_images,
    normalize_disc,
    pose_copies,
    pose_grid,
    undo_poses,
)
from invariant_cluster.geometry._grid import (
    disc_mask,
    disc_points,
    homogeneous_grid,
    kept_disc,
    pixel_grid,
    pixels_to_units,
)
from invariant_cluster.geometry._kept import holding_kept, kept
from invariant_cluster.geometry._moments import (
    NO_MASS,
    center_of_mass,
    complex_moment,
    image_mass,
    mass_radius,
    mass_size,
)
from invariant_cluster.geometry._morlet import (
    low_pass,
    low_pass_width,
    morlet_filters,
    wavelet_gain,
)
from invariant_cluster.geometry._motion import (
    canonicalize_images,
    move_array,
    move_images,
    sample_affine,
    sample_points,
)
from invariant_cluster.geometry._pose_errors import direction_spread
from invariant_cluster.geometry._pose_posterior import angle_certainty
from invariant_cluster.geometry._pose_rules import (
    SYMMETRY_RULES,
    analytic_pose,
    symmetry_targets,
)
from invariant_cluster.geometry._principal_axis import principal_axis
from invariant_cluster.geometry._rotation_invariants import (
    measure_mass,
    polar_magnitudes,
    polar_points,
    radial_polynomial,
    zernike_basis,
    zernike_magnitudes,
)
from invariant_cluster.geometry._rotations import (
    angle_of,
    compose_poses,
    exponential,
    rotation_matrix,
    rotation_towards,
    signed_angle,
    to_canonical,
    wrap_angle,
)
from invariant_cluster.geometry._smoothing import smooth_images

__all__ = [
    "NO_MASS",
    "SYMMETRY_RULES",
    "Match",
    "PoseGrid",
    "Poses",
    "analytic_pose",
    "angle_certainty",
    "angle_of",
    "area_weights",
    "average_images",
    "canonicalize_images",
    "center_of_mass",
    "complex_moment",
    "compose_poses",
    "direction_spread",
    "disc_mask",
    "disc_points",
    "exponential",
    "holding_kept",
    "homogeneous_grid",
    "image_mass",
    "kept",
    "kept_disc",
    "low_pass",
    "low_pass_width",
    "mass_radius",
    "mass_size",
    "match_images",
    "measure_mass",
    "morlet_filters",
    "move_array",
    "move_images",
    "normalize_disc",
    "pixel_grid",
    "pixels_to_units",
    "polar_magnitudes",
    "polar_points",
    "pose_copies",
    "pose_grid",
    "principal_axis",
    "radial_polynomial",
    "rotation_matrix",
    "rotation_towards",
    "sample_affine",
    "sample_points",
    "shrink_square",
    "signed_angle",
    "smooth_images",
    "symmetry_targets",
    "to_canonical",
    "undo_poses",
    "wavelet_gain",
    "wrap_angle",
    "zernike_basis",
    "zernike_magnitudes",
]
