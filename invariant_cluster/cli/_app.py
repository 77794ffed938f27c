"""The commands fit, predict, report and demo."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invariant_cluster import __version__
from invariant_cluster.cli._choices import (
    ColorKind,
    Ground,
    Kind,
    Method,
    MixedDepth,
    Network,
    OldMethod,
    Shown,
    StretchKind,
)
from invariant_cluster.cli._file_names import REPORT, SKIPPED
from invariant_cluster.cli._options import (
    CLUSTERS,
    FILES,
    OUTPUT,
    TRAINING,
    Cache,
    Channels,
    Color,
    Crop,
    Degrees,
    Depth,
    Images,
    InvertMasks,
    Jobs,
    KeepScale,
    Key,
    Mask,
    Masks,
    Model,
    OtherMasks,
    Overwrite,
    PaletteText,
    PassBins,
    SkipUnreadable,
    Transparent,
)
from invariant_cluster.cli._running import running
from invariant_cluster.cli._speech import say

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from invariant_cluster.cli._inputs import NamedImages

# What needs torch, pandas or scikit-learn is imported when a command runs: --help and
# --version take a third of a second.
_MOST_IMAGES = 100_000

app = typer.Typer(
    name="invariant-cluster",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    """Print the version and exit, if wanted."""
    if wanted:
        typer.echo(f"invariant-cluster {__version__}")
        raise typer.Exit


@app.callback()
def explain(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Show the version and exit.",
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show warnings of other packages, and where an error arose.",
        ),
    ] = False,
) -> None:
    """Cluster images whose orientation has no meaning, without labels.

    Try it on real wafer maps:

        invariant-cluster demo

    Then cluster your own images, open run/report.html in a browser, and apply the model
    to other images:

        invariant-cluster fit plankton/ --n-clusters 10 --out run

        invariant-cluster predict run more_plankton/ --out more.csv

    Several processes fit one model together when torchrun starts them:

        torchrun --nproc-per-node 2 -m invariant_cluster fit plankton/ ...
    """


@app.command()
def fit(
    context: typer.Context,
    images: Images,
    n_clusters: Annotated[
        str,
        typer.Option(
            "--n-clusters",
            "-k",
            metavar="NUMBER|auto",
            help="Number of clusters. auto: chosen without labels, in a minute or two, "
            "and told with its reason and the numbers that are as good.",
            rich_help_panel=CLUSTERS,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write to.", rich_help_panel=OUTPUT),
    ],
    kind: Annotated[
        Kind,
        typer.Option(
            metavar="KIND",
            help="What the images show.\n\n"
            "- general: objects on a background.\n\n"
            "- wafers: wafer maps. They are centred, and a mirror image means the "
            "same.\n\n"
            "- textures: no object.\n\n"
            "- galaxies: size, brightness and neighbours mean nothing.\n\n"
            "- particles: noise hides the outline.\n\n",
            rich_help_panel=CLUSTERS,
        ),
    ] = Kind.general,
    invariance: Annotated[
        str | None,
        typer.Option(
            help="What means nothing: rotation, with any of translation, reflection, "
            "scale, brightness and color, in this order, joined by +. Without "
            "translation, objects must be centred.  [default: depends on --kind]",
            rich_help_panel=CLUSTERS,
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            metavar="METHOD",
            help="What is clustered.\n\n"
            "- auto: averages for particles, scattering for textures and galaxies, "
            "else joint.\n\n"
            "- joint: irl-inr and scattering. Minutes on a CPU.\n\n"
            "- irl-inr: a trained network. Minutes on a CPU.\n\n"
            "- scattering: wavelets, no training. A minute or less.\n\n"
            "- polar: Fourier magnitudes on rings, no training. Seconds.\n\n"
            "- averages: class averages, for rigid objects in noise. Minutes.\n\n",
            rich_help_panel=CLUSTERS,
        ),
    ] = Method.auto,
    shown: Annotated[
        Shown | None,
        typer.Option(
            "--object",
            help="What of an image is seen. central: the connected object nearest the "
            "middle, without its neighbours.  [default: depends on --kind]",
            rich_help_panel=CLUSTERS,
        ),
    ] = None,
    stretch: Annotated[
        StretchKind,
        typer.Option(
            help="How values are stretched. asinh: faint images are seen beside bright "
            "ones. auto: linear, except for floats of which a linear range would show "
            "little; it is told.",
            rich_help_panel=FILES,
        ),
    ] = StretchKind.auto,
    size: Annotated[
        int,
        typer.Option(
            min=8,
            max=4096,
            help="Side in pixels to which files and wafer maps are resized. Arrays "
            "keep their size.",
            rich_help_panel=FILES,
        ),
    ] = 32,
    network: Annotated[
        Network,
        typer.Option(
            help="Size of the networks. light: minutes on a CPU. full: as in the "
            "paper, for a GPU. auto: full if there is a GPU.",
            rich_help_panel=TRAINING,
        ),
    ] = Network.auto,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the images in training.  [default: enough for some "
            "minutes (light), 200 (full)]",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            help="Seed. Equal seeds give equal results.",
            rich_help_panel=TRAINING,
        ),
    ] = 0,
    device: Annotated[
        str,
        typer.Option(
            help="Device: cpu, cuda, cuda:1, ... auto: the GPU if any.",
            rich_help_panel=TRAINING,
        ),
    ] = "auto",
    sample: Annotated[
        int,
        typer.Option(
            min=2,
            help="Most images to train on. Of more, some are drawn at random. "
            "labels.csv and the report are of these; predict --shards labels all.",
            rich_help_panel=TRAINING,
        ),
    ] = _MOST_IMAGES,
    color: Color = ColorKind.auto,
    transparent: Transparent = Ground.auto,
    crop: Crop = None,
    mask: Mask = None,
    masks: Masks = None,
    invert_masks: InvertMasks = False,
    keep_scale: KeepScale = False,
    mixed_depth: Depth = MixedDepth.refuse,
    palette: PaletteText = None,
    pass_bins: PassBins = None,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    image_shape: Annotated[
        str | None,
        typer.Option(
            help="Shape of one image, height,width or height,width,channels. For an "
            "array of flat rows, and for 2 or more than 4 channels.",
            rich_help_panel=FILES,
        ),
    ] = None,
    degrees: Degrees = False,
    overwrite: Overwrite = False,
    features: Annotated[OldMethod | None, typer.Option(hidden=True)] = None,
) -> None:
    """Train on images and write labels.csv, report.html and the model.

    Often enough: -k, --out, --kind, --method and --size.

    labels.csv has one row per image:

    - cluster, and confidence: the probability of the cluster.
    - score: the lower, the more unusual the image.
    - theta in radians, counter-clockwise, and its standard deviation theta_std, both
      empty where the object has no direction; tau_x and tau_y in pixels of the file
      (of wafer maps: of the map) from its centre, y up: the pose of the object, or
      with averages that relative to the average whose number is in the column average.
    - height and width of the file in pixels.

    -k auto chooses the number of clusters where the density of the images falls most
    between clusters, and prints which numbers are as good. Then look at the report: use
    more clusters if one holds two kinds of image. In Python,
    invariant_cluster.model_selection compares numbers by more criteria.
    """
    with running(context):
        from invariant_cluster import make_pipeline
        from invariant_cluster.cli._arrays import parse_numbers, set_image_shape
        from invariant_cluster.cli._given import count_neighbors, draw_for_fit, take_in
        from invariant_cluster.cli._methods import (
            choose_features,
            settle_method,
            tell_unused,
        )
        from invariant_cluster.cli._n_clusters import parse_n_clusters
        from invariant_cluster.cli._places import prepare_folder
        from invariant_cluster.cli._wafer_options import (
            parse_bins,
            parse_palette_option,
        )
        from invariant_cluster.datasets import make_reading

        wanted = parse_n_clusters(n_clusters)
        method = settle_method(method, features)
        folder = prepare_folder(out, overwrite)
        shape = parse_numbers("--image-shape", image_shape)
        reading = make_reading(
            size=size,
            color=color.value,
            transparent=transparent.value,
            crop=parse_numbers("--crop", crop),
            mask=mask,
            masks=masks,
            invert_masks=invert_masks,
            keep_scale=keep_scale,
            mixed_depth=mixed_depth.value,
            palette=parse_palette_option(palette, kind),
        )
        reading = replace(reading, pass_bins=parse_bins(pass_bins))
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = draw_for_fit(images, sample, intake, seed)
        chosen = choose_features(method, kind, len(given.images))
        tell_unused(chosen, epochs, network)
        pipe = make_pipeline(
            wanted,
            kind=kind.value,
            features=chosen,
            network=network.value,
            invariance=invariance,
            object=shown and shown.value,
            stretch=stretch.value,
            max_epochs=epochs or "auto",
            n_neighbors=count_neighbors(wanted, len(given.images)),
            device=device,
            random_state=seed,
            verbose=1,
        )
        is_settled = intake.channels is not None
        set_image_shape(pipe, given.images, shape, settled=is_settled)
        _fit_and_write(pipe, given, folder, degrees=degrees)


@app.command()
def predict(
    context: typer.Context,
    model: Model,
    images: Images,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="CSV file to write, or folder with --shards.  [default: print it]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    shards: Annotated[
        bool,
        typer.Option(
            "--shards",
            help="Write Parquet files of some rows each to the folder --out, in "
            "bounded memory, for any number of images. Called again, it continues.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    rows_per_shard: Annotated[
        int,
        typer.Option(
            min=1, help="Images per file of --shards.", rich_help_panel=OUTPUT
        ),
    ] = 100_000,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask scheduler whose workers compute the shards, such "
            "as tcp://host:8786. They must see the same paths.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    masks: OtherMasks = None,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    degrees: Degrees = False,
    overwrite: Overwrite = False,
) -> None:
    """Label images with a trained model.

    The table has the columns of labels.csv, which fit writes. Shards have the file (for
    an array: index), cluster and confidence.
    """
    with running(context):
        from invariant_cluster.cli._given import load_pipeline, read_for, take_in
        from invariant_cluster.cli._outputs import (
            describe_clusters,
            label_images,
            write_table,
        )
        from invariant_cluster.cli._places import (
            beside,
            check_out,
            check_shards_folder,
        )
        from invariant_cluster.cli._writing import write_skipped

        if shards:
            from invariant_cluster.cli._given import open_for
            from invariant_cluster.out_of_core import predict_shards

            folder = check_shards_folder(out)
            if cache is not None:
                raise ValueError(f"--cache {cache} is not used by --shards: omit it.")
            if degrees:
                raise ValueError("--degrees but shards hold no angles: omit it.")
            pipe, reading = load_pipeline(model, masks)
            intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
            given = open_for(pipe, images, intake)
            predict_shards(
                pipe,
                given,
                folder,
                rows_per_shard=rows_per_shard,
                scheduler=scheduler,
                overwrite=overwrite,
                verbose=1,
            )
            say(f"Wrote shards to {folder}.")
            write_skipped(getattr(given, "skipped", None), folder / SKIPPED)
            return
        if scheduler is not None:
            raise ValueError(f"--scheduler {scheduler} is for --shards: add --shards.")
        check_out(out, overwrite)
        pipe, reading = load_pipeline(model, masks)
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = read_for(pipe, images, intake)
        table = label_images(pipe, given, degrees=degrees)
        if out is None:
            table.to_csv(sys.stdout, index=False)
        else:
            write_table(table, out)
            say(f"Wrote {out}.")
        say(f"\n{describe_clusters(table, pipe[-1].n_clusters_)}\n")
        write_skipped(given.skipped, beside(out, SKIPPED))


@app.command()
def report(
    context: typer.Context,
    model: Model,
    images: Images,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="HTML file to write.", rich_help_panel=OUTPUT),
    ] = Path(REPORT),
    masks: OtherMasks = None,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    overwrite: Overwrite = False,
) -> None:
    """Write an HTML report of a trained model's clusters of images."""
    with running(context):
        from invariant_cluster.cli._given import load_pipeline, read_for, take_in
        from invariant_cluster.cli._places import beside, check_out
        from invariant_cluster.cli._writing import write_report, write_skipped
        from invariant_cluster.report import import_extra

        check_out(out, overwrite)
        import_extra()
        pipe, reading = load_pipeline(model, masks)
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = read_for(pipe, images, intake)
        write_report(pipe, given, out)
        write_skipped(given.skipped, beside(out, SKIPPED))


