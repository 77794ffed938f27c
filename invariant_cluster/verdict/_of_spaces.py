"""Checks of the representations, and of the training behind them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from invariant_cluster.embedders import ScatteringEmbedder
from invariant_cluster.losses import effective_dimension
from invariant_cluster.metrics import neighbor_agreement_score
from invariant_cluster.training import count_batches
from invariant_cluster.verdict._evidence import Evidence, Space
from invariant_cluster.verdict._finding import Finding
from invariant_cluster.verdict._limits import Limits
from invariant_cluster.verdict._remedies import name_free_features

_DIMENSION = Limits(2.0, 1.2)
_STEPS = Limits(150, 50)
_LAG = Limits(0.05, 0.3)
_OFF = Limits(0.3, 0.6)
_FAR_OFF = math.radians(30)
_N_NEIGHBORS = 20
_LEAST_IMAGES = 3  # two neighbours can differ
_LEAST_FOR_DIMENSION = 10  # a few images span few dimensions
_MOST_COMPARED = 500
# What scattering is told of the images, as far as the embedder was told it.
_SHARED = (
    "invariance",
    "object",
    "stretch",
    "background",
    "smoothing",
    "intensity_range",
    "image_shape",
)


def check_collapse(evidence: Evidence) -> list[Finding]:
    """Check how many directions each space uses."""
    if len(evidence.z) < _LEAST_FOR_DIMENSION:
        return []
    return [
        _DIMENSION.judge(
            _named("dimension", space),
            used,
            f"z{_of(space)} uses {used:.3g} of {space.z.shape[1]} dimensions (its "
            "participation ratio).",
            "It has collapsed: images differ in one respect only, such as brightness.",
            "Train longer, convert colours that are mere labels to grey, or use "
            f"{name_free_features(evidence)}."
            if space.is_learned
            else "Look at what the images differ by, and let invariance leave it out.",
        )
        for space in evidence.spaces
        for used in [
            float(effective_dimension(torch.from_numpy(np.array(space.z, np.float64))))
        ]
    ]


def check_steps(evidence: Evidence) -> list[Finding]:
    """Check how many steps each network was trained for."""
    return [
        _STEPS.judge(
            _named("training steps", space),
            n_steps,
            f"The network{_of(space)} was trained for {n_steps} steps.",
            "That is too few to learn from.",
            f"Use a larger max_epochs, or {name_free_features(evidence)}, which needs "
            "no training.",
        )
        for space in evidence.spaces
        if (n_steps := _count_steps(space, evidence.n_training))
    ]


def check_learned(evidence: Evidence) -> list[Finding]:
    """Check whether learned neighbours survive a turn as well as those of scattering.

    A member of the embedder without training is the yardstick; without one,
    ``ScatteringEmbedder`` is fitted on at most 500 images of the sample.
    """
    if not any(space.is_learned for space in evidence.spaces):
        return []
    if len(evidence.images) < _LEAST_IMAGES:
        return []
    free = [space for space in evidence.spaces if not space.is_learned]
    yardstick = (
        max(map(_agreement, free)) if free else _agreement_of_scattering(evidence)
    )
    findings = []
    for space in evidence.spaces:
        if space.is_learned:
            own = _agreement(space, None if free else _MOST_COMPARED)
            findings.append(
                _LAG.judge(
                    _named("learned neighbors", space),
                    yardstick - own,
                    f"After a turn images keep {own:.0%} of their neighbours in z"
                    f"{_of(space)}, and {yardstick:.0%} in features without training.",
                    "The network has learned less than it was given.",
                    f"Use {name_free_features(evidence)}, or a larger max_epochs.",
                )
            )
    return findings


def check_poses(evidence: Evidence) -> Finding | None:
    """Check whether poses turn with the images."""
    errors = evidence.pose_errors
    if errors is None:
        return None
    off = float(np.mean(~(errors <= _FAR_OFF)))  # NaN, too, is no direction
    return _OFF.judge(
        "poses",
        off,
        f"The pose of {off:.0%} of the images does not turn with them, to 30 degrees.",
        "They have no direction: they are round, blank or textures, or drown in noise.",
        'Use kind="textures" for images without an object and kind="particles" for '
        "objects in strong noise."
        if evidence.is_ready
        else "Use ScatteringEmbedder for images without an object and "
        "ClassAverageEmbedder for objects in strong noise.",
    )


def _count_steps(space: Space, n_images: int) -> int | None:
    """Return the number of training steps, None if it is not known."""
    net = getattr(space.embedder, "net_", None)
    if not space.is_learned or net is None:
        return None
    return len(space.embedder.history_) * count_batches(n_images, net.batch_size)


def _agreement(space: Space, most: int | None = None) -> float:
    """Return the share of neighbours that a turn does not change."""
    return _share_kept(space.z[:most], space.z_turned[:most])


def _agreement_of_scattering(evidence: Evidence) -> float:
    """Return it for scattering, fitted on the sample with the same invariance."""
    given, turned = (
        images[:_MOST_COMPARED] for images in (evidence.given, evidence.given_turned)
    )
    known = evidence.embedder.get_params()
    told = {name: known[name] for name in _SHARED if name in known}
    with warnings.catch_warnings():  # the embedder gave them at its own fit
        warnings.simplefilter("ignore", UserWarning)
        scattering = ScatteringEmbedder(random_state=0, **told).fit(given)
    return _share_kept(scattering.transform(given), scattering.transform(turned))


def _share_kept(z: NDArray, z_turned: NDArray) -> float:
    n_neighbors = min(_N_NEIGHBORS, len(z) // 2)
    return neighbor_agreement_score(z, z_turned, n_neighbors=n_neighbors)


def _named(check: str, space: Space) -> str:
    return f"{check} ({space.name})" if space.name else check


def _of(space: Space) -> str:
    return f' of "{space.name}"' if space.name else ""
