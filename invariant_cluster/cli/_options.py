"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invariant_cluster.cli._choices import ColorKind, Ground, MixedDepth
from invariant_cluster.cli._file_names import MODEL

# Groups of options in the help, in the order of their first options.
CLUSTERS, OUTPUT = "Clusters", "Output"
FILES, TRAINING = "Images and files", "Training"

Images = Annotated[
    Path,
    typer.Argument(
        help="Folder of images (PNG, TIFF, FITS, ...), array (.npy; .npz, .h5 or .zarr "
        "with --key), particles (.mrc, .mrcs, a folder of these, .star, .cs, or .txt "
        "that lists stacks), table of wafer maps (LSWMD.pkl; MixedWM38's .npz), or "
        "dies of wafers (.csv or .parquet with wafer, x, y and bin; KLARF; a folder of "
        "these)."
    ),
]
Model = Annotated[
    Path, typer.Argument(help=f"The {MODEL} that fit wrote, or its folder.")
]
Key = Annotated[
    str | None,
    typer.Option(
        help="Name of the array of images in an .npz, .h5 or .zarr file.",
        rich_help_panel=FILES,
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        help="Channels to take of an array (n, h, w, c) or (n, c, h, w), from 0 and "
        "joined by commas: 0,1,2. Give predict and report the same.",
        rich_help_panel=FILES,
    ),
]
Degrees = Annotated[
    bool,
    typer.Option(
        "--degrees",
        help="Write angles in degrees, as theta_deg and theta_std_deg, instead of "
        "radians.",
        rich_help_panel=OUTPUT,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=OUTPUT),
]
SkipUnreadable = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable",
        help="Leave out files that cannot be read. A CSV file beside the result lists "
        "them with the reasons.",
        rich_help_panel=FILES,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder that keeps decoded images, so that a further run is faster. Not "
        "for predict --shards.",
        rich_help_panel=FILES,
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        help="Files that are read at a time; -1: one per processor.",
        rich_help_panel=FILES,
    ),
]
Color = Annotated[
    ColorKind,
    typer.Option(
        help="Colours to which files are converted. auto keeps them.",
        rich_help_panel=FILES,
    ),
]
Transparent = Annotated[
    Ground,
    typer.Option(
        help="Ground of transparent pixels. auto: the one from which the objects "
        "differ more.",
        rich_help_panel=FILES,
    ),
]
Crop = Annotated[
    str | None,
    typer.Option(
        help="Pixels cut off each file: top,right,bottom,left. Removes scale bars.",
        rich_help_panel=FILES,
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        help="Image file. Where it is not zero, the background replaces the pixels of "
        "each file.",
        rich_help_panel=FILES,
    ),
]
_WHERE_MASKS = (
    "_mask: beside the images, as x_mask.png of x.png. A folder: under the names of "
    "the images."
)
Masks = Annotated[
    str | None,
    typer.Option(
        metavar="auto|SUFFIX|DIR",
        help="Masks of the single images. Where a mask is 0, the background replaces "
        "the pixels: other than 0 is the object, the opposite of --mask. "
        f"{_WHERE_MASKS} auto: found by _mask, or in a folder masks.",
        rich_help_panel=FILES,
    ),
]
OtherMasks = Annotated[
    str | None,
    typer.Option(
        metavar="auto|SUFFIX|DIR",
        help=f"Masks of these images. {_WHERE_MASKS}  [default: as in fit]",
        rich_help_panel=FILES,
    ),
]
InvertMasks = Annotated[
    bool,
    typer.Option(
        "--invert-masks",
        help="In --masks, 0 is the object, and all else is replaced.",
        rich_help_panel=FILES,
    ),
]
KeepScale = Annotated[
    bool,
    typer.Option(
        "--keep-scale",
        help="A pixel means the same size in all files. Otherwise each file fills "
        "--size.",
        rich_help_panel=FILES,
    ),
]
PaletteText = Annotated[
    str | None,
    typer.Option(
        "--palette",
        help="Colours of wafer maps, which are read as maps of failing dies: "
        "white=outside,green=pass,red=fail. auto: found on the images. none: images "
        "are kept as they are.  [default: auto with --kind wafers, else none]",
        rich_help_panel=FILES,
    ),
]
PassBins = Annotated[
    str | None,
    typer.Option(
        help="Bins of dies that pass in tables of dies, joined by commas.  [default: "
        "1, P, PASS, PASSED, GOOD, OK or TRUE]",
        rich_help_panel=FILES,
    ),
]
Depth = Annotated[
    MixedDepth,
    typer.Option(
        help="Files of different depths. raise: an error. widen: values stay. scale: "
        "full ranges are mapped to the widest.",
        rich_help_panel=FILES,
    ),
]
