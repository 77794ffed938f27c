"""Choices of the command line's options."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Kind of images: the keys of ``pipelines.KINDS``."""

    general = "general"
    wafers = "wafers"


class Features(StrEnum):
    """Feature spaces: those of ``pipelines.FEATURES``."""

    joint = "joint"
    learned = "learned"
    scattering = "scattering"


class ColorKind(StrEnum):
    """Colours to which the files of a folder are converted."""

    auto = "auto"
    grey = "grey"
    rgb = "rgb"


class Network(StrEnum):
    """Size of the networks."""

    auto = "auto"
    light = "light"
    full = "full"
