"""Constraints of the parameters that embedders share."""

from __future__ import annotations

from itertools import combinations
from numbers import Integral, Real
from typing import Any

import torch

from invariant_cluster.images import STRETCHES
from invariant_cluster.runtime import PRECISIONS
from invariant_cluster.validation import Interval, Options, StrOptions

_DEVICES: list[Any] = [str, Options(object, set()), torch.device]
# Every choice of words besides "rotation", in this order.
_WORDS = ("translation", "reflection", "scale", "brightness", "color")


class Invariances(StrOptions):
    """Constraint of ``invariance``: "rotation" and any of some words.

    Parameters
    ----------
    words : tuple of str
        The words in their order.
    """

    def __init__(self, words: tuple[str, ...] = _WORDS) -> None:
        super().__init__(
            {
                "+".join(("rotation", *chosen))
                for n_words in range(len(words) + 1)
                for chosen in combinations(words, n_words)
            }
        )
        self.words = words

    def __str__(self) -> str:
        """Return what an error message says is allowed."""
        return (
            f"'rotation', alone or with any of {', '.join(self.words)} in this order, "
            "joined by '+'"
        )


# Of every embedder of images.
OF_IMAGES: dict[str, list[Any]] = {
    "d": [Interval(Integral, 1, None, closed="left")],
    "invariance": [Invariances()],
    "background": [StrOptions({"auto"}), Real, "array-like"],
    "stretch": [StrOptions(set(STRETCHES))],
    "smoothing": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    "object": [StrOptions({"all", "central"})],
    "random_state": ["random_state"],
    "image_shape": ["array-like", None],
}
# Of embedders whose features are computed.
OF_FEATURES: dict[str, list[Any]] = {
    **OF_IMAGES,
    "power": [Interval(Real, 0, None, closed="neither")],
    "whiten": [Interval(Real, 0, 0.5, closed="both")],
    "device": _DEVICES,
}
# Of embedders that train a network.
OF_TRAINING: dict[str, list[Any]] = {
    "align": ["boolean"],
    "intensity_range": ["array-like", None],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 2, None, closed="left")],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "lr_schedule": [StrOptions({"one_cycle", "constant"})],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "device": _DEVICES,
    "precision": [StrOptions(set(PRECISIONS))],
    "callbacks": [list, tuple, None],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
}
