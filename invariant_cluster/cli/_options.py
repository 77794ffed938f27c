"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invariant_cluster.cli._choices import ColorKind, Ground, MixedDepth
from invariant_cluster.cli._outputs import MODEL

Images = Annotated[
    Path,
    typer.Argument(
        help="Folder of images (PNG, TIFF, FITS, ...), array (.npy; .npz, .h5 or .zarr "
        "with --key), particles (.mrc, .mrcs, a folder of these, .star, .cs, or .txt "
        "that lists stacks), or table of wafer maps (LSWMD.pkl; MixedWM38's .npz)."
    ),
]
Model = Annotated[
    Path, typer.Argument(help=f"The {MODEL} that fit wrote, or its folder.")
]
Key = Annotated[
    str | None,
    typer.Option(help="Name of the array of images in an .npz, .h5 or .zarr file."),
]
Channels = Annotated[
    str | None,
    typer.Option(
        help="Channels to take of an array (n, h, w, c) or (n, c, h, w), numbered from "
        "0 and joined by commas: 0 or 0,1,2. Give predict and report the same."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
SkipUnreadable = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable",
        help="Leave out files that cannot be read, and list them with the reasons in a "
        "CSV file beside the result.",
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder that keeps the decoded images of a folder: a further run need not "
        "decode files that did not change. Not for predict --shards."
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        help="Number of files that are read at a time; -1 for one per processor."
    ),
]
Color = Annotated[
    ColorKind,
    typer.Option(
        help="Colours to which the files of a folder are converted; auto keeps them."
    ),
]
Transparent = Annotated[
    Ground,
    typer.Option(
        help="Ground on which transparent pixels of files are put. auto: the one from "
        "which the objects differ more."
    ),
]
Crop = Annotated[
    str | None,
    typer.Option(
        help="Pixels cut off each file: top,right,bottom,left. Removes scale bars."
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        help="Image file, not zero where the pixels of each file are replaced by its "
        "background."
    ),
]
KeepScale = Annotated[
    bool,
    typer.Option(
        "--keep-scale",
        help="Let a pixel mean the same size in all files, instead of fitting each "
        "file's frame to --size.",
    ),
]
Depth = Annotated[
    MixedDepth,
    typer.Option(
        help="What is done with files of different depths. raise: it is an error. "
        "widen: values stay. scale: full ranges are mapped to the widest."
    ),
]
