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


class Method(StrEnum):
    """What is clustered: ``pipelines.FEATURES``, with IRL-INR by its name."""

    auto = "auto"
    joint = "joint"
    irl_inr = "irl-inr"
    scattering = "scattering"
    polar = "polar"
    averages = "averages"


class OldMethod(StrEnum):
    """Values of the older option ``--features``, which are those of Python."""

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
