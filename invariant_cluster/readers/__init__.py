"""Readers of single files: from the bytes on disk to the values that were meant."""

from invariant_cluster.readers._formats import FORMATS, Format, is_image_name
from invariant_cluster.readers._ground import choose_ground
from invariant_cluster.readers._picture import Picture, UnreadableError
from invariant_cluster.readers._read import read_image

__all__ = [
    "FORMATS",
    "Format",
    "Picture",
    "UnreadableError",
    "choose_ground",
    "is_image_name",
    "read_image",
]
