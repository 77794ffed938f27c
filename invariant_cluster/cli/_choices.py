"""The choices that options of the command line offer."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the images show: the keys of ``pipelines.KINDS``."""

    general = "general"
    wafers = "wafers"


class ColorKind(StrEnum):
    """What the files of a folder are converted to."""

    auto = "auto"
    grey = "grey"
    rgb = "rgb"


class Network(StrEnum):
    """How large the networks are."""

    auto = "auto"
    light = "light"
    full = "full"


class Invariance(StrEnum):
    """Changes of an image that do not change its meaning."""

    rotation = "rotation"
    translation = "rotation+translation"
    reflection = "rotation+reflection"
    all = "rotation+translation+reflection"
