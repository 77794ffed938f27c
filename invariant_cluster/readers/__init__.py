"""Readers of single files: from the bytes on disk to the values that were meant."""

from invariant_cluster.readers._die_columns import DIE_TABLES, PARTS, read_dies
from invariant_cluster.readers._file_names import name_as_text
from invariant_cluster.readers._formats import FORMATS, Format, is_image_name
from invariant_cluster.readers._ground import choose_ground
from invariant_cluster.readers._klarf_file import KlarfWafer, is_klarf, read_klarf
from invariant_cluster.readers._missing import MISSING, fill_pixels
from invariant_cluster.readers._mrc_file import MrcStack, map_mrc, open_mrc, read_mrc
from invariant_cluster.readers._particle_list import (
    ParticleList,
    name_particle,
    read_particle_list,
    read_stack_list,
)
from invariant_cluster.readers._particle_places import (
    LISTS,
    STACKS,
    find_pictures,
    find_stacks,
    holds_particles,
    locate_stacks,
)
from invariant_cluster.readers._picture import Picture, Refused, UnreadableError
from invariant_cluster.readers._read import read_image
from invariant_cluster.readers._zarr_store import is_zarr_store

__all__ = [
    "DIE_TABLES",
    "FORMATS",
    "LISTS",
    "MISSING",
    "PARTS",
    "STACKS",
    "Format",
    "KlarfWafer",
    "MrcStack",
    "ParticleList",
    "Picture",
    "Refused",
    "UnreadableError",
    "choose_ground",
    "fill_pixels",
    "find_pictures",
    "find_stacks",
    "holds_particles",
    "is_image_name",
    "is_klarf",
    "is_zarr_store",
    "locate_stacks",
    "map_mrc",
    "name_as_text",
    "name_particle",
    "open_mrc",
    "read_dies",
    "read_image",
    "read_klarf",
    "read_mrc",
    "read_particle_list",
    "read_stack_list",
]
