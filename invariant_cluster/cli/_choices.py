"""Choices of the command line's options."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Kind of images: the keys of ``pipelines.KINDS``."""

    general = "general"
    wafers = "wafers"
    textures = "textures"
    galaxies = "galaxies"
    particles = "particles"


class Features(StrEnum):
    """Feature spaces: those of ``pipelines.FEATURES``."""

    auto = "auto"
    joint = "joint"
    learned = "learned"
    scattering = "scattering"
    averages = "averages"


class Shown(StrEnum):
    """What of an image is seen: values of the embedders' ``object``."""

    all = "all"
    central = "central"


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


class Ground(StrEnum):
    """Grounds of transparent pixels."""

    auto = "auto"
    black = "black"
    white = "white"


class MixedDepth(StrEnum):
    """What is done with files of different depths; ``raise`` is a keyword."""

    refuse = "raise"
    widen = "widen"
    scale = "scale"


class StretchKind(StrEnum):
    """How values are stretched."""

    auto = "auto"
    linear = "linear"
    asinh = "asinh"
