"""Readers of single files: from the bytes on disk to the values that were meant."""

from invariant_cluster.readers._image_file import read_image

__all__ = ["read_image"]