@app.command()
def demo(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write to.", rich_help_panel=OUTPUT),
    ] = Path("demo_run"),
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the images in training, as in fit.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Run fit on 1,799 bundled wafer maps and report the accuracy.

    Takes some minutes on a CPU. The labels are not used in training.
    """
    with running(context):
        from invariant_cluster import make_pipeline
        from invariant_cluster.cli._inputs import NamedImages
        from invariant_cluster.cli._places import prepare_folder
        from invariant_cluster.datasets import load_wafer_maps
        from invariant_cluster.metrics import clustering_accuracy_score

        folder = prepare_folder(out, overwrite)
        maps = load_wafer_maps(fail_map=True)
        names = [str(row) for row in range(len(maps.images))]
        pipe = make_pipeline(
            len(maps.target_names),
            kind=Kind.wafers.value,
            max_epochs=epochs or "auto",
            random_state=0,
            verbose=1,
        )
        table = _fit_and_write(pipe, NamedImages(maps.images, names), folder)
        if table is None:
            return
        accuracy = clustering_accuracy_score(maps.target, table["cluster"])
        say(f"Accuracy of clusters matched one to one with classes: {accuracy:.1%}")


def _fit_and_write(
    pipe: Pipeline, given: NamedImages, folder: Path, *, degrees: bool = False
) -> Any:
    """Train, write the model, the labels and the report, and return the labels."""
    from invariant_cluster.cli._writing import fit_and_write

    return fit_and_write(pipe, given, folder, degrees=degrees)
